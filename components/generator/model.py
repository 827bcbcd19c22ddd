"""The model artifact: a trained network with everything that is needed to write with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.artifacts.vocabulary import Vocabulary
from components.generator.architecture import Architecture, Context
from components.generator.files import (
    CONFIG_NAME,
    NETWORK_NAME,
    PROMPTS_NAME,
    ModelConfig,
    read_prompts,
    read_vocabulary,
    weights_sha256,
    write_json,
)
from components.generator.network import build
from components.generator.weights import read_weights


@dataclass(frozen=True, kw_only=True)
class Model:
    """A network, and how to write with it.

    Attributes:
        architecture: the network's shape.
        network: the Keras model, int32 ids [B, T] to logits.
        vocabulary: its tokens.
        context, window: what it was trained for: state carried through the text, or reset every `window` tokens.
        prompts: windows of the training text, to start texts from; none if it writes documents, which begin themselves.
    """

    architecture: Architecture
    network: Any
    vocabulary: Vocabulary
    context: Context
    window: int
    prompts: Sequence[str]

    @property
    def description(self) -> str:
        """A short description of the generator."""
        return self.architecture.describe(self.vocabulary, self.context, self.window)

    def write(self, directory: Path, training: dict[str, Any]) -> None:
        """Write the artifact's files, except metrics.json and README.md, into `directory`."""
        self.network.save(directory / NETWORK_NAME)
        self.vocabulary.write(directory)
        config = {
            "architecture": self.architecture.as_dict(),
            "context": self.context,
            "window": self.window,
            "weights_sha256": weights_sha256(self.network.get_weights()),
            "training": training,
        }
        write_json(directory / CONFIG_NAME, config)
        write_json(directory / PROMPTS_NAME, list(self.prompts))

    @classmethod
    def read(cls, directory: Path) -> "Model":
        """Read the model in `directory`: the network is built from config.json, and only tensors are loaded.

        Raises:
            ArtifactError: a file is missing or damaged, or the network is not one that this suite makes.
        """
        config = ModelConfig.read(directory)
        weights = read_weights(directory, config)
        vocabulary = read_vocabulary(directory, config)
        network = build(config.architecture)  # late: a model that is refused must not be built
        for name, arrays in weights.items():
            network.get_layer(name).set_weights(arrays)
        return cls(
            architecture=config.architecture,
            network=network,
            vocabulary=vocabulary,
            context=config.context,
            window=config.window,
            prompts=read_prompts(directory),
        )


def trained_for(*, carry_state: bool) -> Context:
    """The context that a network should write with, by how it was trained."""
    return "carry" if carry_state else "window"
