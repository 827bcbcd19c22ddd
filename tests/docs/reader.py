"""Somebody who types a page's commands, putting runs of their own where the page names its."""

import re
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

from components.artifacts import storage
from tests.cluster.api import Api
from tests.cluster.stored import store_log
from tests.docs.sandbox import Sandbox

ROOT = "gs://example-quillflow"
ON_THE_LAPTOP = re.compile(r"text-generation-\d{4}(?:-\d\d){5}-\d{6}")
ON_THE_CLUSTER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MADE = {"ingest": "corpus", "vectorize": "dataset", "train": "model", "sample": "samples"}
UNFINISHED = {"ingest": "corpus", "vectorize": "dataset", "train": "checkpoints"}


class Reader:
    """Runs commands in a sandbox that has a run; what they start on the cluster ends at once, with its artifacts."""

    def __init__(self, box: Sandbox, api: Api) -> None:
        self._box, self._api = box, api
        self._own: dict[str, str] = {}  # by the page's
        self._made = self._laptops()[0]
        for stage, kind in MADE.items():
            _upload(self._made / stage / kind, f"{ROOT}/jobs/{kind}")

    def types(self, command: str, *, failing: bool) -> subprocess.CompletedProcess[str] | None:
        """The ended command; None where it is not one to run here. `failing`: the run it names is one that failed."""
        laptops = (path.name for path in self._laptops())
        command = ON_THE_LAPTOP.sub(lambda match: self._instead_of(match[0], lambda: next(laptops)), command)
        command = ON_THE_CLUSTER.sub(lambda match: self._instead_of(match[0], lambda: self._submit(failing)), command)
        done = self._box.run(command)
        for run, kept in self._api.runs.items():
            if kept.state == "PENDING":
                self._end(run)
        return done

    def _instead_of(self, name: str, found: Callable[[], str]) -> str:
        if name not in self._own:
            self._own[name] = found()
        return self._own[name]

    def _laptops(self) -> list[Path]:
        """The runs' directories, the newest first."""
        return sorted((self._box.directory / "runs").glob("text-generation-*"), reverse=True)

    def _submit(self, failing: bool) -> str:
        """A run of the cluster that the page names."""
        done = self._box.run("quillflow submit --environment gke --recipe quick")
        assert done
        assert done.returncode == 0, done.stderr
        run = list(self._api.runs)[-1]
        self._end(run, failed="train" if failing else "")
        return run

    def _end(self, run: str, failed: str = "") -> None:
        for stage, kind in (UNFINISHED if failed else MADE).items():
            task = f"{ROOT}/runs/text-generation/{run}/{stage}/{uuid.uuid4()}"
            _upload(self._made / stage / kind, f"{task}/{kind}")
            was_killed = failed and stage == "train"
            store_log(task, "what the stage wrote", *(["Killed"] if was_killed else []), plain=(1,))
        self._api.end(run, "FAILED" if failed else "SUCCEEDED", failed)
        if not failed:
            done = self._box.run(f"quillflow promote {run} --environment gke")  # as a run does at its end
            store_log(f"{ROOT}/runs/text-generation/{run}/promote/{uuid.uuid4()}", done.stdout if done else "")


def _upload(directory: Path, uri: str) -> None:
    for path in directory.rglob("*"):
        if path.is_file():
            storage.write_file(f"{uri}/{path.relative_to(directory).as_posix()}", path.read_bytes())
