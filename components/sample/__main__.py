"""The command `python -m components.sample`."""

import sys
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
    artifacts={"model": "the model to write with", "samples": "where the samples go"},
    work=_work,
)

if __name__ == "__main__":
    sys.exit(STAGE.main())
