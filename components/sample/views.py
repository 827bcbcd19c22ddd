"""What Kubeflow's UI shows of samples."""

from collections.abc import Mapping
from typing import Any

from components.command.views import log_metrics, show


def show_samples(result: Mapping[str, Any], metrics: Any, page: Any) -> None:
    """Log the result of sampling, or of gathering shards, as a task's metrics, and publish the samples' page."""
    nats = {f"nats_per_token_at_{name}": value for name, value in result["nats_per_token"].items()}
    log_metrics(metrics, {**result["counts"], **nats})
    show(result["samples"], "report.html", page)
