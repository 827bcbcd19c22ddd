"""Training that is killed, in processes of its own, and what became of it.

Processes are forked from one that has imported TensorFlow and run nothing: a kill costs a second, not ten.
"""

import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.artifacts.manifest import write_manifest

COMMON = {"units": 8, "batch": 4, "epochs": 3, "checkpoint_steps": 4, "dropout": 0.2, "schedule": "constant"}
VARIANTS: dict[str, dict[str, Any]] = {
    "carried state, adamw": {"optimizer": "adamw", "layers": 2},
    "carried state, sgd": {"optimizer": "sgd", "momentum": 0.9},
    "carried state, cosine": {"optimizer": "adam", "schedule": "cosine", "warm_up_steps": 3},
    "windows, adam": {"optimizer": "adam", "carry_state": False, "label_smoothing": 0.1},
    "next, rmsprop": {"optimizer": "rmsprop", "objective": "next", "input": "one_hot"},
    "next, scaled": {"optimizer": "adamw", "objective": "next", "input": "scaled", "layers": 2},
}
MAXIMUM_SECONDS = 120
FILE_EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"}
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["components.train.training", "components.vectorize.vectorizing"])


@dataclass(frozen=True)
class Kill:
    """When a process is killed: after so many seconds, or at the n-th touch of its checkpoints.

    A touch is a file opened, made, renamed or removed, or for a bucket a piece of a request sent.
    """

    seconds: float | None = None
    touch: int | None = None


def make_dataset(directory: Path) -> Path:
    """A dataset of about 40 batches an epoch, in `directory`."""
    corpus = directory / "corpus"
    corpus.mkdir()
    vocabulary = "the mill ground on while rain fell over hills far away"
    words = random.Random(1).choices(vocabulary.split(" "), k=130)
    (corpus / "text.txt").write_text(" ".join(words))
    write_manifest(corpus, kind="corpus", stage="ingest", config={"lowercase": False}, counts={}, made_from={})
    process = _processes.Process(target=_vectorize, args=(str(corpus), str(directory / "dataset")))
    process.start()
    process.join(MAXIMUM_SECONDS)
    assert process.exitcode == 0
    return directory / "dataset"


def start(dataset: Path, place: Path, settings: dict[str, Any], kill: Kill = Kill(), checkpoints: str = "") -> Any:
    """Start training in a process of its own, its checkpoints at a URI or else in `place`."""
    where = checkpoints or f"{place}/checkpoints"
    arguments = (str(dataset), str(place), where, settings, kill.touch, dict(os.environ))
    process = _processes.Process(target=_train, args=arguments)
    process.start()
    return process


def train(
    dataset: Path, place: Path, settings: dict[str, Any], kill: Kill = Kill(), checkpoints: str = ""
) -> int | None:
    """Train, perhaps killed; the exit code, negative for a signal."""
    process = start(dataset, place, settings, kill, checkpoints)
    if kill.seconds is not None:
        process.join(kill.seconds)
        process.kill()
    return end(process)


def end(process: Any) -> int | None:
    """Wait for a process, but not for ever; its exit code."""
    process.join(MAXIMUM_SECONDS)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError(f"training did not end in {MAXIMUM_SECONDS} s")
    code: int = process.exitcode
    return code


def weights(place: Path) -> str:
    """The SHA-256 of the weights of the model at `place`."""
    from components.generator.files import read_config

    digest: str = read_config(place / "model")["weights_sha256"]
    return digest


def kills(seed: int, whole_seconds: float, touches: int) -> Iterator[Kill]:
    """Kills at seeded random moments: half by time over a whole run, half at a touch of the checkpoints."""
    rng = random.Random(seed)
    while True:
        if rng.random() < 0.5:
            yield Kill(seconds=rng.uniform(0.1, whole_seconds))
        else:
            yield Kill(touch=rng.randint(1, touches))


def measure(dataset: Path, place: Path, settings: dict[str, Any], checkpoints: str = "") -> tuple[float, int]:
    """Seconds and touches of the checkpoints of an undisturbed run."""
    began = time.monotonic()
    assert train(dataset, place, settings, Kill(touch=-1), checkpoints) == 0
    return time.monotonic() - began, int((place / "touches").read_text())


def _vectorize(corpus: str, dataset: str) -> None:
    from components.vectorize.config import VectorizeConfig
    from components.vectorize.vectorizing import vectorize

    vectorize(VectorizeConfig(length=6, step=2), corpus=corpus, dataset=dataset)


def _train(
    dataset: str,
    place: str,
    checkpoints: str,
    settings: dict[str, Any],
    kill_at_touch: int | None,
    environment: dict[str, str],
) -> None:
    from components.artifacts.tensorflow import tf
    from components.command.stage import stage_task
    from components.train import ownership
    from components.train.config import TrainConfig
    from components.train.training import train as work

    os.environ.update(environment)
    ownership.BEAT_SECONDS, ownership.TAKEOVER_SECONDS = 0.5, 8.0  # a killed owner of a bucket is soon taken over
    tf.config.threading.set_intra_op_parallelism_threads(1)  # tiny products: threads only cost here
    sys.stderr = Path(place).parent.joinpath(f"{Path(place).name}.log").open("a")
    touches = 0

    def touch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal touches
        paths = [str(argument) for argument in arguments if isinstance(argument, str | os.PathLike)]
        on_disk = event in FILE_EVENTS and any(path.startswith(checkpoints) for path in paths)
        if on_disk or (event == "http.client.send" and "://" in checkpoints):
            touches += 1
            if touches == kill_at_touch:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(touch)
    with stage_task("train"):
        work(TrainConfig(**{**COMMON, **settings}), dataset=dataset, checkpoints=checkpoints, model=f"{place}/model")
    if kill_at_touch == -1:
        Path(place, "touches").write_text(str(touches))
