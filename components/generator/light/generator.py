"""A model that writes from the first moment on: `TextGenerator`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from components.artifacts.errors import UsageError
from components.artifacts.vocabulary import Vocabulary
from components.generator.architecture import Architecture, Context
from components.generator.chance import uniform_stream
from components.generator.files import ModelConfig, read_vocabulary
from components.generator.next_token import NextToken
from components.generator.ops import in_numpy
from components.generator.stepping import Stepper, Windowed
from components.generator.strategies import Strategy, choose_at
from components.generator.temperature import Temperature
from components.generator.weights import read_weights

TABULATED_TOKENS = 1 << 10
"""Vocabularies up to this size have their input product computed beforehand, within a moment."""


class Writing(Strategy):
    """How text is written: by which strategy, and how far; what is named as in `sample`'s settings means the same."""

    length: int = Field(
        200,
        description="length of each text, its prompt not counted",
        json_schema_extra={"unit": "tokens"},
        ge=1,
    )
    temperature: Temperature = Field(
        0.5,
        description="0 always takes the likeliest token; the higher, the more daring",
        json_schema_extra={"unit": ""},
    )
    seed: int = Field(
        1,
        description="seed of the texts' chance: the same seed, the same texts",
        json_schema_extra={"unit": ""},
        ge=0,
        lt=2**53,
    )


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token that was written: its text, and what it cost the network in nats at temperature 1."""

    text: str
    nats: float


class TextGenerator:
    """A trained network with its vocabulary, ready to write.

    Attributes:
        architecture: the network's shape.
        vocabulary: its tokens.
        context, window: what it was trained for: state carried on, or reset every `window` tokens.
    """

    def __init__(
        self, architecture: Architecture, network: NextToken, vocabulary: Vocabulary, context: Context, window: int
    ) -> None:
        self.architecture = architecture
        self.vocabulary = vocabulary
        self.context = context
        self.window = window
        self._network = Windowed(in_numpy, network, window) if context == "window" else network

    @classmethod
    def read(cls, directory: Path) -> "TextGenerator":
        """Read the model artifact in `directory`.

        Raises:
            ArtifactError: a file is missing, damaged or foreign.
        """
        config = ModelConfig.read(directory)
        tabulated = config.architecture.vocabulary <= TABULATED_TOKENS
        network = Stepper(in_numpy, config.architecture, read_weights(directory, config), tabulated=tabulated)
        vocabulary = read_vocabulary(directory, config)
        return cls(config.architecture, network, vocabulary, config.context, config.window)

    @property
    def description(self) -> str:
        """What kind of generator it is, in a few words."""
        return self.architecture.describe(self.vocabulary.kind, self.context, self.window)

    def encode(self, prompt: str) -> NDArray[np.int64]:
        """A prompt's token ids, int64 [tokens].

        Raises:
            UsageError: the prompt is empty, or has tokens that are not in the vocabulary; all of them are named.
        """
        if not prompt:
            raise UsageError("the prompt is empty; give some text to go on from")
        vocabulary = self.vocabulary
        ids = vocabulary.encode(vocabulary.prepared(prompt))
        if (ids < 0).any():
            unknown = vocabulary.unknown_in(prompt)
            names = ", ".join(map(repr, unknown))
            raise UsageError(
                f"the prompt has {names}, not among the model's {len(vocabulary):,} {vocabulary.kind}; leave that out"
                f"{vocabulary.advice_on(unknown)}"
            )
        return ids

    def logits(self, text: str) -> NDArray[np.float32]:
        """The network's logits of the token that follows `text`, float32 [V]; raises as `encode`."""
        last: NDArray[np.float32] = self._network.logits(self._after(self.encode(text)))[0]
        return last

    def stream(self, prompt: str, writing: Writing, number: int = 0) -> Iterator[Token]:
        """Go on from a prompt, token by token.

        Args:
            prompt: what the text begins with; the tokens come without it.
            writing: by which rules, and how far.
            number: which text of that seed this is. `sample` writes the text of this id from the same prompt, seed
                and settings, as far as sums round alike.

        Raises:
            UsageError: as `encode`, before the first token.
        """
        return self._tokens(self.encode(prompt), writing, number)

    def _tokens(self, ids: NDArray[np.int64], writing: Writing, number: int) -> Iterator[Token]:
        states, temperature = self._after(ids), np.float32(writing.temperature)
        for uniform in uniform_stream(writing.seed, number, writing.length):
            logits = self._network.logits(states)[0]
            chosen = _choose(self._allowed(logits), uniform, temperature, writing)
            highest = logits.max()
            nats = np.log(np.exp(logits - highest).sum()) + highest - logits[chosen]
            yield Token(text=self.vocabulary.tokens[chosen], nats=float(nats))
            states = self._network.read(np.array([chosen], np.int32), states)

    def _after(self, ids: NDArray[np.int64]) -> list[object]:
        """The states of one text after ids; a window needs no more than its own length of them."""
        states = self._network.zero_states(1)
        for token in (ids[-self.window :] if self.context == "window" else ids).astype(np.int32):
            states = self._network.read(token[None], states)
        return states

    def _allowed(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits with the token for unknown words ruled out: it is never written."""
        if not self.vocabulary.has_unknown:
            return logits
        allowed = logits.copy()
        allowed[self.vocabulary.unknown_id] = -np.inf
        return allowed


def _choose(logits: NDArray[np.float32], uniform: np.float32, temperature: np.float32, strategy: Strategy) -> int:
    """The next token of one text, from logits [V]."""
    if not temperature:
        return int(logits.argmax())
    return int(choose_at(in_numpy, logits, uniform, temperature, strategy))
