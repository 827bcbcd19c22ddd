"""The work of prune: which artifacts go, and removing them.

What stays: the newest runs, those that wrote anything lately, the champions' runs, whatever is no part of a run, and
all that these were made from, by digest or by a place in their settings. Whatever no manifest lists stays too.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from components.artifacts import champion, storage
from components.artifacts.errors import UsageError
from components.artifacts.finding import Artifact, find, find_half_removed, nearest, read_at
from components.artifacts.storage import Place
from components.command import log

_SECONDS_A_DAY = 86400
_VIEWS = {"page": "report.html", "card": "README.md"}
"""Copies of an artifact's files that the stage puts next to it for Kubeflow's UI."""
_Parts = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OldRun:
    """A run of which artifacts go: its place, when it last wrote any, and those that go."""

    place: Place
    updated: float
    artifacts: tuple[Artifact, ...]

    @property
    def size(self) -> int:
        """Size of the artifacts that go, in bytes."""
        return sum(artifact.size for artifact in self.artifacts)

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "uri": str(self.place),
            "updated": datetime.fromtimestamp(self.updated, UTC).isoformat(timespec="seconds"),
            "bytes": self.size,
            "artifacts": [str(artifact.place) for artifact in self.artifacts],
        }


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What stays: the `last` runs that made a model and all since, the last `days`' runs, and the champions'.

    `champions` are the URIs of pointers; there need not be one.
    """

    last: int
    days: float
    champions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What goes, oldest run first; how many runs stay as a whole; and what the champions' pointers said."""

    goes: tuple[OldRun, ...]
    stay: int
    pointers: tuple[bytes, ...]


def plan(root: str, rules: Rules) -> Plan:
    """Find what goes.

    Raises:
        ArtifactError: a champion's pointer is damaged, or a newer version wrote an artifact, so that it is unknown what
            it was made from.
        StorageError: the store fails after all retries.
    """
    pointers = _pointers(rules)
    promoted = filter(None, map(champion.read_if_any, rules.champions))
    models = [storage.place_of(pointer.model) for pointer in promoted]
    place, found = storage.place_of(root), find(root, parts=True, strict=True)
    runs: dict[_Parts, list[Artifact]] = {}
    kept = [model for model in (read_at(place, strict=True) for place in models) if model]
    for artifact in found:
        run = _run_below(place, artifact)
        if run is None:
            kept.append(artifact)
        else:
            runs.setdefault(run, []).append(artifact)
    stay = {run for run in runs if any(model.parts[: len(run)] == run for model in models)} | _newest(runs, rules)
    staying = _with_makers([*kept, *(artifact for run in stay for artifact in runs[run])], found)
    going = [one for run in runs if run not in stay for one in runs[run] if str(one.place) not in staying]
    return Plan(goes=_by_run([*going, *find_half_removed(root)]), stay=len(stay), pointers=pointers)


def _run_below(root: Place, artifact: Artifact) -> _Parts | None:
    """The run of an artifact; None if it is no part of one below the root."""
    run, above = artifact.run_place, root.parts
    return run.parts if run and run.parts[: len(above)] == above and run.parts != above else None


def _by_run(artifacts: Sequence[Artifact]) -> tuple[OldRun, ...]:
    """Artifacts by their runs, the oldest first."""
    of: dict[str, list[Artifact]] = {}
    for artifact in artifacts:
        of.setdefault(str(_whole(artifact)), []).append(artifact)
    made = [
        OldRun(place=_whole(those[0]), updated=max(one.updated for one in those), artifacts=tuple(those))
        for those in of.values()
    ]
    return tuple(sorted(made, key=lambda run: run.updated))


def _whole(artifact: Artifact) -> Place:
    """The place of an artifact's run, or its own if it is no part of one."""
    return artifact.run_place or artifact.place


def prune(root: str, rules: Rules, wanted: Plan) -> list[OldRun]:
    """Remove what goes by a plan and, by what is there now, still does; return what was removed.

    If a champion's pointer moves meanwhile, it is decided again what goes.

    Raises:
        ArtifactError, StorageError: as `plan`; what was removed until then stays removed.
    """
    asked = {(str(artifact.place), artifact.digest) for run in wanted.goes for artifact in run.artifacts}
    removed: list[OldRun] = []
    while True:
        now = plan(root, rules)
        for run in now.goes:
            left = [artifact for artifact in run.artifacts if (str(artifact.place), artifact.digest) in asked]
            gone = tuple(_remove(left, rules, now.pointers))
            if gone:
                removed.append(OldRun(place=run.place, updated=run.updated, artifacts=gone))
                log.info(f"removed {len(gone):,} of {run.place}: {log.size(removed[-1].size)}")
            if len(gone) < len(left):
                break
        else:
            return removed


def _remove(artifacts: Iterable[Artifact], rules: Rules, pointers: Sequence[bytes]) -> Iterator[Artifact]:
    """Remove artifacts, until a champion's pointer moves or one was replaced; yield what was removed."""
    for artifact in artifacts:
        if _pointers(rules) != tuple(pointers):
            return
        for view, name in _VIEWS.items():
            copy = (artifact.place.above / view).key
            listed = artifact.manifest.files.get(name)
            data = artifact.place.store.read(copy) if listed else None
            if listed and data and sha256(data[0]).hexdigest() == listed.sha256:
                artifact.place.store.delete(copy)
        if storage.remove_artifact(str(artifact.place), artifact.digest):
            yield artifact


def _pointers(rules: Rules) -> tuple[bytes, ...]:
    return tuple((storage.read_file(uri) or (b"",))[0] for uri in rules.champions)


def _newest(runs: dict[_Parts, list[Artifact]], rules: Rules) -> set[_Parts]:
    """The runs that stay since they are new; each run's artifacts are newest first."""
    newest_first = sorted(runs, key=lambda run: -runs[run][0].updated)
    made_model = [any(one.manifest.kind == "model" for one in runs[run]) for run in newest_first]
    ends = [0, *(number for number, has_model in enumerate(made_model, 1) if has_model)]
    last = newest_first[: ends[rules.last] if rules.last < len(ends) else None]
    since = time.time() - rules.days * _SECONDS_A_DAY
    return {*last, *(run for run in runs if runs[run][0].updated >= since)}


def _with_makers(kept: list[Artifact], found: Sequence[Artifact]) -> set[str]:
    """The URIs of artifacts that stay: these, and all that they were made from.

    Of several identical ones, the nearest stays.
    """
    by_digest: dict[str, list[Artifact]] = {}
    for artifact in found:
        by_digest.setdefault(artifact.digest, []).append(artifact)
    parts = [(artifact, artifact.place.parts) for artifact in found]
    uris = {str(artifact.place) for artifact in kept}
    makers = list(kept)
    seen: set[_Parts] = set()
    for made in makers:
        sources = [nearest(made, by_digest.get(digest, ())) for digest in made.manifest.made_from.values()]
        for named in {*_places_in(made.manifest.config)} - seen:
            seen.add(named)
            sources += [one for one, its in parts if its[: len(named)] == named or named[: len(its)] == its]
        for source in sources:
            if source is not None and str(source.place) not in uris:
                uris.add(str(source.place))
                makers.append(source)
    return uris


def _places_in(value: Any) -> Iterator[_Parts]:
    """The parts of the places that settings name, such as the checkpoints that training began from."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _places_in(one)
    elif isinstance(value, str):
        for uri in storage.places_of(value):
            yield from _place(uri)


def _place(uri: str) -> Iterator[_Parts]:
    above, glob, _ = uri.partition("*")
    found = above.rpartition("/")[0] if glob else uri
    if found.rpartition("/")[0] and not storage.is_web(found):
        try:
            yield storage.parts_of(found)
        except UsageError:
            return
