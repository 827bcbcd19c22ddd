"""The table of the pipeline's steps, in order; every other list of steps is derived from it."""

from components.command.stage import Stage, Step
from components.ingest.stage import STAGE as INGEST
from components.notify.stage import STEP as NOTIFY
from components.promote.stage import STEP as PROMOTE
from components.report.stage import STEP as REPORT
from components.sample.stage import STAGE as SAMPLE
from components.train.stage import STAGE as TRAIN
from components.unchanged.stage import STEP as UNCHANGED
from components.vectorize.stage import STAGE as VECTORIZE

STEPS: dict[str, Step] = {
    step.name: step for step in (INGEST, UNCHANGED, VECTORIZE, TRAIN, SAMPLE, REPORT, PROMOTE, NOTIFY)
}
HERE = tuple(name for name, step in STEPS.items() if not step.on_cluster)
"""The steps of a run on this machine."""
STAGES: dict[str, Stage] = {name: step for name, step in STEPS.items() if isinstance(step, Stage)}
"""The steps with settings, which have a command and a pipeline of their own."""
MADE_BY = {output: step.name for step in STEPS.values() for output in step.outputs}
"""A run's artifacts, each with the step that makes it."""
