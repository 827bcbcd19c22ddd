"""The held-out loss, in nats per token, under the protocol the network was trained for.

`carry`: every token is predicted from a state that has read the text before it. The split is cut into
lanes read side by side; each lane first reads WARM_UP_TOKENS before its own part without being scored.
`window`: the state is zero at the start of each window of the dataset's length. With the objective
`next` the target after each of the dataset's windows counts; with `sequence` all targets of windows that
lie end to end.

Of a long text an evenly spread part is scored, which `artifacts/part.py` makes.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.part import LEAD_IN_TOKENS, Part
from components.artifacts.records import window_count
from components.artifacts.tensorflow import tf
from components.generator.network import build
from components.generator.ops import in_tensorflow
from components.train.chains import CHAINS_ON_CPU, in_chains, joined
from components.train.data import Text
from components.train.trainer import Trainer

WARM_UP_TOKENS = LEAD_IN_TOKENS
LANES = 64
WINDOWS_AT_ONCE = 512


class Evaluation:
    """Scores a trainer's network on held-out text.

    Attributes:
        targets: how many tokens are scored.
    """

    def __init__(self, trainer: Trainer, held_out: Part, *, step: int) -> None:
        self._trainer = trainer
        carry, precision = trainer.config.carries_state, trainer.config.precision
        self._network = build(trainer.architecture, on_cpu=not trainer.on_gpu, carry=carry, precision=precision)
        self._length = trainer.length
        ids = held_out.ids
        # Padding lets the last window be gathered whole; what is in it is never scored.
        self._text, self._counts = (
            Text(np.concatenate([array, np.zeros(self._length, array.dtype)]))
            for array in (ids, held_out.counts.view(np.uint8))
        )
        if trainer.config.objective == "next":
            self._step, self._windows = step, window_count(len(ids), self._length, step)
            self.targets = int(held_out.counts[self._length :: step].sum())
        else:
            self._step, self._windows = self._length, window_count(len(ids), 1, self._length)
            self.targets = int(held_out.counts[1:].sum())
        self._chunks_a_lane = -(-self._windows // LANES)
        self._warm_up = -(-WARM_UP_TOKENS // self._length)
        self._score_step = tf.function(self._score, reduce_retracing=True)

    @property
    def protocol(self) -> str:
        """The protocol's name, as it stands in metrics.json."""
        return "carry" if self._trainer.config.carries_state else f"window of {self._length}"

    def __call__(self, between: Callable[[int], None] = lambda _: None) -> float | None:
        """The mean nats per token, or None where too little is held out for one target.

        `between` is called between batches with how many tokens are scored, and may raise to stop.
        """
        if not self.targets:
            return None
        nats = scored = 0.0
        for batch_nats, batch_scored in self._scored():
            nats += batch_nats
            scored += batch_scored
            between(int(scored))
        return nats / scored

    def estimated_seconds(self) -> float:
        """How long scoring will take, by one batch of it."""
        if not self.targets:
            return 0.0
        next(self._scored())  # traces the graph
        began = time.monotonic()
        next(self._scored())
        return self._batches * (time.monotonic() - began)

    def _scored(self) -> Iterator[tuple[float, float]]:
        """The sum of nats over the targets of each batch, and how many they are."""
        return self._carried() if self._trainer.config.carries_state else self._reset()

    @property
    def _batches(self) -> int:
        if self._trainer.config.carries_state:
            return self._warm_up + self._chunks_a_lane
        return -(-self._windows // WINDOWS_AT_ONCE)

    def _reset(self) -> Iterator[tuple[float, float]]:
        size = min(WINDOWS_AT_ONCE, self._windows)
        for first in range(0, self._windows, size):
            # The last batch is as large as the others: another shape would be traced anew.
            window = np.arange(first, first + size)
            exists = window < self._windows
            starts = np.where(exists, window, 0) * self._step
            nats, scored, _ = self._score_batch(starts, exists, [])
            yield nats, scored

    def _carried(self) -> Iterator[tuple[float, float]]:
        at_start = [state.at_start(in_tensorflow, LANES) for state in self._trainer.architecture.states]
        states = at_start
        for place in range(-self._warm_up, self._chunks_a_lane):
            chunk = np.arange(LANES) * self._chunks_a_lane + place
            exists = (chunk >= 0) & (chunk < self._windows)
            counts = exists & (place >= 0)
            starts = np.where(exists, chunk, 0) * self._length
            nats, scored, new = self._score_batch(starts, counts, states)
            # A lane that starts at the text's beginning has nothing to warm up on: its state stays what it is there.
            read = tf.constant(exists[:, None])
            states = [tf.where(read, state, first) for state, first in zip(new, at_start, strict=True)]
            yield nats, scored

    def _score_batch(
        self, starts: NDArray[np.int64], counts: NDArray[np.bool_], states: list[Any]
    ) -> tuple[float, float, list[Any]]:
        """Nats and number of the targets after windows at `starts` [B] that count [B], and the states after them."""
        nats, scored, new = self._score_step(tf.constant(starts), tf.constant(counts, tf.float32), states)
        return float(nats), float(scored), new

    def _score(self, starts: Any, counts: Any, states: list[Any]) -> tuple[Any, Any, list[Any]]:
        """Nats and number of the targets after windows at int64 starts [B], where float32 counts [B] is 1."""
        window = self._text.windows(starts, self._length + 1)
        chains = in_chains([window[:, :-1], *states], CHAINS_ON_CPU)
        logits, *new = joined([self._outputs(inputs) for inputs in chains])
        states = [tf.cast(state, old.dtype) for state, old in zip(new, states, strict=True)]
        if self._trainer.config.objective == "next":
            labels, logits = window[:, -1:], logits[:, None]
        else:
            labels = window[:, 1:]
        scored = labels.shape[1]
        weights = tf.cast(self._counts.windows(starts + self._length + 1 - scored, scored), tf.float32)
        weights *= counts[:, None]
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return tf.reduce_sum(tf.cast(nats * weights, tf.float64)), tf.reduce_sum(weights), states

    def _outputs(self, inputs: list[Any]) -> list[Any]:
        """Logits, then new states, with the weights that the trainer has now."""
        weights = [variable.value for variable in self._trainer.network.trainable_variables]
        carries = self._trainer.config.carries_state
        outputs, _ = self._network.stateless_call(
            weights, self._network.non_trainable_variables, inputs if carries else inputs[0], training=False
        )
        return outputs if carries else [outputs]
