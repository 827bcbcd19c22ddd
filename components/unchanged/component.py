"""Unchanged as a Kubeflow component. It reads manifests only, and runs in ingest's image."""

from typing import Any

from kfp import dsl

from components.artifacts.version import VERSION


@dsl.component(base_image=f"quillflow/ingest:{VERSION}", packages_to_install=[], install_kfp_package=False)
def unchanged(
    corpus: dsl.Input[dsl.Dataset],
    champion: str,
    on_unchanged: str,
    vectorize: dict[str, Any],
    train: dict[str, Any],
    sample: dict[str, Any],
    summary: dsl.Output[dsl.Markdown],
) -> str:
    """Say whether the champion was made from this corpus with these settings.

    Args:
        corpus: the run's corpus.
        champion: URI of the pointer to the best model so far.
        on_unchanged: train, whatever it says, or skip.
        vectorize: VectorizeConfig's fields.
        train: TrainConfig's fields.
        sample: SampleConfig's fields.
        summary: the answer and why, for Kubeflow's UI.

    Returns:
        skip if the run need not continue, else train.
    """
    from pathlib import Path

    from components.command import log
    from components.command.stage import input_uri, stage_task
    from components.unchanged.deciding import decide

    with stage_task("unchanged"):
        settings = {"dataset": vectorize, "model": train, "samples": sample}
        done = decide(input_uri(corpus), champion, settings, on_unchanged)
        log.info(done.as_line())
        Path(summary.path).write_text(f"# {done.as_line()}\n", encoding="utf-8")
        return done.action
