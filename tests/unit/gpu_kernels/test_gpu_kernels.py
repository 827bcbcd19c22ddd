"""The check for a GPU's kernels finds what would run on the CPU and what would cross to the GPU."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from components.artifacts.tensorflow import tf
from components.generator.text import Text
from tests.gpu_kernels.__main__ import main
from tests.gpu_kernels.checking import findings
from tests.gpu_kernels.recipes import settings_by_recipe
from tests.gpu_kernels.tracing import TOKENS, as_on_a_gpu, graphs_of
from tests.gpu_kernels.walking import Walk

FEW = 5000


def registry(**only: str) -> Callable[[str], Iterable[Any]]:
    """Every operation has kernels for a CPU and a GPU; of those named the GPU's is for one `attribute=dtype` alone."""
    from tensorflow.core.framework import kernel_def_pb2

    def kernels(operation: str) -> Iterable[Any]:
        on_gpu = kernel_def_pb2.KernelDef(op=operation, device_type="GPU")
        if operation in only:
            attribute, dtype = only[operation].split("=")
            constraint = on_gpu.constraint.add(name=attribute)
            constraint.allowed_values.list.type.append(tf.dtypes.as_dtype(dtype).as_datatype_enum)
        return [kernel_def_pb2.KernelDef(op=operation, device_type="CPU"), on_gpu]

    return kernels


def walked(function: Callable[..., Any], *arguments: Any, on_cpu: tuple[Any, ...] = (), **only: str) -> Walk:
    walk = Walk(registry(**only), lambda tensor: any(tensor is one for one in on_cpu))
    walk.graph(tf.function(function).get_concrete_function(*arguments).graph)
    return walk


def found(walk: Walk) -> list[str]:
    return list(findings(walk.uses, walk.crossings, FEW))


def gathered_in_a_loop(ids: Any) -> Any:
    total = tf.constant(0, tf.int64)
    for place in tf.range(tf.constant(3, tf.int64)):
        total += tf.cast(tf.gather(ids, place[None])[0], tf.int64)
    return total


def test_a_kernel_that_lacks_the_dtype_is_found_in_a_loops_body_and_so_is_what_crosses_for_it() -> None:
    ids = tf.TensorSpec([FEW], tf.uint8)
    assert found(walked(gathered_in_a_loop, ids, GatherV2="Tparams=uint8")) == []
    kernel, crossing = found(walked(gathered_in_a_loop, ids, GatherV2="Tparams=int32"))
    assert kernel.startswith("GatherV2 (Taxis=int32, Tindices=int64, Tparams=uint8): has no GPU kernel")
    assert crossing == "to the CPU: uint8, 5,000, from input to GatherV2: the whole text crosses"


def test_a_loop_takes_a_tensor_to_the_gpu_and_of_a_variable_the_handle() -> None:
    with tf.device("CPU:0"):
        ids, text = tf.zeros([FEW], tf.uint8), Text(np.zeros(FEW, np.uint8))

    def over_tensor() -> Any:
        return gathered_in_a_loop(ids)

    def over_variable() -> Any:
        return gathered_in_a_loop(text.variable)

    (crossing,) = found(walked(over_tensor, on_cpu=(ids,)))
    assert crossing == "to the GPU: uint8, 5,000, from input to StatelessWhile: the whole text crosses"
    assert found(walked(over_variable, on_cpu=(text.variable.handle,))) == []


def test_a_variable_that_is_read_whole_crosses_whole() -> None:
    text = Text(np.zeros(FEW, np.uint8))

    def read() -> Any:
        return tf.cast(text.variable.read_value(), tf.int32)

    handle = text.variable.handle
    assert any(
        "5,000" in line and line.endswith("the whole text crosses") for line in found(walked(read, on_cpu=(handle,)))
    )


def test_a_tensor_crosses_where_a_called_function_takes_it() -> None:
    with tf.device("CPU:0"):
        ids = tf.zeros([FEW], tf.uint8)
    called = tf.function(lambda tensor: tensor[:9] + 1)
    (line,) = found(walked(lambda: called(ids), on_cpu=(ids,)))
    assert line == "to the GPU: uint8, 5,000, from input to StridedSlice: the whole text crosses"


@pytest.mark.parametrize(
    ("function", "finding"),
    [
        (lambda x: tf.math.bincount(tf.cast(x, tf.int32)), "op determinism refuses it"),
        (lambda x: tf.scatter_nd([[0]], x[:1], [3]), "op determinism moves it to the CPU"),
        (lambda x: tf.raw_ops.RandomUniform(shape=[3], dtype=tf.float32) + x[0], "op determinism refuses it"),
    ],
)
def test_what_determinism_forbids_is_found(function: Callable[[Any], Any], finding: str) -> None:
    (line,) = found(walked(function, tf.TensorSpec([8], tf.float32)))
    assert line.endswith(finding)


def test_computing_on_the_cpu_is_found_and_the_data_order_is_none() -> None:
    def computed(x: Any) -> Any:
        with tf.device("CPU:0"):
            return x * 2.0

    def ordered(x: Any) -> Any:
        with tf.device("CPU:0"):
            return x * 2

    assert found(walked(computed, tf.TensorSpec([8], tf.float32)))[-1] == "Mul (T=float32): computes on the CPU"
    assert found(walked(ordered, tf.TensorSpec([8], tf.int64))) == []


@pytest.mark.parametrize("name", ["quick", "nietzsche"])
def test_a_recipe_is_traced_with_cudnn_and_gets_nothing_of_the_text_but_windows(name: str) -> None:
    settings = settings_by_recipe()[name]
    settings["train"]["units"] = 8

    def is_text(tensor: Any) -> bool:
        if tensor.dtype != tf.resource:
            return False
        (variable,) = tensor._handle_data.shape_and_type
        return [axis.size >= TOKENS for axis in variable.shape.dim] == [True]

    with as_on_a_gpu():
        for part, graph in graphs_of(settings):
            walk = Walk(registry(), is_text)
            walk.graph(graph)
            assert list(findings(walk.uses, walk.crossings, TOKENS)) == []
            if part != "writer":
                assert "CudnnRNNV3" in {use.operation for use in walk.uses}
                arrays = {
                    (crossing.dtype, crossing.shape[-1]) for crossing in walk.crossings if len(crossing.shape) > 1
                }
                # The evaluation also gets which of a window's targets count.
                scored = settings["length"] if settings["train"]["objective"] == "sequence" else 1
                widths = [settings["length"] + 1, *([scored] if part == "evaluation" else [])]
                assert arrays == {("int32", width) for width in widths}


def test_without_gpu_kernels_the_check_fails_and_says_what_makes_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 1
    assert "has no GPU kernels; make check-gpu-kernels" in capsys.readouterr().out
