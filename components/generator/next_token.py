"""What the loops that write text ask of a network."""

from collections.abc import Sequence
from typing import Any, Protocol


class NextToken(Protocol):
    """Anything that writes text one token at a time."""

    def zero_states(self, batch: int) -> list[Any]:
        """The states before the first token, each [B, ...]."""
        ...

    def read(self, ids: Any, states: Sequence[Any]) -> list[Any]:
        """The states after int32 ids [B], one more token of each text."""
        ...

    def logits(self, states: Sequence[Any]) -> Any:
        """Float32 logits [B, V] of the token that follows what was read."""
        ...
