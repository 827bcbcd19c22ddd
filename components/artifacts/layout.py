"""How Kubeflow lays out artifacts below the root of all runs.

That is <run>/<task>/<artifact> on this machine and <pipeline>/<run>/<task>/<uuid>/<artifact> in a bucket. The task of
a shard is one directory deeper on this machine, in that of its iteration.
"""

import re

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ITERATION = re.compile(r"for-loop-\d+-iteration-\d+")
PART = re.compile(r"\d{10,}-[0-9a-f]{8}|shard")
"""The names of artifacts that are parts of others: a single checkpoint, or a shard of samples."""


def run_path(place: str, stage: str) -> str:
    """The path or URI of the run in that of a stage's artifact, or of one of its checkpoints; empty if it names none.

    The task's name begins with its stage's: sample, sample-gather.
    """
    *above, name = place.split("/")
    if PART.fullmatch(name) and name != "shard":
        above.pop()
    if above and _UUID.fullmatch(above[-1]):
        above.pop()
    task = above.pop() if above else ""
    if above and _ITERATION.fullmatch(above[-1]):
        above.pop()
    return "/".join(above) if f"{task}-".startswith(f"{stage}-") else ""


def run_of(place: str, stage: str) -> str:
    """The run in the path or URI of a stage's artifact; empty if it names none."""
    return run_path(place, stage).rpartition("/")[2]


def above(place: str, stage: str) -> list[str]:
    """Where the artifacts of the run of a stage's artifact are, and those of all runs; empty if it names no run."""
    run = run_path(place, stage)
    if not run:
        return []
    in_bucket = any(map(_UUID.fullmatch, place.removeprefix(run).split("/")))
    return [run, "/".join(run.split("/")[: -2 if in_bucket else -1])]
