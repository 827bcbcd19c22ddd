"""The model artifact: a trained network with all that is needed to write with it."""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from components.artifacts.errors import ArtifactError
from components.artifacts.vocabulary import Vocabulary
from components.generator.network import Architecture, build
from components.generator.writing import Context

NETWORK_NAME = "model.keras"
CONFIG_NAME = "config.json"
METRICS_NAME = "metrics.json"
PROMPTS_NAME = "prompts.json"
KNOWN_CLASSES = {
    "Functional", "InputLayer", "LSTM", "Dense", "Dropout", "Embedding", "Rescaling", "Reshape", "OneHot",
    "Add", "GetItem", "Mod", "Multiply", "Pad",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Model:
    """A network and how to write with it.

    Attributes:
        architecture: the network's shape.
        network: the Keras model, int32 ids [B, T] to logits.
        vocabulary: its tokens.
        context, window: what it was trained for: state carried on, or reset every `window` tokens.
        prompts: windows of the training text, to start texts from.
    """

    architecture: Architecture
    network: Any
    vocabulary: Vocabulary
    context: Context
    window: int
    prompts: Sequence[str]

    @property
    def description(self) -> str:
        """What kind of generator it is, in a few words."""
        shape, reads = self.architecture, "all the text" if self.context == "carry" else f"windows of {self.window}"
        return f"{shape.layers} x LSTM {shape.units} over {shape.vocabulary:,} {self.vocabulary.kind}, reading {reads}"

    def write(self, directory: Path, training: dict[str, Any]) -> None:
        """Write the artifact's files but metrics.json and README.md into `directory`."""
        self.network.save(directory / NETWORK_NAME)
        self.vocabulary.write(directory)
        config = {
            "architecture": self.architecture.as_dict(),
            "context": self.context,
            "window": self.window,
            "weights_sha256": weights_sha256(self.network),
            "training": training,
        }
        _write_json(directory / CONFIG_NAME, config)
        _write_json(directory / PROMPTS_NAME, list(self.prompts))

    @classmethod
    def read(cls, directory: Path) -> "Model":
        """Read the model in `directory`: the network is built anew from config.json, only tensors are loaded.

        Raises:
            ArtifactError: a file is missing or damaged, or the network is not one this suite makes.
        """
        config = read_config(directory)
        try:
            architecture = TypeAdapter(Architecture).validate_python(config["architecture"])
            context, window = TypeAdapter(Context).validate_python(config["context"]), int(config["window"])
            expected_sha256 = config["weights_sha256"]
        except (KeyError, TypeError, ValueError, ValidationError):
            raise ArtifactError(f"{directory / CONFIG_NAME}: not a model's config; make the model again") from None
        network = build(architecture)
        _load_tensors(network, directory / NETWORK_NAME)
        if weights_sha256(network) != expected_sha256:
            # Keras loads what it finds by name and passes over the rest, so layers too many or few may load.
            raise ArtifactError(f"{directory / NETWORK_NAME}: its tensors are not those that config.json names")
        return cls(
            architecture=architecture,
            network=network,
            vocabulary=Vocabulary.read(directory),
            context=context,
            window=window,
            prompts=_read_json(directory / PROMPTS_NAME),
        )


def read_config(directory: Path) -> dict[str, Any]:
    """What config.json in a model's directory says, the SHA-256 of its weights among it.

    Raises:
        ArtifactError: it is missing or damaged.
    """
    config: dict[str, Any] = _read_json(directory / CONFIG_NAME)
    return config


def weights_sha256(network: Any) -> str:
    """SHA-256 over the network's weights in order, as lowercase hex: equal for networks that are identical."""
    digest = hashlib.sha256()
    for weight in network.get_weights():
        digest.update(str(weight.shape).encode())
        digest.update(weight.tobytes())
    return digest.hexdigest()


def trained_for(*, carry_state: bool) -> Context:
    """The context a network is to write with, by how it was trained."""
    return "carry" if carry_state else "window"


def _load_tensors(network: Any, path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            classes = set(_class_names(json.loads(archive.read("config.json"))))
    except (OSError, KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile):
        raise ArtifactError(f"{path}: missing or not a Keras model; make the model again") from None
    foreign = sorted(classes - KNOWN_CLASSES)
    if foreign:
        raise ArtifactError(f"{path}: holds {', '.join(foreign)}, which no Quillflow model does; refused")
    try:
        network.load_weights(path)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:120]
        raise ArtifactError(f"{path}: its tensors are not config.json's network's ({reason})") from None


def _class_names(config: Any) -> list[str]:
    """The classes of a saved model and its layers, whatever else in it is called a class."""
    names = [config["class_name"]]
    for layer in config["config"].get("layers", []):
        names += _class_names(layer) if "layers" in layer.get("config", {}) else [layer["class_name"]]
    return names


def _write_json(path: Path, values: Any) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = "missing" if isinstance(error, OSError) else "damaged"
        raise ArtifactError(f"{path}: {reason}; make the model again") from None
