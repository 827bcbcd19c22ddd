"""The work of unchanged: compare a run's text and settings with those of the champion's lineage."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from components.artifacts import storage
from components.artifacts.champion import read_if_any
from components.artifacts.errors import ArtifactError
from components.artifacts.finding import Artifact
from components.artifacts.lineage import lineage, samples_of
from components.artifacts.manifest import MANIFEST_NAME
from components.artifacts.version import VERSION

_OF_SHARDS = ("shard", "shards")
"""Settings on which no text depends."""


class Decision(NamedTuple):
    """What a run does after ingest, `train` or `skip`, and why."""

    action: str
    reason: str

    def as_line(self) -> str:
        """The decision as a sentence."""
        return f"{'Nothing is trained' if self.action == 'skip' else 'Training'}: {self.reason}"


def decide(corpus: str, champion: str, settings: Mapping[str, Mapping[str, Any]], on_unchanged: str) -> Decision:
    """Whether a run should continue after ingest.

    Args:
        corpus: URI of the run's corpus.
        champion: URI of the pointer to the best model so far.
        settings: of the stages that make dataset, model and samples, by what they make.
        on_unchanged: `skip` or `train`.

    Raises:
        ArtifactError: the pointer is damaged, or there is no corpus.
        StorageError: the store fails after all retries.
    """
    if on_unchanged != "skip":
        return Decision("train", "on_unchanged is not skip")
    pointer = read_if_any(champion)
    if pointer is None:
        return Decision("train", "there is no champion yet")
    chain = lineage(pointer.model)
    if "model" in chain and chain["model"].digest != pointer.digest:
        return Decision("train", "the champion's model was replaced by another")
    if (samples := samples_of(chain)) is not None:
        chain["samples"] = samples
    changes = _changes(_digest(corpus), chain, settings)
    if changes:
        return Decision("train", changes[0])
    return Decision("skip", f"the champion {pointer.model} was made from the same text with the same settings")


def _changes(corpus: str, chain: Mapping[str, Artifact], settings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What differs from the champion's lineage, the text first."""
    if gone := {"corpus", *settings} - chain.keys():
        return [f"the champion's {', '.join(sorted(gone))} can't be found, so nothing is known of it"]
    changes = [] if chain["corpus"].digest == corpus else ["the text, its settings or their version changed"]
    for kind, wanted in settings.items():
        manifest = chain[kind].manifest
        if manifest.producer.version != VERSION:
            changes.append(f"the champion's {kind} was made by version {manifest.producer.version}, this is {VERSION}")
        names = (manifest.config.keys() | wanted.keys()) - {*_OF_SHARDS}
        differing = sorted(name for name in names if manifest.config.get(name) != wanted.get(name))
        if differing:
            changes.append(f"{manifest.producer.stage}.{', '.join(differing)} changed")
    return changes


def _digest(corpus: str) -> str:
    found = storage.read_file(f"{corpus}/{MANIFEST_NAME}")
    if found is None:
        raise ArtifactError(f"{corpus}: no {MANIFEST_NAME}, so there is no complete artifact here; re-run ingest")
    return sha256(found[0]).hexdigest()
