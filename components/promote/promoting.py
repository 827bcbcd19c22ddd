"""The work of promote: compare a model with the champion, and move the champion's pointer if it is better.

If the champion's loss is of different held-out text, for example because each night's text is new, the champion's
model is scored on the new model's held-out text. Both losses are in bits per character, which need no common
vocabulary.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.artifacts import storage
from components.artifacts.champion import Champion, Promotion, Verdict
from components.artifacts.champion import promote as point
from components.artifacts.dataset import Dataset, text_of
from components.artifacts.documents import END
from components.artifacts.errors import ArtifactError
from components.command import log
from components.judging.texts import held_out

if TYPE_CHECKING:
    from components.generator.model import Model

UNKNOWN_BITS = math.log2(0x110000)
"""The cost of a character that a model has no token for: a guess among all of Unicode's characters."""


def promote(*, model: str, dataset: Callable[[], str], champion: str, copy: str = "", force: bool = False) -> Promotion:
    """Point the champion at a model if it is better on the model's held-out text, or if there is no champion yet.

    Args:
        model: URI of the model.
        dataset: returns the URI of the dataset that it was trained on; called if the champion must be scored.
        champion: URI of the pointer.
        copy: where to read the model; its URI by default.
        force: move the pointer regardless of the losses.

    Raises:
        ArtifactError: the model or its dataset is missing or damaged, or no text was held out.
        StorageError: the store fails after all retries, or others keep moving the pointer.
    """

    def compare(candidate: Champion, former: Champion) -> Verdict:
        return _compare(candidate, former, dataset())

    return point(model, champion, compare=compare, copy=copy, force=force)


def _compare(candidate: Champion, former: Champion, dataset: str) -> Verdict:
    """Compare a model with the former champion on the scored part of its dataset's held-out split."""
    with storage.incoming(dataset, "dataset", log.transferred) as directory:
        data = Dataset.read(directory)
    if data.held_out_name(candidate.evaluate_tokens) != candidate.held_out:
        raise ArtifactError(f"{dataset}: its held-out text is not the text of {candidate.model}'s loss")
    judged = held_out(data, dataset, candidate.evaluate_tokens)
    own = candidate.loss * judged.tokens_a_character / math.log(2)
    log.info(f"scoring the champion {former.model} on the new model's held-out text")
    from components.artifacts.tensorflow import use_device
    from components.generator.model import Model

    use_device("auto")
    try:
        with storage.incoming(former.model, "model", log.transferred) as directory:
            champion = Model.read(directory)
    except ArtifactError as error:
        return Verdict(moves=True, reason=f"the former champion can't be read ({error})")
    # To a champion that knows no documents, an end is the newline that is there in the text.
    end = END if champion.vocabulary.has_end else "\n"
    text = text_of(judged.ids, data.vocabulary, end)
    theirs = bits_per_character(champion, text, judged.characters_count, step=data.step)
    if own < theirs:
        reason = f"on its held-out text it takes {own:.4f} bits per character, the former champion {theirs:.4f}"
        return Verdict(moves=True, reason=reason)
    reason = f"on the new model's held-out text that takes {own:.4f} bits per character, the champion {theirs:.4f}"
    return Verdict(moves=False, reason=reason)


def bits_per_character(model: "Model", text: str, counts: NDArray[np.bool_], *, step: int) -> float:
    """A model's loss on a text under the protocol of its training; unknown tokens cost UNKNOWN_BITS per character.

    `counts`, bool [characters], says which of the text's characters count; a token counts if its first one does,
    and a byte if its character does.
    `step` is the distance between a dataset's windows, for a model that predicts only what follows a window.
    """
    from components.judging.scoring import score

    tokens = model.vocabulary.cut(text)
    lengths = np.fromiter(map(model.vocabulary.length, tokens), np.int64, len(tokens))
    counted = counts[np.cumsum(lengths) - np.maximum(lengths, 1)]
    is_here = np.fromiter((token in model.vocabulary.ids for token in tokens), bool, len(tokens))
    lacking = int(lengths[counted & ~is_here].sum())
    ids = model.vocabulary.encode(text)
    known = ids >= 0
    scores = score(model, ids[known], step=step, counts=counted[known], both=False)
    if not len(scores.places):  # it knows too little of the text to be scored
        return UNKNOWN_BITS
    nats = float(scores.nats[scores.trained_for].mean()) * int(counted[known].sum())
    return (nats / math.log(2) + lacking * UNKNOWN_BITS) / int(counts.sum())
