"""A run's arguments: what the pipeline is called with, here and on a cluster."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import UsageError
from components.command.settings import Settings
from pipelines.cache import digest_of, suite_version

PLACES = ("init_from", "prompts_file", "corpus")
"""The settings that name places."""


def arguments_of(source: str, settings: Mapping[str, Settings]) -> dict[str, Any]:
    """The whole pipeline's arguments: settings as plain values, local paths absolute, digests for the cache."""
    private = bool(getattr(settings["ingest"], "allow_private_hosts", False))
    return {
        "source": _absolute(source),
        **{stage: plain(settings[stage]) for stage in settings},
        "source_digest": digest_of(source, allow_private_hosts=private),
        "prompts_digest": prompts_digest(settings),
        "version": suite_version(),
    }


def plain(settings: Settings) -> dict[str, Any]:
    """A stage's settings as plain values, local places as absolute paths."""
    values = settings.model_dump(mode="json")
    return {**values, **{name: _absolute(values[name]) for name in PLACES if name in values}}


def prompts_digest(settings: Mapping[str, Settings]) -> str:
    """Names the bytes of the file of prompts that sample's settings name; empty where they name none."""
    private = bool(getattr(settings["ingest"], "allow_private_hosts", False))
    return digest_of(getattr(settings["sample"], "prompts_file", ""), allow_private_hosts=private)


def refuse_local_files(source: str, settings: Mapping[str, Settings]) -> None:
    """Refuse what a pod could not open.

    Raises:
        UsageError: the source, or a place that a setting names, is on this machine.
    """
    named = {
        "--source": source,
        "train.init_from": getattr(settings["train"], "init_from", ""),
        "sample.prompts_file": getattr(settings["sample"], "prompts_file", ""),
        "sample.corpus": getattr(settings["sample"], "corpus", ""),
    }
    for name, uri in named.items():
        if uri and not uri.startswith("builtin:") and storage.local_path(uri) is not None:
            raise UsageError(f"{name} {uri}: is on this machine, where the cluster can't read it; put it in a bucket")


def _absolute(uri: str) -> str:
    """A path as seen from anywhere; any other URI, and none, as it is."""
    is_path = uri and "://" not in uri and not uri.startswith("builtin:")
    return str(Path(uri).expanduser().absolute()) if is_path else uri
