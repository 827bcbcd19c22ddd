import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import ArtifactError, SourceError, UsageError
from components.artifacts.manifest import write_manifest
from components.judging.evaluating import evaluate
from components.judging.table import as_lines


@pytest.fixture(scope="module")
def found(trained: Path) -> dict[str, Any]:
    return evaluate(model=str(trained / "model"), dataset=str(trained / "dataset"), samples=str(trained / "samples"))


def test_a_model_is_held_against_plain_models_on_the_same_targets(trained: Path, found: dict[str, Any]) -> None:
    losses = {row["name"]: row for row in found["losses"]}
    assert list(losses) == [
        "this model, carry", "this model, window of 8", "6-gram", "unigram", "uniform over 34 tokens",
    ]  # fmt: skip
    metrics = json.loads((trained / "model" / "metrics.json").read_text())
    own = losses["this model, carry"]
    assert own["nats_per_token"] == pytest.approx(metrics["validation_loss_nats"], rel=1e-4)
    assert own["bits_per_character"] == pytest.approx(metrics["validation_bits_per_char"], rel=1e-4)
    uniform = losses["uniform over 34 tokens"]
    assert uniform["nats_per_token"] == pytest.approx(math.log(34))
    assert uniform["nats_interval"] == pytest.approx([math.log(34)] * 2)
    assert losses["6-gram"]["nats_per_token"] < losses["unigram"]["nats_per_token"] < math.log(34)
    assert all(low <= row["nats_per_token"] <= high for row in losses.values() for low, high in [row["nats_interval"]])


def test_what_is_gained_is_the_difference_of_losses_and_surer_than_they_are(found: dict[str, Any]) -> None:
    losses = {row["name"]: row["nats_per_token"] for row in found["losses"]}
    assert found["gains"]["protocol"] == "carry"
    gain = found["gains"]["unigram"]
    assert gain["nats_per_token"] == pytest.approx(losses["unigram"] - losses["this model, carry"])
    assert "worse than a 6-gram does, by" in found["verdict"]


def test_columns_are_of_one_length_and_beside_held_out_text(found: dict[str, Any]) -> None:
    assert list(found["samples"]["columns"]) == ["temperature 0.5", "temperature 1", "held-out text"]
    assert found["samples"]["characters"] == 360
    for figures in found["samples"]["columns"].values():
        assert set(figures["found"]) == {4, 8, 16, 32}
        assert 0 <= figures["self_repetition"] <= 1
    human = found["samples"]["columns"]["held-out text"]
    assert human["found"][4] > found["samples"]["columns"]["temperature 1"]["found"][4]


def test_the_lines_name_model_text_losses_samples_and_verdicts(trained: Path, found: dict[str, Any]) -> None:
    lines = as_lines(found)
    assert lines[0] == f"Model {trained}/model: 1 x LSTM 16 over 34 characters, reading all the text"
    assert lines[1].startswith(f"Text  the held-out split of {trained}/dataset: ")
    assert any(line.startswith("this model, carry ") for line in lines)
    assert any(line.startswith("runs of 32 characters found ") and line.count("%") == 3 for line in lines)
    assert found["verdict"] in lines
    assert found["samples"]["verdict"] in lines


def _samples(place: Path, texts: list[str]) -> str:
    """A samples artifact of these texts."""
    place.mkdir()
    rows = [{"id": n, "text": text, "temperature": 1.0, "strategy": "temperature"} for n, text in enumerate(texts)]
    (place / "samples-00000-of-00001.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_manifest(place, kind="samples", stage="sample", config={}, counts={}, made_from={})
    return str(place)


def test_a_model_that_learned_its_text_by_heart_is_called_out_with_the_place(
    trained_of: Callable[..., Path], tmp_path: Path
) -> None:
    from components.sample.config import SampleConfig
    from components.sample.sampling import sample

    # Nothing in it is said twice, so that nobody writes like this by chance.
    text = "".join(f"{n * n * 7919 % 100_003:05} is {n * 104_729 % 99_991:05}. " for n in range(220))
    place = trained_of(text, epochs=60, units=96, learning_rate=0.01, schedule="constant")
    config = SampleConfig(length=150, count=4, temperatures=(0,))
    sample(config, model=str(place / "model"), samples=str(tmp_path / "samples"))
    found = evaluate(model=str(place / "model"), dataset=str(place / "dataset"), samples=str(tmp_path / "samples"))
    assert found["samples"]["copies"]
    assert found["samples"]["verdict"].startswith("These samples")
    longest = found["samples"]["longest"]
    assert longest["characters"] > 50
    assert text[longest["place"] :].startswith(longest["passage"])
    assert any(f"stands at character {longest['place']:,} of the training text" in line for line in as_lines(found))


def test_one_copied_passage_among_much_else_is_called_out(trained: Path, tmp_path: Path) -> None:
    text = (trained / "corpus" / "text.txt").read_text()
    others = ["nothing like it, and nothing like that either; " * 20] * 30
    samples = _samples(tmp_path / "samples", [*others[:4], text[1_000:1_200], *others])
    found = evaluate(model=str(trained / "model"), dataset=str(trained / "dataset"), samples=samples)["samples"]
    assert found["longest"]["characters"] == 200
    assert (found["longest"]["id"], found["longest"]["place"]) == (4, 1_000)


def test_another_text_is_scored_in_the_corpuss_form_without_what_is_not_in_the_vocabulary(
    trained: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_bytes("\ufeffThe 3 brown foxes\u2603 jump. ".encode() * 20)
    found = evaluate(model=str(trained / "model"), dataset=str(trained / "dataset"), text=str(tmp_path / "text.txt"))
    assert found["text"]["name"].endswith("text.txt")
    assert found["text"]["characters"] == found["text"]["tokens"] == 25 * 20
    assert found["text"]["targets"] == 25 * 20 - 1
    assert found["samples"] is None
    assert as_lines(found)[-1] == "No samples were judged."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        ("\u2603".encode(), "nothing in it that the model's vocabulary has"),
        (None, "no such file"),
    ],
)
def test_a_text_that_can_not_be_scored_is_refused(
    trained: Path, tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "text.txt").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        evaluate(model=str(trained / "model"), dataset=str(trained / "dataset"), text=str(tmp_path / "text.txt"))


def test_a_dataset_that_holds_nothing_out_needs_a_text(trained_of: Callable[..., Path]) -> None:
    place = trained_of(vectorizing={"held_out": 0.0})
    with pytest.raises(ArtifactError, match=r"0 tokens are too few to score; name a text with --text"):
        evaluate(model=str(place / "model"), dataset=str(place / "dataset"))


def test_another_models_dataset_is_refused(trained: Path, trained_of: Callable[..., Path]) -> None:
    other = trained_of("abc " * 500)
    with pytest.raises(UsageError, match="its vocabulary is not that of the model"):
        evaluate(model=str(trained / "model"), dataset=str(other / "dataset"))


def test_a_damaged_dataset_is_refused(trained: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(trained / "dataset", tmp_path / "dataset"))
    shard = next(damaged.glob("train-*"))
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match="truncated or altered"):
        evaluate(model=str(trained / "model"), dataset=str(damaged))
