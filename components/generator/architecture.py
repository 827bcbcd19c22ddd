"""The network's shape, and what follows from it alone; without TensorFlow, so that it is quick to read.

Shapes are named by their axes: B batch, T time (tokens), V vocabulary, U units.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from components.artifacts.vocabulary import Vocabulary
from components.generator.cells import CELLS, CellName
from components.generator.ops import Ops

Input = Literal["one_hot", "scaled", "embedding"]
Objective = Literal["next", "sequence"]
DropoutPlacement = Literal["after_each", "between"]
Context = Literal["carry", "window"]
"""What a token is predicted from: all the text before it, or the tokens of a window and a zero state."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Everything that the network's shape depends on.

    Attributes:
        vocabulary: how many tokens there are (V).
        cell, layers, units: the stack of recurrent layers.
        input: `one_hot`; `scaled`, the id divided by V as one number; or `embedding`.
        embedding_size: width of the embedding, if there is one.
        ngrams, ngram_buckets: if ngrams is n > 1, the last 2, 3, ... n tokens together have embeddings too, which
            are added to the token's own; each length has a table of at most ngram_buckets rows, shared by hashing.
            Feeding a recurrent network n-grams by hashing is Mikolov et al., "Strategies for training large scale
            neural network language models", 2011; there they go to the output, here to the input.
        objective: `next`, one target after the window; `sequence`, a target at every position.
        dropout: share of each layer's outputs dropped in training.
        dropout_placement: `after_each` layer; or `between` layers, which for a single layer is after it.
        input_dropout: share of the embeddings' sum dropped in training.
    """

    vocabulary: int
    layers: int
    units: int
    input: Input
    embedding_size: int
    objective: Objective
    dropout: float
    dropout_placement: DropoutPlacement
    ngrams: int = 1
    ngram_buckets: int = 1
    input_dropout: float = 0.0
    cell: CellName = "lstm"

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)

    @property
    def recurrent_layers(self) -> list[str]:
        """The names of the recurrent layers, the first one first."""
        return [f"{self.cell}_{number + 1}" for number in range(self.layers)]

    @property
    def embeddings(self) -> list[str]:
        """The names of the layers with embeddings: of tokens, then of runs of 2, 3, ... tokens."""
        return ["embedding", *(f"embedding_{n}" for n in range(2, self.ngrams + 1))] * (self.input == "embedding")

    @property
    def states(self) -> list["State"]:
        """What is carried from token to token: the previous tokens if n-grams need them, then each layer's states."""
        before = [State(name="before", width=self.ngrams - 1, dtype="int32", initial=self.vocabulary)]
        recurrent = [
            State(name=f"{part}_{layer + 1}", width=self.units, dtype="float32", initial=0)
            for layer in range(self.layers)
            for part in CELLS[self.cell].STATES
        ]
        return [*before, *recurrent] if self.ngrams > 1 else recurrent

    @property
    def weight_shapes(self) -> dict[str, list[tuple[int, ...]]]:
        """The shapes of each layer's weights by its name: a recurrent layer's are kernel, recurrent kernel and bias."""
        width = {"one_hot": self.vocabulary, "scaled": 1, "embedding": self.embedding_size}[self.input]
        shapes: dict[str, list[tuple[int, ...]]] = {}
        if self.input == "embedding":
            shapes["embedding"] = [(self.vocabulary, width)]
            shapes |= {f"embedding_{n}": [(ngram_rows(self, n), width)] for n in range(2, self.ngrams + 1)}
        for index, name in enumerate(self.recurrent_layers):
            shapes[name] = CELLS[self.cell].weight_shapes(self.units if index else width, self.units)
        return {**shapes, "logits": [(self.units, self.vocabulary), (self.vocabulary,)]}

    def describe(self, vocabulary: Vocabulary, context: Context, window: int) -> str:
        """A short description of the generator."""
        reads = "all text before a token" if context == "carry" else f"windows of {window}"
        writes = ", writing documents" if vocabulary.has_end else ""
        network = f"{self.layers} x {CELLS[self.cell].NAME} {self.units}"
        return f"{network} over {self.vocabulary:,} {vocabulary.unit}, reading {reads}{writes}"


@dataclass(frozen=True, kw_only=True)
class State:
    """One carried state, [B, width], and its value before a text's first token."""

    name: str
    width: int
    dtype: str
    initial: int

    def at_start(self, ops: Ops, batch: int) -> Any:
        """The state before the first token, [batch, width]."""
        return ops.full(batch, self.width, self.initial, self.dtype)


def ngram_rows(architecture: Architecture, n: int) -> int:
    """How many rows the table for runs of `n` tokens has."""
    distinct: int = (architecture.vocabulary + 1) ** n
    return min(architecture.ngram_buckets, distinct)


def ngram_row(architecture: Architecture, tokens: list[Any]) -> Any:
    """The row of the table for runs of len(tokens) tokens; int32 tensors of one shape, the newest token first.

    V stands for a token before the text's beginning. Products wrap around at 32 bits, the same on every device.
    """
    base, row = architecture.vocabulary + 1, tokens[0]
    for token in tokens[1:]:
        row = row * base + token
    return row % ngram_rows(architecture, len(tokens))
