"""A text's ids stay in the CPU's memory, and a loop takes only a handle along."""

from typing import Any

import numpy as np
import pytest

from components.artifacts.tensorflow import tf
from components.generator.text import Text

IDS = (np.arange(400) % 12).astype(np.uint8)


def test_windows_are_cut_where_they_start() -> None:
    windows = Text(IDS).windows(tf.constant([0, 7, 391], tf.int64), 9)
    np.testing.assert_array_equal(windows, [IDS[start : start + 9] for start in (0, 7, 391)])
    assert windows.dtype == "int32"


@pytest.mark.parametrize("dtype", ["u1", "<u2", "<u4"])
@pytest.mark.parametrize("size", [0, 1, 100_003])
def test_a_text_holds_its_ids_as_they_are(dtype: str, size: int) -> None:
    ids = (np.arange(size) % 251).astype(dtype)
    text = Text(ids)
    assert text.variable.dtype.as_numpy_dtype == ids.dtype
    assert text.variable.numpy().tolist() == ids.tolist()
    starts = np.arange(0, size - 9, 1000)
    expected = ids[starts[:, None] + np.arange(9)] if size else np.zeros((0, 9))
    assert text.windows(tf.constant(starts, tf.int64), 9).numpy().tolist() == expected.tolist()


def test_a_loop_reads_the_text_where_it_is_and_takes_only_its_handle_along() -> None:
    text = Text(IDS)

    def last_ids(count: Any) -> Any:
        total = tf.constant(0)
        for start in tf.range(count):
            total += text.windows(start[None], 9)[0, -1]
        return total

    graph = tf.function(last_ids).get_concrete_function(tf.TensorSpec([], tf.int64)).graph
    (loop,) = (operation for operation in graph.get_operations() if "While" in operation.type)
    assert tf.resource in {tensor.dtype for tensor in loop.inputs}
    assert tf.uint8 not in {tensor.dtype for tensor in loop.inputs}
    body = graph._get_function(loop.get_attr("body").name).graph
    gathers = [operation for operation in body.get_operations() if "Gather" in operation.type]
    assert [gather.device.endswith("CPU:0") for gather in gathers] == [True]
    assert text.variable.device.endswith("CPU:0")
