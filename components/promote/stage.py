"""Promote's row in the table of steps: it may have to score a model, so it runs in sample's image."""

from components.command.stage import Step

STEP = Step(
    name="promote",
    inputs={"dataset": "what the model was trained on", "model": "the run's model"},
    outputs={},  # it moves a pointer
    runs_as="sample",
    less_memory="lower train.units",
)
