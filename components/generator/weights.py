"""The weights in a model's `model.keras`, read without TensorFlow.

Nothing in the file is executed: its layers must be of the classes that a Quillflow network is made of, and only tensors
are read from it. Whatever it says, reading takes no more memory than its size times a small factor.
"""

import io
import json
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.errors import ArtifactError
from components.generator.architecture import Architecture
from components.generator.cells import CELLS
from components.generator.files import CONFIG_NAME, NETWORK_NAME, ModelConfig, weights_sha256

MAXIMUM_EXPANSION = 10
"""How many times its own size a file's contents may be; Keras stores them uncompressed."""
KNOWN_CLASSES = {
    "Functional", "InputLayer", "Dense", "Dropout", "Embedding", "Rescaling", "Reshape", "OneHot",
    "Add", "GetItem", "Mod", "Multiply", "Pad", *(cell.NAME for cell in CELLS.values()),
}  # fmt: skip

_OTHER_TENSORS = "its tensors are not config.json's network's"


class _LimitError(Exception):
    """A file claims to hold more than it can."""


class _OtherTensorsError(Exception):
    """A file holds another network's tensors."""


def read_weights(directory: Path, config: ModelConfig) -> dict[str, list[NDArray[np.float32]]]:
    """Each layer's weights by its name, from a model's directory, without TensorFlow.

    Raises:
        ArtifactError: the file is missing, damaged or foreign, or its weights do not match `config`.
    """
    path = directory / NETWORK_NAME
    names = layer_names(path)
    _refuse_more_than_the_file_holds(path, config.architecture)
    with _opened(path) as archive:
        stored = _tensors(_member(archive, "model.weights.h5"), config.architecture.weight_shapes)
    weights = {name: stored[name] for name in names if name in stored}
    if weights.keys() != config.architecture.weight_shapes.keys():
        raise ArtifactError(f"{path}: {_OTHER_TENSORS}")
    if weights_sha256(array for arrays in weights.values() for array in arrays) != config.weights_sha256:
        raise ArtifactError(f"{path}: its tensors do not match the digest in config.json")
    return weights


def layer_names(path: Path) -> list[str]:
    """The names of a saved network's layers, in order.

    Raises:
        ArtifactError: there is no Keras model at `path`, or it holds a class that is not in any Quillflow network.
    """
    with _opened(path) as archive:
        config = json.loads(_member(archive, "config.json"))
        classes = set(_class_names(config))
        names = [str(layer["config"].get("name", "")) for layer in config["config"].get("layers", [])]
    foreign = sorted(classes - KNOWN_CLASSES)
    if foreign:
        raise ArtifactError(f"{path}: holds {', '.join(foreign)}, which is not in any Quillflow model; refused")
    return names


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A Keras model's archive; any error with it becomes an ArtifactError that names it."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except _LimitError as error:
        raise ArtifactError(f"{path}: {error}; refused") from None
    except _OtherTensorsError:
        raise ArtifactError(f"{path}: {_OTHER_TENSORS}") from None
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error):
        # RuntimeError is encryption's, nesting's (RecursionError) and HDF5's.
        raise ArtifactError(f"{path}: missing or not a Keras model; train the model again") from None


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file of an archive; its size is limited by the archive's own before it is expanded."""
    info = archive.getinfo(name)
    size = Path(str(archive.filename)).stat().st_size
    if info.file_size > MAXIMUM_EXPANSION * min(info.compress_size, size):
        raise _LimitError(f"{name} in it expands more than {MAXIMUM_EXPANSION} times, as a decompression bomb does")
    if info.compress_type not in {
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    }:  # other methods expand whole pieces at once
        raise ValueError(name)
    with archive.open(info) as file:
        return file.read(info.file_size)  # without a number it expands everything before it checks the size


def _refuse_more_than_the_file_holds(path: Path, architecture: Architecture) -> None:
    parameters = sum(math.prod(shape) for shapes in architecture.weight_shapes.values() for shape in shapes)
    size = path.stat().st_size
    if 4 * parameters > MAXIMUM_EXPANSION * size:
        raise ArtifactError(
            f"{path}: {CONFIG_NAME}'s network has {parameters:,} parameters, more than {MAXIMUM_EXPANSION} times what "
            f"{size:,} bytes hold; {_OTHER_TENSORS}"
        )


def _tensors(data: bytes, shapes: Mapping[str, list[tuple[int, ...]]]) -> dict[str, list[NDArray[np.float32]]]:
    """The tensors in Keras's HDF5 file by the layer's name; a recurrent layer's are its cell's.

    Their shapes are checked against `shapes` before any is read.
    """
    import h5py

    def within(group: Any, name: str) -> Any:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise KeyError(name)  # missing, or a link out of the file
        return group[name]

    tensors: dict[str, list[NDArray[np.float32]]] = {}
    with h5py.File(io.BytesIO(data)) as file:
        layers = within(file, "layers")
        for group in (within(layers, name) for name in layers):
            variables = within(within(group, "cell") if "cell" in group else group, "vars")
            arrays = [within(variables, str(number)) for number in range(len(variables))]
            if not arrays:
                continue
            layer = str(within(group, "vars").attrs["name"])
            if layer in tensors or shapes.get(layer) != [array.shape for array in arrays]:
                raise _OtherTensorsError
            if any(array.external or array.is_virtual or array.chunks or array.dtype.kind != "f" for array in arrays):
                raise ValueError("a tensor in another file, compressed, or not of numbers")
            tensors[layer] = [np.asarray(array, np.float32) for array in arrays]
    return tensors


def _class_names(config: Any) -> list[str]:
    """All class names in a saved model, of its layers and of anything nested in them."""
    names = [config["class_name"]]
    for layer in config["config"].get("layers", []):
        names += _class_names(layer) if "layers" in layer.get("config", {}) else [layer["class_name"]]
    return names
