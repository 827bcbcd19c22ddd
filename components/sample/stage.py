"""Sample's row in the table of steps, and its command."""

from typing import Any

from components.command.stage import Stage
from components.sample.config import SampleConfig


def _work(config: SampleConfig, **uris: str) -> dict[str, Any]:
    from components.sample.sampling import sample

    return sample(config, **uris)


STAGE = Stage(
    name="sample",
    summary="Write new text in bulk with a model.",
    settings=SampleConfig,
    inputs={"model": "the model to write with"},
    outputs={"samples": "where to write the samples"},
    page="samples",
    less_memory="lower sample.batch",
    work=_work,
)
