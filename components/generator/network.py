"""The network: token ids in, logits out, a stack of LSTM layers between.

Shapes are named by their axes: B batch, T time (tokens), V vocabulary, U units.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from components.artifacts.tensorflow import keras

Input = Literal["one_hot", "scaled", "embedding"]
Objective = Literal["next", "sequence"]
DropoutPlacement = Literal["after_each", "between"]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """All that the network's shape depends on.

    Attributes:
        vocabulary: how many tokens there are (V).
        layers, units: the LSTM stack.
        input: `one_hot`; `scaled`, the id divided by V as one number; or `embedding`.
        embedding_size: width of the embedding, where there is one.
        objective: `next`, one target after the window; `sequence`, a target at every position.
        dropout: share of each LSTM layer's outputs dropped in training.
        dropout_placement: `after_each` layer; or `between` layers, which for a single layer is after it.
    """

    vocabulary: int
    layers: int
    units: int
    input: Input
    embedding_size: int
    objective: Objective
    dropout: float
    dropout_placement: DropoutPlacement

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def build(architecture: Architecture, *, length: int | None = None, unroll: bool = False, carry: bool = False) -> Any:
    """The network as a Keras functional model, freshly initialised.

    Args:
        architecture: its shape.
        length: T, where it is fixed; `unroll` needs it.
        unroll: lay the time steps out in the graph: about twice as fast on a CPU, never with cuDNN.
        carry: take the LSTM states after the ids and return them after the logits, each float32 [B, U],
            h and c for each layer in order.

    Returns:
        A model from int32 ids [B, T] to float32 logits: [B, T, V], or [B, V] for the objective `next`.
    """
    ids = keras.Input((length,), dtype="int32", name="ids")
    sequence = _encode(architecture, ids)
    states_in, states_out = [], []
    for index in range(architecture.layers):
        last = index == architecture.layers - 1
        layer = keras.layers.LSTM(
            architecture.units,
            return_sequences=not last or architecture.objective == "sequence",
            return_state=carry,
            unroll=unroll,
            name=f"lstm_{index + 1}",
        )
        if carry:
            state = [keras.Input((architecture.units,), name=f"{part}_{index + 1}") for part in "hc"]
            sequence, *new_state = layer(sequence, initial_state=state)
            states_in += state
            states_out += new_state
        else:
            sequence = layer(sequence)
        if architecture.dropout and _drops_after(architecture, index):
            sequence = keras.layers.Dropout(architecture.dropout, name=f"dropout_{index + 1}")(sequence)
    logits = keras.layers.Dense(architecture.vocabulary, name="logits")(sequence)
    inputs, outputs = ([ids, *states_in], [logits, *states_out]) if carry else (ids, logits)
    return keras.Model(inputs, outputs, name="generator")


def parameters(network: Any) -> int:
    """How many trainable numbers the network has."""
    return sum(int(keras.ops.size(weight)) for weight in network.trainable_weights)


def summary(network: Any) -> str:
    """The network's layers with their trainable parameters, in one line."""
    inner = [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
    counts = [(layer.name, parameters(layer)) for layer in inner]
    layers = ", ".join(f"{name} {count:,}" if count else name for name, count in counts)
    return f"{parameters(network):,} parameters: {layers}"


def _encode(architecture: Architecture, ids: Any) -> Any:
    if architecture.input == "one_hot":
        return keras.ops.one_hot(ids, architecture.vocabulary)
    if architecture.input == "scaled":
        scaled = keras.layers.Rescaling(1 / architecture.vocabulary, name="scaled")(ids)
        return keras.layers.Reshape((-1, 1), name="column")(scaled)
    return keras.layers.Embedding(architecture.vocabulary, architecture.embedding_size, name="embedding")(ids)


def _drops_after(architecture: Architecture, index: int) -> bool:
    if architecture.dropout_placement == "after_each" or architecture.layers == 1:
        return True
    return index < architecture.layers - 1
