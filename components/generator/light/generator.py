"""A model that starts writing at once: `TextGenerator`."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.artifacts.errors import UsageError
from components.artifacts.vocabulary import Vocabulary
from components.generator.architecture import Architecture, Context
from components.generator.files import ModelConfig, read_vocabulary
from components.generator.next_token import NextToken
from components.generator.ops import in_numpy
from components.generator.randomness import redraw_stream, uniform_stream
from components.generator.refused import Repeats
from components.generator.stepping import Stepper, Windowed
from components.generator.strategies import Strategy, choose_at, option
from components.generator.temperature import Temperature
from components.generator.weights import read_weights

TABULATED_TOKENS = 1 << 10
"""For vocabularies up to this size the input product is computed in advance, which is quick."""


class Writing(Strategy):
    """How text is written: by which strategy, and how long; settings named as in `sample` mean the same."""

    length: int = option(200, "length of each text, without its prompt", unit="tokens", ge=1)
    no_repeat: int = option(
        0,
        "write no run of this many characters that the text or its prompt has already; 0 allows repeats",
        unit="characters",
        ge=0,
    )
    temperature: Temperature = option(
        0.5, "randomness of the choice: 0 always takes the likeliest token, higher values vary more"
    )
    seed: int = option(1, "seed of the random numbers: the same seed gives the same texts", ge=0, lt=2**53)


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token that was written: its text, and its nats under the network at temperature 1.

    A document's end has no text, nor has a byte that completes no character.
    """

    text: str
    nats: float


class TextGenerator:
    """A trained network with its vocabulary, ready to write.

    Attributes:
        architecture: the network's shape.
        vocabulary: its tokens.
        context, window: what it was trained for: state carried through the text, or reset every `window` tokens.
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

    def __repr__(self) -> str:
        return f"<{self.description}>"

    @property
    def description(self) -> str:
        """A short description of the generator."""
        return self.architecture.describe(self.vocabulary, self.context, self.window)

    def encode(self, prompt: str) -> NDArray[np.int64]:
        """A prompt's token ids, int64 [tokens]; with documents the prompt begins one, after the end of another.

        Raises:
            UsageError: the prompt is empty, unless it begins a document, or has tokens that are not in the vocabulary;
                the error names all of them.
        """
        vocabulary = self.vocabulary
        if not prompt and not vocabulary.has_end:
            raise UsageError("the prompt is empty; give some text to continue")
        ids = vocabulary.encode(vocabulary.prepared(prompt))
        if (ids < 0).any():
            unknown = vocabulary.unknown_in(prompt)
            names = ", ".join(map(repr, unknown))
            raise UsageError(
                f"the prompt has {names}, not among the model's {len(vocabulary):,} {vocabulary.unit}; leave that out"
                f"{vocabulary.advice_on(unknown)}"
            )
        return np.concatenate([[vocabulary.end_id], ids]) if vocabulary.has_end else ids

    def logits(self, text: str) -> NDArray[np.float32]:
        """The network's logits of the token that follows `text`, float32 [V]; raises as `encode`."""
        last: NDArray[np.float32] = self._network.logits(self._after(self._read_of(self.encode(text))))[0]
        return last

    def stream(self, prompt: str, writing: Writing, number: int = 0) -> Iterator[Token]:
        """Continue a prompt, token by token, until the writing's length or the document's end.

        Args:
            prompt: the beginning of the text; the tokens returned come after it.
            writing: by which rules, and how long.
            number: which text of that seed this is. From the same prompt, seed and settings, `sample` writes the
                same text under this id, as far as sums round the same.

        Raises:
            UsageError: as `encode`, before the first token; or every token would repeat a run that is not to be.
        """
        return self._tokens(self.encode(prompt), writing, number)

    def _tokens(self, ids: NDArray[np.int64], writing: Writing, number: int) -> Iterator[Token]:
        begun = self.vocabulary.open_end(ids)
        ids = self._read_of(ids[:-1] if begun else ids)
        states, temperature = self._after(ids), np.float32(writing.temperature)
        prompt = "".join(self.vocabulary.text_of_each(ids)) + begun
        repeats = Repeats(writing.no_repeat, prompt) if writing.no_repeat else None
        again = redraw_stream(writing.seed, number)
        before: list[int] = []  # a prompt ends with a whole character
        for uniform in uniform_stream(writing.seed, number, writing.length):
            logits = self._network.logits(states)[0]
            allowed = self._allowed(logits, begun)
            for draw in itertools.chain([uniform], again):
                chosen = _choose(allowed, draw, temperature, writing)
                (text,) = self.vocabulary.text_of_each(np.array([chosen]), before)
                text = text.removeprefix(begun)
                if repeats is None or repeats.first(text) == len(text):
                    break
                allowed[chosen] = -np.inf
                if np.isneginf(allowed).all():
                    raise UsageError(f"no_repeat: every token would complete {repeats.reason}; raise no_repeat")
            if repeats:
                repeats.take(text)
            highest = logits.max()
            nats = np.log(np.exp(logits - highest).sum()) + highest - logits[chosen]
            yield Token(text=text, nats=float(nats))
            if chosen == self.vocabulary.end_id:
                return
            states = self._network.read(np.array([chosen], np.int32), states)
            before, begun = [*before[-2:], chosen], ""

    def _read_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The part of a prompt that is read: of a window's no more than fits into it."""
        return ids[-self.window :] if self.context == "window" else ids

    def _after(self, ids: NDArray[np.int64]) -> list[object]:
        """The states of one text after ids."""
        states = self._network.zero_states(1)
        for token in ids.astype(np.int32):
            states = self._network.read(token[None], states)
        return states

    def _allowed(self, logits: NDArray[np.float32], begun: str) -> NDArray[np.float32]:
        """The logits without the token for unknown words, which is never written, and those that don't begin so."""
        allowed = logits.copy()
        if self.vocabulary.has_unknown:
            allowed[self.vocabulary.unknown_id] = -np.inf
        if begun:
            allowed[[not token.startswith(begun) for token in self.vocabulary.tokens]] = -np.inf
        return allowed


def _choose(logits: NDArray[np.float32], uniform: np.float32, temperature: np.float32, strategy: Strategy) -> int:
    """The next token of one text, from logits [V]."""
    if not temperature:
        return int(logits.argmax())
    return int(choose_at(in_numpy, logits, uniform, temperature, strategy))
