"""The model artifact's files, and reading them without TensorFlow.

Their contents are checked against limits before anything is built from them; `weights.py` does the same for
`model.keras`.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from components.artifacts.as_json import as_json
from components.artifacts.errors import ArtifactError
from components.artifacts.vocabulary import VOCABULARY_NAME, Vocabulary
from components.generator.architecture import Architecture, Context

NETWORK_NAME = "model.keras"
CONFIG_NAME = "config.json"
METRICS_NAME = "metrics.json"
PROMPTS_NAME = "prompts.json"
MAXIMUM_JSON_BYTES = 1 << 28
MAXIMUM_WINDOW_VALUES = 1 << 28
"""How many numbers, of four bytes each, all windows read side by side may carry."""
LIMITS = {
    "vocabulary": (1, (1 << 31) - 1),
    "layers": (1, 16),
    "units": (1, 1 << 20),
    "embedding_size": (1, 1 << 20),
    "ngrams": (1, 8),
    "ngram_buckets": (1, (1 << 31) - 1),
}
"""The least and greatest value of each number of an architecture."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A model's config.json: its network's shape, what it was trained for, and which weights it has."""

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
            read = cls(
                architecture=TypeAdapter(Architecture).validate_python(config["architecture"]),
                context=TypeAdapter(Context).validate_python(config["context"]),
                window=int(config["window"]),
                weights_sha256=config["weights_sha256"],
            )
        except (KeyError, TypeError, ValueError, OverflowError, ValidationError):
            raise ArtifactError(f"{directory / CONFIG_NAME}: not a model's config; train the model again") from None
        read.check(directory / CONFIG_NAME)
        return read

    def check(self, path: Path) -> None:
        """Check the numbers against the limits of a network.

        Raises:
            ArtifactError: one is beyond its limit; `path` names the file.
        """
        for name, (least, most) in LIMITS.items():
            if not least <= (value := getattr(self.architecture, name)) <= most:
                raise ArtifactError(f"{path}: {name} is {value}, not from {least:,} to {most:,}; refused")
        for name in ("dropout", "input_dropout"):
            if not 0 <= (share := getattr(self.architecture, name)) < 1:
                raise ArtifactError(f"{path}: {name} is {share}, not from 0 to below 1; refused")
        if self.window < 1:
            raise ArtifactError(f"{path}: window is {self.window}, not 1 or more; refused")
        carried = self.window * sum(state.width for state in self.architecture.states)
        if self.context == "window" and carried > MAXIMUM_WINDOW_VALUES:
            raise ArtifactError(
                f"{path}: windows of {self.window:,} carry {carried:,} numbers, more than {MAXIMUM_WINDOW_VALUES:,}; "
                "refused"
            )


def read_config(directory: Path) -> dict[str, Any]:
    """The content of config.json in a model's directory, including the SHA-256 of its weights.

    Raises:
        ArtifactError: it is missing or damaged.
    """
    config: dict[str, Any] = read_json(directory / CONFIG_NAME)
    return config


def weights_sha256(weights: Iterable[NDArray[Any]]) -> str:
    """SHA-256 over a network's weights in order, as lowercase hex: equal for identical networks."""
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(str(weight.shape).encode())
        digest.update(weight.tobytes())
    return digest.hexdigest()


def read_vocabulary(directory: Path, config: ModelConfig) -> Vocabulary:
    """A model's vocabulary.

    Raises:
        ArtifactError: it is missing, damaged, or does not fit the network of `config`.
    """
    vocabulary = Vocabulary.read(directory)
    if len(vocabulary) != config.architecture.vocabulary:
        raise ArtifactError(
            f"{directory / VOCABULARY_NAME}: {len(vocabulary):,} tokens, but {CONFIG_NAME}'s network has "
            f"{config.architecture.vocabulary:,}; train the model again"
        )
    return vocabulary


def read_prompts(directory: Path) -> list[str]:
    """Windows of a model's training text.

    Raises:
        ArtifactError: they are missing or damaged.
    """
    values = read_json(directory / PROMPTS_NAME)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ArtifactError(f"{directory / PROMPTS_NAME}: not a list of texts; train the model again")
    return values


def read_json(path: Path) -> Any:
    """The content of a model's JSON file.

    Raises:
        ArtifactError: it is missing or damaged.
    """
    try:
        if path.stat().st_size > MAXIMUM_JSON_BYTES:
            raise ArtifactError(f"{path}: more than {MAXIMUM_JSON_BYTES:,} bytes is too large for a model's; refused")
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        reason = "missing" if isinstance(error, OSError) else "damaged"
        raise ArtifactError(f"{path}: {reason}; train the model again") from None


def write_json(path: Path, values: Any) -> None:
    """Write a JSON file of a model."""
    path.write_text(as_json(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
