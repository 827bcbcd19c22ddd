"""The recurrent cells that a network can be made of: each a module here with what `Cell` names, and a line in CELLS."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from components.generator.cells import gru, lstm
from components.generator.ops import Ops


class Cell(Protocol):
    """What a module of a cell has. Shapes are named by their axes: B batch, D width of the input, U units, G gates."""

    NAME: str
    """Its name to people, and that of its layer in Keras."""

    STATES: tuple[str, ...]
    """Its states, each [B, U]; the first is what it gives to the layer above."""

    def weight_shapes(self, width: int, units: int) -> list[tuple[int, ...]]:
        """The shapes of a layer's kernel [D, G U], recurrent kernel [U, G U] and bias."""
        ...

    def input_bias(self, bias: Any) -> Any:
        """What of the bias is added to the input's product, [G U]."""
        ...

    def step(self, ops: Ops, inputs: Any, states: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
        """The states after one more token.

        Args:
            ops: of the arrays that follow.
            inputs: the input's product with the kernel, with `input_bias`, float32 [B, G U].
            states: before the token.
            weights: the layer's, as `weight_shapes` has them.
        """
        ...

    def layer(self, *, on_cpu: bool) -> Any:
        """The class of its Keras layer; on a CPU one with a training pass made for it. Imports TensorFlow."""
        ...


CellName = Literal["lstm", "gru"]
CELLS: dict[CellName, Cell] = {"lstm": lstm, "gru": gru}
