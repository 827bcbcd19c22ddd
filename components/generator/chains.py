"""A batch's rows in several chains, computed side by side.

Each step of an LSTM waits for the one before, so a batch in one piece keeps one core busy and leaves the other mostly
idle. The halves of a batch do not wait for each other.
"""

from collections.abc import Sequence
from typing import Any

from components.artifacts.tensorflow import tf

# Fixed, so that training does not depend on the machine's cores. More chains would have too few rows each.
CHAINS_ON_CPU = 2


def in_chains(tensors: Sequence[Any], chains: int) -> list[list[Any]]:
    """Tensors [B, ...] cut along B into `chains` nearly equal parts: for each chain its part of each tensor.

    If the tensors are known to have a single row, there is a single chain.
    """
    rows = tf.shape(tensors[0])[0]
    if tensors[0].shape[0] == 1:  # Keras's LSTM takes a chain without rows, but not a static shape of 0 rows
        chains = 1
    return [
        [tensor[rows * chain // chains : rows * (chain + 1) // chains] for tensor in tensors] for chain in range(chains)
    ]


def joined(chains: Sequence[Sequence[Any]]) -> list[Any]:
    """The inverse of `in_chains`."""
    return [tf.concat(parts, axis=0) for parts in zip(*chains, strict=True)]


def summed(chains: Sequence[Sequence[Any]]) -> list[Any]:
    """Each gradient summed over the chains; one of single rows (IndexedSlices) keeps the rows of all chains."""
    return [_sum(parts) for parts in zip(*chains, strict=True)]


def _sum(gradients: Sequence[Any]) -> Any:
    if not isinstance(gradients[0], tf.IndexedSlices):
        return tf.add_n(gradients)
    values = tf.concat([gradient.values for gradient in gradients], axis=0)
    indices = tf.concat([gradient.indices for gradient in gradients], axis=0)
    return tf.IndexedSlices(values, indices, gradients[0].dense_shape)
