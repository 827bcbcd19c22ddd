"""A model is read back as it was written, and only known layers and tensors are ever read."""

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.errors import ArtifactError
from components.artifacts.vocabulary import Vocabulary
from components.generator.architecture import Architecture, Input
from components.generator.files import weights_sha256
from components.generator.model import Model, trained_for

IDS = np.array([[0, 3, 6, 1], [2, 2, 5, 4]], np.int32)


@pytest.fixture(scope="module")
def model_of(network_of: Callable[[Architecture], Any]) -> Callable[[Architecture], Model]:
    def make(architecture: Architecture) -> Model:
        return Model(
            architecture=architecture,
            network=network_of(architecture),
            vocabulary=Vocabulary(kind="characters", tokens=tuple(sorted("abcdé\n "))),
            context="window",
            window=4,
            prompts=["abcd", "dé\n "],
        )

    return make


@pytest.fixture(scope="module")
def written(
    tiny: Architecture, model_of: Callable[[Architecture], Model], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    directory = tmp_path_factory.mktemp("model")
    model_of(tiny).write(directory, {"epochs": 3})
    return directory


@pytest.fixture
def directory(written: Path, tmp_path: Path) -> Path:
    """A copy of the model, to be damaged."""
    return Path(shutil.copytree(written, tmp_path / "model"))


def _edit_json(path: Path, change: Callable[[Any], None]) -> None:
    values = json.loads(path.read_bytes())
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


def _edit_saved_network(path: Path, change: Callable[[Any], None]) -> None:
    """Change config.json inside the .keras archive."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    values = json.loads(members["config.json"])
    change(values)
    members["config.json"] = json.dumps(values).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


@pytest.mark.parametrize("source", ["one_hot", "scaled", "embedding"])
def test_a_model_read_back_gives_the_same_logits(
    tiny: Architecture, model_of: Callable[[Architecture], Model], tmp_path: Path, source: Input
) -> None:
    model = model_of(replace(tiny, layers=2, input=source, dropout=0.2))
    model.write(tmp_path, {})
    back = Model.read(tmp_path)
    np.testing.assert_array_equal(back.network(IDS), model.network(IDS))
    assert replace(back, network=None) == replace(model, network=None)


def test_the_config_shows_how_to_write_and_how_it_was_trained(written: Path, tiny: Architecture) -> None:
    config = json.loads((written / "config.json").read_bytes())
    assert config["architecture"] == tiny.as_dict()
    assert (config["context"], config["window"], config["training"]) == ("window", 4, {"epochs": 3})
    assert config["weights_sha256"] == weights_sha256(Model.read(written).network.get_weights())


def test_the_context_to_write_with_is_that_of_training() -> None:
    assert (trained_for(carry_state=True), trained_for(carry_state=False)) == ("carry", "window")


def test_a_copy_is_read_as_it_is_where_nothing_was_damaged(directory: Path) -> None:
    _edit_saved_network(directory / "model.keras", lambda _: None)
    Model.read(directory)


@pytest.mark.parametrize("name", ["Lambda", "EvilLayer"])
def test_a_foreign_class_is_refused_by_name(directory: Path, name: str) -> None:
    layer = {"class_name": name, "module": "builtins", "config": {"name": "foreign"}}
    _edit_saved_network(directory / "model.keras", lambda values: values["config"]["layers"].append(layer))
    with pytest.raises(ArtifactError, match=rf"model\.keras: holds {name}, "):
        Model.read(directory)


def test_a_foreign_class_inside_a_network_inside_is_refused(directory: Path) -> None:
    inner = {"class_name": "Functional", "config": {"layers": [{"class_name": "TFSMLayer", "config": {}}]}}
    _edit_saved_network(directory / "model.keras", lambda values: values["config"]["layers"].append(inner))
    with pytest.raises(ArtifactError, match="holds TFSMLayer, "):
        Model.read(directory)


@pytest.mark.parametrize("config", [[], {"class_name": "Functional", "config": []}, {"class_name": "Functional"}])
def test_a_saved_network_of_another_form_is_refused(directory: Path, config: Any) -> None:
    with zipfile.ZipFile(directory / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    with pytest.raises(ArtifactError, match=r"model\.keras: missing or not a Keras model"):
        Model.read(directory)


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.pop("architecture"),
        lambda values: values.pop("window"),
        lambda values: values.pop("weights_sha256"),
        lambda values: values["architecture"].update(units="many"),
        lambda values: values["architecture"].update(objective="all"),
        lambda values: values.update(window="wide"),
        lambda values: values.update(context="whole"),
    ],
)
def test_a_config_that_is_not_a_models_is_refused(directory: Path, change: Callable[[Any], None]) -> None:
    _edit_json(directory / "config.json", change)
    with pytest.raises(ArtifactError, match=r"config\.json: not a model's config"):
        Model.read(directory)


@pytest.mark.parametrize("name", ["config.json", "model.keras", "vocabulary.json", "prompts.json"])
def test_a_missing_file_is_named(directory: Path, name: str) -> None:
    (directory / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name}: missing"):
        Model.read(directory)


@pytest.mark.parametrize("name", ["config.json", "model.keras", "vocabulary.json", "prompts.json"])
def test_a_truncated_file_is_named(directory: Path, name: str) -> None:
    path = directory / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ArtifactError, match=rf"{name}: "):
        Model.read(directory)


@pytest.mark.parametrize("changes", [{"units": 6}, {"vocabulary": 8}, {"layers": 2}, {"input": "embedding"}])
def test_tensors_of_another_network_are_refused(directory: Path, changes: dict[str, Any]) -> None:
    _edit_json(directory / "config.json", lambda values: values["architecture"].update(changes))
    with pytest.raises(ArtifactError, match=r"model\.keras: its tensors are not config\.json's network's"):
        Model.read(directory)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_network_with_more_layers_than_its_config_says_is_refused(
    tiny: Architecture, model_of: Callable[[Architecture], Model], tmp_path: Path, layers: int
) -> None:
    model_of(replace(tiny, layers=layers + 1)).write(tmp_path, {})
    _edit_json(tmp_path / "config.json", lambda values: values["architecture"].update(layers=layers))
    with pytest.raises(ArtifactError, match=r"model\.keras: its tensors are not"):
        Model.read(tmp_path)


def test_tensors_other_than_those_the_config_names_are_refused(directory: Path) -> None:
    network = Model.read(directory).network
    network.get_layer("logits").bias.assign_add([0, 0, 0, 1e-3, 0, 0, 0])
    network.save(directory / "model.keras")
    with pytest.raises(ArtifactError, match=r"model\.keras: its tensors do not match the digest in config\.json"):
        Model.read(directory)


def test_the_weights_digest_names_the_weights(tiny: Architecture, network_of: Callable[[Architecture], Any]) -> None:
    network, equal = network_of(tiny), network_of(tiny)
    digest = weights_sha256(network.get_weights())
    assert weights_sha256(equal.get_weights()) == digest
    weights = equal.get_weights()
    weights[1][2, 3] = np.nextafter(weights[1][2, 3], np.float32(np.inf))
    equal.set_weights(weights)
    assert weights_sha256(equal.get_weights()) != digest
