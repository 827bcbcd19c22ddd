"""The champion: a small file at a fixed place that points at the best model so far.

It moves by compare-and-swap, and only to a model whose loss on the same held-out text is lower.
"""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from components.artifacts import storage
from components.artifacts.as_json import as_json
from components.artifacts.errors import ArtifactError
from components.artifacts.layout import run_of
from components.artifacts.manifest import MANIFEST_NAME, digest, read_manifest
from components.artifacts.storage import ABSENT, ConflictError, StorageError

ATTEMPTS = 10


class Champion(BaseModel):
    """What the pointer says about its model.

    `digest` is the SHA-256 of the model's manifest, `run` the run that made it, for people; `held_out` names the
    held-out text as tokens, or the part of it that was scored, at most `evaluate_tokens` long (0: all of it).
    `protocol` is the evaluation that matches the model's training. Losses [nats per token] are comparable if they are
    of the same text. `promoted` is UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: str
    digest: str
    loss: float
    protocol: str
    held_out: str
    evaluate_tokens: int = 0
    run: str
    promoted: str


class Promotion(BaseModel):
    """The result of a promotion: whether the pointer moved, why or why not, and where it points now and did before."""

    moved: bool
    reason: str
    champion: Champion
    former: Champion | None

    def as_line(self) -> str:
        """The result as a sentence."""
        return f"Champion {'is now' if self.moved else 'stays'} {self.champion.model}: {self.reason}"


class Verdict(NamedTuple):
    """Whether the pointer should move, and why or why not."""

    moves: bool
    reason: str


Comparison = Callable[[Champion, Champion], Verdict]
"""Compares a model (first) with the champion when their losses are of different texts."""


def promote(model: str, champion: str, *, compare: Comparison, copy: str = "", force: bool = False) -> Promotion:
    """Point the champion at a model if its loss on the same held-out text is lower, or if there is no champion yet.

    Args:
        model: URI of the model.
        champion: URI of the pointer.
        compare: called if the champion's loss is of different held-out text.
        copy: where to read the model; its URI by default.
        force: move the pointer regardless of the losses, for example back to an older model.

    Raises:
        ArtifactError: the model is damaged or has no held-out loss, or `compare` raises it.
        StorageError: the store fails after all retries, or others keep moving the pointer.
    """
    candidate = _candidate(model, copy or model)
    for _ in range(ATTEMPTS):
        found = storage.read_file(champion)
        former = _parse(found[0], champion) if found else None
        moves, reason = _verdict(candidate, former, compare, force=force)
        if former and not moves:
            return Promotion(moved=False, reason=reason, champion=former, former=former)
        try:
            storage.write_file(champion, _rendered(candidate), expected=found[1] if found else ABSENT)
        except ConflictError:
            continue
        return Promotion(moved=True, reason=reason, champion=candidate, former=former)
    raise StorageError(f"{champion}: others kept moving it; try again")


def read(champion: str) -> Champion:
    """Read the pointer at a URI.

    Raises:
        ArtifactError: there is none, or it is damaged.
    """
    found = read_if_any(champion)
    if found is None:
        raise ArtifactError(f"{champion}: no champion is there yet; quillflow promote makes one")
    return found


def read_if_any(champion: str) -> Champion | None:
    """As `read`, but None if there is no pointer."""
    found = storage.read_file(champion)
    return _parse(found[0], champion) if found else None


def _candidate(model: str, copy: str) -> Champion:
    place = str(storage.place_of(model))
    with storage.incoming(copy, "model") as directory:
        metrics = _metrics(directory, model)
        loss = metrics.get("validation_loss_nats")
        if loss is None:
            raise ArtifactError(f"{model}: no text was held out, so it has no loss to compare; set vectorize.held_out")
        if not math.isfinite(loss):
            raise ArtifactError(f"{model}: its held-out loss is {loss}: training diverged; lower train.learning_rate")
        if not metrics.get("held_out"):
            raise ArtifactError(f"{model}: its metrics do not say which text was held out; train it with this version")
        return Champion(
            model=place,
            digest=digest(directory),
            loss=float(loss),
            protocol=str(metrics["validation_protocol"]),
            held_out=str(metrics["held_out"]),
            evaluate_tokens=int(read_manifest(directory).config.get("evaluate_tokens", 0)),
            run=run_of(place, "train"),
            promoted=datetime.now(UTC).isoformat(timespec="seconds"),
        )


def _metrics(directory: Path, model: str) -> dict[str, Any]:
    try:
        metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ArtifactError(f"{model}/metrics.json: missing or incomplete; train the model again") from None
    return dict(metrics)


def _verdict(candidate: Champion, former: Champion | None, compare: Comparison, *, force: bool) -> Verdict:
    if former is None:
        return Verdict(moves=True, reason="it is the first")
    if not _is_there(former):
        return Verdict(moves=True, reason=f"the former champion {former.model} is gone, or replaced by another model")
    if candidate.digest == former.digest:
        return Verdict(moves=False, reason="it is the champion already")
    if force:
        return Verdict(moves=True, reason="it was forced")
    return (_compare_losses if candidate.held_out == former.held_out else compare)(candidate, former)


def _compare_losses(candidate: Champion, former: Champion) -> Verdict:
    """Compare losses of the same tokens."""
    if candidate.loss < former.loss:
        reason = f"its loss is {candidate.loss:.4f} nats where the former champion's was {former.loss:.4f}"
        return Verdict(moves=True, reason=reason)
    reason = f"its loss, {candidate.loss:.4f} nats, is not below the champion's {former.loss:.4f}"
    return Verdict(moves=False, reason=reason)


def _is_there(champion: Champion) -> bool:
    """Whether the manifest at the pointer's place is still that of its model."""
    found = storage.read_file(f"{champion.model}/{MANIFEST_NAME}")
    return found is not None and sha256(found[0]).hexdigest() == champion.digest


def _parse(data: bytes, place: str) -> Champion:
    try:
        return Champion.model_validate_json(data)
    except ValidationError:
        raise ArtifactError(
            f"{place}: not a champion's pointer, or incomplete; name another place or remove it"
        ) from None


def _rendered(champion: Champion) -> bytes:
    return f"{as_json(champion.model_dump(mode='json'), indent=2, ensure_ascii=False)}\n".encode()
