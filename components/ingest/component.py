"""Ingest as a Kubeflow component."""

from typing import Any

from kfp import dsl

from components.artifacts.version import VERSION


@dsl.component(base_image=f"quillflow/ingest:{VERSION}", packages_to_install=[], install_kfp_package=False)
def ingest(
    source: str,
    settings: dict[str, Any],
    source_digest: str,
    version: str,
    corpus: dsl.Output[dsl.Dataset],
) -> None:
    """Read a text source and write it, cleaned, as a corpus.

    Args:
        source: URI of the text, or builtin:python-docs.
        settings: IngestConfig's fields.
        source_digest: names the source's bytes, so that the cache notices when they change.
        version: the suite's version, so that the cache never answers for another one.
        corpus: the corpus.
    """
    from components.command.stage import output_uri, stage_task
    from components.ingest.config import IngestConfig
    from components.ingest.ingesting import ingest as work

    with stage_task("ingest"):
        work(IngestConfig.parse(settings, "ingest"), source=source, corpus=output_uri(corpus, "ingest"))
