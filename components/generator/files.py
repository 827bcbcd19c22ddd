"""The model artifact's files, and reading them without TensorFlow.

A model is read without running anything from it: its list of layers is held to the classes that a Quillflow
network is made of, and nothing but tensors is taken from `model.keras`.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from components.artifacts.errors import ArtifactError
from components.generator.architecture import Architecture, Context

NETWORK_NAME = "model.keras"
CONFIG_NAME = "config.json"
METRICS_NAME = "metrics.json"
PROMPTS_NAME = "prompts.json"
KNOWN_CLASSES = {
    "Functional", "InputLayer", "LSTM", "Dense", "Dropout", "Embedding", "Rescaling", "Reshape", "OneHot",
    "Add", "GetItem", "Mod", "Multiply", "Pad",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What config.json says of a model: its network's shape, what it was trained for, and which weights it has."""

    architecture: Architecture
    context: Context
    window: int
    weights_sha256: str

    @classmethod
    def read(cls, directory: Path) -> "ModelConfig":
        """Read config.json in a model's directory.

        Raises:
            ArtifactError: it is missing, damaged, or not a model's.
        """
        config = read_config(directory)
        try:
            return cls(
                architecture=TypeAdapter(Architecture).validate_python(config["architecture"]),
                context=TypeAdapter(Context).validate_python(config["context"]),
                window=int(config["window"]),
                weights_sha256=config["weights_sha256"],
            )
        except (KeyError, TypeError, ValueError, ValidationError):
            raise ArtifactError(f"{directory / CONFIG_NAME}: not a model's config; make the model again") from None


def read_config(directory: Path) -> dict[str, Any]:
    """What config.json in a model's directory says, the SHA-256 of its weights among it.

    Raises:
        ArtifactError: it is missing or damaged.
    """
    config: dict[str, Any] = read_json(directory / CONFIG_NAME)
    return config


def weights_sha256(weights: Iterable[NDArray[Any]]) -> str:
    """SHA-256 over a network's weights in order, as lowercase hex: equal for networks that are identical."""
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(str(weight.shape).encode())
        digest.update(weight.tobytes())
    return digest.hexdigest()


def read_weights(directory: Path, config: ModelConfig) -> dict[str, list[NDArray[np.float32]]]:
    """Each layer's weights by its name, from a model's directory; no TensorFlow is needed for it.

    Raises:
        ArtifactError: the file is missing, damaged or foreign, or its weights are not those of `config`.
    """
    path = directory / NETWORK_NAME
    names = layer_names(path)
    try:
        with zipfile.ZipFile(path) as archive:
            stored = _tensors(archive.read("model.weights.h5"))
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile):
        raise ArtifactError(f"{path}: missing or not a Keras model; make the model again") from None
    weights = {name: stored[name] for name in names if stored.get(name)}
    shapes = {name: [array.shape for array in arrays] for name, arrays in weights.items()}
    if shapes != config.architecture.weight_shapes:
        raise ArtifactError(f"{path}: its tensors are not config.json's network's")
    if weights_sha256(array for arrays in weights.values() for array in arrays) != config.weights_sha256:
        raise ArtifactError(f"{path}: its tensors are not those that config.json names")
    return weights


def layer_names(path: Path) -> list[str]:
    """The names of a saved network's layers, in order.

    Raises:
        ArtifactError: there is no Keras model at `path`, or it holds a class that no Quillflow network has.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
        classes = set(_class_names(config))
        names = [str(layer["config"].get("name", "")) for layer in config["config"].get("layers", [])]
    except (OSError, KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile):
        raise ArtifactError(f"{path}: missing or not a Keras model; make the model again") from None
    foreign = sorted(classes - KNOWN_CLASSES)
    if foreign:
        raise ArtifactError(f"{path}: holds {', '.join(foreign)}, which no Quillflow model does; refused")
    return names


def read_json(path: Path) -> Any:
    """What a JSON file of a model says.

    Raises:
        ArtifactError: it is missing or damaged.
    """
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = "missing" if isinstance(error, OSError) else "damaged"
        raise ArtifactError(f"{path}: {reason}; make the model again") from None


def write_json(path: Path, values: Any) -> None:
    """Write a JSON file of a model."""
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _tensors(data: bytes) -> Mapping[str, list[NDArray[np.float32]]]:
    """The tensors in Keras's HDF5 file by the layer's name; an LSTM layer's are its cell's."""
    import h5py

    tensors: dict[str, list[NDArray[np.float32]]] = {}
    with h5py.File(io.BytesIO(data)) as file:
        for group in file["layers"].values():
            variables = group.get("cell", group)["vars"]
            arrays = [variables[str(number)] for number in range(len(variables))]
            if any(array.external or array.is_virtual for array in arrays):
                raise ValueError("a tensor in another file")
            tensors[str(group["vars"].attrs["name"])] = [np.asarray(array, np.float32) for array in arrays]
    return tensors


def _class_names(config: Any) -> list[str]:
    """The classes of a saved model and its layers, whatever else in it is called a class."""
    names = [config["class_name"]]
    for layer in config["config"].get("layers", []):
        names += _class_names(layer) if "layers" in layer.get("config", {}) else [layer["class_name"]]
    return names
