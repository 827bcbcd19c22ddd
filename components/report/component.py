"""Report as a Kubeflow component. It draws plots like ingest, and runs in ingest's image."""

from kfp import dsl

from components.artifacts.version import VERSION


@dsl.component(base_image=f"quillflow/ingest:{VERSION}", packages_to_install=[], install_kfp_package=False)
def report(
    corpus: dsl.Input[dsl.Dataset],
    dataset: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    samples: dsl.Input[dsl.Dataset],
    version: str,
    report: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
    summary: dsl.Output[dsl.Markdown],
) -> None:
    """Summarize a run's artifacts on one page.

    Args:
        corpus: the run's corpus.
        dataset: the run's dataset.
        model: the run's model.
        samples: the run's samples.
        version: the suite's version, so that the cache never reuses another version's results.
        report: the page and its summary.
        page: the page, for Kubeflow's UI.
        summary: the summary, for Kubeflow's UI.
    """
    from components.command.stage import input_uri, output_uri, stage_task
    from components.command.views import show
    from components.report.reporting import report as work

    with stage_task("report"):
        report_uri = output_uri(report, "report")
        work(
            corpus=input_uri(corpus),
            dataset=input_uri(dataset),
            model=input_uri(model),
            samples=input_uri(samples),
            report=report_uri,
        )
        show(report_uri, "report.html", page)
        show(report_uri, "summary.md", summary)
