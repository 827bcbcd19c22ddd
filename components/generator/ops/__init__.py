"""The few array operations that writing text takes, each provided by NumPy and by TensorFlow.

Cells, steps and the rules that choose a token are written once over `Ops`; `in_numpy` starts at once, `in_tensorflow`
compiles and runs on a GPU. Besides these, arrays of both know arithmetic, comparisons, `@` and slices.

Shapes are named by their axes: B batch (texts), N numbers a text. NumPy's take one text's [N] as well as [B, N], and
a number where that is [B], since this is soonest done.
"""

from typing import Any, Protocol


class Ops(Protocol):
    """What a module of array operations has. All reduce along N, the last axis."""

    def zero(self) -> Any:
        """The int32 number 0."""
        ...

    def full(self, batch: int, width: int, value: int, dtype: str) -> Any:
        """A number everywhere, [batch, width]."""
        ...

    def arange(self, count: int) -> Any:
        """From 0 to below a count, int32."""
        ...

    def floats(self, values: Any) -> Any:
        """Numbers as float32."""
        ...

    def reshape(self, values: Any, shape: tuple[int, ...]) -> Any:
        """The same numbers in another shape."""
        ...

    def tile(self, values: Any, times: int) -> Any:
        """[B] several times, one after the other."""
        ...

    def repeat(self, values: Any, times: int) -> Any:
        """[B] with each several times."""
        ...

    def concat(self, one: Any, other: Any) -> Any:
        """[B, N] and [B, M] beside one another, [B, N + M]."""
        ...

    def split(self, values: Any, parts: int) -> Any:
        """[B, N] cut along N into equal parts."""
        ...

    def gather(self, table: Any, rows: Any) -> Any:
        """The rows of a table at these places."""
        ...

    def tanh(self, values: Any) -> Any:
        """The hyperbolic tangent of each."""
        ...

    def sigmoid(self, values: Any) -> Any:
        """The logistic function of each, which overflows nowhere."""
        ...

    def exp(self, values: Any) -> Any:
        """The exponential of each."""
        ...

    def where(self, condition: Any, one: Any, other: Any) -> Any:
        """One where a condition holds, the other elsewhere."""
        ...

    def maximum(self, one: Any, other: Any) -> Any:
        """The larger of each two."""
        ...

    def minimum(self, one: Any, other: Any) -> Any:
        """The smaller of each two."""
        ...

    def column(self, values: Any) -> Any:
        """Numbers [B] as [B, 1], to go with [B, N]."""
        ...

    def count(self, conditions: Any) -> Any:
        """How many of bool [B, N] hold, integers [B]."""
        ...

    def argmax(self, values: Any) -> Any:
        """The place of the first highest of [B, N], integers [B]."""
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
        """The sum of [B, N] up to each, itself included."""
        ...

    def sum_before(self, values: Any) -> Any:
        """The sum of [B, N] up to each, itself left out."""
        ...

    def pick(self, values: Any, places: Any) -> Any:
        """Of [B, N] the one at each text's place, integers [B]: [B]."""
        ...
