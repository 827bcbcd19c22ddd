"""Uploads a pipeline to the cluster as a version of its own, and starts runs of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import kfp_server_api

from components.artifacts.as_json import as_json
from components.artifacts.scratch import scratch_directory
from components.artifacts.version import VERSION
from components.command import log
from pipelines.build.compile import compile_pipeline, version_name
from pipelines.build.environment import Environment
from pipelines.cluster.client import Client, MissingError, TakenError


@dataclass(frozen=True, kw_only=True)
class Package:
    """A compiled pipeline: its name, and its version's name, which depends on every byte of it."""

    pipeline: str
    version: str
    yaml: bytes


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """A run that was started: its id and name, the pipeline's version, and where a browser shows it."""

    run: str
    name: str
    version: str
    link: str

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {"run": self.run, "name": self.name, "version": self.version, "link": self.link}


def package(name: str, environment: Environment) -> Package:
    """The pipeline `name`, compiled for an environment."""
    with scratch_directory() as scratch:
        compiled = compile_pipeline(name, environment, scratch / f"{name}.yaml").read_bytes()
    return Package(pipeline=name, version=version_name(name, environment, compiled), yaml=compiled)


def submit(client: Client, what: Package, *, name: str, arguments: Mapping[str, Any]) -> Submitted:
    """Start a run of a package, which is uploaded if the cluster does not have it.

    Raises:
        ClusterError: the cluster refuses, or can't be reached.
    """
    run = client.write(
        f"the run {name}",
        client.runs.run_service_create_run,
        kfp_server_api.V2beta1Run(
            display_name=name,
            experiment_id=experiment(client),
            description=f"quillflow {VERSION}",
            pipeline_version_reference=bring(client, what),
            runtime_config=runtime_config(client, arguments),
            service_account=client.cluster.service_account or None,
        ),
    )
    link = f"{client.endpoint}/#/runs/details/{run.run_id}"
    return Submitted(run=run.run_id, name=name, version=what.version, link=link)


def runtime_config(client: Client, arguments: Mapping[str, Any]) -> Any:
    """A run's arguments, and the place of its artifacts if the environment names one."""
    return kfp_server_api.V2beta1RuntimeConfig(
        parameters=dict(arguments), pipeline_root=client.cluster.pipeline_root or None
    )


def experiment(client: Client) -> str:
    """The id of the environment's experiment, which is created if necessary."""
    found = find_experiment(client)
    if found is not None:
        return found
    name = client.cluster.experiment
    wanted = kfp_server_api.V2beta1Experiment(display_name=name, **client.namespace)
    try:
        made = client.write(
            f"the experiment {name}", client.experiments.experiment_service_create_experiment, wanted
        ).experiment_id
        return str(made)
    except TakenError:
        if (found := find_experiment(client)) is not None:  # another process has just created it
            return found
        raise


def find_experiment(client: Client) -> str | None:
    """The id of the environment's experiment, or None if it does not exist."""
    name = client.cluster.experiment
    wanted = {"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]}
    listed = client.pages(
        f"the experiment {name}",
        client.experiments.experiment_service_list_experiments,
        "experiments",
        filter=as_json(wanted),
        **client.namespace,
    )
    return next((str(found.experiment_id) for found in listed if found.display_name == name), None)


def bring(client: Client, what: Package) -> Any:
    """The reference of a package's version on the cluster, which is uploaded if necessary."""
    pipeline = _pipeline(client, what.pipeline)
    version = _find_version(client, pipeline, what)
    if version is None:
        try:
            version = _upload(client, pipeline, what)
        except TakenError:
            version = _find_version(client, pipeline, what)  # another process has just uploaded it
            if version is None:
                raise
    return kfp_server_api.V2beta1PipelineVersionReference(pipeline_id=pipeline, pipeline_version_id=version)


def _pipeline(client: Client, name: str) -> str:
    """The id of the pipeline `name`, which is created if necessary."""

    def found() -> str:
        call = client.pipelines.pipeline_service_get_pipeline_by_name
        return str(client.read(f"pipeline {name}", call, name, **client.namespace).pipeline_id)

    try:
        return found()
    except MissingError:
        wanted = kfp_server_api.V2beta1Pipeline(name=name, display_name=name, **client.namespace)
    try:
        made = client.write(f"the pipeline {name}", client.pipelines.pipeline_service_create_pipeline, wanted)
        return str(made.pipeline_id)
    except TakenError:
        return found()  # another process has just created it


def _find_version(client: Client, pipeline: str, what: Package) -> str | None:
    listed = client.pages(
        f"the versions of {what.pipeline}",
        client.pipelines.pipeline_service_list_pipeline_versions,
        "pipeline_versions",
        pipeline,
        sort_by="created_at desc",
    )
    return next((str(found.pipeline_version_id) for found in listed if what.version in _names(found)), None)


def _names(version: Any) -> set[str]:
    return {version.name, version.display_name}


def _upload(client: Client, pipeline: str, what: Package) -> str:
    with scratch_directory() as scratch:
        file = scratch / f"{what.version}.yaml"
        file.write_bytes(what.yaml)
        uploaded = client.write(
            f"the pipeline version {what.version}",
            client.uploads.upload_pipeline_version,
            str(file),
            name=what.version,
            display_name=what.version,
            pipelineid=pipeline,
        )
    log.info(f"Uploaded pipeline version {what.version}")
    return str(uploaded.pipeline_version_id)
