"""Environments: a file each, with images, each stage's pod, retries, the store and the cluster."""

from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ValidationError, model_validator

from components.artifacts.errors import UsageError
from components.artifacts.version import VERSION
from components.command.settings import Settings, explain, nearest, setting
from components.ingest.config import COMPARED
from components.steps import STAGES
from pipelines.build.forms import Address, Annotations, Labels, Name, Registry, Root, StoreUri, Tag
from pipelines.build.pods import Pod, SamplePod, TrainPod
from pipelines.inputs.settings import Recipe, hold_together
from pipelines.inputs.yaml_files import load_yaml, read_yaml

DAY = 86_400
_FILES = resources.files("pipelines") / "environments"


class Images(Settings):
    """Which images the stages run in."""

    registry: Registry = setting(
        "", "registry that images are pulled from; without one, the machine's own quillflow/... images are used"
    )
    tag: Tag = setting(VERSION, "the images' tag", min_length=1)
    pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = setting(
        "", "when to pull an image; empty for Kubernetes's default"
    )
    pull_secrets: tuple[Name, ...] = setting((), "names of the secrets with the registry's credentials")


class Retries(Settings):
    """How often and when a failed task is retried."""

    count: int = setting(0, "attempts after the first", unit="attempts", ge=0)
    backoff: int = setting(60, "wait before the first retry", unit="s", ge=0)
    factor: int = setting(2, "factor by which each further wait is longer", ge=1)
    maximum: int = setting(
        14 * DAY,
        "time limit for all attempts together; must be longer than training takes",
        unit="s",
        ge=1,
    )


class ObjectStore(Settings):
    """How tasks access the object store; without a secret, through the service account (workload identity)."""

    endpoint: Address = setting("", "an S3 server's address (AWS_ENDPOINT_URL_S3); empty for the clouds' own")
    region: str = setting("", "an S3 store's region (AWS_REGION); empty for the server's default")
    request_payer: Literal["", "requester"] = setting(
        "", "set to requester to read S3 buckets whose requester pays (AWS_REQUEST_PAYER)"
    )
    user_project: str = setting("", "the project that pays for gs:// buckets whose requester pays (GS_USER_PROJECT)")
    secret: Name = setting("", "name of the secret with the credentials; empty for workload identity")
    secret_keys: dict[str, str] = setting(
        {"accesskey": "AWS_ACCESS_KEY_ID", "secretkey": "AWS_SECRET_ACCESS_KEY"},
        "the secret's keys, each with the environment variable that it sets",
    )


class Notify(Settings):
    """Who is notified when a run on the cluster has ended."""

    secret: Name = setting("", "name of the secret with the URLs; empty to tell nobody")
    webhook_key: str = setting("webhook", "the secret's key with the URL that one JSON message is posted to")
    heartbeat_key: str = setting("heartbeat", "the secret's key with the URL that is called after each success")
    states: tuple[Literal["succeeded", "unchanged", "failed", "canceled"], ...] = setting(
        ("succeeded", "failed"), "how a run must have ended for a message; unchanged: with nothing new to train on"
    )
    template: Literal["plain", "slack"] = setting(
        "plain", "the message: all fields, or only a text as Slack and compatible services take it"
    )


class Cluster(Settings):
    """Kubeflow Pipelines, and the settings of runs there."""

    endpoint: Address = setting("", "address of the Kubeflow Pipelines API; empty without a cluster")
    context: str = setting(
        "",
        "kubeconfig context of the cluster, for more details about runs; empty for the current one",
    )
    namespace: Name = setting("", "Kubernetes namespace of the runs; empty for Kubeflow's own")
    experiment: str = setting("quillflow", "the experiment that runs are listed under", min_length=1)
    pipeline_root: Root = setting("", "URI below which runs store their artifacts; empty for the namespace's default")
    service_account: Name = setting("", "Kubernetes service account of the runs; empty for the namespace's default")
    champion: StoreUri = setting(
        "",
        "URI of the pointer to the best model, which a run moves if its model is better; empty for none",
    )
    on_unchanged: Literal["train", "skip"] = setting(
        "train",
        "schedules: what a run does if the champion was made from the same text with the same settings; skip ends it "
        "after ingest",
    )
    notify: Notify = setting(Notify(), "who is notified when a run has ended")
    schedules: str = setting("deploy/schedules", "directory of the schedules' files")


class Environment(Settings):
    """An environment that pipelines run in. The defaults are this machine's: no requests and no limits."""

    name: str = setting("", "its name: the file's, without .yaml")
    description: str = setting("", "its description, in a line")
    images: Images = setting(Images(), "the stages' images")
    ingest: Pod = setting(Pod(), "ingest's pod")
    vectorize: Pod = setting(Pod(), "vectorize's pod")
    train: TrainPod = setting(TrainPod(), "train's pod")
    sample: SamplePod = setting(SamplePod(), "sample's pods")
    labels: Labels = setting({}, "labels of all pods")
    annotations: Annotations = setting({}, "annotations of all pods")
    run_as_non_root: bool = setting(
        False, "refuse to start a container as root, as Pod Security's level restricted requires"
    )
    retries: Retries = setting(Retries(), "how failed tasks are retried")
    caching: bool = setting(True, "use the cache for what was made before from the same inputs")
    ttl: int = setting(
        0, "how long a finished run's pods are kept; 0 for the cluster's default", unit="s", ge=0, lt=2**31
    )
    ttl_failed: int = setting(0, "how long a failed run's pods are kept; 0 for ttl", unit="s", ge=0, lt=2**31)
    deadline: int = setting(0, "how long a whole run may take; 0 for no limit", unit="s", ge=0, lt=2**31)
    settings: dict[str, dict[str, Any]] = setting(
        {}, "stages' settings for runs on its cluster; a recipe's, a schedule's and --set override them"
    )
    store: ObjectStore = setting(ObjectStore(), "how tasks access the object store")
    cluster: Cluster = setting(Cluster(), "Kubeflow Pipelines, and the settings of runs there")

    @model_validator(mode="after")
    def _retries_outlive_attempts(self) -> Self:
        longest = max(pod.timeout for pod in (self.ingest, self.vectorize, self.train, self.sample))
        if self.retries.count and self.retries.maximum <= longest:
            raise ValueError(
                f"retries.maximum {self.retries.maximum} must be more than the longest timeout, {longest}: "
                "an attempt that fails late would not be retried"
            )
        return self

    @model_validator(mode="after")
    def _settings_are_of_stages(self) -> Self:
        for stage, values in self.settings.items():
            if stage not in STAGES:
                raise ValueError(f"settings: no stage {stage!r}; {nearest(stage, STAGES)}")
            try:
                STAGES[stage].settings.parse(values, stage)
            except UsageError as error:
                raise ValueError(f"settings: {error}") from None
        return self

    def beneath(self, chosen: Recipe) -> Recipe:
        """A recipe on top of the environment's settings for stages."""
        stages = {stage: {**self.settings.get(stage, {}), **values} for stage, values in chosen.stages.items()}
        return replace(chosen, stages=stages)

    def check(self, settings: Mapping[str, Settings]) -> None:
        """Check the stages' settings against the environment.

        Raises:
            UsageError: both set shards, or a gate needs a champion and there is none.
        """
        if not self.cluster.champion and (given := settings["ingest"].set_among(COMPARED)):
            raise UsageError(
                f"ingest: {', '.join(given)} compare with the champion's corpus, and the environment {self.name} has "
                "no champion; set cluster.champion, or these to 1"
            )
        if self.sample.shards > 1 and getattr(settings["sample"], "shards", 1) > 1:
            raise UsageError(
                f"sample.shards: the environment {self.name} already has {self.sample.shards} shards; leave it at 1"
            )

    def check_whole_run(self, settings: Mapping[str, Settings]) -> None:
        """As `check`, for a run of all stages, which promotes its model if the environment has a champion.

        Raises:
            UsageError: as `check`, or a stage's settings leave another's without effect, or no text would be held out
                for comparing the model with the champion.
        """
        self.check(settings)
        hold_together(settings)
        if self.cluster.champion and not getattr(settings["vectorize"], "held_out", 0):
            raise UsageError(
                f"vectorize.held_out: the environment {self.name} has a champion, which is chosen by the held-out "
                "loss; set it above 0, such as 0.1"
            )


def environment_names() -> list[str]:
    """All environments that come with Quillflow, sorted."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _FILES.iterdir() if entry.name.endswith(".yaml"))


def environment(name_or_path: str) -> Environment:
    """The environment of this name, or that of a file.

    Raises:
        UsageError: there is none, or its file is wrong; one line with the file, place, value and what is allowed.
    """
    if name_or_path.endswith((".yaml", ".yml")) or "/" in name_or_path:
        values = read_yaml(name_or_path, name_or_path)
        return _checked(values, name=Path(name_or_path).stem, place=name_or_path)
    names = environment_names()
    if name_or_path not in names:
        raise UsageError(
            f"no environment {name_or_path!r}; {nearest(name_or_path, names)} (a file's name ends in .yaml)"
        )
    values = load_yaml((_FILES / f"{name_or_path}.yaml").read_text("utf-8"), f"{name_or_path}.yaml")
    return _checked(values, name=name_or_path, place=f"{name_or_path}.yaml")


def _checked(values: Any, *, name: str, place: str) -> Environment:
    values = values or {}
    if not isinstance(values, dict):
        raise UsageError(f"{place}: must hold settings such as images: and train:, not {values!r}")
    try:
        return Environment.model_validate({"name": name, **values})
    except ValidationError as error:
        raise UsageError(f"{place}: {explain(Environment, '', error)}") from None
