"""`quillflow evaluate`: a model beside plain ones on the same text, and what it refuses to judge."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.dataset import Dataset, text_of
from components.artifacts.errors import ArtifactError, SourceError, UsageError
from components.judging import texts as judged_texts
from components.judging.evaluating import evaluate
from components.judging.table import as_lines
from components.judging.writing import judge_samples


@pytest.fixture(scope="module")
def found(place: Path, samples_of: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    texts = [f"The {n} brown fexes jemp over {n} lazy digs; they ever tire. ever tire. " for n in range(10)]
    samples = samples_of(tmp_path_factory.mktemp("written") / "samples", texts, place / "model")
    return evaluate(model=str(place / "model"), dataset=str(place / "dataset"), samples=samples)


def test_a_model_is_held_against_plain_models_on_the_same_targets(found: dict[str, Any]) -> None:
    losses = {row["name"]: row for row in found["losses"]}
    assert list(losses) == [
        "this model, carry", "this model, window of 8", "6-gram", "unigram", "uniform over 37 tokens",
    ]  # fmt: skip
    own = losses["this model, carry"]
    assert own["bits_per_character"] == pytest.approx(own["nats_per_token"] / math.log(2))
    uniform = losses["uniform over 37 tokens"]
    assert uniform["nats_per_token"] == pytest.approx(math.log(37))
    assert uniform["nats_interval"] == pytest.approx([math.log(37)] * 2)
    assert losses["6-gram"]["nats_per_token"] < losses["unigram"]["nats_per_token"] < math.log(37)
    for row in losses.values():
        low, high = row["nats_interval"]
        assert low - 1e-9 <= row["nats_per_token"] <= high + 1e-9


def test_what_is_gained_is_the_difference_of_losses_and_surer_than_they_are(found: dict[str, Any]) -> None:
    losses = {row["name"]: row["nats_per_token"] for row in found["losses"]}
    assert found["gains"]["protocol"] == "carry"
    gain = found["gains"]["unigram"]
    assert gain["nats_per_token"] == pytest.approx(losses["unigram"] - losses["this model, carry"])
    assert found["verdict"] == "The network learned nothing beyond the frequencies of single characters."


def test_columns_are_of_one_length_and_beside_held_out_text(found: dict[str, Any]) -> None:
    assert list(found["samples"]["columns"]) == ["temperature 0.5", "temperature 1", "held-out text"]
    assert found["samples"]["characters"] == 340
    for figures in found["samples"]["columns"].values():
        assert set(figures["found"]) == {4, 8, 16, 32}
        assert 0 <= figures["self_repetition"] <= 1
    human = found["samples"]["columns"]["held-out text"]
    assert human["found"][4] > found["samples"]["columns"]["temperature 1"]["found"][4]


def test_the_lines_name_model_text_losses_samples_and_verdicts(place: Path, found: dict[str, Any]) -> None:
    lines = as_lines(found)
    assert lines[0] == f"Model {place}/model: 1 x LSTM 5 over 37 characters, reading all text before a token"
    assert lines[1].startswith(f"Text  the held-out split of {place}/dataset: ")
    assert any(line.startswith("this model, carry ") for line in lines)
    assert any(line.startswith("runs of 32 characters found ") and line.count("%") == 3 for line in lines)
    assert found["verdict"] in lines
    assert found["samples"]["verdict"] in lines


def test_samples_that_are_the_text_itself_are_called_out_with_the_place(place: Path) -> None:
    text = "".join(f"{n * n * 7919 % 100_003:05} is {n * 104_729 % 99_991:05}. " for n in range(500))
    training, human = text[:6_000], text[6_000:]
    judged = judge_samples(
        [{"id": 7, "text": training[500:800], "temperature": 0.0, "strategy": "greedy"}], training, human
    )
    assert judged["copies"]
    found = {**evaluate(model=str(place / "model"), dataset=str(place / "dataset")), "samples": {"uri": "x", **judged}}
    lines = as_lines(found)
    assert any(line.startswith("These samples copy: 100.0% of the runs of 32 characters at greedy") for line in lines)
    where = "300 characters of sample 7, from its character 0 on; it is at character 500 of the training text"
    assert any(where in line for line in lines)


def test_one_copied_passage_among_much_else_is_found(
    place: Path, samples_of: Callable[..., str], tmp_path: Path
) -> None:
    text = (place / "corpus" / "text.txt").read_text()
    others = ["nothing like it, and nothing like that either; " * 20] * 30
    samples = samples_of(tmp_path / "samples", [*others[:4], text[1_000:1_200], *others], place / "model")
    found = evaluate(model=str(place / "model"), dataset=str(place / "dataset"), samples=samples)["samples"]
    assert found["longest"]["characters"] == 200
    assert (found["longest"]["id"], found["longest"]["place"]) == (4, 1_000)


def test_another_text_is_scored_in_the_corpuss_form_without_what_is_not_in_the_vocabulary(
    place: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_bytes("\ufeffThe 3 brown foxes\u2603 jump. ".encode() * 20)
    found = evaluate(model=str(place / "model"), dataset=str(place / "dataset"), text=str(tmp_path / "text.txt"))
    assert found["text"]["name"].endswith("text.txt")
    assert found["text"]["characters"] == found["text"]["tokens"] == 24 * 20
    assert found["text"]["targets"] == 24 * 20 - 1
    assert found["samples"] is None
    assert as_lines(found)[-1] == "No samples were judged."


def test_a_text_that_was_trained_on_is_called_out(place: Path, tmp_path: Path) -> None:
    data = Dataset.read(place / "dataset")
    seen, new = text_of(data.train, data.vocabulary), text_of(data.train[::-1], data.vocabulary)
    for text, share in ((seen, 1.0), (new, 0.0), (new + seen[: len(seen) // 2], 1 / 3)):
        (tmp_path / "text.txt").write_text(text)
        found = evaluate(model=str(place / "model"), dataset=str(place / "dataset"), text=str(tmp_path / "text.txt"))
        assert found["text"]["seen"] == pytest.approx(share, abs=0.05)
        assert ("is in the training text" in found["verdict"]) == (share > 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        ("\u2603".encode(), "nothing in it is in the model's vocabulary"),
        (None, "no such file"),
    ],
)
def test_a_text_that_can_not_be_scored_is_refused(
    place: Path, tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "text.txt").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        evaluate(model=str(place / "model"), dataset=str(place / "dataset"), text=str(tmp_path / "text.txt"))


def test_a_dataset_that_holds_nothing_out_needs_a_text(place_of: Callable[..., Path]) -> None:
    place = place_of(held_out=0.0)
    with pytest.raises(ArtifactError, match=r"0 tokens are too few to score; name a text with --text"):
        evaluate(model=str(place / "model"), dataset=str(place / "dataset"))


def test_another_models_dataset_is_refused(place: Path, place_of: Callable[..., Path]) -> None:
    other = place_of("abc " * 500)
    with pytest.raises(UsageError, match="its vocabulary is not that of the model"):
        evaluate(model=str(place / "model"), dataset=str(other / "dataset"))


def test_a_training_text_that_is_too_long_to_look_for_copies_in_is_refused_before_the_model_is_scored(
    place: Path, samples_of: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = samples_of(tmp_path / "samples", ["The fox."], place / "model")
    characters = len(text_of(Dataset.read(place / "dataset").train, Dataset.read(place / "dataset").vocabulary))
    monkeypatch.setattr(judged_texts, "MAXIMUM_TRAINING_CHARACTERS", characters - 1)
    with pytest.raises(
        ArtifactError, match=f"{characters:,} characters, and copies are looked for in {characters - 1:,}"
    ):
        evaluate(model=str(place / "model"), dataset=str(place / "dataset"), samples=samples)


def test_a_damaged_dataset_is_refused(place: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(place / "dataset", tmp_path / "dataset"))
    shard = next(damaged.glob("train-*"))
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match="truncated or altered"):
        evaluate(model=str(place / "model"), dataset=str(damaged))
