"""The network: token ids in, logits out, a stack of recurrent layers between.

Shapes are named by their axes: B batch, T time (tokens), V vocabulary, U units.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from components.artifacts.tensorflow import keras, tf
from components.generator.architecture import Architecture, ngram_row, ngram_rows
from components.generator.cells import CELLS
from components.generator.dropout import CPUDropout
from components.generator.ops import in_tensorflow
from components.generator.stepping import Stepper

Precision = Literal["float32", "bfloat16"]


def build(
    architecture: Architecture,
    *,
    length: int | None = None,
    on_cpu: bool = False,
    carry: bool = False,
    use_cudnn: bool | Literal["auto"] = "auto",
    precision: Precision = "float32",
    seed: int = 0,
) -> Any:
    """The network as a Keras functional model, newly initialized.

    Args:
        architecture: its shape.
        length: T, if it is fixed.
        on_cpu: use the recurrent layers and dropout that are made for a CPU, never cuDNN.
        carry: take the states after the ids and return them after the logits, as in `architecture.states`.
        use_cudnn: True makes it an error if the recurrent layers can't use cuDNN.
        precision: what layers compute in; variables and logits are always float32.
        seed: of the initial weights. They depend on it alone: Keras's default uses the state of Python's random
            module, which other threads of the process may change at any time.

    Returns:
        A model from int32 ids [B, T] to float32 logits: [B, T, V], or [B, V] for the objective `next`.
    """
    policy = "float32" if precision == "float32" else f"mixed_{precision}"
    seeds = itertools.count(seed << 16)
    ids = keras.Input((length,), dtype="int32", name="ids")
    states = [keras.Input((state.width,), dtype=state.dtype, name=state.name) for state in architecture.states]
    count = len(CELLS[architecture.cell].STATES)
    recurrent_states = states[-count * architecture.layers :]
    sequence, new_states = _encode(architecture, ids, states[0] if carry else None, policy, seeds, on_cpu=on_cpu)
    for index in range(architecture.layers):
        layer = _recurrent(architecture, index, policy, seeds, return_state=carry, on_cpu=on_cpu, use_cudnn=use_cudnn)
        if carry:
            sequence, *new_state = layer(sequence, initial_state=recurrent_states[count * index : count * (index + 1)])
            new_states += new_state
        else:
            sequence = layer(sequence)
        if architecture.dropout and _drops_after(architecture, index):
            name = f"dropout_{index + 1}"
            sequence = _dropout(architecture.dropout, name, policy, seeds, on_cpu=on_cpu)(sequence)
    logits = _output(architecture, seeds)(sequence)
    inputs, outputs = ([ids, *states], [logits, *new_states]) if carry else (ids, logits)
    return keras.Model(inputs, outputs, name="generator")


def stepper_of(architecture: Architecture, network: Any) -> Stepper:
    """A network that writes token by token, with its current weights: later train steps do not change it."""
    layers = {layer.name: layer.trainable_weights for layer in network.layers}
    weights = {name: [tf.convert_to_tensor(weight) for weight in of_layer] for name, of_layer in layers.items()}
    return Stepper(in_tensorflow, architecture, weights, tabulated=True)


def parameters(network: Any) -> int:
    """How many trainable numbers the network has."""
    return sum(int(keras.ops.size(weight)) for weight in network.trainable_weights)


def summary(network: Any) -> str:
    """The network's layers with their trainable parameters, in one line."""
    inner = [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
    counts = [(layer.name, parameters(layer)) for layer in inner if isinstance(layer, keras.layers.Layer)]
    layers = ", ".join(f"{name} {count:,}" if count else name for name, count in counts)
    return f"{parameters(network):,} parameters: {layers}"


def layers_of(network: Any) -> list[tuple[str, str, str, int]]:
    """The name, kind, shape of the output and number of parameters of each of a network's layers."""
    inner = [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
    return [
        (layer.name, type(layer).__name__, _shape(layer.output.shape), parameters(layer))
        for layer in inner
        if isinstance(layer, keras.layers.Layer)
    ]


def _shape(shape: Sequence[int | None]) -> str:
    """A shape, with the names of axes that have no fixed size."""
    return " x ".join(name if size is None else str(size) for name, size in zip(("B", "T", ""), shape, strict=False))


def _encode(
    architecture: Architecture, ids: Any, before: Any, policy: str, seeds: Iterator[int], *, on_cpu: bool
) -> tuple[Any, list[Any]]:
    """What the first recurrent layer reads, [B, T, ...], and the new state of n-grams, if there are any."""
    if architecture.input == "one_hot":
        return keras.ops.one_hot(ids, architecture.vocabulary), []
    if architecture.input == "scaled":
        scaled = keras.layers.Rescaling(1 / architecture.vocabulary, name="scaled")(ids)
        return keras.layers.Reshape((-1, 1), name="column")(scaled), []

    def embedding(name: str, rows: int) -> Any:
        initializer = keras.initializers.RandomUniform(seed=next(seeds))
        return keras.layers.Embedding(
            rows, architecture.embedding_size, embeddings_initializer=initializer, dtype=policy, name=name
        )

    encoded = embedding("embedding", architecture.vocabulary)(ids)
    shown = architecture.ngrams - 1
    new_states = []
    if shown:
        if before is None:
            extended = keras.ops.pad(ids, [[0, 0], [shown, 0]], constant_values=architecture.vocabulary)
        else:
            extended = keras.ops.concatenate([before, ids], axis=1)
            new_states = [extended[:, -shown:]]
        tokens = [extended[:, shown - age : -age or None] for age in range(architecture.ngrams)]
        for n in range(2, architecture.ngrams + 1):
            table = embedding(f"embedding_{n}", ngram_rows(architecture, n))
            encoded += table(ngram_row(architecture, tokens[:n]))
    if architecture.input_dropout:
        encoded = _dropout(architecture.input_dropout, "input_dropout", policy, seeds, on_cpu=on_cpu)(encoded)
    return encoded, new_states


def _recurrent(
    architecture: Architecture, index: int, policy: str, seeds: Iterator[int], *, on_cpu: bool, **options: Any
) -> Any:
    """The recurrent layer at this place in the stack, counted from 0; `options` are Keras's."""
    is_last = index == architecture.layers - 1
    return CELLS[architecture.cell].layer(on_cpu=on_cpu)(
        architecture.units,
        return_sequences=not is_last or architecture.objective == "sequence",
        kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
        recurrent_initializer=keras.initializers.Orthogonal(seed=next(seeds)),
        dtype=policy,
        name=architecture.recurrent_layers[index],
        **options,
    )


def _dropout(share: float, name: str, policy: str, seeds: Iterator[int], *, on_cpu: bool) -> Any:
    layer = CPUDropout if on_cpu else keras.layers.Dropout
    return layer(share, seed=next(seeds), dtype=policy, name=name)


def _output(architecture: Architecture, seeds: Iterator[int]) -> Any:
    """From the last layer to logits, always in float32."""
    initializer = keras.initializers.GlorotUniform(next(seeds))
    return keras.layers.Dense(architecture.vocabulary, kernel_initializer=initializer, dtype="float32", name="logits")


def _drops_after(architecture: Architecture, index: int) -> bool:
    if architecture.dropout_placement == "after_each" or architecture.layers == 1:
        return True
    return index < architecture.layers - 1
