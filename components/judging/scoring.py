"""What each token of a text costs a model, under both protocols that `components.generator.scoring` has."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.artifacts.part import Part
from components.command import log
from components.generator.model import Model
from components.generator.scoring import Scorer


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What a model's targets cost, nats [targets] by protocol's name, and their places in the text, int64 [targets].

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
    all. Without room for a target there are none.
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
