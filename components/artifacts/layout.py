"""How Kubeflow lays out artifacts below the root of all runs.

That is <run>/<task>/<artifact> on this machine and <pipeline>/<run>/<task>/<uuid>/<artifact> in a bucket.
"""

import re

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def run_of(place: str, stage: str) -> str:
    """The run in the path or URI of a stage's artifact; empty if it names none.

    The task's name begins with its stage's: sample, sample-gather.
    """
    *above, _ = place.split("/")
    if above and _UUID.fullmatch(above[-1]):
        above.pop()
    return above[-2] if len(above) > 1 and f"{above[-1]}-".startswith(f"{stage}-") else ""


def above(place: str, stage: str) -> list[str]:
    """Where the artifacts of the run of a stage's artifact are, and those of all runs; empty if it names no run."""
    if not run_of(place, stage):
        return []
    *directories, _ = place.split("/")
    in_bucket = bool(_UUID.fullmatch(directories[-1]))
    run = directories[: -2 if in_bucket else -1]
    return ["/".join(run), "/".join(run[: -2 if in_bucket else -1])]
