"""The work of evaluate: a model, its training text and its samples in, figures and a verdict out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts import storage
from components.artifacts.dataset import Dataset
from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import digest, read_manifest
from components.artifacts.tensorflow import use_device
from components.artifacts.units import bits_per_character
from components.command import log
from components.generator.model import Model
from components.judging.interval import mean_interval
from components.judging.ngrams import NGrams, longest_order
from components.judging.scoring import Scores, score
from components.judging.texts import Judged, held_out, samples_at, share_seen, text_at, training_text
from components.judging.writing import judge_samples

MOSTLY_UNSEEN = 0.1
"""How much of a text may be in the training text before a warning."""


def evaluate(*, model: str, dataset: str, text: str = "", samples: str = "") -> dict[str, Any]:
    """Judge the model at a URI against plain models, and the samples at a URI against people's text.

    Args:
        model: the model.
        dataset: what it was trained on: the plain models are fitted to it, and copies looked for there.
        text: a text to score the model on; by default the dataset's held-out split, or the part of it that training
            scored.
        samples: texts that the model wrote; by default none are judged.

    Returns:
        `model`, `description`, `dataset`; `text` as `Judged.as_dict`, with the number of `targets` scored and the share
        that is `seen` in the training text; `losses`, a list of rows with `name`, `nats_per_token` and
        `bits_per_character`, each with its 95 % interval; `gains`, the same for the difference to the unigram and
        n-gram models; `verdict`, as text; and `samples`, None or as `judge_samples`, with their `uri`.

    Raises:
        ArtifactError: an artifact is missing or damaged, they do not belong together, too little is held out, or the
            training text is too long to look for copies in.
        SourceError: the text can't be fetched or read.
    """
    use_device("auto")
    with storage.incoming(dataset, "dataset", log.transferred) as directory:
        data = Dataset.read(directory)
    with storage.incoming(model, "model", log.transferred) as directory:
        manifest, name = read_manifest(directory), digest(directory)
        generator = Model.read(directory)
    _check_belongs(model, generator, manifest.made_from, dataset, data)
    training = training_text(data, dataset) if text or samples else ""
    most = int(manifest.config.get("evaluate_tokens", 0))
    judged = text_at(text, generator.vocabulary) if text else held_out(data, dataset, most)
    scores = score(generator, judged.ids, step=data.step, counts=judged.counts)
    if not len(scores.places):
        hint = "give a longer one" if text else "name a text with --text, or make a dataset with vectorize.held_out"
        raise ArtifactError(f"{judged.name}: {len(judged.ids):,} tokens are too few to score; {hint}")
    losses, gains, verdict = _losses(generator, data, judged, scores)
    seen = share_seen(judged.text, training) if text else 0.0
    human = held_out(data, dataset).text or judged.text
    return {
        "model": model,
        "description": generator.description,
        "dataset": dataset,
        "text": {**judged.as_dict(), "targets": len(scores.places), "seen": seen},
        "losses": losses,
        "gains": gains,
        "verdict": _warning(seen) + verdict,
        "samples": _judge_written(samples, training, human, model_digest=name),
    }


def _warning(seen: float) -> str:
    """A warning if the model was trained on the text, or much of it; otherwise empty."""
    if seen <= MOSTLY_UNSEEN:
        return ""
    return (
        f"{seen:.0%} of this text is in the training text, which favours models that count: judge by a text "
        "that is new. "
    )


def _judge_written(uri: str, training: str, human: str, *, model_digest: str) -> dict[str, Any] | None:
    """The samples at a URI compared with people's text, as `judge_samples`, with the URI; None if none are given."""
    rows, made_from = samples_at(uri) if uri else ([], {})
    if not rows:
        return None
    if made_from.get("model") != model_digest:
        log.warning(f"{uri}: not written by this model")
    log.info(f"looking for {len(rows):,} samples in the training text")
    return {"uri": uri, **judge_samples(rows, training, human)}


def _check_belongs(uri: str, model: Model, made_from: Mapping[str, str], dataset: str, data: Dataset) -> None:
    if data.vocabulary != model.vocabulary:
        raise UsageError(f"{dataset}: its vocabulary is not that of the model {uri}; name the model's own dataset")
    if made_from.get("dataset") not in {None, data.digest}:
        log.warning(
            f"{dataset}: not the dataset that {uri} was made from; it may have been trained on what is held out here"
        )


def _losses(
    model: Model, data: Dataset, judged: Judged, scores: Scores
) -> tuple[list[dict[str, Any]], dict[str, Any], str]:
    """The rows of the table, the model's gains over plain models, and the verdict."""
    log.info("fitting the plain models")
    size, kind = len(model.vocabulary), model.vocabulary.kind
    order = longest_order(size, kind)
    plain = NGrams(data.train, size, order)
    bits = bits_per_character(1, judged.tokens_a_character)  # converts nats per token to bits per character
    rows = [(f"this model, {name}", nats) for name, nats in scores.nats.items()]
    names = {order: f"{order}-gram", 1: "unigram", 0: f"uniform over {size:,} tokens"}
    costs = {names[length]: plain.nats(judged.ids, length)[scores.places] for length in names}
    losses = [{"name": name, **_with_interval(nats, bits)} for name, nats in [*rows, *costs.items()]]
    own = scores.nats[scores.trained_for]
    gains = {name: _with_interval(costs[name] - own, bits) for name in (names[order], names[1])}
    return losses, {"protocol": scores.trained_for, **gains}, _verdict(gains, model.vocabulary.unit)


def _with_interval(nats: NDArray[np.float64], bits: float) -> dict[str, Any]:
    mean, (low, high) = float(nats.mean()), mean_interval(nats)
    return {
        "nats_per_token": mean,
        "nats_interval": [low, high],
        "bits_per_character": mean * bits,
        "bits_interval": [low * bits, high * bits],
    }


def _verdict(gains: Mapping[str, Mapping[str, Any]], unit: str) -> str:
    """Whether the network learned anything, as text: `gains` are over the n-gram, then over the unigram."""
    (ngram, over_ngram), (_, over_unigram) = gains.items()
    low, high = over_ngram["nats_interval"]
    by = f"by {abs(over_ngram['nats_per_token']):.3f} nats per token, 95 % from {low:+.3f} to {high:+.3f}"
    if over_unigram["nats_interval"][0] <= 0:
        return f"The network learned nothing beyond the frequencies of single {unit}."
    if low > 0:
        return f"The network predicts this text better than a {ngram}, {by}."
    if high < 0:
        return f"The network predicts this text worse than a {ngram}, {by}: counting runs of {unit} works better."
    return f"The network and a {ngram} predict this text equally well: the difference is uncertain, {by}."
