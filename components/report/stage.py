"""Report's row in the table of steps: it draws plots like ingest, and runs in ingest's image."""

from components.command.stage import Step

STEP = Step(
    name="report",
    inputs={
        "corpus": "the run's corpus",
        "dataset": "the run's dataset",
        "model": "the run's model",
        "samples": "the run's samples",
    },
    outputs={"report": "where to write the page and its summary"},
    page="report",
    runs_as="ingest",
)
