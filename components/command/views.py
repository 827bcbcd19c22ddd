"""What Kubeflow's UI shows of a stage: its pages, and metrics for comparing runs.

Kubeflow's local cache never reuses a task with an output that has no file, so each output gets one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.artifacts import storage
from components.artifacts.as_json import as_json
from components.artifacts.errors import ArtifactError


def show(uri: str, name: str, view: Any) -> None:
    """Copy the file `name` of the artifact at `uri` to where the UI reads an HTML or Markdown output.

    Raises:
        ArtifactError: the artifact has no such file.
    """
    found = storage.read_file(f"{uri}/{name}")
    if found is None:
        raise ArtifactError(f"{uri}/{name}: missing; re-run the stage that made it")
    Path(view.path).write_bytes(found[0])


def log_metrics(metrics: Any, values: Mapping[str, Any]) -> None:
    """Set the known values on a Metrics output."""
    known = {name: value for name, value in values.items() if value is not None}
    for name, value in known.items():
        metrics.log_metric(name, value)
    Path(metrics.path).write_text(as_json(known), encoding="utf-8")
