"""The runs of a sweep on a cluster, side by side."""

import time
from collections.abc import Mapping, Sequence

from components.command import log
from pipelines.build.environment import Environment
from pipelines.cluster import runs
from pipelines.cluster.client import Client
from pipelines.cluster.intervening import cancel
from pipelines.cluster.submitting import package, submit
from pipelines.cluster.tasks import stages_in
from pipelines.inputs.arguments import arguments_of
from pipelines.inputs.combinations import Combination, Swept


def sweep_on_cluster(
    environment: Environment, wanted: Sequence[Combination], budget: float | None, source: str, name: str
) -> Swept:
    """Start a run for every combination, named after `name`, and wait until all have ended.

    The first one has made its dataset before the others start, so that the cache provides what they share.

    Runs that have not ended after `budget` seconds are cancelled.

    Raises:
        ClusterError: the cluster refuses, or can't be reached.
    """
    deadline = None if budget is None else time.monotonic() + budget
    client, what = Client(environment.cluster), package("text-generation", environment)
    labels: dict[str, str] = {}
    for number, one in enumerate(wanted, 1):
        arguments = arguments_of(source, one.settings)
        done = submit(client, what, name=f"{name}-{number}", arguments=arguments)
        log.info(f"Run {done.run} ({done.name}): {one.label}")
        labels[done.run] = one.label
        if number == 1 and environment.caching:
            _await_dataset(client, done.run, deadline)
    return _await_all(client, labels, deadline)


def _await_dataset(client: Client, run: str, deadline: float | None) -> None:
    for now in runs.polled(client, run):
        late = deadline is not None and time.monotonic() > deadline
        if late or (now is not None and "vectorize" in stages_in(now, "SUCCEEDED")):
            return


def _await_all(client: Client, labels: Mapping[str, str], deadline: float | None) -> Swept:
    swept = Swept()
    for run, label in labels.items():
        try:
            runs.wait(client, run, None if deadline is None else max(deadline - time.monotonic(), 0))
        except runs.FailedRunError as error:
            late = deadline is not None and time.monotonic() >= deadline
            if late and runs.state_of(runs.get(client, run)) not in runs.ENDED:
                cancel(client, run)
                swept.left.append(label)
                continue
            log.warning(f"{label}: {error}")
            swept.failed[label] = str(error)
        else:
            swept.made[run] = label
    return swept
