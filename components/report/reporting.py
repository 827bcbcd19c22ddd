"""The work of report: a run's artifacts in, one page and a summary out."""

import hashlib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from components.artifacts import storage
from components.artifacts.errors import ArtifactError
from components.artifacts.layout import run_of
from components.artifacts.manifest import MANIFEST_NAME, Manifest, parse_manifest, write_manifest
from components.command import log
from components.report.page import ReportedRun, write_run
from components.report.summary import summary_of


@dataclass(frozen=True, kw_only=True)
class InputArtifact:
    """One of the run's artifacts: its URI, its manifest and the manifest's SHA-256."""

    uri: str
    manifest: Manifest
    digest: str

    @classmethod
    def at(cls, uri: str, kind: str) -> "InputArtifact":
        """The artifact at a URI.

        Raises:
            ArtifactError: it is missing, damaged or of another kind.
        """
        found = storage.read_file(f"{uri}/{MANIFEST_NAME}")
        if found is None:
            raise ArtifactError(f"{uri}: no {MANIFEST_NAME}, so no complete artifact is here")
        manifest = parse_manifest(found[0], uri, kind)
        return cls(uri=uri, manifest=manifest, digest=hashlib.sha256(found[0]).hexdigest())

    def read(self, name: str) -> str:
        """One of its files, checked against the manifest.

        Raises:
            ArtifactError: it is missing or damaged.
        """
        data, _ = storage.read_file(f"{self.uri}/{name}") or (b"", "")
        listed = self.manifest.files.get(name)
        if listed is None or hashlib.sha256(data).hexdigest() != listed.sha256:
            raise ArtifactError(f"{self.uri}/{name}: missing, damaged or altered; re-run the stage that made it")
        return data.decode()


def report(*, corpus: str, dataset: str, model: str, samples: str, report: str) -> dict[str, Any]:
    """Write a run's report at the URI `report`: a page, a summary and a manifest.

    Returns:
        The report's URI.

    Raises:
        ArtifactError: an artifact is missing, damaged or of another kind.
    """
    uris = {"corpus": corpus, "dataset": dataset, "model": model, "samples": samples}
    storage.check_outputs({"report": report}, uris)
    artifacts = {kind: InputArtifact.at(uri, kind) for kind, uri in uris.items()}
    run = _run(artifacts, report)
    with storage.outgoing(report, "report", log.transferred) as directory:
        write_run(directory / "report.html", run)
        (directory / "summary.md").write_bytes(summary_of(run).encode("utf-8", "backslashreplace"))
        write_manifest(
            directory,
            kind="report",
            stage="report",
            config={},
            counts={},
            made_from={"samples": artifacts["samples"].digest},  # from which the others are found
        )
    return {"report": report}


def _run(artifacts: Mapping[str, InputArtifact], report: str) -> ReportedRun:
    model, samples = artifacts["model"], artifacts["samples"]
    return ReportedRun(
        name=run_of(report, "report"),
        manifests={kind: artifact.manifest for kind, artifact in artifacts.items()},
        digests={kind: artifact.digest for kind, artifact in artifacts.items()},
        pages={
            kind: _link(f"{artifact.uri}/report.html", report)
            for kind, artifact in artifacts.items()
            if "report.html" in artifact.manifest.files
        },
        metrics_json=model.read("metrics.json"),
        history_jsonl=model.read("history.jsonl"),
        samples_jsonl=samples.read(min(name for name in samples.manifest.files if name.endswith(".jsonl"))),
    )


def _link(uri: str, report: str) -> str:
    """A page's link relative to the report's, if both are below one root; otherwise empty."""
    (scheme, _, path), (report_scheme, _, report_path) = _parts(uri), _parts(report)
    if scheme != report_scheme:
        return ""
    return quote(posixpath.relpath(path, report_path))


def _parts(uri: str) -> tuple[str, str, str]:
    return uri.partition("://") if "://" in uri else ("", "", str(Path(uri).absolute()))
