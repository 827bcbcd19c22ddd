"""Notify as a Kubeflow component: the exit task of a run. It never fails, and runs in ingest's image."""

from kfp import dsl

from components.artifacts.version import VERSION


@dsl.component(base_image=f"quillflow/ingest:{VERSION}", packages_to_install=[], install_kfp_package=False)
def notify(
    status: dsl.PipelineTaskFinalStatus,
    run: str,
    name: str,
    root: str,
    champion: str,
    endpoint: str,
    states: str,
    template: str,
) -> None:
    """Post how a run ended to a webhook, and call a heartbeat's URL if it succeeded.

    Args:
        status: how the run ended, from Kubeflow.
        run: the run's id.
        name: the run's name.
        root: URI below which runs store their artifacts; or empty.
        champion: URI of the pointer to the best model; or empty.
        endpoint: address of Kubeflow, for the link to the run.
        states: the states to report, separated by commas.
        template: the message's form, plain or slack.
    """
    from components.notify.notifying import notify as work

    work(
        status.state,
        status.error_message or "",
        run=run,
        name=name,
        root=root,
        champion=champion,
        endpoint=endpoint,
        states=states.split(","),
        template=template,
    )
