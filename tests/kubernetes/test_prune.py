"""The CronJob of docs/operations.md on a real cluster: old runs go, the newest stays, and the pod ends well."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from moto.s3.models import s3_backends

from components.artifacts import storage
from tests.kubernetes.kubectl import ROOT, apply, get, image_of, kubectl, run, until
from tests.storage.old_runs import make_run, where

NIGHTS = "s3://quillflow/nights"
KEYS = {"AWS_ACCESS_KEY_ID": "accesskey", "AWS_SECRET_ACCESS_KEY": "secretkey"}


def documented() -> dict[str, Any]:
    """The CronJob that the docs show, for this store: what they say to replace, and the keys of an S3 server."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(apiVersion: batch/v1\nkind: CronJob\n.*?)^```", text, re.DOTALL | re.MULTILINE)
    found: dict[str, Any] = yaml.safe_load(block)
    (container,) = found["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    container["image"] = image_of("ingest")
    container["args"] = [f"--root={NIGHTS}", "--champion=none", "--keep-last=1", "--keep-days=1", "--yes"]
    container["env"] += [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": "object-store-credentials", "key": key}}}
        for name, key in KEYS.items()
    ]
    return found


def aged(part: str, days: int) -> None:
    """Let the store say that all objects whose key has a part were written so many days ago."""
    bucket = s3_backends["123456789012"]["aws"].buckets["quillflow"]
    for key in bucket.keys.values():
        if part in key.name:
            key.last_modified = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)


@pytest.mark.usefixtures("namespace")
def test_the_documented_cron_job_removes_old_runs() -> None:
    for days in (50, 40):
        make_run(NIGHTS, days)
        aged(f"/{days}-days-ago/", days)
    make_run(NIGHTS, 0)
    apply({**documented(), "metadata": {"name": "prune", "namespace": "quillflow"}})
    kubectl("create", "job", "--from=cronjob/prune", "prune-now")
    assert until("the end of prune", ended, reported=logs) == ["Complete"], logs()
    there = [
        days
        for days in (50, 40, 0)
        if storage.read_file(f"{where(NIGHTS, f'{days}-days-ago', 'model')}/manifest.json") is not None
    ]
    assert there == [0]
    assert "Removed 4 artifacts of 2 runs" in logs()
    kubectl("delete", "cronjob", "prune", "--wait=false")  # and its Job with it


def logs() -> str:
    return run("logs", "job/prune-now").stdout


def ended() -> list[str]:
    """How the Job ended; empty before it has."""
    conditions = get("job", "prune-now")["status"].get("conditions", [])
    return [each["type"] for each in conditions if each["type"] in {"Complete", "Failed"}]
