"""Where Kubeflow lays a run's artifacts.

Below a root it is <run>/<task>/<artifact> on this machine and <pipeline>/<run>/<task>/<uuid>/<artifact> in a bucket.
"""

import re

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def run_of(key: str, stage: str) -> str:
    """The run in the path of an artifact that `stage` made; empty where the stage was run alone.

    The task's name begins with its stage's: sample, sample-gather.
    """
    *above, _ = key.split("/")
    if above and _UUID.fullmatch(above[-1]):
        above.pop()
    return above[-2] if len(above) > 1 and f"{above[-1]}-".startswith(f"{stage}-") else ""
