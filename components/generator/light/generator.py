"""A model that writes from the first moment on: `TextGenerator`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.artifacts.errors import UsageError
from components.artifacts.vocabulary import Vocabulary
from components.generator.architecture import Architecture, Context
from components.generator.chance import uniform_stream
from components.generator.files import ModelConfig, read_vocabulary
from components.generator.light.stepping import Stepper, Windowed
from components.generator.light.strategies import choose
from components.generator.next_token import NextToken
from components.generator.weights import read_weights


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How text is written; as the settings of `sample` of the same names.

    Attributes:
        length: tokens to write, the prompt not counted.
        temperature: 0 always takes the likeliest token; 1 draws by the network's own probabilities.
        top_k: draw from this many of the likeliest tokens only; 0 for all.
        top_p: draw from the nucleus of this probability only; 1 for all.
        seed: of the text's chance.
    """

    length: int = 200
    temperature: float = 0.5
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 1


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
        self._network = Windowed(network, window) if context == "window" else network

    @classmethod
    def read(cls, directory: Path) -> "TextGenerator":
        """Read the model artifact in `directory`.

        Raises:
            ArtifactError: a file is missing, damaged or foreign.
        """
        config = ModelConfig.read(directory)
        network = Stepper(config.architecture, read_weights(directory, config))
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
        states = self._after(ids)
        for uniform in uniform_stream(writing.seed, number, writing.length):
            logits = self._network.logits(states)[0]
            chosen = choose(
                self._allowed(logits), uniform, writing.temperature, top_k=writing.top_k, top_p=writing.top_p
            )
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
