"""Unchanged's row in the table of steps: it reads manifests only, so it runs in ingest's image."""

from components.command.stage import Step

STEP = Step(
    name="unchanged",
    inputs={"corpus": "the run's corpus"},
    outputs={},  # its answer is a parameter
    runs_as="ingest",
    on_cluster=True,
)
