"""Notify's row in the table of steps: it reads logs and manifests only, so it runs in ingest's image."""

from components.command.stage import Step

STEP = Step(name="notify", inputs={}, outputs={}, runs_as="ingest", on_cluster=True)
