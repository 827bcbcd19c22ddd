"""Runs of some age in a store, laid out as Kubeflow does it there."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from components.artifacts import champion, storage
from components.artifacts.finding import find, read_at
from components.artifacts.manifest import write_manifest
from components.artifacts.storage import place_of
from components.prune import pruning
from components.prune.pruning import Plan, Rules

STAGES = {"corpus": "ingest", "dataset": "vectorize", "model": "train", "samples": "sample", "checkpoint": "train"}
NOW = 1.8e9
DAY = 86400
_NAMESPACE = uuid.UUID(int=0)


def where(root: str, run: str, kind: str) -> str:
    """The URI of a run's artifact; a checkpoint is one of several."""
    name = "checkpoints/0000000008-0123abcd" if kind == "checkpoint" else kind
    if "://" not in root:
        return f"{root}/{run}/{STAGES[kind]}/{name}"
    return f"{root}/text-generation/{run}/{STAGES[kind]}/{uuid.uuid5(_NAMESPACE, run)}/{name}"


def make(
    uri: str, kind: str, made_from: Mapping[str, str] | None = None, config: Mapping[str, Any] | None = None
) -> str:
    """Write an artifact of two files; its digest."""
    with storage.outgoing(uri, kind) as directory:
        (directory / "text.bin").write_bytes(b"text")
        (directory / "deep").mkdir()
        (directory / "deep" / "report.html").write_bytes(b"<html>")
        write_manifest(
            directory,
            kind=kind,
            stage=STAGES[kind],
            config={"of": uuid.uuid5(_NAMESPACE, uri).hex, **(config or {})},
            counts={},
            made_from=made_from or {},
        )
    found = read_at(place_of(uri))
    assert found
    return found.digest


def make_run(root: str, days_ago: float, *kinds: str, **made_from: str) -> dict[str, str]:
    """Write artifacts, each made from the one before and the first from `made_from`; their digests."""
    made: dict[str, str] = {}
    for kind in kinds or ("corpus", "model"):
        made_from = {kind: make(where(root, run(days_ago), kind), kind, made_from)}
        made.update(made_from)
    return made


def run(days_ago: float) -> str:
    """The name of a run that was done so many days ago."""
    return f"{days_ago}-days-ago"


def promote(root: str, model: str) -> None:
    """Point the champion at a model."""
    digest = read_at(place_of(model)).digest  # type: ignore[union-attr]
    pointer = champion.Champion(
        model=model, digest=digest, loss=1.5, protocol="carry", held_out="a" * 64, run="", promoted="2026-11-22"
    )
    storage.write_file(f"{root}/champion", pointer.model_dump_json().encode())


def as_old_as_they_say(patch: pytest.MonkeyPatch) -> None:
    """Let runs be as old as their names say: no bucket takes a time from its client."""

    def aged(root: str, **options: bool) -> list[Any]:
        found = [replace(one, updated=NOW - _age(one.run) * DAY) for one in find(root, **options)]
        return sorted(found, key=lambda one: (-one.updated, str(one.place)))

    patch.setattr(pruning, "find", aged)
    patch.setattr(pruning.time, "time", lambda: NOW)


def _age(name: str) -> float:
    number, _, days = name.partition("-")
    return float(number) if days == "days-ago" else 1000.0


def planned(root: str, last: int = 0, days: float = 1) -> Plan:
    """What goes, with the champion at its usual place."""
    return pruning.plan(root, Rules(last=last, days=days, champions=(f"{root}/champion",)))


def goes(plan: Plan) -> dict[str, set[str]]:
    """What goes by run: the names of its artifacts."""
    return {one.place.key.rpartition("/")[2]: {each.manifest.kind for each in one.artifacts} for one in plan.goes}


def left(root: str) -> dict[str, set[str]]:
    """What is there by run: the kinds of its artifacts."""
    found: dict[str, set[str]] = {}
    for one in find(root, parts=True):
        found.setdefault(one.run, set()).add(one.manifest.kind)
    return found
