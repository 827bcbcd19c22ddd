"""What each token of a text costs a model, under both protocols.

`carry`: every token after a state that has read the text before it. The text is cut into LANES lanes read side by
side; each first reads WARM_UP_TOKENS before its own part without being scored, as evaluation in training does.
`window of W`: the state is zero at each window's start. A model that was trained for the one target after a window is
scored on that, of windows at the dataset's step; another one on all targets of windows that lie end to end.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.tensorflow import tf
from components.command import log
from components.generator.model import Model
from components.generator.network import build
from components.generator.ops import in_tensorflow

LANES = 64
WARM_UP_TOKENS = 128
_LOGITS_AT_ONCE = 1 << 26


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What a model's targets cost, nats [targets] by protocol's name, and their places in the text, int64 [targets].

    `trained_for` is the protocol the model was made for.
    """

    nats: dict[str, NDArray[np.float64]]
    places: NDArray[np.int64]
    trained_for: str


def score(
    model: Model,
    ids: NDArray[np.integer],
    *,
    step: int,
    counts: NDArray[np.bool_] | None = None,
    both: bool = True,
) -> Scores:
    """Score the targets that both protocols have in ids [N], by both, or only by the one the model was trained for.

    `step` is the distance between a dataset's windows; `counts`, bool [N], says which tokens may be targets, by default
    all. Without room for a target there are none.
    """
    window_name = f"window of {model.window}"
    trained_for = "carry" if model.context == "carry" else window_name
    is_next = model.architecture.objective == "next"
    first = model.window if is_next else 1
    places = np.arange(first, len(ids), step if is_next else 1, dtype=np.int64)
    nats = {name: np.empty(0) for name in (("carry", window_name) if both else (trained_for,))}
    if len(places):
        padded = np.concatenate([ids, np.zeros(model.window, ids.dtype)]).astype(np.int32)
        if "carry" in nats:
            nats["carry"] = _carried(model, padded, len(ids) - 1)[places - 1]
        if window_name in nats:
            starts = places - model.window if is_next else places[:: model.window] - 1
            nats[window_name] = _by_windows(model, padded, starts).reshape(-1)[: len(places)]
    if counts is not None:
        chosen = counts[places]
        places, nats = places[chosen], {name: costs[chosen] for name, costs in nats.items()}
    return Scores(nats=nats, places=places, trained_for=trained_for)


def _by_windows(model: Model, padded: NDArray[np.int32], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The cost of the targets of windows at `starts`, [windows, targets], from a zero state."""
    targets = 1 if model.architecture.objective == "next" else model.window
    at_once = max(_LOGITS_AT_ONCE // (len(model.vocabulary) * targets), 1)

    def costs(windows: Any) -> Any:
        logits = model.network(windows[:, :-1], training=False)
        logits = tf.reshape(logits, [-1, targets, len(model.vocabulary)])
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=windows[:, -targets:], logits=logits)

    compiled = tf.function(costs, input_signature=[tf.TensorSpec([None, model.window + 1], tf.int32)])
    parts = []
    for begin in range(0, len(starts), at_once):
        chosen = starts[begin : begin + at_once, None] + np.arange(model.window + 1)
        parts.append(compiled(tf.constant(padded[chosen])).numpy())
        log.progress(f"by windows: {begin + len(chosen):,}/{len(starts):,}")
    return np.concatenate(parts).astype(np.float64)


def _carried(model: Model, padded: NDArray[np.int32], targets: int) -> NDArray[np.float64]:
    """The cost of each token after the first, [targets], with the state carried on."""
    architecture, length = replace(model.architecture, objective="sequence"), model.window
    network = build(architecture, carry=True)
    network.set_weights(model.network.get_weights())

    def costs(windows: Any, *states: Any) -> tuple[Any, list[Any]]:
        logits, *new = network([windows[:, :-1], *states], training=False)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=windows[:, 1:], logits=logits), new

    compiled = tf.function(costs)
    windows = -(-targets // length)
    windows_a_lane, warm_up = -(-windows // LANES), -(-WARM_UP_TOKENS // length)
    at_start = [state.at_start(in_tensorflow, LANES) for state in architecture.states]
    states, nats = at_start, np.zeros((LANES, windows_a_lane, length))
    for place in range(-warm_up, windows_a_lane):
        window = np.arange(LANES) * windows_a_lane + place
        exists = (window >= 0) & (window < windows)
        chosen = np.where(exists, window, 0)[:, None] * length + np.arange(length + 1)
        cost, new = compiled(tf.constant(padded[chosen]), *states)
        # A lane that starts at the text's beginning has nothing to warm up on: its state stays what it is there.
        states = [tf.where(exists[:, None], state, first) for state, first in zip(new, at_start, strict=True)]
        if place >= 0:
            nats[:, place] = cost.numpy()
        log.progress(f"state carried: {max(place + 1, 0):,}/{windows_a_lane:,}")
    return nats.reshape(-1)[:targets]
