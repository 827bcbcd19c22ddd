"""Applies an environment's settings to a pipeline and to each of its tasks; the only place that does."""

from typing import Any

from kfp import dsl, kubernetes

from components.artifacts.storage.buckets import KINDS
from components.command.log import FORMAT_VARIABLE, RUN_VARIABLE
from components.notify.notifying import HEARTBEAT_VARIABLE, WEBHOOK_VARIABLE
from components.steps import STEPS
from components.train.attempts import RETRIES_VARIABLE, Retries
from pipelines.build.environment import Environment, Notify
from pipelines.build.forms import COMPONENT_LABEL
from pipelines.build.images import image
from pipelines.build.pods import Pod, TrainPod, quantity

NOTIFY_SECONDS = 600
SHARED_MEMORY = "/dev/shm"  # noqa: S108 -- where it is mounted, no file of ours


def limits(environment: Environment) -> dsl.PipelineConfig:
    """How long a run of a pipeline may take, and how long it is kept.

    Kubeflow's default for unset values is an hour, and the earlier of completion's and the outcome's applies.
    """
    succeeded, failed = environment.ttl, environment.ttl_failed or environment.ttl
    return dsl.PipelineConfig(
        ttl_seconds_after_finished=max(succeeded, failed) if succeeded else None,
        ttl_seconds_after_success=succeeded or None,
        ttl_seconds_after_failure=failed or None,
        active_deadline_seconds=environment.deadline or None,
    )


def equip(task: Any, step: str, environment: Environment) -> Any:
    """Give a step's task its image, resources, nodes, retries and credentials; the task again."""
    pod: Pod = getattr(environment, STEPS[step].host)
    _set_image(task, STEPS[step].host, environment)
    _set_resources(task, pod)
    _set_nodes(task, pod)
    _set_metadata(task, pod, environment)
    _set_store(task, environment)
    if environment.cluster.namespace:
        # deploy/'s network policy identifies ingest by it, the only stage that may fetch sources.
        kubernetes.add_pod_label(task, COMPONENT_LABEL, step)
        task.set_env_variable(FORMAT_VARIABLE, "json")
        kubernetes.use_field_path_as_env(task, RUN_VARIABLE, "metadata.labels['pipeline/runid']")
    if environment.run_as_non_root:
        kubernetes.set_security_context(task, run_as_non_root=True)
    if pod.timeout:
        kubernetes.set_timeout(task, pod.timeout)
    if step == "train" and (environment.retries.count or environment.cluster.namespace):
        again = Retries(**environment.retries.model_dump(include={"count", "backoff", "factor"}))
        task.set_env_variable(RETRIES_VARIABLE, again.as_variable())
    if environment.retries.count:
        task.set_retry(
            environment.retries.count,
            backoff_duration=f"{environment.retries.backoff}s",
            backoff_factor=environment.retries.factor,
            # With Kubeflow's default, an hour, later failures would not be retried.
            backoff_max_duration=f"{environment.retries.maximum}s",
        )
    # No cache answers for what is done for its effect.
    return task.set_caching_options(environment.caching and bool(STEPS[step].outputs))


def _set_image(task: Any, stage: str, environment: Environment) -> None:
    images = environment.images
    gpu = stage == "train" and environment.train.gpus > 0
    task.set_container_image(image(stage, registry=images.registry, tag=images.tag, gpu=gpu))
    if images.pull_policy:
        kubernetes.set_image_pull_policy(task, images.pull_policy)
    if images.pull_secrets:
        kubernetes.set_image_pull_secrets(task, list(images.pull_secrets))


def _set_resources(task: Any, pod: Pod) -> None:
    for ask, amount in (
        (task.set_cpu_request, pod.cpu_request),
        (task.set_cpu_limit, pod.cpu_limit),
        (task.set_memory_request, pod.memory_request),
        (task.set_memory_limit, pod.memory_limit),
    ):
        if amount:
            ask(amount)
    if isinstance(pod, TrainPod) and pod.gpus:
        task.set_accelerator_type(pod.gpu_type).set_accelerator_limit(pod.gpus)
    elif pod.ephemeral_storage:
        # Kubeflow 2.17 has no field for it, but passes on one resource of any name, as limit and so as request.
        task.set_accelerator_type("ephemeral-storage").set_accelerator_limit(int(quantity(pod.ephemeral_storage)))
    if pod.shared_memory:
        kubernetes.empty_dir_mount(
            task,
            volume_name="shared-memory",
            mount_path=SHARED_MEMORY,
            medium="Memory",
            size_limit=pod.shared_memory,
        )


def _set_nodes(task: Any, pod: Pod) -> None:
    for label, value in pod.node_selector.items():
        kubernetes.add_node_selector(task, label, value)
    if pod.preferred_nodes:
        wanted = [{"key": key, "operator": "In", "values": [value]} for key, value in pod.preferred_nodes.items()]
        kubernetes.add_node_affinity(task, match_expressions=wanted, weight=100)
    for toleration in pod.tolerations:
        kubernetes.add_toleration(task, **{name: value for name, value in toleration if value})


def _set_metadata(task: Any, pod: Pod, environment: Environment) -> None:
    for key, value in {**environment.labels, **pod.labels}.items():
        kubernetes.add_pod_label(task, key, value)
    for key, value in {**environment.annotations, **pod.annotations}.items():
        kubernetes.add_pod_annotation(task, key, value)


def _set_store(task: Any, environment: Environment) -> None:
    """Set the object store's address and the secret with its credentials on the task, never the credentials."""
    store = environment.store
    for variable, name in sorted(pair for kind in KINDS for pair in kind.settings.items()):
        if value := getattr(store, name):
            task.set_env_variable(variable, value)
    if store.secret:
        kubernetes.use_secret_as_env(task, store.secret, dict(store.secret_keys))


def give_urls(task: Any, notify: Notify) -> Any:
    """Give the task that reports a run's end the secret's URLs, and a few minutes; the task again."""
    keys = {notify.webhook_key: WEBHOOK_VARIABLE, notify.heartbeat_key: HEARTBEAT_VARIABLE}
    # Optional: for want of a secret the pod would never start, and the run would never end.
    kubernetes.use_secret_as_env(task, notify.secret, {key: name for key, name in keys.items() if key}, optional=True)
    return kubernetes.set_timeout(task, NOTIFY_SECONDS)
