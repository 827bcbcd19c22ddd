"""What a run's stages wrote. Kubeflow's API has no logs: they are objects next to its artifacts, one per attempt."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import QuillflowError, UsageError
from components.artifacts.storage import Place
from components.command.log import MARK
from components.command.printing import without_colours
from components.steps import STEPS
from pipelines.cluster.client import Client
from pipelines.cluster.tasks import raise_memory, stage_of, stages_in
from pipelines.results import finding

_LOG = re.compile(r"(?P<task>[^/]+)/(?P<id>[^/]+)/executor-logs(-(?P<attempt>\d+))?$")
_OWN = (MARK, *(f"{stage:<10} " for stage in STEPS))
"""How a stage's own lines begin, in both forms of components.command.log."""
_KILLED = "Killed"


class NoLogError(QuillflowError):
    """The log is not stored."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """What a task wrote: its name, which attempt it was (from 1), when it was stored (s since 1970), and the lines."""

    task: str
    attempt: int
    stored: float
    lines: list[str]


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """A log's object and its task's name, with the directory that all attempts share."""

    key: str
    task: str
    shared: str
    attempt: int
    stored: float


def logs(client: Client, run: Any, stage: str = "", *, attempt: int = 0, everything: bool = False) -> list[Log]:
    """What a run's stages wrote in their last attempt, in the order it was stored, which happens when a task ends.

    Args:
        client: the cluster.
        run: the run as the API has it.
        stage: of this stage alone.
        attempt: only this attempt at each task, from 1; 0 for the last.
        everything: all attempts, with Kubeflow's own lines around the stage's.

    Raises:
        UsageError: the environment does not name the place of artifacts.
        NoLogError: none is stored; the error says how to see those of running pods.
    """
    place = place_of(client, run)
    found = [one for one in _stored(place) if not stage or stage_of(one.task) == stage]
    if not found:
        raise NoLogError(_none_yet(client, run, stage, place))
    chosen = [one for one in found if one.attempt == attempt] if attempt else found
    if not chosen:
        there = ", ".join(str(number) for number in sorted({one.attempt for one in found}))
        raise NoLogError(f"run {run.run_id}: no log of attempt {attempt} is stored below {place}; there is {there}")
    if not everything:
        chosen = [max(tries, key=lambda one: one.attempt) for _, tries in groupby(chosen, lambda one: one.shared)]
    return [_read(place, one, everything=everything) for one in sorted(chosen, key=lambda one: one.stored)]


def last_error(client: Client, run: Any, stage: str) -> str:
    """A stage's last error message; empty if its log can't be read from here or has none."""
    lines: list[str] = []
    with suppress(QuillflowError):
        lines = [line for log in logs(client, run, stage) for line in log.lines]
    if lines and lines[-1] == _KILLED:
        return f"killed from outside, usually because it ran out of memory; {raise_memory(stage)}"
    return next((error for line in reversed(lines) if (error := line.partition(" error: ")[2])), "")


def kubectl_logs(client: Client, run: str, stages: Iterable[str]) -> str:
    """The command that shows what these stages of a run, or all stages, are writing now."""
    (last,) = list(stages)[-1:] or [""]
    of = f",app.kubernetes.io/component={last}" if last else ""
    namespace = client.cluster.namespace or "kubeflow"
    return f"kubectl logs -n {namespace} -l pipeline/runid={run}{of} -c main --tail=-1"


def place_of(client: Client, run: Any) -> Place:
    """Where a run's artifacts are.

    Raises:
        UsageError: neither the run nor the environment says where artifacts go.
    """
    root = (run.runtime_config and run.runtime_config.pipeline_root) or client.cluster.pipeline_root
    if not root:
        raise UsageError("the environment names no pipeline_root, so the place of artifacts is unknown")
    places = [storage.place_of(uri) for uri in finding.run_uris(run.run_id, root)]
    return next((place for place in places if next(place.store.list(place.key), None)), places[0])


def _stored(place: Place) -> list[_Stored]:
    """All logs, those of one task's attempts one after the other."""
    matches = [(listed, _LOG.search(listed.key)) for listed in place.store.list(place.key)]
    found = [
        _Stored(
            key=listed.key,
            task=match["task"],
            shared=f"{match['task']}/{match['id']}",
            attempt=int(match["attempt"] or 0) + 1,
            stored=listed.updated,
        )
        for listed, match in matches
        if match
    ]
    return sorted(found, key=lambda one: one.shared)


def _none_yet(client: Client, run: Any, stage: str, place: Place) -> str:
    of = f" of {stage}" if stage else ""
    shows = kubectl_logs(client, run.run_id, [stage] if stage else stages_in(run, "RUNNING"))
    return f"run {run.run_id}: no log{of} is stored below {place}; a task's log is stored when it ends; before: {shows}"


def _read(place: Place, one: _Stored, *, everything: bool) -> Log:
    data, _ = place.store.read(one.key) or (b"", "")
    lines = data.decode(errors="replace").removesuffix("\n").split("\n")
    shown = [line for each in (lines if everything else _own(lines)) for line in _for_a_person(each)]
    return Log(task=one.task, attempt=one.attempt, stored=one.stored, lines=shown)


def last_line(lines: list[str]) -> str:
    """The last line that a stage itself wrote, as people read it; empty if there is none."""
    own = next((line for line in reversed(lines) if line.startswith(_OWN)), "")
    return _for_a_person(own)[0].partition(" ")[2].strip() if own else ""


def _own(lines: list[str]) -> list[str]:
    """What the stage's process wrote, from its first line to its last, without Kubeflow's lines before and after.

    The shell's line about a killed process is kept. The log of a stage that wrote nothing is shown whole.
    """
    own = [number for number, line in enumerate(lines) if line.startswith(_OWN)]
    if not own:
        return lines
    return lines[own[0] : own[-1] + 1] + [line for line in lines[own[-1] + 1 :] if line == _KILLED]


def _for_a_person(line: str) -> list[str]:
    """A stage's own line, possibly JSON, as lines for a person."""
    try:
        entry: Any = json.loads(line) if line.startswith(MARK) else None
    except ValueError:
        entry = None
    if not isinstance(entry, Mapping) or not {"stage", "message"} <= entry.keys():
        return [without_colours(line)]
    return f"{entry['stage']:<10} {entry['message']}".replace("\n", f"\n{'':<11}").split("\n")
