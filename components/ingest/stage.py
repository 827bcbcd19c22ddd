"""Ingest's row in the table of steps, and its command."""

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
    inputs={
        "source": "the text: builtin:python-docs, files, directories, globs, http(s) or bucket URIs, or - for stdin"
    },
    outputs={"corpus": "where to write the corpus"},
    page="corpus",
    several=frozenset({"source"}),
    work=_work,
)
