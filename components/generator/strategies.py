"""Choosing the next token: small rules over logits [B, V], composed by `choose`."""

from typing import Any

from components.artifacts.tensorflow import tf

_NEVER = float("-inf")


def choose(logits: Any, uniform: Any, temperature: Any, *, top_k: int = 0, top_p: float = 1.0) -> Any:
    """The next token of every text.

    Args:
        logits: float32 [B, V].
        uniform: one number in [0, 1) for each text, float32 [B]: all the chance there is.
        temperature: float32 [B]; a text with temperature 0 takes the likeliest token.
        top_k: only the k likeliest tokens; 0 for all.
        top_p: only the likeliest tokens that together have this probability (the nucleus), at that temperature.

    Returns:
        int32 ids [B].
    """
    greedy = tf.argmax(logits, axis=1, output_type=tf.int32)
    scaled = logits / tf.where(temperature > 0, temperature, 1.0)[:, None]
    drawn = draw(keep_nucleus(keep_top_k(scaled, top_k), top_p), uniform)
    return tf.where(temperature > 0, drawn, greedy)


def keep_top_k(logits: Any, top_k: int) -> Any:
    """The logits with all but the `top_k` highest ruled out; equals of the k-th stay."""
    if not 0 < top_k < logits.shape[1]:
        return logits
    lowest_kept = tf.math.top_k(logits, top_k).values[:, -1:]
    return tf.where(logits >= lowest_kept, logits, _NEVER)


def keep_nucleus(logits: Any, top_p: float) -> Any:
    """The logits with all but the nucleus ruled out: the fewest tokens whose probability reaches `top_p`."""
    if top_p >= 1:
        return logits
    descending = tf.sort(logits, direction="DESCENDING", axis=1)
    probabilities = tf.nn.softmax(descending, axis=1)
    before = tf.cumsum(probabilities, axis=1, exclusive=True)
    kept = tf.reduce_sum(tf.cast(before < top_p, tf.int32), axis=1)
    lowest_kept = tf.gather(descending, tf.maximum(kept - 1, 0), batch_dims=1)[:, None]
    return tf.where(logits >= lowest_kept, logits, _NEVER)


def draw(logits: Any, uniform: Any) -> Any:
    """A token from softmax(logits), by inverting the cumulative distribution at `uniform`; int32 [B]."""
    weights = tf.exp(logits - tf.reduce_max(logits, axis=1, keepdims=True))
    cumulative = tf.cumsum(weights, axis=1)
    reached = tf.cast(cumulative <= uniform[:, None] * cumulative[:, -1:], tf.int32)
    # Rounding can carry u times the sum up to the sum itself; the last possible token is meant then.
    last_possible = tf.shape(logits)[1] - 1 - tf.argmax(weights[:, ::-1] > 0, axis=1, output_type=tf.int32)
    return tf.minimum(tf.reduce_sum(reached, axis=1), last_possible)
