"""Promote's row in the table of steps: it may have to score a model, and runs in sample's image, which can."""

from components.command.stage import Step

STEP = Step(
    name="promote",
    inputs={"dataset": "what the model was trained on", "model": "the run's model"},
    outputs={},  # it moves a pointer
    runs_as="sample",
    less_memory="lower train.units",
)
