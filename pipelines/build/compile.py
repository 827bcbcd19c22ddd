"""The pipelines as KFP YAML, for a cluster."""

import hashlib
import re
from collections.abc import Callable
from itertools import dropwhile
from pathlib import Path
from typing import Any

from kfp import compiler
from kfp.compiler.compiler_utils import KubernetesManifestOptions

from pipelines import single_stages, text_generation
from pipelines.build.environment import Environment

PIPELINES: dict[str, Callable[[Environment], Any]] = {
    "text-generation": text_generation.build,
    **single_stages.ALONE,
}


def compile_pipeline(name: str, environment: Environment, path: Path) -> Path:
    """Write a pipeline for an environment as KFP YAML, with the same bytes each time; return the file's path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    compiler.Compiler().compile(PIPELINES[name](environment), str(path))
    # The compiler's heading repeats the specification, with settings in a random order.
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join(dropwhile(lambda line: line.startswith("#"), lines)), encoding="utf-8")
    return path


def compile_resources(name: str, environment: Environment, path: Path) -> Path:
    """Write a pipeline as the Kubernetes resources Pipeline and PipelineVersion; return the file's path."""
    version = version_name(name, environment, compile_pipeline(name, environment, path).read_bytes())
    compiler.Compiler().compile(
        PIPELINES[name](environment),
        str(path),
        kubernetes_manifest_format=True,
        kubernetes_manifest_options=KubernetesManifestOptions(
            pipeline_name=name,
            pipeline_display_name=name,
            pipeline_version_name=version,
            pipeline_version_display_name=environment.images.tag,
            namespace=environment.cluster.namespace or None,
            include_pipeline_manifest=True,
        ),
    )
    return path


def version_name(name: str, environment: Environment, compiled: bytes) -> str:
    """The name of a pipeline's version on a cluster: it can't be changed there, so its name ends in a digest."""
    tag = re.sub("[^a-z0-9.]+", "-", environment.images.tag.lower()).strip("-.")
    return f"{name}-{tag}-{hashlib.sha256(compiled).hexdigest()[:8]}"


def compile_all(directory: Path, environment: Environment, *, kubernetes: bool = False) -> list[Path]:
    """Write the whole pipeline and each stage's own as `<name>.yaml` into `directory`; the files' paths.

    Args:
        directory: created if necessary.
        environment: where they run.
        kubernetes: write Kubernetes resources instead of KFP's own YAML.
    """
    write = compile_resources if kubernetes else compile_pipeline
    return [write(name, environment, directory / f"{name}.yaml") for name in PIPELINES]
