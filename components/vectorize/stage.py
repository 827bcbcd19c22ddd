"""Vectorize's row in the table of steps, and its command."""

from typing import Any

from components.command.stage import Stage
from components.vectorize.config import VectorizeConfig


def _work(config: VectorizeConfig, **uris: str) -> dict[str, Any]:
    from components.vectorize.vectorizing import vectorize

    return vectorize(config, **uris)


STAGE = Stage(
    name="vectorize",
    summary="Write a corpus as token ids in TFRecords, with its vocabulary.",
    settings=VectorizeConfig,
    inputs={"corpus": "the corpus to read"},
    outputs={"dataset": "where to write the dataset"},
    work=_work,
)
