"""The champion: a small file at a fixed place that points at the best model so far.

It moves by compare-and-swap, and only to a model whose loss on the same held-out text is lower.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from components.artifacts import storage
from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import digest
from components.artifacts.storage import ABSENT, ConflictError, StorageError

ATTEMPTS = 10


class Champion(BaseModel):
    """What the pointer says of the model it points at.

    `digest` is the SHA-256 of the model's manifest; `held_out` names the held-out text as tokens, and `protocol` the
    way its loss was taken: losses [nats per token] can be compared where both are the same. `promoted` is UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: str
    digest: str
    loss: float
    protocol: str
    held_out: str
    run: str
    promoted: str


class Promotion(BaseModel):
    """What came of a promotion: whether the pointer moved, why or why not, and where it points now and did before."""

    moved: bool
    reason: str
    champion: Champion
    former: Champion | None


def promote(model: str, champion: str, *, run: str = "", force: bool = False) -> Promotion:
    """Point the champion at a model if its loss on the same held-out text is lower, or if there is none yet.

    Args:
        model: URI of the model.
        champion: URI of the pointer.
        run: the run that made the model, for people.
        force: move the pointer whatever the losses are: to new data, or back to an older model.

    Raises:
        ArtifactError: the model is damaged or has no held-out loss, or the losses can't be compared.
        StorageError: the store fails for good, or others keep moving the pointer.
    """
    candidate = _candidate(model, run)
    for _ in range(ATTEMPTS):
        found = storage.read_file(champion)
        former = _parse(found[0], champion) if found else None
        stays = _why_it_stays(candidate, former, champion, force=force)
        if former and stays:
            return Promotion(moved=False, reason=stays, champion=former, former=former)
        try:
            storage.write_file(champion, _rendered(candidate), expected=found[1] if found else ABSENT)
        except ConflictError:
            continue
        return Promotion(moved=True, reason=_why_it_moved(candidate, former), champion=candidate, former=former)
    raise StorageError(f"{champion}: others kept moving it; try again")


def read(champion: str) -> Champion:
    """What the pointer at a URI says.

    Raises:
        ArtifactError: there is none, or it is damaged.
    """
    found = storage.read_file(champion)
    if found is None:
        raise ArtifactError(f"{champion}: no champion is there yet; quillflow promote makes one")
    return _parse(found[0], champion)


def _candidate(model: str, run: str) -> Champion:
    with storage.incoming(model, "model") as directory:
        metrics = _metrics(directory, model)
        if metrics.get("validation_loss_nats") is None:
            raise ArtifactError(f"{model}: no text was held out, so it has no loss to compare; set vectorize.held_out")
        if not metrics.get("held_out"):
            raise ArtifactError(f"{model}: its metrics do not say which text was held out; train it with this version")
        return Champion(
            model=str(storage.place_of(model)),
            digest=digest(directory),
            loss=float(metrics["validation_loss_nats"]),
            protocol=str(metrics["validation_protocol"]),
            held_out=str(metrics["held_out"]),
            run=run,
            promoted=datetime.now(UTC).isoformat(timespec="seconds"),
        )


def _metrics(directory: Path, model: str) -> dict[str, Any]:
    try:
        metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ArtifactError(f"{model}/metrics.json: missing or torn; make the model again") from None
    return dict(metrics)


def _why_it_stays(candidate: Champion, former: Champion | None, place: str, *, force: bool) -> str:
    """Why the pointer is to stay where it is; empty where it is to move.

    Raises:
        ArtifactError: the losses can't be compared.
    """
    if former is None:
        return ""
    if candidate.digest == former.digest:
        return "it is the champion already"
    if force:
        return ""
    for field, what in (("held_out", "on other held-out text"), ("protocol", "by another protocol")):
        if getattr(candidate, field) != getattr(former, field):
            raise ArtifactError(
                f"{candidate.model}: its loss was taken {what} than that of the champion {former.model}, so they can't "
                f"be compared; --force moves {place} all the same"
            )
    if not candidate.loss < former.loss:
        return f"its loss, {candidate.loss:.4f} nats, is not below the champion's {former.loss:.4f}"
    return ""


def _why_it_moved(candidate: Champion, former: Champion | None) -> str:
    if former is None:
        return "it is the first"
    if (candidate.held_out, candidate.protocol) == (former.held_out, former.protocol):
        return f"its loss is {candidate.loss:.4f} nats where the former champion's was {former.loss:.4f}"
    return "it was forced, on other held-out text or protocol"


def _parse(data: bytes, place: str) -> Champion:
    try:
        return Champion.model_validate_json(data)
    except ValidationError:
        raise ArtifactError(f"{place}: no champion's pointer, or torn; name another place or remove it") from None


def _rendered(champion: Champion) -> bytes:
    return f"{champion.model_dump_json(indent=2)}\n".encode()
