"""Rows cut into chains are joined again, and the chains' gradients summed."""

import numpy as np
import pytest

from components.artifacts.tensorflow import tf
from components.generator.chains import in_chains, joined, summed


@pytest.mark.parametrize(("rows", "sizes"), [(0, [0, 0]), (1, [1]), (2, [1, 1]), (5, [2, 3]), (8, [4, 4])])
def test_rows_cut_into_chains_are_whole_again_when_joined(rows: int, sizes: list[int]) -> None:
    tensors = [tf.range(rows), tf.reshape(tf.range(rows * 2), [rows, 2])]
    cut = in_chains(tensors, 2)
    assert [len(chain[0]) for chain in cut] == [len(chain[1]) for chain in cut] == sizes
    for whole, tensor in zip(joined(cut), tensors, strict=True):
        np.testing.assert_array_equal(whole, tensor)


def test_gradients_are_summed_where_they_are_dense_and_where_they_name_rows() -> None:
    named = [
        tf.IndexedSlices(tf.constant([[1.0], [2.0]]), tf.constant([0, 2]), tf.constant([3, 1])),
        tf.IndexedSlices(tf.constant([[10.0], [20.0]]), tf.constant([2, 2]), tf.constant([3, 1])),
    ]
    dense, by_row = summed([[tf.constant([1.0, 2.0]), named[0]], [tf.constant([3.0, 4.0]), named[1]]])
    np.testing.assert_array_equal(dense, [4, 6])
    np.testing.assert_array_equal(tf.convert_to_tensor(by_row), [[1], [0], [32]])
