"""The work of vectorize: corpus in, dataset out, in two passes over the text and bounded memory."""

from collections import Counter
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from components.artifacts import manifest, storage
from components.artifacts.documents import DOCUMENTS_NAME, END, TEXT_NAME, with_ends
from components.artifacts.errors import ArtifactError
from components.artifacts.records import SPLITS, SplitWriter, window_count
from components.artifacts.vocabulary import UNKNOWN, TokenKind, Vocabulary, code_points
from components.artifacts.words import CHUNK, LOOK_AHEAD, Cutter, unspaced
from components.command import log
from components.vectorize.config import VectorizeConfig
from components.vectorize.division import division_of

MUCH_UNSPACED = 0.1
CHUNK_CHARACTERS = 1 << 18  # all its copies fit into a core's cache


def vectorize(config: VectorizeConfig, *, corpus: str, dataset: str) -> dict[str, Any]:
    """Write the corpus at the URI `corpus` as token ids, the dataset at the URI `dataset`.

    Returns:
        The dataset's URI and its counts.

    Raises:
        ArtifactError: the corpus is missing or damaged, or too short for one window in the training split.
        UsageError: one of the two places is inside the other.
    """
    storage.check_outputs({"--dataset": dataset}, {"--corpus": corpus})
    with (
        storage.outgoing(dataset, "dataset", log.transferred) as directory,
        storage.incoming(corpus, "corpus", log.transferred) as source,
    ):
        text = source / TEXT_NAME
        corpus_manifest = manifest.read_manifest(source)
        has_documents = DOCUMENTS_NAME in corpus_manifest.files
        division = division_of(source, config.held_out, corpus) if has_documents else None
        cut = division.train_characters if division else 0
        lowercase = bool(corpus_manifest.config["lowercase"])
        vocabulary, tokens, before = build_vocabulary(text, config, lowercase=lowercase, cut=cut)
        sizes = _sizes(before, tokens) if division else _split_sizes(tokens, config.held_out)
        _check_sizes(corpus, sizes, config)
        characters = _write_splits(directory, text, vocabulary, sizes, config)
        vocabulary.write(directory)
        counts = {"vocabulary": len(vocabulary), "tokens": tokens}
        for split, size in sizes.items():
            counts[f"{split}_tokens"] = size
            counts[f"{split}_characters"] = characters[split]
            counts[f"{split}_windows"] = window_count(size, config.length, config.step)
        if division:
            counts |= {"train_documents": division.train, "validation_documents": division.validation}
        manifest.write_manifest(
            directory,
            kind="dataset",
            stage="vectorize",
            config=config.model_dump(mode="json"),
            counts=counts,
            made_from={"corpus": manifest.digest(source)},
        )
    documents = f"; documents: {division.train:,} to train, {division.validation:,} held out" if division else ""
    log.info(
        f"{tokens:,} {config.tokens}, vocabulary of {len(vocabulary):,}; windows of {config.length}: "
        f"{counts['train_windows']:,} to train, {counts['validation_windows']:,} held out{documents}"
    )
    return {"dataset": dataset, "counts": counts}


def build_vocabulary(
    text: Path, config: VectorizeConfig, *, lowercase: bool, cut: int = 0
) -> tuple[Vocabulary, int, int]:
    """The vocabulary of a text file, in sorted order, how many tokens the text has, and how many before `cut`.

    `cut` is a number of characters; a token must begin there. Of a corpus with documents, their ends are tokens.
    """
    if config.tokens == "characters":
        kept, total = _characters(text)
        before, has_unknown = cut, False
    else:
        counts, before = _count_words(text, cut)
        total = counts.total()
        if (share := unspaced(counts)) > MUCH_UNSPACED:
            log.warning(
                f"{share:.0%} of the text is in scripts without spaces between words, so that each of their "
                "characters or syllables is a token; vectorize.tokens=characters suits it better"
            )
        kept, has_unknown = _frequent(counts, config.vocabulary_size)
    return (
        Vocabulary(
            kind=config.tokens,
            tokens=tuple(sorted("" if token == END else token for token in kept)),
            lowercase=lowercase,
            has_unknown=has_unknown,
            word_rule="unicode" if config.tokens == "words" else "runs",
        ),
        total,
        before,
    )


def pieces(text: Path, kind: TokenKind, cut: int = 0) -> Iterator[str]:
    """The text in pieces of whole tokens: tokenizing them one by one equals tokenizing all of it.

    A piece ends after `cut` characters, where a token must begin. Each document of a corpus that has any ends with END.
    """
    tail, read = "", 0
    chunks = _chunks(text, cut)
    for chunk in with_ends(chunks, text.parent) if (text.parent / DOCUMENTS_NAME).exists() else chunks:
        read += len(chunk)
        if kind == "characters":
            yield chunk
            continue
        joined = tail + chunk
        place = len(joined) if read == cut else _safe_cut(joined)
        if place:
            yield joined[:place]
        tail = joined[place:]
    if tail:
        yield tail


def _chunks(text: Path, cut: int) -> Iterator[str]:
    """The characters of a text file, a chunk at a time; one chunk ends after `cut` of them.

    Raises:
        ArtifactError: END is among them, which would be taken for a document's end.
    """
    size, pace, read = log.size(text.stat().st_size), log.Pace(), 0
    with text.open("rb") as raw, TextIOWrapper(raw, encoding="utf-8", newline="") as file:
        while chunk := file.read(min(CHUNK_CHARACTERS, cut - read) if read < cut else CHUNK_CHARACTERS):
            if END in chunk:
                raise ArtifactError(f"{text}: has a carriage return, which ingest never writes; ingest the text again")
            read += len(chunk)
            pace.progress(f"{log.size(raw.tell())} of {size} read")
            yield chunk


def _safe_cut(text: str) -> int:
    """An index at which a token begins, whatever follows; 0 if unknown yet."""
    last = max(map(text.rfind, (" ", "\n", END)))  # white space begins a token
    if last > 0:
        return last
    cut = 0
    for token in Cutter().cut(text):
        if cut + len(token) > len(text) - LOOK_AHEAD:
            break
        cut += len(token)
    return cut


def _characters(text: Path) -> tuple[set[str], int]:
    """The characters that a text is made of, and how many it has in all."""
    is_present, total = np.zeros(0x110000, bool), 0
    for piece in pieces(text, "characters"):
        if piece.isascii():
            # Removing the known characters leaves next to nothing, which is faster than marking every character.
            known = np.flatnonzero(is_present[:128]).astype(np.uint8).tobytes()
            is_present[np.frombuffer(piece.encode().translate(None, known), np.uint8)] = True
        else:
            is_present[code_points(piece)] = True
        total += len(piece)
    return set(map(chr, np.flatnonzero(is_present))), total


def _count_words(text: Path, cut: int) -> tuple[Counter[str], int]:
    """How often each word occurs, and how many there are before `cut`."""
    counts: Counter[str] = Counter()
    cutter = Cutter()
    read = before = 0
    for piece in pieces(text, "words", cut):
        chunks = Counter(CHUNK.findall(piece))
        counts.update(chain.from_iterable(map(cutter.__getitem__, chunks)))
        for chunk, count in chunks.items():
            if count > 1:
                for token in cutter[chunk]:
                    counts[token] += count - 1
        read += len(piece)
        before = counts.total() if read == cut else before
    return counts, before


def _frequent(counts: Counter[str], limit: int) -> tuple[set[str], bool]:
    """The `limit` most frequent words, and whether one of them is the token for all others; 0 keeps all."""
    if not 0 < limit < len(counts):
        return set(counts), False
    # Ties are broken by the token itself, so that the choice depends on the text alone. An end is always kept.
    frequent = sorted(counts.items(), key=lambda item: (item[0] != END, -item[1], item[0]))[: limit - 1]
    return {UNKNOWN, *(token for token, _ in frequent), *({END} & counts.keys())}, True


def _split_sizes(tokens: int, held_out: float) -> dict[str, int]:
    return _sizes(int(tokens * (1 - held_out)) if held_out else tokens, tokens)


def _sizes(train: int, tokens: int) -> dict[str, int]:
    return dict(zip(SPLITS, (train, tokens - train), strict=True))


def _check_sizes(corpus: str, sizes: dict[str, int], config: VectorizeConfig) -> None:
    needed = config.length + 1
    if sizes["train"] < needed:
        raise ArtifactError(
            f"{corpus}: {sizes['train']:,} {config.tokens} to train on, but one window and its target take "
            f"{needed:,}; give more text or a smaller vectorize.length"
        )
    if config.held_out and sizes["validation"] < needed:
        log.warning(f"only {sizes['validation']:,} {config.tokens} held out: less than one window and its target")


def _write_splits(
    directory: Path, text: Path, vocabulary: Vocabulary, sizes: dict[str, int], config: VectorizeConfig
) -> dict[str, int]:
    """Write both splits; return how many characters each has."""
    characters = dict.fromkeys(SPLITS, 0)
    writers = {
        split: SplitWriter(directory, split, tokens=size, shards=config.shards, dtype=vocabulary.id_dtype)
        for split, size in sizes.items()
    }
    left = sizes["train"]
    with writers["train"], writers["validation"]:
        for piece in pieces(text, vocabulary.kind):
            ids = vocabulary.encode_corpus(piece)
            cut = min(left, len(ids))
            left -= cut
            writers["train"].add(ids[:cut])
            writers["validation"].add(ids[cut:])
            before = len(piece) if cut == len(ids) else sum(map(len, islice(vocabulary.cut(piece), cut)))
            characters["train"] += before
            characters["validation"] += len(piece) - before
    return characters
