"""Ingest as a Kubeflow component."""

from typing import Any

from kfp import dsl

from components.artifacts.version import VERSION


@dsl.component(base_image=f"quillflow/ingest:{VERSION}", packages_to_install=[], install_kfp_package=False)
def ingest(
    source: str,
    settings: dict[str, Any],
    source_digest: str,
    champion: str,
    version: str,
    corpus: dsl.Output[dsl.Dataset],
    page: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Read a text source and write it, cleaned, as a corpus.

    Args:
        source: URI of the text, or builtin:python-docs.
        settings: IngestConfig's fields.
        source_digest: a digest of the source's bytes, so that a change to them misses the cache.
        champion: URI of the pointer to the best model so far, whose corpus gates compare the text with; or empty.
        version: the suite's version, so that the cache never reuses another version's results.
        corpus: the corpus.
        page: its report, for Kubeflow's UI.
        metrics: its counts.
    """
    from components.command.stage import output_uri, stage_task
    from components.command.views import log_metrics, show
    from components.ingest.config import IngestConfig
    from components.ingest.ingesting import ingest as work

    with stage_task("ingest"):
        corpus_uri = output_uri(corpus, "ingest")
        config = IngestConfig.parse(settings, "ingest")
        result = work(config, source=source, corpus=corpus_uri, source_digest=source_digest, champion=champion)
        show(corpus_uri, "report.html", page)
        log_metrics(metrics, result["counts"])
