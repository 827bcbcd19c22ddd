"""A run's arguments: what the pipeline is called with, here and on a cluster."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import UsageError
from components.command.settings import Settings, places_in
from components.steps import STAGES
from pipelines.inputs.digests import (
    digest_of,
    digest_of_artifact,
    digest_of_checkpoints,
    digest_of_source,
    suite_version,
)

MEANT_BY_ENGINE = re.compile(r"\{\{\$|/kfp-workspace")
"""What Kubeflow's engine replaces, anywhere in a task's arguments."""
MEANT_ON_CLUSTER = re.compile(rf"{MEANT_BY_ENGINE.pattern}|\{{\{{|\[\[(ScheduledTime|CurrentTime|Index|RunUUID)\b")
"""What a cluster replaces too: Argo what is in braces, the scheduler its own placeholders."""
_RENAME = "rename the file or directory"
_PLACES = {f"{name}.{place}": what for name, stage in STAGES.items() for place, what in stage.settings.places().items()}
_WAYS_OUT = {
    "sample.prompts": "put it into a prompts file (sample.prompts_file)",
    "--root": "name another directory",
    **dict.fromkeys(["--source", *_PLACES], _RENAME),
}
_FETCHED = {"--source", *(name for name, what in _PLACES.items() if what.of == "file")}
DIGESTS = tuple(what.digest for what in _PLACES.values())
"""The parameters with the digests of the places that settings name."""
_CREDENTIALS = "credentials come from the environment"


def arguments_of(source: str, settings: Mapping[str, Settings]) -> dict[str, Any]:
    """The whole pipeline's arguments: settings as plain values, local paths absolute, digests for the cache.

    Raises:
        UsageError: a URI holds secrets and is not of a file that is fetched over http(s).
    """
    for name, uri in _places(source, settings):
        if storage.has_secrets(uri) and (name not in _FETCHED or not uri.lower().startswith("http")):
            raise UsageError(f"{name} {storage.redacted(uri)}: leave out the user or query; {_CREDENTIALS}")
    private = bool(getattr(settings["ingest"], "allow_private_hosts", False))
    refuse_meant(_named_values(source, settings), MEANT_BY_ENGINE)
    return {
        "source": _absolute_source(source),
        **{stage: plain(settings[stage]) for stage in settings},
        "source_digest": digest_of_source(source, allow_private_hosts=private),
        **place_digests(settings),
        "version": suite_version(),
    }


def withhold(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A run's arguments without secrets in URIs, and the environment variable that passes the secrets to the stages.

    Kubeflow's engine writes arguments to the stages' command lines, its log and its cache.
    """
    known = storage.known_secrets()
    bare = [storage.bare(place, known) for place in storage.places_of(arguments["source"])]
    withheld = {name: dict(arguments[name]) for name in STAGES}
    for name in _FETCHED - {"--source"}:
        stage, setting = name.split(".")
        withheld[stage][setting] = storage.bare(withheld[stage][setting], known)
    return (
        {**arguments, "source": "\n".join(bare), **withheld},
        {storage.SECRETS_VARIABLE: " ".join(known)} if known else {},
    )


def plain(settings: Settings) -> dict[str, Any]:
    """A stage's settings as plain values, local places as absolute paths."""
    values = settings.model_dump(mode="json")
    return {**values, **{name: _absolute(uri) for name, uri in places_in(settings).items()}}


def place_digests(settings: Mapping[str, Settings], stages: Iterable[str] = STAGES) -> dict[str, str]:
    """Digests of the places that settings of these stages name, by parameter; empty if a setting names none."""
    private = bool(getattr(settings["ingest"], "allow_private_hosts", False))
    named = {
        "file": lambda uri: digest_of(uri, allow_private_hosts=private),
        "artifact": digest_of_artifact,
        "model": lambda uri: digest_of_artifact(uri) or digest_of(uri, allow_private_hosts=False),
        "checkpoints": digest_of_checkpoints,
    }
    return {
        place.digest: named[place.of](getattr(settings[stage], name))
        for stage in stages
        for name, place in settings[stage].places().items()
    }


def refuse_meant(values: Mapping[str, str | list[str]], meant: re.Pattern[str]) -> None:
    """Reject values that would silently change on their way to a stage.

    Args:
        values: by the names that users know.
        meant: texts that Kubeflow replaces.

    Raises:
        UsageError: a value contains one; where, and what to do.
    """
    for name, value in values.items():
        for text in [value] if isinstance(value, str) else value:
            if found := meant.search(text):
                way_out = _WAYS_OUT.get(name, "leave it out, or run the stage by its own command")
                shown = storage.without_secrets(text)
                raise UsageError(f"{name}: {shown!r} has {found[0]!r}, which Kubeflow would replace; {way_out}")


def refuse_for_cluster(source: str, settings: Mapping[str, Settings]) -> None:
    """Reject values that would not reach a pod unchanged, or that everybody who can read the cluster's runs would see.

    Raises:
        UsageError: the source, or a place that a setting names, is on this machine or has secrets; or Kubeflow would
            replace a value.
    """
    refuse_meant(_named_values(source, settings), MEANT_ON_CLUSTER)
    for name, uri in _places(source, settings):
        if storage.source_at(uri).is_here:
            raise UsageError(f"{name} {uri}: is on this machine, where the cluster can't read it; copy it to a bucket")
        if storage.has_secrets(uri):
            raise UsageError(
                f"{name} {storage.redacted(uri)}: its user or query would be in the run's parameters, for everybody "
                "to read; leave it out, and put the whole URI in a Kubernetes secret that the environment file's "
                f"store.secret_keys sets as {storage.SECRETS_VARIABLE}, or copy the file to a bucket"
            )


def _places(source: str, settings: Mapping[str, Settings]) -> list[tuple[str, str]]:
    """Every path and URI that a run names, with what names it."""
    named = [(f"{stage}.{name}", uri) for stage in settings for name, uri in places_in(settings[stage]).items()]
    return [*(("--source", place) for place in storage.places_of(source)), *named]


def _named_values(source: str, settings: Mapping[str, Settings]) -> dict[str, str | list[str]]:
    """All text in a run's arguments, by name; with places in their final form."""
    values: dict[str, Any] = {"--source": _absolute_source(source)}
    for stage in settings:
        values |= {f"{stage}.{name}": value for name, value in plain(settings[stage]).items()}
    return {name: value for name, value in values.items() if isinstance(value, str) or _is_text(value)}


def _is_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _absolute_source(source: str) -> str:
    """A source with absolute paths; the directory before a glob is escaped from its pattern."""
    return "\n".join(storage.source_at(place).absolute() for place in storage.places_of(source))


def _absolute(uri: str) -> str:
    """A path as an absolute one; any other URI, or an empty one, unchanged."""
    is_path = uri and "://" not in uri
    return str(storage.user_path(uri).absolute()) if is_path else uri
