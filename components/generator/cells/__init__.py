"""The recurrent cells of a network: each is a module here with the members of `Cell`, and a line in CELLS."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from components.generator.cells import gru, lstm
from components.generator.ops import Ops


class Cell(Protocol):
    """The members of a cell's module. Axes: B batch, D width of the input, U units, G gates."""

    NAME: str
    """Its name for people, and its layer's in Keras."""

    STATES: tuple[str, ...]
    """Its states, each [B, U]; the first is its output to the layer above."""

    def weight_shapes(self, width: int, units: int) -> list[tuple[int, ...]]:
        """The shapes of a layer's kernel [D, G U], recurrent kernel [U, G U] and bias."""
        ...

    def input_bias(self, bias: Any) -> Any:
        """The part of the bias that is added to the input's product, [G U]."""
        ...

    def step(self, ops: Ops, inputs: Any, states: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
        """The states after one more token.

        Args:
            ops: the operations for the arrays below.
            inputs: the input's product with the kernel, plus `input_bias`, float32 [B, G U].
            states: before the token.
            weights: the layer's, in the order of `weight_shapes`.
        """
        ...

    def layer(self, *, on_cpu: bool) -> Any:
        """The class of its Keras layer; on a CPU one with our own training pass. Imports TensorFlow."""
        ...


CellName = Literal["lstm", "gru"]
CELLS: dict[CellName, Cell] = {"lstm": lstm, "gru": gru}
