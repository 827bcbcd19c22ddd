"""The command `python -m components.ingest`."""

import sys
from typing import Any

from components.command.stage import Stage
from components.ingest.config import IngestConfig


def _work(config: IngestConfig, **uris: str) -> dict[str, Any]:
    from components.ingest.ingesting import ingest

    return ingest(config, **uris)


STAGE = Stage(
    name="ingest",
    summary="Read a text source and write it, cleaned, as a corpus.",
    settings=IngestConfig,
    artifacts={
        "source": "the text: builtin:python-docs, files, directories, globs, http(s), places in buckets, - for stdin",
        "corpus": "where the corpus goes",
    },
    work=_work,
    several=frozenset({"source"}),
)

if __name__ == "__main__":
    sys.exit(STAGE.main())
