"""The graphs of training, evaluation and writing, traced as they are where there is a GPU; none is needed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from components.artifacts.dataset import Dataset
from components.artifacts.manifest import Manifest, Producer
from components.artifacts.tensorflow import tf
from components.artifacts.vocabulary import Vocabulary
from components.generator.model import trained_for
from components.generator.network import stepper_of
from components.generator.scoring import LANES
from components.generator.strategies import Strategy
from components.generator.writing import Writer
from components.train.config import TrainConfig
from components.train.evaluation import Evaluation
from components.train.trainer import Trainer

TOKENS = 1_000_003
"""Of both splits: more numbers than anything but the text that a graph hands from one device to another."""


@contextmanager
def as_on_a_gpu() -> Iterator[None]:
    """Let TensorFlow and Keras say that there is one GPU, as far as what is traced depends on it."""
    visible = tf.config.get_visible_devices
    gpu = [tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")]
    with (
        patch.object(tf.config, "get_visible_devices", lambda kind=None: gpu if kind == "GPU" else visible(kind)),
        patch("keras.src.backend.tensorflow.rnn._is_gpu_available", lambda: True),
    ):
        yield


def graphs_of(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The graphs by name, for what `recipes.settings_by_recipe` has of one recipe."""
    data = dataset(settings["vocabulary"], settings["length"], settings["step"])
    trainer = Trainer(TrainConfig(**settings["train"]), data)
    evaluation = Evaluation(trainer, data.held_out(0), step=data.step)
    scalar = tf.TensorSpec([], tf.int64)
    yield "train step", trainer._steps.get_concrete_function(scalar, scalar).graph
    rows = LANES if trainer.config.carries_state else None
    states = trainer.architecture.states if trainer.config.carries_state else []
    batch = [tf.TensorSpec([rows], tf.int64), tf.TensorSpec([rows], tf.float32)]
    carried = [tf.TensorSpec([rows, state.width], state.dtype) for state in states]
    yield "evaluation", evaluation._score_step.get_concrete_function(*batch, carried).graph
    yield "writer", _writing(trainer, data.length, settings["sample"])


def _writing(trainer: Trainer, window: int, choice: Mapping[str, Any]) -> Any:
    """The graph of the writer with the layout of a GPU."""
    stepper = stepper_of(trainer.architecture, trainer.network)
    context = trained_for(carry_state=trainer.config.carries_state)
    writer = Writer(stepper, context=context, window=window, forbidden=[0], strategy=Strategy(**choice))
    given, uniforms, temperatures = (
        np.zeros(shape, np.float32) for shape in [(256, writer._rows)] * 2 + [writer._rows]
    )
    states = writer._next_token.zero_states(writer._rows)
    arguments = given.astype(np.int32), uniforms, temperatures, np.int32(1)
    return writer._loop.get_concrete_function(*map(tf.constant, arguments), states).graph


def dataset(vocabulary: int, length: int, step: int) -> Dataset:
    """Splits of TOKENS ids each, all the same."""
    ids = np.zeros(TOKENS, np.min_scalar_type(vocabulary - 1))
    manifest = Manifest(
        schema_version=1,
        kind="dataset",
        producer=Producer(stage="check", version=""),
        config={"length": length, "step": step},
        counts={},
        files={},
        made_from={},
    )
    tokens = tuple(map(chr, range(0x4E00, 0x4E00 + vocabulary)))
    return Dataset(
        train=ids,
        validation=ids,
        vocabulary=Vocabulary(kind="characters", tokens=tokens),
        manifest=manifest,
        digest="",
    )
