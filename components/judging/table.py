"""The result of judging as lines for a person."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.judging.wording import REPEATED


def as_lines(found: Mapping[str, Any]) -> list[str]:
    """The result of `evaluate` as lines."""
    text = found["text"]
    return [
        f"Model {found['model']}: {found['description']}",
        f"Text  {text['name']}: {text['characters']:,} characters, {text['targets']:,} tokens scored",
        "",
        *_loss_lines(found["losses"]),
        "",
        found["verdict"],
        *(_sample_lines(found["samples"]) if found["samples"] else ["", "No samples were judged."]),
    ]


def _loss_lines(losses: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    width = max(len(row["name"]) for row in losses)
    yield f"{'':<{width}}  {'nats per token':>14}  {'95 %':<17}  {'bits per character':>18}  95 %"
    for row in losses:
        nats, bits = (f"{low:.3f} to {high:.3f}" for low, high in (row["nats_interval"], row["bits_interval"]))
        yield (
            f"{row['name']:<{width}}  {row['nats_per_token']:>14.4f}  {nats:<17}  "
            f"{row['bits_per_character']:>18.3f}  {bits}"
        )


def _sample_lines(samples: Mapping[str, Any]) -> Iterator[str]:
    columns = [_cells(figures) for figures in samples["columns"].values()]
    table = [["", *samples["columns"]], *([name, *(column[name] for column in columns)] for name in columns[0])]
    size = f"{samples['characters']:,} characters per column"
    yield from ["", f"Samples {samples['uri']}, {size}; found: in the training text", ""]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for first, *others in table:
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([f"{first:<{widths[0]}}", *cells])
    yield from ["", samples["verdict"]]
    if longest := samples["longest"]:
        yield (
            f"The longest copied passage is {longest['characters']:,} characters of sample {longest['id']}, from its "
            f"character {longest['at']:,} on; it is at character {longest['place']:,} of the training text:"
        )
        yield f"  {longest['before']!r} | {_shortened(longest['passage'])!r} | {longest['after']!r}"


def _cells(figures: Mapping[str, Any]) -> dict[str, str]:
    """A column's cells by their rows' names."""
    found = {f"runs of {length} characters found": _percent(share) for length, share in figures["found"].items()}
    distinct = {f"distinct-{length}": _percent(share) for length, share in figures["distinct"].items()}
    return {
        **found,
        "longest copied passage, characters": f"{figures['longest_copied']:,}",
        "words found": _percent(figures["valid_words"]),
        **distinct,
        f"runs of {REPEATED} words repeated in a text": _percent(figures["self_repetition"]),
    }


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _shortened(text: str, limit: int = 200) -> str:
    """A long text's beginning and end."""
    return text if len(text) <= limit else f"{text[: limit // 2]} [...] {text[-limit // 2 :]}"
