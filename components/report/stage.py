"""Report's row in the table of steps: it draws as ingest does, and runs in ingest's image."""

from components.command.stage import Step

STEP = Step(
    name="report",
    inputs={
        "corpus": "the run's corpus",
        "dataset": "the run's dataset",
        "model": "the run's model",
        "samples": "the run's samples",
    },
    outputs={"report": "where the page and its summary go"},
    page="report",
    runs_as="ingest",
)
