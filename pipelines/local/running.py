"""Runs the pipeline on this machine, through Kubeflow's own engine (kfp.local)."""

import hashlib
import html
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import MANIFEST_NAME
from components.artifacts.pace import file_sha256
from components.artifacts.rows import rows_of
from components.artifacts.typed import Metrics, WrittenText
from components.command import log
from components.command.log import RUN_VARIABLE, Display, is_quiet
from components.command.settings import Settings
from components.command.stage import ARTIFACTS_VARIABLE
from components.steps import HERE, MADE_BY, STEPS
from pipelines.build.champion import with_champion
from pipelines.build.environment import Environment
from pipelines.inputs.arguments import MEANT_BY_ENGINE, arguments_of, refuse_meant, withhold
from pipelines.local.ending import RunError, ending, killed
from pipelines.local.engine import Executor, Processes, Relay, passing_on_signals, quiet_engine
from pipelines.local.engine_hooks import named
from pipelines.local.home import cache_directory


@dataclass(frozen=True, kw_only=True)
class Run:
    """The result of a run: its name, its artifacts' URIs, the model's metrics, and which stages were cached."""

    name: str
    artifacts: Mapping[str, str]
    metrics: Metrics
    stages: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {"run": self.name, "artifacts": self.artifacts, "metrics": self.metrics, "stages": self.stages}

    def _repr_html_(self) -> str:
        """The run's report, as a notebook shows it."""
        page, _ = storage.read_file(f"{self.artifacts['report']}/report.html") or (b"", "")
        return f'<iframe srcdoc="{html.escape(page.decode())}" width="100%" height="640"></iframe>'

    def first_sample(self) -> WrittenText:
        """The first text that was written.

        Raises:
            ArtifactError: there is none.
        """
        place = storage.place_of(self.artifacts["samples"])
        keys = [listed.key for listed in place.store.list(place.key) if listed.key.endswith(".jsonl")]
        data, _ = (place.store.read(min(keys)) if keys else None) or (b"", "")
        first: WrittenText | None = next(rows_of(data.decode()), None)
        if first is None:
            raise ArtifactError(f"{place}: these samples contain no text")
        return first


def run_pipeline(
    source: str,
    settings: Mapping[str, Settings],
    root: str,
    *,
    environment: Environment,
    runner: str = "subprocess",
    verbose: bool = False,
) -> Run:
    """Run ingest, vectorize, train and sample; the cache provides what was made before from the same inputs.

    If the environment has a champion that may point at the run's model, a better model is promoted.

    Args:
        source: URI of the text; a relative path is relative to the current directory.
        settings: each stage's settings by its name.
        root: URI that stores all runs: a directory, or a bucket's, with the cache and logs on this machine.
        environment: its shards, retries and caching apply; its requests to a cluster's nodes do not.
        runner: `subprocess` for stages as processes, `docker` as containers of this checkout's images.
        verbose: show the engine's own output and the stages' tracebacks too.

    Raises:
        QuillflowError: a stage failed, with its own one-line error as message, or the runner can't run stages.
        UsageError: the settings conflict with the environment.
    """
    root = str(storage.place_of(root))
    refuse_meant({"--root": [root, str(_engine_root(root))]}, MEANT_BY_ENGINE)
    environment = _with_champion_for(root, environment)
    settings = with_champion(settings, environment)
    environment.check_whole_run(settings)
    _refuse_to_read_runs(source, root)
    source = _keep_pipes(source, _engine_root(root), getattr(settings["ingest"], "maximum_bytes", 1 << 36))
    arguments = arguments_of(source, settings)
    uris, relay = _in_engine(_executor(runner, settings), environment, arguments, root, verbose=verbose)
    steps = [step for step in HERE if STEPS[step].outputs or environment.cluster.champion]
    relay.show_cached(steps)
    stages = {stage: "executed" if stage in relay.executed else "cached" for stage in steps}
    _check(uris, stages)
    metrics, _ = storage.read_file(f"{uris['model']}/metrics.json") or (b"", "")
    return Run(name=_run_name(uris["samples"], root), artifacts=uris, metrics=json.loads(metrics), stages=stages)


def _in_engine(
    executor: Executor, environment: Environment, arguments: Mapping[str, Any], root: str, *, verbose: bool
) -> tuple[dict[str, str], Relay]:
    """Run the pipeline in Kubeflow's engine; each artifact's URI, and what was relayed.

    Raises:
        RunError: a stage failed, or was stopped.
    """
    arguments, variables = withhold(arguments)
    engine_root, name = _engine_root(root), _new_run_name()
    with _new_log(engine_root).open("w", encoding="utf-8") as log_file:
        relay = Relay(Display(sys.stderr, quiet=is_quiet()), log_file, sys.stderr if verbose else None)
        variables[RUN_VARIABLE] = name
        if str(engine_root) != root:
            variables[ARTIFACTS_VARIABLE] = f"{root}/{name}"
        try:
            with (
                passing_on_signals(executor) as signals,
                quiet_engine(relay, variables, verbose=verbose),
                named(name),
            ):
                return _call_engine(executor, environment, arguments, engine_root, relay), relay
        except (RunError, KeyboardInterrupt) as error:
            raise ending(error, signals, relay, root, name) from error


def _refuse_to_read_runs(source: str, root: str) -> None:
    """Reject a root inside the source: each run would be read as text by the next."""
    runs = storage.place_of(root).parts
    for uri in storage.places_of(source):
        found = storage.source_at(uri)
        parts = None if found.is_pipe or found.place is None else found.place.parts
        if parts is not None and parts == runs[: len(parts)]:
            raise UsageError(
                f"--root {root} is inside --source {uri}, so its runs would be read as text; choose another"
            )


def _keep_pipes(source: str, engine_root: Path, maximum_bytes: int) -> str:
    """The source with pipes copied to files, named by their content, since stages are other processes."""
    return "\n".join(
        _kept(uri, engine_root / "sources", maximum_bytes) if storage.source_at(uri).is_pipe else uri
        for uri in storage.places_of(source)
    )


def _kept(uri: str, directory: Path, maximum_bytes: int) -> str:
    directory.mkdir(parents=True, exist_ok=True)
    spooled = directory / f".{secrets.token_hex(8)}.partial"
    try:
        storage.spool(uri, spooled, maximum_bytes)
        kept = directory / f"{file_sha256(spooled)[:16]}.txt"
        spooled.replace(kept)
    finally:
        spooled.unlink(missing_ok=True)
    log.info(f"The pipe's content is stored at {kept}")
    return str(kept)


def _with_champion_for(root: str, environment: Environment) -> Environment:
    """The environment with its champion's absolute URI, or without one if others could not read its models."""
    champion = environment.cluster.champion
    if champion and storage.local_path(root) is not None and storage.local_path(champion) is None:
        log.info(f"Nothing is promoted: {champion} can't point at models on this machine; --root can name a bucket")
        champion = ""
    whole = str(storage.place_of(champion)) if champion else ""
    return environment.model_copy(update={"cluster": environment.cluster.model_copy(update={"champion": whole})})


def _executor(runner: str, settings: Mapping[str, Settings]) -> Executor:
    if runner == "subprocess":
        return Processes()
    from pipelines.local.containers import Containers

    return Containers(device=str(getattr(settings["train"], "device", "auto")))


def _call_engine(
    executor: Executor, environment: Environment, arguments: Mapping[str, Any], engine_root: Path, relay: Relay
) -> dict[str, str]:
    from pipelines.text_generation import build

    try:
        outputs = executor.start(build(environment, here=True), arguments, engine_root)
    except RuntimeError as error:
        reason, code = relay.last_error or " ".join(str(error).split()), relay.exit_code
        if executor.killed and not relay.last_error:
            reason, code = killed(relay.executed[-1]), 128 + signal.SIGKILL
        raise RunError(f"{reason} (full log: {relay.log_name})", code) from error
    return {name: outputs[name].uri for name in MADE_BY}


def _engine_root(root: str) -> Path:
    """The engine's directory on a disk: the root itself, or for a bucket a place in the user's cache."""
    path = storage.local_path(root)
    if path is not None:
        return path
    return cache_directory() / "quillflow" / hashlib.sha256(root.encode()).hexdigest()[:16]


def _new_run_name() -> str:
    return f"text-generation-{time.strftime('%Y-%m-%d-%H-%M-%S')}-{secrets.token_hex(3)}"


def _run_name(uri: str, root: str) -> str:
    """The run that made an artifact: the layout is <root>/<run>/<stage>/<artifact>."""
    return uri.removeprefix(root.rstrip("/") + "/").partition("/")[0]


def _new_log(engine_root: Path) -> Path:
    (engine_root / "logs").mkdir(parents=True, exist_ok=True)
    return engine_root / "logs" / f"{time.strftime('%Y-%m-%d-%H-%M-%S')}-{os.getpid()}.log"


def _check(uris: Mapping[str, str], stages: Mapping[str, str]) -> None:
    """Check the outputs of the engine and its cache against their manifests.

    The cache only knows that a path existed, and a remote Docker engine writes to another machine's disk.
    """
    for name, uri in uris.items():
        if name == "checkpoints":
            continue
        if stages[MADE_BY[name]] == "executed" and storage.read_file(f"{uri}/{MANIFEST_NAME}") is None:
            raise ArtifactError(f"{uri}: {MADE_BY[name]} ended well but left nothing here; is the engine elsewhere?")
        if stages[MADE_BY[name]] == "cached":
            try:
                with storage.incoming(uri, name):
                    pass
            except ArtifactError as error:
                raise ArtifactError(f"{error} (remove {uri} and run again to make it again)") from None
