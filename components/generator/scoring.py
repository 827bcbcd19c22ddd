"""The loss of a network on held-out text, in nats per token, under one of two protocols.

`carry`: every token is predicted from a state that has read the text before it. The text is cut into LANES lanes read
side by side; each first reads WARM_UP_TOKENS before its own part without being scored.
`window of W`: the state is zero at each window's start. With the objective `next` only the target after each window
counts, for windows at the dataset's step; with `sequence` all targets of adjacent windows count.

Of a long text an evenly spread part is scored, which `artifacts/part.py` chooses.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.part import LEAD_IN_TOKENS, Part
from components.artifacts.records import window_count
from components.artifacts.tensorflow import tf
from components.generator.architecture import Architecture
from components.generator.chains import CHAINS_ON_CPU, in_chains, joined
from components.generator.network import Precision, build
from components.generator.ops import in_tensorflow
from components.generator.text import Text

WARM_UP_TOKENS = LEAD_IN_TOKENS
LANES = 64
WINDOWS_AT_ONCE = 512
_LOGITS_AT_ONCE = 1 << 26

_Batch = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]


def _nothing(_: int) -> None:
    """Between batches, by default."""


class Scorer:
    """Scores held-out text by a network.

    Args:
        architecture: the network's shape.
        variables: its weights, which are read each time.
        held_out: the text, and which of its tokens may be targets.
        carry: whether to use the protocol `carry`, which suits any network.
        window: tokens of a window, or of a lane's piece.
        step: distance between the windows of a network with one target after each.
        precision: what the network computes in.

    Attributes:
        protocol: the protocol's name, as in metrics.json.
        targets: how many tokens are scored.
    """

    def __init__(
        self,
        architecture: Architecture,
        variables: Sequence[Any],
        held_out: Part,
        *,
        carry: bool,
        window: int,
        step: int,
        precision: Precision = "float32",
    ) -> None:
        self._architecture = replace(architecture, objective="sequence") if carry else architecture
        on_cpu = not tf.config.get_visible_devices("GPU")
        self._network = build(self._architecture, on_cpu=on_cpu, carry=carry, precision=precision)
        self._variables, self._carry, self._length = variables, carry, window
        self.protocol = "carry" if carry else f"window of {window}"
        self._tokens = len(held_out.ids)
        # With padding the last window can be gathered whole; the padding is never scored.
        self._text, self._counts = (
            Text(np.concatenate([array, np.zeros(window, array.dtype)]))
            for array in (held_out.ids, held_out.counts.view(np.uint8))
        )
        if self._architecture.objective == "next":
            self._step, self._scored_each, self._windows = step, 1, window_count(self._tokens, window, step)
            self.targets = int(held_out.counts[window::step].sum())
        else:
            self._step, self._scored_each, self._windows = window, window, window_count(self._tokens, 1, window)
            self.targets = int(held_out.counts[1:].sum())
        self._chunks_a_lane = -(-self._windows // LANES)
        self._warm_up = -(-WARM_UP_TOKENS // window)
        self._score_step = tf.function(self._score, autograph=False, reduce_retracing=True)

    def __call__(self, between: Callable[[int], None] = _nothing) -> float | None:
        """The mean nats per token, or None if too little is held out for one target.

        `between` is called between batches with the number of tokens scored, and may raise to stop.
        """
        nats = sum(float((nats * counts).sum(dtype=np.float64)) for _, nats, counts in self._scored(between))
        return nats / self.targets if self.targets else None

    def costs(self, between: Callable[[int], None] = _nothing) -> NDArray[np.float64]:
        """The nats of each token, float64 [tokens], NaN for tokens that are not scored; `between` as above."""
        costs = np.full(self._tokens, np.nan)
        for starts, nats, counts in self._scored(between):
            places = starts[:, None] + np.arange(self._length + 1 - self._scored_each, self._length + 1)
            costs[places[counts > 0]] = nats[counts > 0]
        return costs

    def estimated_seconds(self) -> float:
        """How long scoring will take, measured on one batch."""
        if not self.targets:
            return 0.0
        next(self._batches())  # traces the graph
        began = time.monotonic()
        next(self._batches())
        return self._batch_count * (time.monotonic() - began)

    def _scored(self, between: Callable[[int], None]) -> Iterator[_Batch]:
        """Where each batch's windows start [B], the nats of their targets [B, scored], and which of them count."""
        scored = 0
        for starts, nats, counts in self._batches() if self.targets else ():
            yield starts, nats, counts
            scored += int(counts.sum())
            between(scored)

    def _batches(self) -> Iterator[_Batch]:
        return self._carried() if self._carry else self._reset()

    @property
    def _batch_count(self) -> int:
        return self._warm_up + self._chunks_a_lane if self._carry else -(-self._windows // self._windows_at_once)

    @property
    def _windows_at_once(self) -> int:
        """As many as fit into the memory limit."""
        most = _LOGITS_AT_ONCE // (self._architecture.vocabulary * self._scored_each)
        return min(WINDOWS_AT_ONCE, max(most, 1), self._windows)

    def _reset(self) -> Iterator[_Batch]:
        size = self._windows_at_once
        for first in range(0, self._windows, size):
            # The last batch is as large as the others: another shape would be traced again.
            window = np.arange(first, first + size)
            exists = window < self._windows
            starts = np.where(exists, window, 0) * self._step
            nats, counts, _ = self._score_batch(starts, exists, [])
            yield starts, nats, counts

    def _carried(self) -> Iterator[_Batch]:
        at_start = [state.at_start(in_tensorflow, LANES) for state in self._architecture.states]
        states = at_start
        for place in range(-self._warm_up, self._chunks_a_lane):
            chunk = np.arange(LANES) * self._chunks_a_lane + place
            exists = (chunk >= 0) & (chunk < self._windows)
            starts = np.where(exists, chunk, 0) * self._length
            nats, counts, new = self._score_batch(starts, exists & (place >= 0), states)
            # A lane that starts at the text's beginning has nothing to warm up on: its state stays the initial one.
            read = tf.constant(exists[:, None])
            states = [tf.where(read, state, first) for state, first in zip(new, at_start, strict=True)]
            yield starts, nats, counts

    def _score_batch(
        self, starts: NDArray[np.int64], exists: NDArray[np.bool_], states: list[Any]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], list[Any]]:
        """Score windows at `starts` [B], of which only existing ones [B] count: as `_score`."""
        nats, counts, new = self._score_step(tf.constant(starts), tf.constant(exists, tf.float32), states)
        return nats.numpy(), counts.numpy(), new

    def _score(self, starts: Any, exists: Any, states: list[Any]) -> tuple[Any, Any, list[Any]]:
        """For windows at int64 starts [B]: the targets' nats and 1 if they count, float32 [B, scored]; new states."""
        window = self._text.windows(starts, self._length + 1)
        chains = in_chains([window[:, :-1], *states], CHAINS_ON_CPU)
        logits, *new = joined([self._outputs(inputs) for inputs in chains])
        states = [tf.cast(state, old.dtype) for state, old in zip(new, states, strict=True)]
        logits = logits[:, None] if self._architecture.objective == "next" else logits
        labels = window[:, -self._scored_each :]
        counts = self._counts.windows(starts + self._length + 1 - self._scored_each, self._scored_each)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return nats, tf.cast(counts, tf.float32) * exists[:, None], states

    def _outputs(self, inputs: list[Any]) -> list[Any]:
        """Logits, then new states, with the current weights."""
        weights = [variable.value for variable in self._variables]
        outputs, _ = self._network.stateless_call(
            weights, self._network.non_trainable_variables, inputs if self._carry else inputs[0], training=False
        )
        return outputs if self._carry else [outputs]
