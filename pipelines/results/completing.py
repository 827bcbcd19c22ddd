"""Completes a text with a model, without waiting for TensorFlow."""

from typing import ClassVar

from components.artifacts import storage
from components.command import log
from components.command.settings import Only, Settings, setting
from components.generator.light.generator import TextGenerator, Writing
from components.generator.strategies import RULES


class CompleteConfig(Writing, Settings):
    """The settings of complete."""

    only: ClassVar[tuple[Only, ...]] = (
        Only(
            names=tuple(RULES),
            decided_by=("temperature",),
            where="temperature above 0",
            holds=lambda config: config.temperature > 0,
        ),
    )

    n: int = setting(1, "texts to write", unit="texts", ge=1)


def load(uri: str) -> TextGenerator:
    """The model at a URI, every file checked against its manifest.

    Raises:
        ArtifactError: the model is missing, damaged or foreign.
        StorageError: the store fails after all retries.
    """
    with storage.incoming(uri, "model", log.transferred) as directory:
        return TextGenerator.read(directory)
