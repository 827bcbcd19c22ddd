"""The few array operations that writing text needs, each provided for NumPy and for TensorFlow.

Cells, steps and the rules that choose a token are written once over `Ops`; `in_numpy` starts at once, `in_tensorflow`
compiles and runs on a GPU. Besides these, both kinds of arrays have arithmetic, comparisons, `@` and slices.

Shapes are named by their axes: B batch (texts), N numbers per text. Those for NumPy also take one text's [N] in place
of [B, N], with a scalar in place of [B], which is fastest.
"""

from typing import Any, Protocol


class Ops(Protocol):
    """The members of a module of array operations. All reductions are along N, the last axis."""

    def zero(self) -> Any:
        """The int32 number 0."""
        ...

    def full(self, batch: int, width: int, value: int, dtype: str) -> Any:
        """An array [batch, width] filled with a number."""
        ...

    def arange(self, count: int) -> Any:
        """The integers from 0 up to, but not including, a count, int32."""
        ...

    def floats(self, values: Any) -> Any:
        """Numbers as float32."""
        ...

    def reshape(self, values: Any, shape: tuple[int, ...]) -> Any:
        """The same numbers in another shape."""
        ...

    def tile(self, values: Any, times: int) -> Any:
        """[B] repeated several times as a whole."""
        ...

    def repeat(self, values: Any, times: int) -> Any:
        """[B] with each element repeated several times."""
        ...

    def concat(self, one: Any, other: Any) -> Any:
        """[B, N] and [B, M] side by side, [B, N + M]."""
        ...

    def split(self, values: Any, parts: int) -> Any:
        """[B, N] cut along N into equal parts."""
        ...

    def gather(self, table: Any, rows: Any) -> Any:
        """The rows of a table at these indices."""
        ...

    def tanh(self, values: Any) -> Any:
        """The hyperbolic tangent of each."""
        ...

    def sigmoid(self, values: Any) -> Any:
        """The logistic function of each, without overflow."""
        ...

    def exp(self, values: Any) -> Any:
        """The exponential of each."""
        ...

    def where(self, condition: Any, one: Any, other: Any) -> Any:
        """The first where a condition holds, the second elsewhere."""
        ...

    def maximum(self, one: Any, other: Any) -> Any:
        """The larger of each two."""
        ...

    def minimum(self, one: Any, other: Any) -> Any:
        """The smaller of each two."""
        ...

    def column(self, values: Any) -> Any:
        """Numbers [B] as [B, 1], to combine with [B, N]."""
        ...

    def count(self, conditions: Any) -> Any:
        """How many of bool [B, N] hold, integers [B]."""
        ...

    def argmax(self, values: Any) -> Any:
        """The index of the first highest of [B, N], integers [B]."""
        ...

    def highest(self, values: Any) -> Any:
        """The highest of [B, N], [B]."""
        ...

    def kth_highest(self, values: Any, k: int) -> Any:
        """The k-th highest of [B, N], [B]."""
        ...

    def descending(self, values: Any) -> Any:
        """[B, N] sorted, the highest first."""
        ...

    def softmax(self, values: Any) -> Any:
        """The probabilities [B, N] whose logarithms differ as the values do."""
        ...

    def cumulative(self, values: Any) -> Any:
        """The cumulative sum of [B, N], including each element."""
        ...

    def sum_before(self, values: Any) -> Any:
        """The cumulative sum of [B, N], excluding each element."""
        ...

    def pick(self, values: Any, places: Any) -> Any:
        """The element of [B, N] at each text's index, integers [B]: [B]."""
        ...
