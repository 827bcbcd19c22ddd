"""What a model's files say of themselves is refused before memory is taken for it, with the limit named."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from components.artifacts.errors import ArtifactError
from components.artifacts.vocabulary import Vocabulary
from components.generator import files
from components.generator.architecture import Architecture
from components.generator.files import ModelConfig, weights_sha256
from components.generator.light.generator import TextGenerator
from components.generator.weights import read_weights

ENOUGH_BYTES = 20_000_000
"""How much reading a file of some kilobytes may take; the bombs below would take thousands of times as much."""
Edit = Callable[[h5py.File], None]


def layers(file: h5py.File) -> list[tuple[str, h5py.Group]]:
    return [(name, file[f"layers/{name}"]) for name in file["layers"]]


@pytest.fixture
def directory(tiny: Architecture, tmp_path: Path) -> Path:
    """A model of two layers, written without TensorFlow in the form that Keras gives it."""
    return write(tmp_path / "model", replace(tiny, layers=2))


def write(directory: Path, architecture: Architecture, edit: Edit = lambda _: None, **zipped: Any) -> Path:
    """Write a model's files, its tensors' file edited; `zipped` is how the archive holds it."""
    directory.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    weights = {
        name: [rng.normal(size=shape).astype(np.float32) for shape in shapes]
        for name, shapes in architecture.weight_shapes.items()
    }
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        for number, (name, arrays) in enumerate(weights.items()):
            group = file.create_group(f"layers/layer_{number}")
            variables = group.create_group("vars")
            variables.attrs["name"] = name
            inner = group.create_group("cell/vars") if name.startswith("lstm") else variables
            for index, array in enumerate(arrays):
                inner[str(index)] = array
        edit(file)
    saved = [{"class_name": "Dense", "config": {"name": name}} for name in weights]
    with zipfile.ZipFile(directory / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Functional", "config": {"layers": saved}}))
        archive.writestr("model.weights.h5", data.getvalue(), **zipped)
    config = {
        "architecture": architecture.as_dict(),
        "context": "carry",
        "window": 4,
        "weights_sha256": weights_sha256(array for arrays in weights.values() for array in arrays),
    }
    (directory / "config.json").write_text(json.dumps(config))
    Vocabulary(kind="characters", tokens=tuple(sorted("abcdé\n "))).write(directory)
    return directory


def refused(directory: Path, message: str) -> None:
    """Reading the model ends in this message, and takes little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactError, match=message):
            TextGenerator.read(directory)
        assert tracemalloc.get_traced_memory()[1] < ENOUGH_BYTES
    finally:
        tracemalloc.stop()


def edit_config(directory: Path, **changes: Any) -> None:
    path = directory / "config.json"
    config = json.loads(path.read_text())
    for name, value in changes.items():
        (config if name in {"window", "context"} else config["architecture"])[name] = value
    path.write_text(json.dumps(config))


def test_what_is_written_here_is_a_model(directory: Path) -> None:
    weights = read_weights(directory, ModelConfig.read(directory))
    assert [*weights] == ["lstm_1", "lstm_2", "logits"]
    TextGenerator.read(directory)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": 10**12}, r"config\.json: layers is 1000000000000, not from 1 to 16; refused"),
        ({"units": 2**21}, r"units is 2097152, not from 1 to 1,048,576"),
        ({"units": 0}, r"units is 0, not from 1 to 1,048,576"),
        ({"vocabulary": 2**40}, "vocabulary is 1099511627776, not from 1 to 2,147,483,647"),
        ({"embedding_size": -1}, "embedding_size is -1, not from 1 to 1,048,576"),
        ({"ngrams": 10**6, "input": "embedding"}, "ngrams is 1000000, not from 1 to 8"),
        ({"ngram_buckets": 2**31}, "ngram_buckets is 2147483648, not from 1 to 2,147,483,647"),
        ({"dropout": 1.5}, r"dropout is 1\.5, not from 0 to below 1"),
        ({"window": 0}, "window is 0, not 1 or more"),
        ({"window": 10**9, "context": "window"}, "carry 20,000,000,000 numbers, more than 268,435,456; refused"),
        ({"units": 2**20}, r"parameters, more than 10 times what [\d,]+ bytes hold; its tensors are not config"),
        (
            {"vocabulary": 2**31 - 1},
            r"parameters, more than 10 times what [\d,]+ bytes hold; its tensors are not config",
        ),
    ],
)
def test_a_number_beyond_its_limit_is_refused(directory: Path, changes: dict[str, Any], message: str) -> None:
    edit_config(directory, **changes)
    refused(directory, message)


def declare(shape: tuple[int, ...], **options: Any) -> Edit:
    """The first tensor says that it has this shape; HDF5 stores nothing of what was never written."""

    def edit(file: h5py.File) -> None:
        variables = file["layers/layer_0/cell/vars"]
        del variables["0"]
        variables.create_dataset("0", shape, "f4", **options)

    return edit


def link(target: Any) -> Edit:
    def edit(file: h5py.File) -> None:
        variables = file["layers/layer_0/cell/vars"]
        del variables["0"]
        variables["0"] = target

    return edit


def twice(file: h5py.File) -> None:
    file["layers/again"] = file["layers/layer_0"]


def foreign(file: h5py.File) -> None:
    group = file.create_group("layers/more/vars")
    group.attrs["name"] = "more"
    group.create_dataset("0", (1 << 33,), "f4")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (declare((1 << 20, 1 << 20)), "its tensors are not config.json's network's"),
        (declare((1 << 40,), chunks=(1 << 10,)), "its tensors are not config.json's network's"),
        (declare((7, 20), chunks=(1, 1), compression="gzip", maxshape=(None, None)), "not a Keras model"),
        (declare((7, 20), external=[("/dev/zero", 0, 560)]), "not a Keras model"),
        (link(h5py.ExternalLink("/dev/zero", "/x")), "not a Keras model"),
        (link(h5py.SoftLink("/layers/layer_0/cell/vars/0")), "not a Keras model"),
        (twice, "its tensors are not config.json's network's"),
        (foreign, "its tensors are not config.json's network's"),
    ],
)
def test_a_tensor_that_says_it_is_larger_or_elsewhere_is_not_read(
    tiny: Architecture, tmp_path: Path, edit: Edit, message: str
) -> None:
    refused(write(tmp_path / "model", replace(tiny, layers=2), edit), message)


def test_a_tensor_of_another_kind_is_refused(tiny: Architecture, tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        variables = file["layers/layer_0/cell/vars"]
        del variables["0"]
        variables.create_dataset("0", (7, 20), h5py.string_dtype())

    refused(write(tmp_path / "model", replace(tiny, layers=2), edit), "not a Keras model")


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
def test_an_archive_that_expands_too_much_is_refused(directory: Path, member: str) -> None:
    rewrite(directory / "model.keras", member, b" " * 200_000_000, zipfile.ZIP_DEFLATED)
    refused(
        directory, rf"model\.keras: {member} in it expands more than 10 times, as a decompression bomb does; refused"
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_expands_without_asking_is_refused(directory: Path, method: int) -> None:
    rewrite(directory / "model.keras", "model.weights.h5", np.random.default_rng(1).bytes(5_000), method)
    refused(directory, "not a Keras model")


def test_a_size_that_is_said_too_small_expands_no_further(directory: Path) -> None:
    path = directory / "model.keras"
    rewrite(path, "config.json", b" " * 100_000_000, zipfile.ZIP_DEFLATED)
    data, said = path.read_bytes(), (100_000_000).to_bytes(4, "little")
    assert data.count(said) == 2
    path.write_bytes(data.replace(said, (900_000).to_bytes(4, "little")))
    refused(directory, "not a Keras model")


def rewrite(path: Path, member: str, data: bytes, method: int) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, former in members.items():
            if name == member:
                archive.writestr(name, data, method)
            else:
                archive.writestr(name, former)


def test_json_without_end_is_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory / "config.json").write_text("[" * 1_000_000)
    refused(directory, r"config\.json: damaged")
    monkeypatch.setattr(files, "MAXIMUM_JSON_BYTES", 1_000)
    refused(directory, r"config\.json: more than 1,000 bytes is too large for a model's; refused")


def test_nested_layers_without_end_are_refused(directory: Path) -> None:
    rewrite(
        directory / "model.keras",
        "config.json",
        ('{"class_name":"Functional","config":{"layers":[' * 9_000).encode(),
        0,
    )
    refused(directory, "not a Keras model")


def test_a_vocabulary_of_another_size_is_refused(directory: Path) -> None:
    Vocabulary(kind="characters", tokens=tuple("abc")).write(directory)
    refused(directory, r"vocabulary\.json: 3 tokens, but config\.json's network has 7")
