"""Running the pipeline on this machine, through Kubeflow's own engine (kfp.local), each stage a process."""

import io
import json
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from components.artifacts.errors import ArtifactError, QuillflowError
from components.artifacts.manifest import digest, read_manifest, verify
from components.command.log import FORMAT_VARIABLE, Display
from components.command.settings import Settings
from pipelines.cache import digest_of, suite_version

ARTIFACTS = ("corpus", "dataset", "checkpoints", "model", "samples")
_MADE_BY = {
    "corpus": "ingest",
    "dataset": "vectorize",
    "checkpoints": "train",
    "model": "train",
    "samples": "sample",
}


class RunError(QuillflowError):
    """A stage of a run failed; the exit code is the stage's."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run made: its name, each artifact's path, the model's metrics, and how each stage was answered."""

    name: str
    artifacts: Mapping[str, Path]
    metrics: Mapping[str, Any]
    stages: Mapping[str, str]
    log: Path

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "run": self.name,
            "artifacts": {name: str(path) for name, path in self.artifacts.items()},
            "metrics": self.metrics,
            "stages": self.stages,
        }

    def first_sample(self) -> dict[str, Any]:
        """The first text that was written."""
        path = min(self.artifacts["samples"].glob("samples-*.jsonl"))
        with path.open(encoding="utf-8") as file:
            row: dict[str, Any] = json.loads(file.readline())
        return row


def run_pipeline(source: str, settings: Mapping[str, Settings], root: Path, *, verbose: bool = False) -> Run:
    """Run ingest, vectorize, train and sample; what was made before from the same is taken from the cache.

    Args:
        source: URI of the text; a relative path is taken from the current directory.
        settings: each stage's settings by its name.
        root: directory that keeps all runs and the cache.
        verbose: show the engine's own output and the stages' tracebacks too.

    Raises:
        QuillflowError: a stage failed; its own one-line error is the message.
    """
    display = Display(sys.stderr)
    root = root.absolute()
    log = _new_log(root)
    known_runs = {path.name for path in root.iterdir()}
    with log.open("w", encoding="utf-8") as log_file:
        relay = _Relay(display, log_file, sys.stderr if verbose else None)
        with _quiet_engine(relay, verbose=verbose):
            paths = _call_engine(_arguments(source, settings), root, relay)
    stages = {
        _MADE_BY[name]: "executed" if _run_name(path, root) not in known_runs else "cached"
        for name, path in paths.items()
    }
    for stage, answer in stages.items():
        if answer == "cached":
            display.show(stage, "cached: made before from the same input, settings and version")
    _check(paths, stages)
    return Run(
        name=_run_name(paths["samples"], root),
        artifacts=paths,
        metrics=json.loads((paths["model"] / "metrics.json").read_bytes()),
        stages=stages,
        log=log,
    )


def _arguments(source: str, settings: Mapping[str, Settings]) -> dict[str, Any]:
    is_path = "://" not in source and not source.startswith("builtin:")
    private = bool(getattr(settings["ingest"], "allow_private_hosts", False))
    prompts = str(getattr(settings["sample"], "prompts_file", ""))
    sample = settings["sample"].model_dump(mode="json")
    if prompts and "://" not in prompts:
        sample["prompts_file"] = str(Path(prompts).expanduser().absolute())
    return {
        "source": str(Path(source).expanduser().absolute()) if is_path else source,
        **{stage: settings[stage].model_dump(mode="json") for stage in ("ingest", "vectorize", "train")},
        "sample": sample,
        "source_digest": digest_of(source, allow_private_hosts=private),
        "prompts_digest": digest_of(prompts, allow_private_hosts=private),
        "version": suite_version(),
    }


def _call_engine(arguments: Mapping[str, Any], root: Path, relay: "_Relay") -> dict[str, Path]:
    from kfp import local

    from pipelines.text_generation import text_generation

    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(root), enable_caching=True)
    try:
        outputs = text_generation(**arguments).outputs
    except RuntimeError as error:
        reason = relay.last_error or " ".join(str(error).split())
        raise RunError(f"{reason} (the run's whole log: {relay.log_name})", relay.exit_code) from error
    return {name: Path(outputs[name].path) for name in ARTIFACTS}


def _run_name(path: Path, root: Path) -> str:
    """The run an artifact was made in: the engine's layout is <root>/<run>/<stage>/<artifact>."""
    return path.relative_to(root).parts[0]


def _new_log(root: Path) -> Path:
    (root / "logs").mkdir(parents=True, exist_ok=True)
    return root / "logs" / f"{time.strftime('%Y-%m-%d-%H-%M-%S')}-{os.getpid()}.log"


def _check(paths: Mapping[str, Path], stages: Mapping[str, str]) -> None:
    """Hold what the cache answered with to its manifests: it only knows that a path exists."""
    for name, path in paths.items():
        if stages[_MADE_BY[name]] == "cached" and name != "checkpoints":
            try:
                verify(path, name)
            except ArtifactError as error:
                raise ArtifactError(f"{error} (remove {path} and run again: the cache then makes it anew)") from None
    if read_manifest(paths["samples"]).made_from["model"] != digest(paths["model"]):
        raise ArtifactError(f"{paths['samples']}: was not made from {paths['model']}; remove it and run again")


class _Relay(io.TextIOBase):
    """Stands in for standard output while the engine runs.

    The stages' own lines (JSON, see components.command.log) go to the display; all else, the engine's
    noise among it, goes to the log only.
    """

    def __init__(self, display: Display, log: TextIO, verbose: TextIO | None) -> None:
        self._display, self._log, self._verbose = display, log, verbose
        self._rest = ""
        self.last_error = ""
        self.exit_code = 1

    @property
    def log_name(self) -> str:
        """The log's path."""
        return self._log.name

    def write(self, text: str) -> int:
        """Take text as it comes, and handle whole lines."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._handle(line)
        return len(text)

    def _handle(self, line: str) -> None:
        self._log.write(line + "\n")
        self._log.flush()
        entry = _stage_line(line)
        if entry is None:
            if self._verbose and line.strip():
                self._verbose.write(line + "\n")
        elif entry["level"] == "error":
            self.last_error = f"{entry['quillflow']}: {entry['message'].removeprefix('error: ')}"
            self.exit_code = entry.get("exit_code", 1)
        else:
            self._display.show(entry["quillflow"], entry["message"], progress=entry["level"] == "progress")


def _stage_line(line: str) -> dict[str, Any] | None:
    if '{"quillflow"' not in line:
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and {"quillflow", "level", "message"} <= entry.keys() else None


@contextmanager
def _quiet_engine(relay: _Relay, *, verbose: bool) -> Iterator[None]:
    """The engine's surroundings: its output relayed, its warnings unseen, its temporary files removed."""
    scratch = tempfile.mkdtemp(prefix="quillflow-run-")
    # SubprocessRunner puts sys.executable for the text "python3" in every argument, a path or prompt with
    # that text in it included. With this name for it the exchange changes nothing.
    executable, beside = sys.executable, Path(sys.executable).parent
    has_python3 = (beside / "python3").exists()
    environment = {FORMAT_VARIABLE: "json", "PYTHONUNBUFFERED": "1", "TMPDIR": scratch}
    if has_python3:
        environment["PATH"] = f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    tempfile.tempdir = None
    try:
        sys.executable = "python3" if has_python3 else executable
        with redirect_stdout(relay), warnings.catch_warnings():
            warnings.simplefilter("default" if verbose else "ignore")
            yield
    finally:
        sys.executable = executable
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        tempfile.tempdir = None
        shutil.rmtree(scratch, ignore_errors=True)
