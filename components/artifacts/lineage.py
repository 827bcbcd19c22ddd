"""An artifact's lineage: what it was made from, back to the source, by digest."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from components.artifacts import storage
from components.artifacts.finding import Artifact, find, nearest, read_at
from components.artifacts.layout import above


class Step(NamedTuple):
    """What the artifact `made` was made from: its kind and digest, and the artifact if it was found."""

    made: Artifact
    kind: str
    digest: str
    found: Artifact | None


def trace(artifact: Artifact, known: Sequence[Artifact]) -> list[Step]:
    """All that an artifact was made from, as far back as it is known; of several identical ones the nearest."""
    steps: list[Step] = []
    makers = [artifact]
    for made in makers:
        for kind, digest in made.manifest.made_from.items():
            if any(step.digest == digest for step in steps):
                continue
            found = nearest(artifact, [one for one in known if one.digest == digest])
            steps.append(Step(made, kind, digest, found))
            if found:
                makers.append(found)
    return steps


def lineage(uri: str) -> dict[str, Artifact]:
    """The artifact at `uri` and what it was made from, by kind, as far as its run or all runs next to it have that.

    Raises:
        StorageError: the store fails after all retries.
    """
    artifact = read_at(storage.place_of(uri))
    if artifact is None:
        return {}
    steps: list[Step] = []
    for place in above(str(artifact.place), artifact.manifest.producer.stage):
        steps = trace(artifact, find(place))
        if all(step.found or step.kind == "source" for step in steps):
            break
    return {artifact.manifest.kind: artifact, **{step.kind: step.found for step in steps if step.found}}


def samples_of(chain: Mapping[str, Artifact]) -> Artifact | None:
    """The samples that a lineage's model wrote in its own run, if they are there."""
    model = chain.get("model")
    beside = find(str(model.run_place)) if model and model.run_place else []
    of_model = [one for one in beside if model and one.manifest.made_from.get("model") == model.digest]
    return next((one for one in of_model if one.manifest.kind == "samples"), None)
