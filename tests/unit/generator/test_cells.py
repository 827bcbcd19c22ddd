"""Each cell's pass for a CPU gives Keras's outputs and gradients."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from components.artifacts.tensorflow import keras, tf
from components.generator.cells import CELLS, CellName
from tests.shorter import mostly_slow

SIZES = st.tuples(*[st.integers(1, top) for top in (5, 9, 7, 8)])


@pytest.mark.parametrize("name", CELLS)
@settings(max_examples=12, deadline=None)
@example(sizes=(1, 1, 1, 1), seed=0, every=True)
@example(sizes=(4, 9, 7, 8), seed=1, every=False)
@given(sizes=SIZES, seed=st.integers(0, 2**16), every=st.booleans())
def test_outputs_states_and_all_gradients_are_kerass(
    name: CellName, sizes: tuple[int, int, int, int], seed: int, every: bool
) -> None:
    ours, kerass = (_outputs_and_gradients(name, sizes, seed, every=every, on_cpu=on_cpu) for on_cpu in (True, False))
    for one, other in zip(ours, kerass, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5 * np.abs(other).max())


@pytest.mark.parametrize("name", CELLS)
def test_bfloat16_is_as_near_to_float32_as_kerass_is(name: CellName) -> None:
    sizes = 4, 9, 7, 8
    exact = _outputs_and_gradients(name, sizes, 3, every=True, on_cpu=False)
    ours, kerass = (
        _outputs_and_gradients(name, sizes, 3, every=True, on_cpu=on_cpu, dtype="mixed_bfloat16")
        for on_cpu in (True, False)
    )
    for one, other, true in zip(ours, kerass, exact, strict=True):
        assert _distance(one, true) <= 1.5 * _distance(other, true) + 1e-3


@pytest.mark.parametrize("name", CELLS)
def test_weights_and_states_have_the_shapes_that_the_cell_says(name: CellName) -> None:
    cell = CELLS[name]
    layer = cell.layer(on_cpu=True)(4, return_state=True)
    _, *states = layer(np.zeros((2, 5, 3), np.float32))
    assert [weight.shape for weight in layer.get_weights()] == cell.weight_shapes(3, 4)
    assert [state.shape for state in states] == [(2, 4)] * len(cell.STATES)


@pytest.mark.parametrize("name", CELLS)
def test_time_and_batch_need_not_be_known_beforehand(name: CellName) -> None:
    layer = CELLS[name].layer(on_cpu=True)(4, return_sequences=True)
    network = keras.Model(inputs := keras.Input((None, 3)), layer(inputs))
    graph = tf.function(network, input_signature=[tf.TensorSpec([None, None, 3])])
    assert graph(tf.zeros([2, 5, 3])).shape == (2, 5, 4)
    assert graph(tf.zeros([1, 7, 3])).shape == (1, 7, 4)
    assert graph(tf.zeros([0, 7, 3])).shape == (0, 7, 4)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("shape", mostly_slow([[1, None, 3], [None, 5, 3], [1, 5, 3]]))
def test_a_graph_may_know_some_of_the_sizes(name: CellName, shape: list[int | None]) -> None:
    layer = CELLS[name].layer(on_cpu=True)(4)

    def gradient(inputs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(inputs))
        return tape.gradient(loss, inputs)

    inputs = tf.ones([1, 5, 3])
    graph = tf.function(gradient, input_signature=[tf.TensorSpec(shape)])
    np.testing.assert_allclose(graph(inputs), gradient(inputs), rtol=1e-5)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("option", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}, {"go_backwards": True}])
def test_what_it_does_not_know_is_refused(name: CellName, option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="this layer takes no mask"):
        CELLS[name].layer(on_cpu=True)(4, **option)(np.zeros((2, 5, 3), np.float32))


def _outputs_and_gradients(
    name: CellName,
    sizes: tuple[int, int, int, int],
    seed: int,
    *,
    every: bool,
    on_cpu: bool,
    dtype: str = "float32",
) -> list[NDArray[np.float32]]:
    """What a layer of B, T, D and U gives, and the gradients of its inputs, states and weights."""
    batch, time, width, units = sizes
    random = np.random.default_rng(seed)
    layer = CELLS[name].layer(on_cpu=on_cpu)(units, return_sequences=every, return_state=True, dtype=dtype)
    layer.build((batch, time, width))
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.get_weights()])
    shapes = [[batch, time, width], *[[batch, units]] * len(CELLS[name].STATES)]
    inputs, *states = (tf.constant(random.normal(size=shape), tf.float32) for shape in shapes)
    with tf.GradientTape() as tape:
        tape.watch([inputs, *states])
        outputs = layer(inputs, initial_state=states)
        loss = tf.add_n([_weighed(output, random) for output in outputs])
    sources = [inputs, *states, *(variable.value for variable in layer.trainable_variables)]
    results = [*outputs, *tape.gradient(loss, sources)]
    return [np.asarray(tf.cast(result, tf.float32)) for result in results]


def _weighed(output: Any, random: np.random.Generator) -> Any:
    """A sum in which no two outputs count alike."""
    output = tf.cast(output, tf.float32)
    return tf.reduce_sum(output * tf.constant(random.normal(size=output.shape), tf.float32))


def _distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(one - other) / (np.linalg.norm(other) or 1))
