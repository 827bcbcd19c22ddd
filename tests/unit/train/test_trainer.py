"""A train step: what it computes, what it changes, and that it is the same each time."""

import random
import secrets
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.artifacts.dataset import Dataset
from components.artifacts.tensorflow import keras, tf
from components.generator.network import build
from components.train.config import TrainConfig
from components.train.trainer import Trainer
from tests.shorter import mostly_slow

ConfigOf = Callable[..., TrainConfig]


@pytest.fixture(scope="module")
def carrying(config_of: ConfigOf, data: Dataset) -> Trainer:
    """A trainer with all that a step can change: dropout, an optimizer with state, carried state."""
    return Trainer(config_of(dropout=0.3, layers=2), data)


@pytest.fixture(scope="module")
def untrained(carrying: Trainer) -> list[NDArray[Any]]:
    return carrying.values()


def _equal(values: list[NDArray[Any]], others: list[NDArray[Any]]) -> bool:
    return all(np.array_equal(value, other) for value, other in zip(values, others, strict=True))


def _windows(trainer: Trainer, data: Dataset, train_step: int) -> NDArray[np.int32]:
    """The windows of a train step, each with its target, [B, T + 1]."""
    starts = trainer.order.starts(tf.constant(train_step, tf.int64)).numpy()
    return np.array([data.train[start : start + data.length + 1] for start in starts], np.int32)


@pytest.mark.parametrize(
    "optimizer",
    mostly_slow(
        [
            {"optimizer": "muon"},
            {"optimizer": "adamw"},
            {"optimizer": "adam", "beta_2": 0.999},
            {"optimizer": "rmsprop"},
            {"optimizer": "sgd", "learning_rate": 0.5, "momentum": 0.9},
        ],
    ),
)
def test_steps_lower_the_loss(config_of: ConfigOf, data: Dataset, optimizer: dict[str, Any]) -> None:
    trainer = Trainer(config_of(**optimizer), data)
    nats, targets = trainer.advance(0, 1)
    assert targets == 4 * 8
    assert nats / targets == pytest.approx(np.log(12), abs=0.15)
    trainer.advance(1, 60)
    nats, targets = trainer.advance(61, 10)
    assert nats / targets < np.log(12) - 0.3


def test_the_same_seed_gives_the_same_weights(config_of: ConfigOf, data: Dataset, untrained: list[NDArray]) -> None:
    config = config_of(dropout=0.3, layers=2)
    assert _equal(Trainer(config, data).values(), untrained)
    assert not _equal(Trainer(config.model_copy(update={"seed": 2}), data).values(), untrained)


def test_weights_follow_from_the_seed_whatever_else_draws_random_numbers(
    config_of: ConfigOf, data: Dataset, untrained: list[NDArray[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As another thread would that draws at the very moment the network is built.
    monkeypatch.setattr(random, "randint", lambda *_: secrets.randbelow(10**9))
    assert _equal(Trainer(config_of(dropout=0.3, layers=2), data).values(), untrained)


def test_steps_taken_in_two_calls_or_in_one_are_the_same(carrying: Trainer, untrained: list[NDArray]) -> None:
    carrying.restore(untrained)
    whole = carrying.advance(0, 6)
    expected = carrying.values()
    carrying.restore(untrained)
    parts = [carrying.advance(0, 2), carrying.advance(2, 4)]
    assert _equal(carrying.values(), expected)
    assert sum(targets for _, targets in parts) == whole[1]
    assert sum(nats for nats, _ in parts) == pytest.approx(whole[0], rel=1e-12)


@pytest.mark.parametrize("kind", ["dropout", "input_dropout", "weight_drop"])
def test_what_is_dropped_is_new_with_each_step(config_of: ConfigOf, data: Dataset, kind: str) -> None:
    # Nothing is learned here, and of one window alone the loss changes only with what is dropped.
    config = config_of(optimizer="sgd", learning_rate=1e-30, batch=1, carry_state=False, **{kind: 0.5})
    trainer = Trainer(config, Dataset(**{**vars(data), "train": data.train[:9]}))
    assert trainer.order.steps_per_epoch == 1
    losses = [trainer.advance(train_step, 1)[0] for train_step in range(3)]
    assert len(set(losses)) == 3
    assert trainer.advance(1, 1)[0] == losses[1]


def test_weight_drop_leaves_out_that_share_of_the_recurrent_weights_alone(config_of: ConfigOf, data: Dataset) -> None:
    trainer = Trainer(config_of(weight_drop=0.25, units=64), data)
    weights = [tf.ones_like(variable.value) for variable in trainer.network.trainable_variables]
    for variable, weight in zip(
        trainer.network.trainable_variables, trainer._dropped(weights, tf.constant(3, tf.int64)), strict=True
    ):
        if variable.name == "recurrent_kernel":
            kept = weight.numpy() > 0
            assert kept.mean() == pytest.approx(0.75, abs=0.02)
            np.testing.assert_allclose(weight.numpy()[kept], 1 / 0.75)
        else:
            assert (weight.numpy() == 1).all()


def test_ngram_decay_is_of_the_tables_alone_and_follows_the_learning_rate(config_of: ConfigOf, data: Dataset) -> None:
    config = config_of(optimizer="sgd", ngrams=3, schedule="cosine", warm_up_steps=0, train_steps=10)
    plain, fading = (Trainer(config.model_copy(update={"ngram_decay": share}), data) for share in (0.0, 7.0))
    plain.advance(0, 5)
    fading.restore(plain.values())
    for trainer in (plain, fading):
        trainer.advance(5, 1)
    rate = 0.01 * 0.5 * (1 + np.cos(np.pi * 5 / 10))
    for variable, faded in zip(plain.network.weights, fading.network.weights, strict=True):
        share = 1 - 7 * rate if "embedding_" in variable.path else 1
        np.testing.assert_allclose(faded.numpy(), share * variable.numpy(), rtol=1e-5, atol=1e-8)


def test_bfloat16_follows_float32_and_keeps_its_variables_in_float32(config_of: ConfigOf, data: Dataset) -> None:
    plain, mixed = (Trainer(config_of(precision=kind, ngrams=3), data) for kind in ("float32", "bfloat16"))
    losses = [trainer.advance(0, 60)[0] / (60 * 32) for trainer in (plain, mixed)]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], abs=0.02)
    assert {value.dtype for value in mixed.values()} <= {np.dtype(kind) for kind in ("float32", "int32", "int64")}
    assert {layer.compute_dtype for layer in mixed.network.layers if layer.name.startswith("lstm")} == {"bfloat16"}


def test_muon_steps_lstm_matrices_by_orthogonal_updates(config_of: ConfigOf, data: Dataset) -> None:
    trainer = Trainer(config_of(optimizer="muon", learning_rate=0.01, clip_norm=0), data)
    before = trainer.network.get_weights()
    trainer.advance(0, 1)
    for variable, old in zip(trainer.network.weights, before, strict=True):
        change = variable.numpy() - old
        if variable.name in {"kernel", "recurrent_kernel"} and "lstm" in variable.path:
            # Newton-Schulz's five steps bring singular values near 1, scaled by 0.2 sqrt(longer side) and the rate.
            singular = np.linalg.svd(change, compute_uv=False) / (0.01 * 0.2 * np.sqrt(max(change.shape)))
            assert np.median(singular) > 0.5  # the least are lifted less
            assert singular.max() < 1.3
        else:  # Adam's first step is the rate in each number that has a gradient
            assert np.abs(change).max() == pytest.approx(0.01, rel=0.02)


def test_the_state_after_a_step_is_what_the_network_returned(config_of: ConfigOf, data: Dataset) -> None:
    trainer = Trainer(config_of(), data)
    network = build(trainer.architecture, carry=True)
    network.set_weights(trainer.network.get_weights())
    states = [np.zeros((4, 8), np.float32)] * 2
    trainer.advance(0, 1)
    _, *expected = network([_windows(trainer, data, 0)[:, :-1], *states])
    for state, value in zip(trainer.values()[-2:], expected, strict=True):
        np.testing.assert_allclose(state, value, atol=1e-5)


def test_the_state_counts_within_an_epoch_and_is_zero_at_its_start(carrying: Trainer, untrained: list[NDArray]) -> None:
    per_epoch = carrying.order.steps_per_epoch
    assert per_epoch == 12
    for train_step, counts in ((per_epoch - 1, True), (per_epoch, False), (per_epoch + 1, True)):
        carrying.restore(untrained)
        carrying.advance(0, train_step)
        before = carrying.values()
        assert all(state.any() for state in before[-4:])
        carrying.advance(train_step, 1)
        with_state = carrying.values()
        carrying.restore([*before[:-4], *(np.zeros_like(state) for state in before[-4:])])
        carrying.advance(train_step, 1)
        assert _equal(carrying.values(), with_state) is not counts


def test_the_gradients_joint_norm_is_limited(config_of: ConfigOf, data: Dataset) -> None:
    def step_norm(clip_norm: float) -> float:
        trainer = Trainer(config_of(optimizer="sgd", learning_rate=1.0, clip_norm=clip_norm), data)
        before = trainer.network.get_weights()
        trainer.advance(0, 1)
        changes = [new - old for new, old in zip(trainer.network.get_weights(), before, strict=True)]
        return float(np.sqrt(sum((change.astype(np.float64) ** 2).sum() for change in changes)))

    unlimited = step_norm(0)
    assert unlimited > 0.1
    assert step_norm(0.05) == pytest.approx(0.05, rel=1e-4)
    assert step_norm(2 * unlimited) == pytest.approx(unlimited, rel=1e-6)


def test_cosine_rises_to_the_learning_rate_and_falls_to_nothing(config_of: ConfigOf, data: Dataset) -> None:
    config = config_of(schedule="cosine", learning_rate=0.02, warm_up_steps=10, train_steps=50)
    rate = Trainer(config, data).learning_rate
    rates = np.array([float(rate(step)) for step in range(51)])
    np.testing.assert_allclose(rates[:11], np.linspace(0, 0.02, 11), atol=1e-7)
    assert (np.diff(rates[10:]) < 0).all()
    assert rates[30] == pytest.approx(0.01, rel=1e-3)
    assert rates[50] == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(("warm_up_steps", "highest"), [(0, 0), (100, 10)])
def test_warm_up_is_at_most_half_of_the_steps(
    config_of: ConfigOf, data: Dataset, warm_up_steps: int, highest: int
) -> None:
    config = config_of(schedule="cosine", learning_rate=0.02, warm_up_steps=warm_up_steps, train_steps=20)
    rate = Trainer(config, data).learning_rate
    rates = [float(rate(step)) for step in range(21)]
    assert (rates.index(max(rates)), max(rates)) == (highest, pytest.approx(0.02))
    assert rates[20] == pytest.approx(0, abs=1e-7)


def test_the_schedule_is_the_optimizers(config_of: ConfigOf, data: Dataset) -> None:
    trainer = Trainer(config_of(schedule="cosine", warm_up_steps=4, train_steps=9, optimizer="sgd"), data)
    changes = []
    for train_step in range(10):
        before = trainer.network.get_weights()
        trainer.advance(train_step, 1)
        after = trainer.network.get_weights()
        changes.append(max(np.abs(new - old).max() for new, old in zip(after, before, strict=True)))
    assert changes[0] == changes[9] == 0
    assert min(changes[1:9]) > 0


@pytest.mark.parametrize("optimizer", mostly_slow(["sgd", "muon"]))
def test_the_number_of_train_steps_may_be_set_when_the_graph_is_traced(
    config_of: ConfigOf, data: Dataset, optimizer: str
) -> None:
    settings = {"schedule": "cosine", "warm_up_steps": 4, "optimizer": optimizer, "ngrams": 2, "ngram_decay": 1}
    given, reported = (Trainer(config_of(**settings, train_steps=steps), data) for steps in (9, 100))
    untrained = reported.values()
    reported.advance(0, 5)
    reported.restore(untrained)
    reported.spread_over(9)
    for trainer in (given, reported):
        trainer.advance(0, 9)
    assert [reported.rate_at(step) for step in range(10)] == [given.rate_at(step) for step in range(10)]
    assert _equal(reported.values(), given.values())


def _plain_network(trainer: Trainer) -> Any:
    """The tutorial's network in plain Keras over one-hot text, with the trainer's weights."""
    embedding = [keras.layers.Dense(4, use_bias=False)] if trainer.config.input == "embedding" else []
    network = keras.Sequential(
        [keras.Input((8, 12)), *embedding, keras.layers.LSTM(8), keras.layers.Dense(12, activation="softmax")]
    )
    network.set_weights(trainer.network.get_weights())
    return network


@pytest.mark.parametrize(
    ("source", "label_smoothing", "optimizer"),
    mostly_slow(
        [
            ("one_hot", 0.0, keras.optimizers.RMSprop(0.01)),
            ("one_hot", 0.2, keras.optimizers.RMSprop(0.01)),
            ("embedding", 0.0, keras.optimizers.Adam(0.01, beta_2=0.99, global_clipnorm=0.1)),
        ]
    ),
)
def test_training_equals_plain_keras_fit(
    config_of: ConfigOf, data: Dataset, source: str, label_smoothing: float, optimizer: Any
) -> None:
    config = config_of(
        input=source,
        objective="next",
        optimizer=type(optimizer).__name__.lower(),
        clip_norm=optimizer.global_clipnorm or 0,
        batch=16,
        label_smoothing=label_smoothing,
    )
    trainer = Trainer(config, data)
    network = _plain_network(trainer)
    network.compile(optimizer, keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing))
    steps = trainer.order.steps_per_epoch
    windows = np.concatenate([_windows(trainer, data, train_step) for train_step in range(steps)])
    assert len(windows) % 16  # the last batch is smaller
    one_hot = np.eye(12, dtype=np.float32)[windows]
    network.fit(one_hot[:, :-1], one_hot[:, -1], batch_size=16, epochs=1, shuffle=False, verbose=0)
    trainer.advance(0, steps)
    for ours, theirs in zip(trainer.network.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_label_smoothing_changes_the_step_but_not_the_reported_loss(config_of: ConfigOf, data: Dataset) -> None:
    plain, smoothed = (Trainer(config_of(label_smoothing=share), data) for share in (0.0, 0.3))
    assert plain.advance(0, 1) == smoothed.advance(0, 1)
    assert not _equal(plain.network.get_weights(), smoothed.network.get_weights())
