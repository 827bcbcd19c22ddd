import json
import logging
import math
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.dataset import Dataset
from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import digest, verify
from components.artifacts.tensorflow import tf
from components.command import log
from components.generator.model import Model
from components.generator.network import parameters, stepper_of
from components.train.config import TrainConfig
from components.train.samples import warn_of_epochs_never_reached
from components.train.training import train

Run = Callable[..., Path]

# Each trains differently: another optimizer, objective, input and order of the data.
WAYS = {
    "adamw, carried": {"optimizer": "adamw"},
    "rmsprop, next": {"optimizer": "rmsprop", "objective": "next", "input": "one_hot", "batch": 16},
    "sgd with momentum, windows": {"optimizer": "sgd", "momentum": 0.9, "carry_state": False, "batch": 16},
    "adam, next, scaled": {"optimizer": "adam", "objective": "next", "input": "scaled", "batch": 16},
}


@pytest.fixture(scope="module")
def run_in(config_of: Callable[..., TrainConfig], dataset: Path) -> Callable[..., Path]:
    """Trains two epochs at a place but for the changes, and returns the model."""

    def go(place: Path, *, of: Path = dataset, **changes: Any) -> Path:
        config = config_of(**(changes if "train_steps" in changes else {"epochs": 2, **changes}))
        train(config, dataset=str(of), checkpoints=str(place / "checkpoints"), model=str(place / "model"))
        return place / "model"

    return go


@pytest.fixture
def run(run_in: Callable[..., Path], tmp_path: Path) -> Run:
    """Trains with checkpoints in the test's own place."""

    def go(**changes: Any) -> Path:
        return run_in(tmp_path, **changes)

    return go


@pytest.fixture(scope="module")
def finished(run_in: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of three epochs of twelve train steps, with samples after the first and the last."""
    place = tmp_path_factory.mktemp("finished")
    samples = {"sample_at": (1, 3), "sample_length": 20, "sample_temperatures": (0, 1.0)}
    return run_in(place, epochs=3, dropout=0.2, **samples)


@pytest.fixture
def resumable(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run's checkpoints, where `run` goes on from."""
    return Path(shutil.copytree(finished.parent / "checkpoints", tmp_path / "checkpoints"))


@pytest.fixture(scope="module")
def turned(dataset_of: Callable[..., Path]) -> Path:
    """A dataset whose held-out text runs backwards: the better it is learnt, the worse its held-out loss."""
    return dataset_of("abc" * 134 + "cba" * 33)


@pytest.fixture(scope="module")
def overfitted(run_in: Callable[..., Path], turned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("overfitted")
    return run_in(place, of=turned, epochs=5, learning_rate=0.05, keep_checkpoints=2)


@pytest.fixture(scope="module")
def often_saved(run_in: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose run kept a checkpoint of every fourth of its 24 train steps."""
    return run_in(tmp_path_factory.mktemp("often"), dropout=0.25, checkpoint_steps=4, keep_checkpoints=9)


@pytest.fixture
def messages(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What is logged, also where a command has set the logs up before."""
    logger = logging.getLogger("quillflow")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def _json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _history(model: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (model / "history.jsonl").read_bytes().splitlines()]


def _weights(model: Path) -> str:
    return str(_json(model / "config.json")["weights_sha256"])


def _checkpoints(place: Path) -> dict[int, Path]:
    """The checkpoints' directories by train step."""
    found = [path for path in (place / "checkpoints").iterdir() if path.is_dir() and not path.name.startswith(".")]
    return {int(path.name.partition("-")[0]): path for path in sorted(found)}


def _damage(checkpoint: Path) -> None:
    """Cut every file of a checkpoint but its manifest short."""
    for path in checkpoint.iterdir():
        if path.name != "manifest.json":
            os.truncate(path, path.stat().st_size // 2)


def _held_out_loss(model: Path, dataset: Path) -> float:
    """The mean nats per token over the held-out text, read in one go by the written model."""
    generator, ids = Model.read(model), Dataset.read(dataset).validation
    stepper = stepper_of(generator.architecture, generator.network)
    states, nats = stepper.zero_states(1), []
    for index, label in enumerate(ids[1:]):
        states = stepper.read(tf.constant(ids[index : index + 1], tf.int32), states)
        row = np.array(stepper.logits(states)[0], np.float64)
        nats.append(np.log(np.exp(row).sum()) - row[label])
    return float(np.mean(nats))


# --- what is written ---


def test_the_model_is_a_whole_artifact(finished: Path, dataset: Path) -> None:
    manifest = verify(finished, "model")
    assert set(manifest.files) == {
        "model.keras",
        "vocabulary.json",
        "config.json",
        "metrics.json",
        "prompts.json",
        "history.jsonl",
        "README.md",
        "report.html",
        "tensorboard/training/events.out.tfevents.0.quillflow",
        "tensorboard/held_out/events.out.tfevents.0.quillflow",
    }
    assert manifest.made_from == {"dataset": digest(dataset)}
    assert manifest.counts == {"parameters": parameters(Model.read(finished).network), "steps": 36, "train_steps": 36}


def test_metrics_belong_together(finished: Path, data: Dataset) -> None:
    metrics = _json(finished / "metrics.json")
    assert (metrics["steps"], metrics["epochs"], metrics["validation_protocol"]) == (36, 3.0, "carry")
    assert metrics["validation_bits_per_char"] == pytest.approx(metrics["validation_loss_nats"] / math.log(2))
    assert metrics["perplexity"] == pytest.approx(math.exp(metrics["validation_loss_nats"]))
    assert metrics["held_out"] == data.held_out_name(0)
    assert metrics["train_loss_nats"] < math.log(12)
    assert metrics["tokens_per_second"] > 0
    assert metrics["wall_seconds"] > 0
    assert metrics["device"]


def test_bits_are_counted_by_character_where_tokens_are_words(run: Run, dataset_of: Callable[..., Path]) -> None:
    words = dataset_of(tokens="words", length=4)
    metrics, counts = _json(run(of=words, epochs=1) / "metrics.json"), verify(words).counts
    assert counts["validation_characters"] > 3 * counts["validation_tokens"]
    nats = metrics["validation_loss_nats"] * counts["validation_tokens"] / counts["validation_characters"]
    assert metrics["validation_bits_per_char"] == pytest.approx(nats / math.log(2))


def test_nothing_held_out_leaves_the_training_loss(run: Run, dataset_of: Callable[..., Path]) -> None:
    model = run(of=dataset_of(held_out=0), epochs=1)
    metrics = _json(model / "metrics.json")
    assert metrics["validation_loss_nats"] is metrics["validation_bits_per_char"] is None
    assert metrics["perplexity"] == pytest.approx(math.exp(metrics["train_loss_nats"]))


def test_the_history_has_a_row_for_each_epoch(finished: Path) -> None:
    rows, metrics = _history(finished), _json(finished / "metrics.json")
    assert [(row["epoch"], row["train_step"]) for row in rows] == [(1, 12), (2, 24), (3, 36)]
    assert rows[2]["train_loss_nats"] < rows[1]["train_loss_nats"] < rows[0]["train_loss_nats"]
    assert {name: rows[2][name] for name in ("train_loss_nats", "validation_loss_nats")} == {
        name: metrics[name] for name in ("train_loss_nats", "validation_loss_nats")
    }


def test_choosing_by_a_held_out_loss_that_is_not_there_is_refused(run: Run, dataset_of: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match=r"^train\.best_by=validation_loss counts only where text is held out; "):
        run(of=dataset_of(held_out=0), best_by="validation_loss")


def test_so_is_a_part_of_the_held_out_text_where_there_is_none(run: Run, dataset_of: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match=r"^train\.evaluate_tokens counts only where text is held out; "):
        run(of=dataset_of(held_out=0), evaluate_tokens=64)


def test_of_long_held_out_text_a_part_is_scored_and_said_to_be(
    run: Run, data: Dataset, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(log.FORMAT_VARIABLE, "json")
    log.set_up("train")
    model = run(epochs=1, evaluate_tokens=64)
    metrics = _json(model / "metrics.json")
    assert (metrics["validation_tokens_scored"], metrics["validation_tokens"]) == (63, 100)  # nothing foretells token 0
    assert metrics["held_out"] == data.held_out_name(64) != data.held_out_name(0)
    card = re.sub(r"\s", " ", (model / "README.md").read_text(encoding="utf-8"))
    assert "trained on 400 tokens, with 100 held out, of which 63 were scored, and" in card
    page = (model / "report.html").read_text(encoding="utf-8")
    assert re.search(r"63.{,99}tokens scored, of 100 held out", page, re.DOTALL)
    told = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    progress = [entry["message"] for entry in told if entry["level"] == "progress"]
    assert any(re.fullmatch(r"held-out text: 63/63 tokens scored  \d+:\d\d left", line) for line in progress)
    with pytest.raises(UsageError, match=r"train\.evaluate_tokens was 64 there, now it is 0"):
        run(epochs=2, evaluate_tokens=0)


def test_a_step_between_windows_that_has_no_part_is_told(
    run: Run, dataset_of: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    log.set_up("train")
    run(of=dataset_of(step=3), train_steps=1)
    assert "warning: the dataset's windows are 3 tokens apart, which has no part in training" in capfd.readouterr().err


def test_the_history_has_a_curve_of_each_epochs_training(finished: Path) -> None:
    rows = _history(finished)
    for row in rows:
        curve, first = row["curve"], row["train_step"] - 11
        assert [point["train_step"] for point in curve] == list(range(first, first + 12))
        losses = [point["train_loss_nats"] for point in curve]
        assert sum(losses) / 12 == pytest.approx(row["train_loss_nats"], rel=1e-9)
        assert [point["learning_rate"] for point in curve] == pytest.approx([0.01] * 12)
        assert row["resumed_at"] == []
    points = [point for row in rows for point in row["curve"]]
    assert points[0]["tokens_per_second"] is None  # its time is the graph's tracing
    assert all(point["tokens_per_second"] > 0 for point in points[1:])
    seconds = [point["seconds"] for point in points]
    assert seconds == sorted(seconds)


def test_the_curve_tells_the_learning_rate_of_each_step(run: Run) -> None:
    (row,) = _history(run(epochs=1, schedule="cosine", warm_up_steps=4))
    rates = [point["learning_rate"] for point in row["curve"]]
    falling = [0.005 * (1 + math.cos(math.pi * step / 8)) for step in range(8)]
    assert rates == pytest.approx([0, 0.0025, 0.005, 0.0075, *falling], rel=1e-4)


def test_a_long_runs_curve_has_few_points_and_one_at_each_epochs_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.train.run.CURVE_POINTS", 4)
    rows = _history(run(epochs=3))
    assert [[point["train_step"] for point in row["curve"]] for row in rows] == [[9, 12], [18, 24], [27, 36]]
    for row in rows:
        weights = np.diff([row["train_step"] - 12, *(point["train_step"] for point in row["curve"])])
        mean = np.average([point["train_loss_nats"] for point in row["curve"]], weights=weights)
        assert mean == pytest.approx(row["train_loss_nats"], rel=1e-9)


def test_the_report_shows_the_network_and_the_samples(finished: Path) -> None:
    page = (finished / "report.html").read_text(encoding="utf-8")
    metrics = _json(finished / "metrics.json")
    said = [f"{metrics['validation_loss_nats']:.4f}", metrics["device"], tf.__version__, "B x T x 8", "epoch 3"]
    assert [words for words in said if words not in page] == []
    assert page.count('<span class="continuation">') == 4
    assert page.count("<svg") == 4


def test_tensorboard_logs_hold_the_history(finished: Path) -> None:
    rows = _history(finished)
    points = [point for row in rows for point in row["curve"]]
    training, held_out = _events(finished, "training"), _events(finished, "held_out")
    assert training["learning_rate"] == [(point["train_step"], pytest.approx(0.01)) for point in points]
    assert training["loss/nats_per_token"] == [
        (point["train_step"], pytest.approx(point["train_loss_nats"])) for point in points
    ]
    assert held_out["loss/bits_per_character"] == [
        (row["train_step"], pytest.approx(row["validation_loss_nats"] / math.log(2))) for row in rows
    ]
    assert len(training["tokens_per_second"]) == 35


def _events(model: Path, name: str) -> dict[str, list[tuple[int, float]]]:
    """The scalars of a run in the model's event logs, by tag: train steps and values."""
    (file,) = (model / "tensorboard" / name).glob("*tfevents*")
    scalars: dict[str, list[tuple[int, float]]] = {}
    version, *events = [tf.compat.v1.Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(file))]
    assert version.file_version == "brain.Event:2"
    for event in events:
        for value in event.summary.value:
            scalars.setdefault(value.tag, []).append((event.step, value.simple_value))
    return scalars


def test_samples_are_written_after_the_epochs_asked_for(finished: Path, text: str) -> None:
    rows = _history(finished)
    assert [row["epoch"] for row in rows if "samples" in row] == [1, 3]
    for row in (rows[0], rows[2]):
        assert [sample["temperature"] for sample in row["samples"]] == [0, 1]
        assert {len(sample["text"]) for sample in row["samples"]} == {20}
        assert all(len(sample["prompt"]) == 8 and sample["prompt"] in text[:400] for sample in row["samples"])
    assert rows[0]["samples"][0]["prompt"] != rows[2]["samples"][0]["prompt"]


@pytest.mark.parametrize(("epochs", "sampled"), [(2, [1, 2]), (9, [3, 5, 7, 9])])
def test_samples_are_spread_over_training_however_many_epochs_it_has(run: Run, epochs: int, sampled: list[int]) -> None:
    model = run(epochs=epochs, sample_times=4, sample_length=5, sample_temperatures=(0,))
    assert [row["epoch"] for row in _history(model) if "samples" in row] == sampled


def test_samples_leave_training_as_it_is(finished: Path, run: Run) -> None:
    other = run(epochs=3, dropout=0.2)
    assert not [row for row in _history(other) if "samples" in row]
    weights = [_json(model / "config.json")["weights_sha256"] for model in (finished, other)]
    assert weights[0] == weights[1]
    assert [row["validation_loss_nats"] for row in _history(finished)] == [
        row["validation_loss_nats"] for row in _history(other)
    ]


def test_the_card_says_what_the_model_is(finished: Path, dataset: Path) -> None:
    card, metrics = (finished / "README.md").read_text(encoding="utf-8"), _json(finished / "metrics.json")
    loss = f"| validation_loss_nats | {metrics['validation_loss_nats']:.6g} |"
    said = [loss, "12 characters", "400 tokens, with 100 held out", "lstm_1", '"units": 8', digest(dataset)]
    assert [words for words in said if words not in card] == []
    assert "state carried through the text" in card


def test_prompts_are_windows_of_the_training_text_without_the_words_they_cut(finished: Path, text: str) -> None:
    windows = [text[start : start + 8] for start in range(393)]
    prompts = _json(finished / "prompts.json")
    assert len(prompts) == len(windows)
    assert all(prompt in window for prompt, window in zip(prompts, windows, strict=True))
    cut = [prompt for prompt, window in zip(prompts, windows, strict=True) if prompt != window]
    assert cut
    assert all(f" {prompt}" in text and prompt.endswith(" ") for prompt in cut)


def test_the_written_network_has_the_loss_that_its_metrics_say(finished: Path, dataset: Path) -> None:
    expected = _json(finished / "metrics.json")["validation_loss_nats"]
    assert _held_out_loss(finished, dataset) == pytest.approx(expected, abs=1e-5)


def test_windows_are_written_with_where_windows_were_trained(run: Run) -> None:
    model = Model.read(run(epochs=1, objective="next", batch=64))
    assert (model.context, model.window) == ("window", 8)


# --- which checkpoints stay, and which becomes the model ---


def test_the_best_epoch_becomes_the_model(overfitted: Path, turned: Path) -> None:
    losses = [row["validation_loss_nats"] for row in _history(overfitted)]
    assert losses[0] == min(losses) < losses[-1]
    assert _json(overfitted / "metrics.json")["steps"] == 12
    assert _held_out_loss(overfitted, turned) == pytest.approx(losses[0], abs=1e-5)


@pytest.mark.parametrize("changes", [{"export": "last"}, {"best_by": "training_loss"}])
def test_the_last_epoch_becomes_the_model_where_that_is_meant(
    run: Run, turned: Path, overfitted: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    if "export" in changes:  # what is exported may be changed when all is done
        shutil.copytree(overfitted.parent / "checkpoints", tmp_path / "checkpoints")
    model = run(of=turned, epochs=5, learning_rate=0.05, **changes)
    assert _json(model / "metrics.json")["steps"] == 60
    assert _held_out_loss(model, turned) == pytest.approx(_history(model)[-1]["validation_loss_nats"], abs=1e-5)


def test_the_newest_checkpoints_and_the_best_stay(overfitted: Path) -> None:
    assert set(_checkpoints(overfitted.parent)) == {12, 48, 60}


def test_checkpoints_are_saved_as_often_as_asked_for(often_saved: Path) -> None:
    assert set(_checkpoints(often_saved.parent)) == {4, 8, 12, 16, 20, 24}


def test_training_stops_after_the_train_steps_asked_for(run: Run) -> None:
    model = run(train_steps=5)
    metrics = _json(model / "metrics.json")
    assert (metrics["steps"], metrics["epochs"]) == (5, 5 / 12)
    assert [row["train_step"] for row in _history(model)] == [5]


# --- going on ---


@pytest.mark.parametrize("way", WAYS)
def test_a_stopped_run_goes_on_to_the_same_weights(
    run_in: Callable[..., Path], dataset_of: Callable[..., Path], tmp_path: Path, way: str
) -> None:
    settings = {"of": dataset_of(held_out=0), "dropout": 0.25, "export": "last", **WAYS[way]}
    expected = run_in(tmp_path / "whole", **settings)
    stopped = run_in(tmp_path / "parts", **{**settings, "epochs": 5, "train_steps": 7})
    assert _weights(stopped) != _weights(expected)
    assert _weights(run_in(tmp_path / "parts", **settings)) == _weights(expected)


@pytest.mark.parametrize("kept", [4, 12, 20])
def test_a_run_killed_after_any_checkpoint_ends_the_same(
    run: Run, often_saved: Path, tmp_path: Path, kept: int
) -> None:
    shutil.copytree(often_saved.parent / "checkpoints", tmp_path / "checkpoints")
    for train_step, checkpoint in _checkpoints(tmp_path).items():
        if train_step > kept:
            shutil.rmtree(checkpoint)
    again = run(dropout=0.25)
    assert _weights(again) == _weights(often_saved)
    for row, first in zip(_history(again), _history(often_saved), strict=True):
        names = ("epoch", "train_step", "train_loss_nats", "validation_loss_nats")
        assert [row[name] for name in names] == pytest.approx([first[name] for name in names], rel=1e-9)
        assert _without_times(row["curve"]) == [pytest.approx(point) for point in _without_times(first["curve"])]
    assert [row["resumed_at"] for row in _history(again)] == [[kept] if epoch == kept // 12 else [] for epoch in (0, 1)]


def _without_times(curve: list[dict[str, Any]]) -> list[dict[str, float]]:
    names = ("train_step", "train_loss_nats", "learning_rate")
    return [{name: point[name] for name in names} for point in curve]


def test_more_epochs_go_on_to_what_they_would_have_been(run: Run, finished: Path) -> None:
    run(epochs=1, dropout=0.2)
    assert _weights(run(epochs=3, dropout=0.2)) == _weights(finished)


def test_a_finished_run_is_not_trained_again(run: Run, finished: Path, resumable: Path) -> None:
    before = sorted(path.name for path in resumable.iterdir())
    model = run(epochs=3, dropout=0.2)
    assert _weights(model) == _weights(finished)
    assert _json(model / "metrics.json") == _json(finished / "metrics.json")
    assert sorted(path.name for path in resumable.iterdir()) == before


def test_fewer_train_steps_than_are_taken_are_refused(run: Run, often_saved: Path, tmp_path: Path) -> None:
    amid_an_epoch = _checkpoints(often_saved.parent)[8]
    shutil.copytree(amid_an_epoch, tmp_path / "checkpoints" / amid_an_epoch.name)
    with pytest.raises(UsageError, match="at train step 8 already, past the 3 of"):
        run(dropout=0.25, train_steps=3)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": 9}, "train.units was 8 there, now it is 9"),
        ({"seed": 2}, "train.seed was 1 there, now it is 2"),
        ({"learning_rate": 0.02}, "train.learning_rate was 0.01 there, now it is 0.02"),
    ],
)
def test_other_settings_are_refused_by_name(
    run: Run, resumable: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    before = set(_checkpoints(tmp_path))
    with pytest.raises(UsageError, match=message):
        run(epochs=4, dropout=0.2, **changes)
    assert set(_checkpoints(resumable.parent)) == before
    assert not (tmp_path / "model").exists()


@pytest.mark.usefixtures("resumable")
def test_another_dataset_is_refused(run: Run, turned: Path) -> None:
    with pytest.raises(UsageError, match="trained on another dataset"):
        run(of=turned, epochs=4, dropout=0.2)


@pytest.mark.usefixtures("resumable")
def test_start_anew_starts_over(run: Run, tmp_path: Path) -> None:
    model = run(epochs=1, units=9, start_anew=True)
    assert set(_checkpoints(tmp_path)) == {12}
    assert _json(model / "metrics.json")["steps"] == 12


def test_a_place_to_go_on_from_that_holds_no_checkpoint_is_refused(
    run: Run, finished: Path, often_saved: Path, tmp_path: Path
) -> None:
    checkpoints = finished.parent / "checkpoints"
    stranger = tmp_path / "notes" / "of mine"
    stranger.mkdir(parents=True)
    (stranger / "manifest.json").write_text('{"name": "another program"}')
    places = {
        tmp_path / "mistyped": "is no directory, or empty; name what a training was given as --checkpoints",
        stranger.parent: "holds no checkpoint; name what a training was given as --checkpoints",
        stranger: "holds no checkpoint; name what a training was given as --checkpoints",
        stranger / "manifest.json": "is no directory, or empty; name what a training was given as --checkpoints",
        finished: f"is a model; name {checkpoints}",
        finished.parent: f"holds no checkpoint; name {checkpoints}",
        _checkpoints(often_saved.parent)[8]: f"is a checkpoint; name {often_saved.parent / 'checkpoints'}",
    }
    for place, told in places.items():
        with pytest.raises(UsageError) as refused:
            run(epochs=3, dropout=0.2, init_from=str(place))
        assert str(refused.value) == f"train.init_from: {place} {told}"
    assert not (tmp_path / "model").exists()


def test_a_mistyped_place_to_go_on_from_costs_no_checkpoints(run: Run, resumable: Path, tmp_path: Path) -> None:
    before = set(_checkpoints(resumable.parent))
    with pytest.raises(UsageError, match="is no directory, or empty"):
        run(epochs=3, dropout=0.2, start_anew=True, init_from=str(tmp_path / "mistyped"))
    assert set(_checkpoints(resumable.parent)) == before


def test_the_best_checkpoint_may_be_where_training_went_on_from(run: Run, overfitted: Path, turned: Path) -> None:
    elsewhere = str(overfitted.parent / "checkpoints")
    model = run(of=turned, epochs=6, learning_rate=0.05, init_from=elsewhere)
    assert _json(model / "metrics.json")["steps"] == _json(overfitted / "metrics.json")["steps"] == 12
    assert _weights(model) == _weights(overfitted)


def test_a_damaged_best_checkpoint_has_no_substitute_elsewhere(
    run: Run, overfitted: Path, turned: Path, tmp_path: Path
) -> None:
    elsewhere = overfitted.parent / "checkpoints"
    shutil.copytree(elsewhere, tmp_path / "checkpoints")
    _damage(_checkpoints(tmp_path)[12])
    with pytest.raises(UsageError, match=r"the best checkpoint, of train step 12, can't be read"):
        run(of=turned, epochs=6, learning_rate=0.05, init_from=str(elsewhere))


def test_a_damaged_checkpoint_is_passed_over(
    run: Run, finished: Path, resumable: Path, messages: pytest.LogCaptureFixture
) -> None:
    _damage(_checkpoints(resumable.parent)[36])
    assert _weights(run(epochs=3, dropout=0.2)) == _weights(finished)
    warnings = {record.getMessage() for record in messages.records if record.levelno == logging.WARNING}
    passed_over = {warning for warning in warnings if not warning.startswith("the dataset's windows are 3 tokens")}
    assert len(passed_over) == 1
    assert re.match(r"checkpoint passed over: .*/0000000036-", passed_over.pop())


def test_a_checkpoint_without_a_manifest_does_not_count(run: Run, finished: Path, resumable: Path) -> None:
    (_checkpoints(resumable.parent)[36] / "manifest.json").unlink()
    assert _weights(run(epochs=3, dropout=0.2)) == _weights(finished)


def test_training_never_silently_starts_over(run: Run, resumable: Path, tmp_path: Path) -> None:
    for checkpoint in _checkpoints(resumable.parent).values():
        _damage(checkpoint)
    with pytest.raises(ArtifactError, match=r"none of its .*checkpoints can be read; .* train\.start_anew"):
        run(epochs=3, dropout=0.2)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"epochs": 3, "sample_at": (1, 3)}, ""),
        ({"epochs": 3, "sample_every": 3}, ""),
        ({"epochs": 3, "sample_at": (1, 4)}, "train.sample_at=4"),
        (
            {"epochs": 3, "sample_every": 9, "sample_at": (4, 5)},
            "train.sample_at=4 and train.sample_at=5 and train.sample_every=9",
        ),
    ],
)
def test_samples_after_an_epoch_that_training_does_not_reach_are_told_of(
    config_of: Callable[..., TrainConfig], capsys: pytest.CaptureFixture[str], changes: dict[str, Any], told: str
) -> None:
    log.set_up("train")
    warn_of_epochs_never_reached(config_of(**changes), 3)
    expected = f"train      warning: training ends in epoch 3, so nothing is written for {told}\n" if told else ""
    assert capsys.readouterr().err == expected
