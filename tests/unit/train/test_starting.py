"""Fine-tuning: training that begins with another model's weights, of the same vocabulary or another."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.artifacts import champion
from components.artifacts.dataset import Dataset
from components.artifacts.errors import ArtifactError, QuillflowError, UsageError
from components.artifacts.manifest import digest, read_manifest
from components.artifacts.tensorflow import tf
from components.artifacts.vocabulary import Vocabulary
from components.generator.light.generator import TextGenerator
from components.generator.network import stepper_of
from components.train.config import TrainConfig
from components.train.starting import begin_with
from components.train.trainer import Trainer
from components.train.training import train
from tests.shorter import mostly_slow
from tests.unit.train.trained import Run, weights

NGRAMS: dict[str, Any] = {"ngrams": 3, "ngram_buckets": 9973}
"""As many rows as there are n-grams of so few tokens, so that none shares one."""
KINDS: dict[str, dict[str, Any]] = {"n-grams": NGRAMS, "one-hot": {"input": "one_hot"}, "gru": {"cell": "gru"}}
OTHER = "xbig cab jag zfed hide big cab " * 12
"""Has two tokens that the text does not have, and lacks the newline."""


@pytest.fixture(scope="module", params=mostly_slow(KINDS))
def kind(request: pytest.FixtureRequest) -> dict[str, Any]:
    return KINDS[request.param]


@pytest.fixture(scope="module")
def general(kind: dict[str, Any], run_in: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the text, of each kind of network."""
    return run_in(tmp_path_factory.mktemp("general"), train_steps=12, **kind)


@pytest.fixture(scope="module")
def other(dataset_of: Callable[..., Path]) -> Path:
    """Another text's dataset."""
    return dataset_of(OTHER)


def begun(config: TrainConfig, model: Path, dataset: Path) -> Trainer:
    trainer = Trainer(config, Dataset.read(dataset))
    assert begin_with(str(model), "", trainer, Dataset.read(dataset)) == digest(model)
    return trainer


def logits(trainer: Trainer, ids: NDArray[Any]) -> NDArray[np.float32]:
    """After a text from its beginning."""
    stepper = stepper_of(trainer.architecture, trainer.network)
    states = stepper.zero_states(1)
    for token in ids:
        states = stepper.read(tf.constant([token], tf.int32), states)
    return np.array(stepper.logits(states)[0])


def test_with_the_same_vocabulary_the_network_is_the_models(
    config_of: Callable[..., TrainConfig], kind: dict[str, Any], general: Path, dataset: Path
) -> None:
    trainer = begun(config_of(**kind), general, dataset)
    expected = TextGenerator.read(general).logits("big cab")
    np.testing.assert_allclose(logits(trainer, Dataset.read(dataset).vocabulary.encode("big cab")), expected, atol=1e-5)


def test_with_another_vocabulary_it_predicts_the_tokens_of_both_as_the_model_does(
    config_of: Callable[..., TrainConfig], kind: dict[str, Any], general: Path, other: Path
) -> None:
    trainer, old, new = begun(config_of(**kind), general, other), Vocabulary.read(general), Vocabulary.read(other)
    both = [token for token in new.tokens if token in old.ids]
    assert len(both) == len(new) - 2
    assert "\n" in old.ids
    expected = TextGenerator.read(general).logits("big cab")[[old.ids[token] for token in both]]
    found = logits(trainer, new.encode("big cab"))
    np.testing.assert_allclose(found[[new.ids[token] for token in both]], expected, atol=1e-5)


def test_new_tokens_begin_at_the_mean(
    config_of: Callable[..., TrainConfig], kind: dict[str, Any], general: Path, other: Path
) -> None:
    trainer, new = begun(config_of(**kind), general, other), Vocabulary.read(other)
    whole = TextGenerator.read(general).logits("big cab")
    assert logits(trainer, new.encode("big cab"))[new.ids["z"]] == pytest.approx(np.mean(whole), abs=1e-5)


def test_the_model_names_what_it_began_with_and_resumes_without_it(
    run_in: Callable[..., Path], other: Path, finished: Path, tmp_path: Path
) -> None:
    general = Path(shutil.copytree(finished, tmp_path / "general"))
    settings = {"of": other, "start_from": str(general), "export": "last"}
    whole = run_in(tmp_path / "whole", train_steps=9, **settings)
    assert read_manifest(whole).made_from == {"dataset": digest(other), "model": digest(general)}
    assert weights(run_in(tmp_path / "fresh", train_steps=9, of=other, export="last")) != weights(whole)
    run_in(tmp_path / "parts", train_steps=4, **settings)
    shutil.rmtree(general)
    parts = run_in(tmp_path / "parts", train_steps=9, **settings)
    assert weights(parts) == weights(whole)
    assert read_manifest(parts).made_from == read_manifest(whole).made_from


def test_a_champions_pointer_names_its_model(
    config_of: Callable[..., TrainConfig], finished: Path, dataset: Path, tmp_path: Path
) -> None:
    champion.promote(str(finished), str(tmp_path / "champion"), compare=lambda *_: champion.Verdict(True, ""))
    data = Dataset.read(dataset)
    trainer = Trainer(config_of(), data)
    assert begin_with(str(tmp_path / "champion"), "", trainer, data) == digest(finished)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": 9}, "its units is 8, and train.units is 9; set it to 8"),
        ({"layers": 2}, "its layers is 1, and train.layers is 2"),
        ({"cell": "gru"}, "its cell is 'lstm', and train.cell is 'gru'; set it to 'lstm'"),
        ({"ngrams": 2}, "its ngrams is 1, and train.ngrams is 2"),
    ],
)
def test_another_network_is_refused_with_both_values(
    run: Run, finished: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        run(start_from=str(finished), **changes)
    assert str(refused.value).startswith(f"train.start_from {finished}: {message}")
    assert not (tmp_path / "model").exists()


def test_tokens_of_another_kind_are_refused(run: Run, finished: Path, dataset_of: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match=r"its tokens are characters, the dataset's words; set vectorize.tokens=char"):
        run(start_from=str(finished), of=dataset_of(OTHER * 3, tokens="words"))


def test_where_nothing_is_is_said(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="nothing: no champion is there yet"):
        run(start_from=str(tmp_path / "nothing"))


def test_a_model_that_was_replaced_since_the_run_began_is_refused(
    config_of: Callable[..., TrainConfig], finished: Path, dataset: Path, tmp_path: Path
) -> None:
    places = {"checkpoints": str(tmp_path / "checkpoints"), "model": str(tmp_path / "model")}
    with pytest.raises(QuillflowError, match=r"manifest\.json: .*chang"):
        train(config_of(start_from=str(finished)), dataset=str(dataset), **places, start_digest="0" * 64)
