"""NumPy and TensorFlow provide the same array operations, with the same results."""

from typing import Any

import numpy as np
import pytest

from components.generator.ops import Ops, in_numpy, in_tensorflow

VALUES = np.float32([[0.5, -1, 2, 2], [3, 0, -0.5, 1]])
IDS = np.int32([2, 0, 1])
CASES: dict[str, tuple[Any, ...]] = {
    "zero": (),
    "full": (2, 3, 7, "int32"),
    "arange": (4,),
    "floats": (IDS,),
    "reshape": (VALUES, (4, -1)),
    "tile": (IDS, 2),
    "repeat": (IDS, 2),
    "concat": (VALUES, VALUES[:, :1]),
    "split": (VALUES, 2),
    "gather": (VALUES.T, IDS),
    "tanh": (VALUES,),
    "sigmoid": (VALUES,),
    "exp": (VALUES,),
    "where": (VALUES > 0, VALUES, 7.0),
    "maximum": (VALUES, 1.0),
    "minimum": (VALUES, 1.0),
    "column": (VALUES[:, 0],),
    "count": (VALUES > 0,),
    "argmax": (VALUES,),
    "highest": (VALUES,),
    "kth_highest": (VALUES, 3),
    "descending": (VALUES,),
    "softmax": (VALUES,),
    "cumulative": (VALUES,),
    "sum_before": (VALUES,),
    "pick": (VALUES, np.int32([1, 3])),
}


def test_every_operation_is_compared() -> None:
    assert CASES.keys() == {name for name in vars(Ops) if not name.startswith("_")}


@pytest.mark.parametrize("name", CASES)
def test_both_give_the_same(name: str) -> None:
    one, other = (np.asarray(getattr(ops, name)(*CASES[name])) for ops in (in_numpy, in_tensorflow))
    assert (one.dtype.kind, one.shape) == (other.dtype.kind, other.shape)
    np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("name", ["exp", "highest", "descending", "softmax", "cumulative", "sum_before", "argmax"])
def test_numpy_takes_one_text_as_it_takes_several(name: str) -> None:
    operation = getattr(in_numpy, name)
    np.testing.assert_array_equal(operation(VALUES[1]), operation(VALUES)[1])
