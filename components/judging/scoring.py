"""The nats of each token of a text under a model, by both protocols of `components.generator.scoring`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.artifacts.part import Part
from components.command import log
from components.generator.model import Model
from components.generator.scoring import Scorer


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The nats of a model's targets [targets], by protocol, and their indices in the text, int64 [targets].

    `trained_for` is the protocol the model was made for.
    """

    nats: dict[str, NDArray[np.float64]]
    places: NDArray[np.int64]
    trained_for: str


def score(
    model: Model,
    ids: NDArray[np.integer],
    *,
    step: int,
    counts: NDArray[np.bool_] | None = None,
    both: bool = True,
) -> Scores:
    """Score the targets that both protocols have in ids [N], by both, or only by the one the model was trained for.

    `step` is the distance between a dataset's windows; `counts`, bool [N], says which tokens may be targets, by default
    all. A text that is too short has no targets.
    """
    is_next, carries = model.architecture.objective == "next", model.context == "carry"
    first, every = (model.window, step) if is_next else (1, 1)
    held_out = Part(ids=ids, counts=np.ones(len(ids), bool) if counts is None else counts)
    places = np.arange(first, len(ids), every, dtype=np.int64)
    places = places[held_out.counts[places]]
    nats, trained_for = {}, ""
    for carry in (True, False) if both else (carries,):
        scorer = Scorer(
            model.architecture,
            model.network.trainable_variables,
            held_out,
            carry=carry,
            window=model.window,
            step=step,
        )
        nats[scorer.protocol] = _costs(scorer)[places]
        trained_for = scorer.protocol if carry == carries else trained_for
    return Scores(nats=nats, places=places, trained_for=trained_for)


def _costs(scorer: Scorer) -> NDArray[np.float64]:
    return scorer.costs(lambda scored: log.progress(f"{scorer.protocol}: {scored:,}/{scorer.targets:,} tokens scored"))
