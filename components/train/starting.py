"""Beginning a training with the weights of a trained model: fine-tuning."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts import champion, storage
from components.artifacts.dataset import Dataset
from components.artifacts.errors import UsageError
from components.artifacts.manifest import MANIFEST_NAME, digest
from components.command import log
from components.generator.architecture import Architecture, ngram_row, ngram_rows
from components.generator.files import ModelConfig, read_vocabulary
from components.generator.weights import read_weights
from components.train.trainer import Trainer

Weights = Mapping[str, Sequence[NDArray[np.float32]]]
"""Each layer's weights by its name."""
SHAPE = ("cell", "layers", "units", "input", "embedding_size", "ngrams", "ngram_buckets")
"""What two networks must have in common for the weights of one to fit the other, but for their vocabularies."""


def begin_with(uri: str, named: str, trainer: Trainer, dataset: Dataset) -> str:
    """Give the trainer's network the weights of the model at `uri`, or of the one that a champion there points at.

    Tokens of both vocabularies keep their rows, and n-grams of the dataset's text theirs; new ones begin at the mean.

    Args:
        uri: the model, or a champion's pointer.
        named: its digest when the run began; empty to accept any.
        trainer: its network gets the weights; optimizer and carried state stay as they are.
        dataset: what it trains on.

    Returns:
        The model's digest.

    Raises:
        ArtifactError: the model is damaged, or nothing is there.
        SourceError: it is not the one of that digest any more.
        UsageError: its network, or the kind of its tokens, is another one.
    """
    is_model = storage.read_file(f"{uri.rstrip('/')}/{MANIFEST_NAME}") is not None
    storage.check_unchanged(f"{uri.rstrip('/')}/{MANIFEST_NAME}" if is_model else uri, named)
    place = uri if is_model else champion.read(uri).model
    with storage.incoming(place, "model", log.transferred) as directory:
        config, model_digest = ModelConfig.read(directory), digest(directory)
        vocabulary, weights = read_vocabulary(directory, config), read_weights(directory, config)
    _refuse_another(place, config.architecture, trainer.architecture)
    if vocabulary.kind != dataset.vocabulary.kind:
        raise UsageError(
            f"train.start_from {place}: its tokens are {vocabulary.kind}, the dataset's {dataset.vocabulary.kind}; set "
            f"vectorize.tokens={vocabulary.kind}"
        )
    old = np.array([vocabulary.ids.get(token, -1) for token in dataset.vocabulary.ids])
    if config.architecture.input == "scaled" and vocabulary.tokens != dataset.vocabulary.tokens:
        raise UsageError(
            f"train.start_from {place}: with train.input=scaled a token is read by its place in the vocabulary, and "
            "the dataset's vocabulary is another one; use a model with input=embedding or one_hot"
        )
    if vocabulary.tokens != dataset.vocabulary.tokens:
        weights = _moved(weights, config.architecture, trainer.architecture, old, dataset.train)
    for layer in trainer.network.layers:
        for variable, value in zip(layer.trainable_weights, weights.get(layer.name, ()), strict=True):
            variable.assign(value)
    log.info(f"begins with the model {model_digest[:16]}, which has {np.sum(old >= 0):,} of {len(old):,} tokens")
    return model_digest


def _refuse_another(place: str, old: Architecture, new: Architecture) -> None:
    for name in SHAPE:
        if (before := getattr(old, name)) != (now := getattr(new, name)):
            raise UsageError(
                f"train.start_from {place}: its {name} is {before!r}, and train.{name} is {now!r}; set it to {before!r}"
            )


def _moved(
    weights: Weights, old: Architecture, new: Architecture, ids: NDArray[np.int64], text: NDArray[Any]
) -> dict[str, list[NDArray[np.float32]]]:
    """The weights for another vocabulary; `ids` are the old ids of the new tokens, int64 [V], -1 if there is none."""
    moved = {name: list(of_layer) for name, of_layer in weights.items()}
    moved["logits"] = [_rows(moved["logits"][0].T, ids).T, _rows(moved["logits"][1], ids)]
    if new.input == "one_hot":
        first = new.recurrent_layers[0]
        moved[first][0] = _rows(moved[first][0], ids)
        return moved
    moved["embedding"] = [_rows(moved["embedding"][0], ids)]
    for n in range(2, new.ngrams + 1):
        table = moved[f"embedding_{n}"][0]
        moved[f"embedding_{n}"] = [_rows(table, _old_ngram_rows(old, new, ids, text, n))]
    return moved


def _rows(table: NDArray[np.float32], sources: NDArray[np.int64]) -> NDArray[np.float32]:
    """Rows of a table by their old places, its mean where that is -1."""
    return np.where(sources.reshape(-1, *[1] * (table.ndim - 1)) >= 0, table[sources], table.mean(axis=0))


def _old_ngram_rows(
    old: Architecture, new: Architecture, ids: NDArray[np.int64], text: NDArray[Any], n: int
) -> NDArray[np.int64]:
    """For each row of the new table for n-grams the old row of the n-gram that uses it most often, or -1; int64."""
    whole = np.append(ids, old.vocabulary).astype(np.int32)  # and what is before a text's first token
    tokens = [text[n - 1 - age : len(text) - age].astype(np.int32) for age in range(n)]
    sources = np.full(ngram_rows(new, n), -1)
    for beginning in reversed(range(n)):  # n-grams with a text's beginning first: others take their rows from them
        tokens_from = [*tokens[: n - beginning], *[np.full_like(tokens[0], new.vocabulary)] * beginning]
        before = [whole[token] for token in tokens_from]
        known = np.all([token >= 0 for token in before], axis=0)
        rows = ngram_row(new, tokens_from)[known].astype(np.int64)
        old_rows = ngram_row(old, before)[known].astype(np.int64)
        pairs, counts = np.unique(rows * ngram_rows(old, n) + old_rows, return_counts=True)
        pairs = pairs[np.argsort(counts, kind="stable")]  # of several for one row the last, most frequent one stays
        sources[pairs // ngram_rows(old, n)] = pairs % ngram_rows(old, n)
    return sources
