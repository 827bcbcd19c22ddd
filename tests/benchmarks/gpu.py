"""Training on a GPU, `make bench-gpu`: tokens a second, their share of the device's peak, time to the targets.

Without a GPU it says so and skips.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from components.artifacts.dataset import Dataset
from components.artifacts.tensorflow import tf, use_device
from components.generator.architecture import Architecture
from components.train.config import TrainConfig
from components.train.trainer import Trainer
from tests.benchmarks import suite
from tests.benchmarks.corpora import corpus
from tests.benchmarks.datasets import dataset_by
from tests.benchmarks.learning import SHAKESPEARE_WINDOW, TimedRun
from tests.benchmarks.measure import Budget, Figure, budget, seconds_of

BATCHES: dict[Budget, tuple[int, ...]] = {"full": (64, 128, 256, 512, 1024), "short": (64, 1024)}
STEPS = 100
LEARNING_SECONDS = 120
PEAK_VARIABLE = "QUILLFLOW_PEAK_TFLOPS"
PEAK_TFLOPS = {"V100": 125, "T4": 65, "A100": 312, "L4": 121, "H100": 989, "H200": 989}
"""Dense products of 16-bit numbers, by NVIDIA's data sheets; another device's peak can be named in the environment."""


def figures(budget: Budget) -> list[Figure]:
    """Speed of the recipe `quick` by batch, and of a network of 1,024 units in mixed precision."""
    device = use_device("gpu")
    with tempfile.TemporaryDirectory() as scratch:
        settings, dataset = dataset_by("quick", Path(scratch))
        data = Dataset.read(dataset)
    found = []
    for batch in BATCHES[budget]:
        found += _speed(settings.model_copy(update={"batch": batch}), data, device)
    changes = {"units": 1024, "batch": 512, "precision": "bfloat16"}
    return [*found, *_speed(settings.model_copy(update=changes), data, device), *_times_to_targets(device)]


def _times_to_targets(device: str) -> Iterator[Figure]:
    """Seconds of training until tinyshakespeare's held-out loss is as low as the CPU recipes are held to."""
    run = TimedRun("best", corpus("tinyshakespeare.txt"))
    snapshots = run.train_for(LEARNING_SECONDS)
    window_loss = run.window_loss(SHAKESPEARE_WINDOW, None)
    for target in (1.60, 1.47):
        reached = (seconds for seconds, weights in snapshots if window_loss(weights) <= target)
        seconds = next(reached, float("inf"))
        yield Figure(what=f"recipe best to {target} nats", measured=seconds, unit="s", conditions=f"{device}; {run}")


def _speed(settings: TrainConfig, data: Dataset, device: str) -> list[Figure]:
    """Tokens a second of train steps, and their share of the device's peak where that is known."""
    trainer = Trainer(settings, data)  # which asks for cuDNN: an error where it can't be had
    trainer.advance(0, STEPS)
    speed = STEPS * settings.batch * trainer.length / seconds_of(lambda: trainer.advance(STEPS, STEPS))
    name = f"{settings.units} units, batch {settings.batch}"
    rows = [Figure(what=f"training, {name}", measured=speed, unit="tokens/s", conditions=f"{device}, cuDNN")]
    peak = _peak_tflops(device)
    if peak:
        share = 100 * speed * _flop_a_token(trainer.architecture) / (peak * 1e12)
        conditions = f"{peak:g} TFLOP/s, 16 bits"
        rows.append(Figure(what=f"share of peak, {name}", measured=share, unit="%", conditions=conditions))
    return rows


def _flop_a_token(architecture: Architecture) -> float:
    """Products of a train step: forward, and twice as much backward."""
    width, products = float(architecture.embedding_size), 0.0
    for _ in range(architecture.layers):
        products += 4 * architecture.units * (width + architecture.units)
        width = architecture.units
    products += width * architecture.vocabulary
    return 3 * 2 * products


def _peak_tflops(device: str) -> float | None:
    named = os.environ.get(PEAK_VARIABLE)
    if named:
        return float(named)
    words = device.replace("-", " ").split()
    return next((peak for name, peak in PEAK_TFLOPS.items() if name in words), None)


def main() -> int:
    """Run the figures where there is a GPU; the exit code."""
    if not tf.config.list_physical_devices("GPU"):
        print("bench-gpu: skipped, TensorFlow sees no GPU here")
        return 0
    return suite.run(["tests.benchmarks.gpu"], budget(), Path("build/bench-gpu.json"))


if __name__ == "__main__":
    sys.exit(main())
