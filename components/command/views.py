"""What Kubeflow's UI shows of a stage: its pages, and metrics by which it compares runs.

A task's output that has no file is never answered for by Kubeflow's local cache, so each of them gets one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.artifacts import storage
from components.artifacts.as_json import as_json
from components.artifacts.errors import ArtifactError


def show(uri: str, name: str, view: Any) -> None:
    """Lay the file `name` of the artifact at `uri` where the UI reads an HTML or Markdown output.

    Raises:
        ArtifactError: the artifact has no such file.
    """
    found = storage.read_file(f"{uri}/{name}")
    if found is None:
        raise ArtifactError(f"{uri}/{name}: missing; make the artifact again")
    Path(view.path).write_bytes(found[0])


def log_metrics(metrics: Any, values: Mapping[str, Any]) -> None:
    """Give a Metrics output those of the values that are known."""
    known = {name: value for name, value in values.items() if value is not None}
    for name, value in known.items():
        metrics.log_metric(name, value)
    Path(metrics.path).write_text(as_json(known), encoding="utf-8")
