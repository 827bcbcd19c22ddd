"""A model and a champion of other held-out text: both are compared on the new model's, whatever their vocabularies."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from components.artifacts.champion import Promotion, read
from components.artifacts.dataset import Dataset, text_of
from components.artifacts.documents import END
from components.artifacts.errors import ArtifactError
from components.artifacts.part import part_of
from components.promote.promoting import UNKNOWN_BITS, bits_per_character, promote
from pipelines.commands.main import main
from tests.shorter import mostly_slow
from tests.unit.promote.conftest import TEXT, Made, MakeRun

FOREIGN = TEXT.replace("o", "\N{LATIN SMALL LETTER O WITH DIAERESIS}").replace("lazy", "\N{SLEEPING FACE}")
VARIANTS: dict[str, dict[str, Any]] = {
    "carry": {},
    "window": {"training": {"carry_state": False}},
    "next": {"training": {"carry_state": False, "objective": "next"}},
    "words": {"tokens": "words"},
    "bpe": {"tokens": "bpe", "vocabulary_size": 60, "text": FOREIGN},
    "bytes": {"tokens": "bytes", "text": FOREIGN},
}
RARE_WORDS_REPLACED = {"tokens": "words", "vocabulary_size": 30}


@pytest.fixture
def pointer(tmp_path: Path) -> str:
    return str(tmp_path / "champion")


def promoted(made: Made, pointer: str, **changes: Any) -> Promotion:
    return promote(**{"model": made.model, "dataset": lambda: made.dataset, "champion": pointer, **changes})


def bits_in(reason: str) -> list[float]:
    return [float(found) for found in re.findall(r"\d+\.\d{4}", reason)]


def held_out_text(made: Made) -> str:
    data = Dataset.read(Path(made.dataset))
    return text_of(data.validation, data.vocabulary)


def own_bits(made: Made, text: str = "") -> float:
    """What a text costs a model, its own held-out text by default."""
    from components.generator.model import Model

    text = text or held_out_text(made)
    return bits_per_character(Model.read(Path(made.model)), text, np.ones(len(text), bool), step=3)


def bits_of_stretches(made: Made, data: Dataset, most: int) -> float:
    """What the characters that count cost a model of characters, of those of all held-out text read in one go."""
    from components.generator.model import Model
    from components.judging.scoring import score

    model, text = Model.read(Path(made.model)), text_of(data.validation, data.vocabulary)
    costs = score(model, model.vocabulary.encode(text), step=3, both=False).nats["carry"]
    numbered = part_of(np.arange(len(data.validation)), most, window=8)
    ends = np.cumsum([len(data.vocabulary.tokens[token]) for token in data.validation])
    counted = [range(ends[token - 1], ends[token]) for token in numbered.ids[numbered.counts] if token]
    return float(costs[np.concatenate(counted) - 1].mean() / np.log(2))


@pytest.mark.parametrize("variant", mostly_slow(VARIANTS))
def test_scored_again_a_model_takes_the_bits_that_its_training_found(variant: str, make_run: MakeRun) -> None:
    made = make_run(**VARIANTS[variant])
    assert own_bits(made) == pytest.approx(made.metrics["validation_bits_per_char"], rel=1e-3)


def test_a_better_model_of_other_text_takes_the_champions_place(good: Made, poor: Made, pointer: str) -> None:
    assert promoted(poor, pointer).reason == "it is the first"
    done = promoted(good, pointer)
    assert done.moved
    assert re.fullmatch(r"on its held-out text it takes \S+ bits per character, the former champion \S+", done.reason)
    own, former = bits_in(done.reason)
    assert own == pytest.approx(good.metrics["validation_bits_per_char"], abs=1e-4)
    assert former == pytest.approx(own_bits(poor, held_out_text(good)), abs=1e-4)
    assert own < former
    assert read(pointer) == done.champion
    assert (done.champion.model, done.champion.run) == (good.model, "good")


def test_a_worse_model_of_other_text_does_not(good: Made, poor: Made, pointer: str) -> None:
    first = promoted(good, pointer).champion
    done = promoted(poor, pointer)
    assert (done.moved, done.champion, read(pointer)) == (False, first, first)
    own, champion = bits_in(done.reason)
    assert own == pytest.approx(poor.metrics["validation_bits_per_char"], abs=1e-4)
    assert own >= champion
    assert done.as_line().startswith(f"Champion stays {good.model}: on the new model's held-out text that takes ")


@pytest.mark.parametrize(
    "settings",
    mostly_slow([RARE_WORDS_REPLACED, VARIANTS["next"], VARIANTS["bpe"], VARIANTS["bytes"]]),
    ids=["words", "next", "bpe", "bytes"],
)
def test_another_protocol_or_kind_of_token_is_no_obstacle(
    settings: dict[str, Any], make_run: MakeRun, poor: Made, pointer: str
) -> None:
    promoted(make_run(**settings), pointer)
    own, champion = bits_in(promoted(poor, pointer).reason)
    assert own == pytest.approx(poor.metrics["validation_bits_per_char"], abs=1e-4)
    assert 0 < champion < UNKNOWN_BITS


@pytest.mark.parametrize("knows_ends", [False, True])
def test_a_documents_end_is_scored_as_one_or_as_the_newline_that_the_text_has_there(
    knows_ends: bool, make_run: MakeRun, pointer: str
) -> None:
    documents = TEXT.replace(". ", END)
    candidate = make_run(text=documents)
    older = documents.replace("tire", "rest")
    champion = make_run(text=older if knows_ends else older.replace(END, "\n"))
    promoted(champion, pointer)
    own, former = bits_in(promoted(candidate, pointer).reason)
    assert own == pytest.approx(candidate.metrics["validation_bits_per_char"], abs=1e-4)
    data = Dataset.read(Path(candidate.dataset))
    text = text_of(data.validation, data.vocabulary, END if knows_ends else "\n")
    assert text.count(END if knows_ends else "\n") == 16
    assert former == pytest.approx(own_bits(champion, text), abs=1e-4)
    assert former < UNKNOWN_BITS / 2


@pytest.mark.parametrize("settings", mostly_slow([{}, {"tokens": "words"}]), ids=["characters", "words"])
def test_of_long_held_out_text_both_are_scored_on_the_same_stretches(
    settings: dict[str, Any], make_run: MakeRun, good: Made, pointer: str
) -> None:
    most = 128
    candidate = make_run(training={"evaluate_tokens": most, "epochs": 4}, **settings)
    promoted(good, pointer)
    own, former = bits_in(promoted(candidate, pointer).reason)
    data = Dataset.read(Path(candidate.dataset))
    part = data.held_out(most)
    tokens, scored = part.counts.sum(), text_of(part.ids[part.counts], data.vocabulary)
    bits = candidate.metrics["validation_loss_nats"] * tokens / len(scored) / np.log(2)
    assert own == pytest.approx(bits, abs=1e-4)
    assert own != pytest.approx(candidate.metrics["validation_bits_per_char"], abs=1e-2) or not settings
    assert former == pytest.approx(bits_of_stretches(good, data, most), abs=1e-2)
    if not settings:  # the champion's weights are the candidate's
        assert former == pytest.approx(own, abs=1e-3)


def test_a_character_that_a_model_lacks_costs_a_guess_among_all_there_are(good: Made) -> None:
    text = TEXT[-700:]
    known, with_omega = own_bits(good, text) * len(text), own_bits(good, f"{text}Ω") * (len(text) + 1)
    assert with_omega - known == pytest.approx(UNKNOWN_BITS, abs=1e-3)
    assert own_bits(good, "ΩΨ" * 20) == UNKNOWN_BITS


def test_a_word_that_a_model_lacks_costs_its_characters_though_a_token_stands_for_it(make_run: MakeRun) -> None:
    assert own_bits(make_run(**RARE_WORDS_REPLACED), " zyzzyva" * 20) > UNKNOWN_BITS


@pytest.mark.parametrize("damage", ["gone", "truncated"])
def test_a_champion_that_cannot_be_scored_gives_way(damage: str, good: Made, poor: Made, tmp_path: Path) -> None:
    pointer, champion = str(tmp_path / "champion"), tmp_path / "run" / "train" / "model"
    shutil.copytree(good.model, champion)
    promoted(good, pointer, model=str(champion))
    if damage == "gone":
        shutil.rmtree(champion)
    else:
        (champion / "model.keras").write_bytes(b"")
    done = promoted(poor, pointer)
    assert (done.moved, read(pointer).model) == (True, poor.model)
    assert str(champion) in done.reason
    assert ("is gone" if damage == "gone" else "can't be read") in done.reason


def test_a_dataset_of_another_model_is_refused(good: Made, poor: Made, pointer: str) -> None:
    promoted(good, pointer)
    with pytest.raises(ArtifactError, match="its held-out text is not the text of"):
        promoted(poor, pointer, dataset=lambda: good.dataset)
    assert read(pointer).model == good.model


def test_force_scores_nothing(good: Made, poor: Made, pointer: str) -> None:
    promoted(good, pointer)
    done = promoted(poor, pointer, dataset=lambda: "/nowhere", force=True)
    assert (done.moved, done.reason) == (True, "it was forced")


def test_without_scoring_tensorflow_is_not_imported(good: Made, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom components.promote.promoting import promote\n"
        f"for _ in range(2): promote(model={good.model!r}, dataset=str, champion={str(tmp_path / 'champion')!r})\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_the_pointer_outlives_the_copy_that_a_task_reads(good: Made, pointer: str, tmp_path: Path) -> None:
    from components.promote.component import promote as component

    copy = tmp_path / "copy"
    shutil.copytree(good.model, copy)
    model = SimpleNamespace(path=str(copy), uri=str(tmp_path / "runs" / "one" / "train" / "model"))
    line = component.python_func(dataset=SimpleNamespace(path="", uri=""), model=model, champion=pointer)
    assert line == f"Champion is now {model.uri}: it is the first"
    assert (read(pointer).model, read(pointer).run) == (model.uri, "one")


def test_the_command_finds_the_dataset_to_compare_on(
    good: Made, poor: Made, pointer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def promote_run(made: Made) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["promote", made.name, "--root", str(made.root), "--to", pointer, "--json"]) == 0
        return dict(json.loads(capsys.readouterr().out))

    assert promote_run(poor)["reason"] == "it is the first"
    done = promote_run(good)
    assert done["moved"]
    assert np.diff(bits_in(done["reason"]))[0] > 0
