"""Judging a model's samples: copies and wording, compared with the same figures for people's text."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.artifacts.typed import WrittenText
from components.judging.copying import LENGTHS, Copied, Passage, TrainingText
from components.judging.wording import worded, words_of

HELD_OUT = "held-out text"
# Samples copy if they have this much more of runs of 32 characters than people's text, or a passage twice as long as
# the longest there, and not a short one.
MORE_COPIED = 0.1
LONG_PASSAGE_CHARACTERS = 50


def judge_samples(rows: Sequence[WrittenText], training: str, human: str) -> dict[str, Any]:
    """Figures for samples, by temperature and strategy, and for human text of the same length.

    Args:
        rows: the samples' rows.
        training: the text the model was trained on.
        human: held-out text.

    Returns:
        `columns`, by name; `characters` each column has; `longest`, the longest copied passage of all samples, with
        its sample's id; `verdict`, as text; and whether that is `copies`.
    """
    groups: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: row["temperature"]):
        groups.setdefault(_name(row), []).append(row["text"])
    texts = [row["text"] for row in rows]
    index, known = TrainingText(training), words_of(training)
    characters = min(len(human) or len(training), *(sum(map(len, group)) for group in groups.values()))
    compared = {name: cut(group, characters) for name, group in groups.items()}
    if human:
        compared[HELD_OUT] = pieces_like(next(iter(compared.values())), human)
    *copied, (_, longest) = index.copied_each([*compared.values(), texts])
    columns = {
        name: _figures(group, copies, known) for (name, group), copies in zip(compared.items(), copied, strict=True)
    }
    copies, verdict = verdict_on(columns, longest)
    return {
        "characters": characters,
        "columns": columns,
        "longest": {**longest.as_dict(), "id": rows[longest.text]["id"]} if longest else None,
        "copies": copies,
        "verdict": verdict,
    }


def cut(texts: Sequence[str], characters: int) -> list[str]:
    """The first texts, the last of them cut, with this many characters in total."""
    kept = []
    for text in texts:
        if characters > 0:
            kept.append(text[:characters])
        characters -= len(text)
    return kept


def pieces_like(texts: Sequence[str], human: str) -> list[str]:
    """Pieces of one text, as long as each of `texts` and spread over all of it; it must have enough characters."""
    gap = (len(human) - sum(map(len, texts))) // len(texts)
    pieces, begin = [], 0
    for text in texts:
        pieces.append(human[begin : begin + len(text)])
        begin += len(text) + gap
    return pieces


def verdict_on(columns: Mapping[str, Mapping[str, Any]], longest: Passage | None) -> tuple[bool, str]:
    """Whether samples copy, and a verdict about it."""
    samples = {name: figures for name, figures in columns.items() if name != HELD_OUT}
    human = columns.get(HELD_OUT)
    most = max(samples, key=lambda name: _copied_share(samples[name]))
    share, usual = _copied_share(samples[most]), _copied_share(human) if human else 0.0
    against = f", against {usual:.1%} of the held-out text's" if human else ""
    shares = f"{share:.1%} of the runs of {LENGTHS[-1]} characters at {most} are in the training text{against}"
    if share > usual + MORE_COPIED:
        return True, f"These samples copy: {shares}."
    furthest = longest.characters if longest else 0
    usually = human["longest_copied"] if human else 0
    if furthest > 2 * max(usually, LONG_PASSAGE_CHARACTERS):
        beside = f"; the longest in held-out text has {usually:,}" if human else ""
        return True, f"These samples hold a copy: a passage of {furthest:,} characters{beside}."
    return False, f"These samples do not copy: {shares}; the longest copied passage has {furthest:,} characters."


def _copied_share(figures: Mapping[str, Any]) -> float:
    return figures["found"][LENGTHS[-1]] or 0.0


def _figures(texts: Sequence[str], copied: Copied, known: frozenset[str]) -> dict[str, Any]:
    shares, passage = copied
    return {
        "found": dict(shares),
        "longest_copied": passage.characters if passage else 0,
        **worded(texts, known),
    }


def _name(row: WrittenText) -> str:
    if row["strategy"] == "greedy":
        return "greedy"
    limits = "" if row["strategy"] == "temperature" else f" {row['strategy']}"
    return f"temperature {row['temperature']:g}{limits}"
