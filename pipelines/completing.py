"""Finishing somebody's text with a model, without waiting for TensorFlow."""

from typing import ClassVar

from components.artifacts import storage
from components.command import log
from components.command.settings import Only, Settings, setting
from components.generator.light.generator import TextGenerator, Writing
from components.generator.temperature import Temperature


class CompleteConfig(Settings):
    """How a text is finished; what is named as in sample's settings means the same."""

    only: ClassVar[tuple[Only, ...]] = (
        Only(
            names=("top_k", "top_p"),
            decided_by=("temperature",),
            where="temperature above 0",
            holds=lambda config: config.temperature > 0,
        ),
    )

    n: int = setting(1, "texts to write", unit="texts", ge=1)
    length: int = setting(Writing.length, "length of each text, its prompt not counted", unit="tokens", ge=1)
    temperature: Temperature = setting(
        Writing.temperature, "0 always takes the likeliest token; the higher, the more daring"
    )
    top_k: int = setting(
        Writing.top_k, "draw from this many of the likeliest tokens only; 0 for all", unit="tokens", ge=0
    )
    top_p: float = setting(
        Writing.top_p,
        "draw from the nucleus only: the fewest likeliest tokens with this probability together",
        gt=0,
        le=1,
    )
    seed: int = setting(Writing.seed, "seed of the texts' chance: the same seed, the same texts", ge=0, lt=2**53)

    @property
    def writing(self) -> Writing:
        """The same for the generator."""
        return Writing(**self.model_dump(exclude={"n"}))


def load(uri: str) -> TextGenerator:
    """The model at a URI, every file checked against its manifest.

    Raises:
        ArtifactError: the model is missing, damaged or foreign.
        StorageError: the store fails for good.
    """
    with storage.incoming(uri, "model", log.transferred) as directory:
        return TextGenerator.read(directory)
