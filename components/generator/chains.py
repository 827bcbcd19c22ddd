"""A batch's rows in chains, side by side.

Each of an LSTM's steps waits for the one before, so a batch in one piece keeps one core busy, and most of the other
waits. The halves of a batch do not wait for each other.
"""

from collections.abc import Sequence
from typing import Any

from components.artifacts.tensorflow import tf

# Fixed, so that what is learned does not depend on the machine's cores. More chains have too few rows each.
CHAINS_ON_CPU = 2


def in_chains(tensors: Sequence[Any], chains: int) -> list[list[Any]]:
    """Tensors [B, ...] cut along B into `chains` parts, about even: for each chain its part of each tensor.

    Where a single row is known beforehand, there is a single chain.
    """
    rows = tf.shape(tensors[0])[0]
    if tensors[0].shape[0] == 1:  # Keras's LSTM takes a chain without rows, but not one known to be without
        chains = 1
    return [
        [tensor[rows * chain // chains : rows * (chain + 1) // chains] for tensor in tensors] for chain in range(chains)
    ]


def joined(chains: Sequence[Sequence[Any]]) -> list[Any]:
    """What `in_chains` cut, whole again."""
    return [tf.concat(parts, axis=0) for parts in zip(*chains, strict=True)]


def summed(chains: Sequence[Sequence[Any]]) -> list[Any]:
    """The sum over the chains of each of their gradients; one of single rows stays so, with the rows of all chains."""
    return [_sum(parts) for parts in zip(*chains, strict=True)]


def _sum(gradients: Sequence[Any]) -> Any:
    if not isinstance(gradients[0], tf.IndexedSlices):
        return tf.add_n(gradients)
    values = tf.concat([gradient.values for gradient in gradients], axis=0)
    indices = tf.concat([gradient.indices for gradient in gradients], axis=0)
    return tf.IndexedSlices(values, indices, gradients[0].dense_shape)
