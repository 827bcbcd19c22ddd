"""Promote as a Kubeflow component. It may have to score a model, so it runs in sample's image."""

from kfp import dsl

from components.artifacts.version import VERSION


@dsl.component(base_image=f"quillflow/sample:{VERSION}", packages_to_install=[], install_kfp_package=False)
def promote(dataset: dsl.Input[dsl.Dataset], model: dsl.Input[dsl.Model], champion: str) -> str:
    """Point the champion at the run's model, if that is better than the model it points at.

    Args:
        dataset: what the model was trained on, whose held-out text both are compared on.
        model: the run's model.
        champion: URI of the pointer to the best model so far.

    Returns:
        The result in one line.
    """
    from components.command import log
    from components.command.stage import input_uri, stage_task
    from components.promote.promoting import promote as work

    with stage_task("promote"):
        # The pointer outlives this task, so it holds the model's own URI, not that of the task's copy.
        done = work(model=model.uri, dataset=lambda: input_uri(dataset), champion=champion, copy=input_uri(model))
        log.info(done.as_line())
        return done.as_line()
