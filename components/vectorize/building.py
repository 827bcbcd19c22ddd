"""The vocabulary of a text."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from components.artifacts import utf8
from components.artifacts.documents import END
from components.artifacts.errors import UsageError
from components.artifacts.subwords import DEFAULT_SIZE, learned
from components.artifacts.vocabulary import UNKNOWN, TokenKind, Vocabulary, code_points
from components.artifacts.words import CHUNK, Cutter, unspaced
from components.command import log
from components.vectorize.config import VectorizeConfig
from components.vectorize.pieces import pieces

MUCH_UNSPACED = 0.1


def build_vocabulary(
    text: Path, config: VectorizeConfig, *, lowercase: bool, cut: int = 0
) -> tuple[Vocabulary, int, int]:
    """The vocabulary of a text file, in sorted order, how many tokens the text has, and how many before `cut`.

    `cut` is a number of characters; a token begins there, and subwords are learned from what is before. Of a corpus
    with documents, their ends are tokens.

    Raises:
        UsageError: the text has too many different characters for vectorize.vocabulary_size.
    """
    build = {"characters": _of_characters, "words": _of_words, "bpe": _of_subwords, "bytes": _of_bytes}[config.tokens]
    return build(text, config, lowercase, cut)


def _of_characters(text: Path, _config: VectorizeConfig, lowercase: bool, cut: int) -> tuple[Vocabulary, int, int]:
    kept, total = _characters(text)
    return Vocabulary(kind="characters", tokens=_sorted(kept), lowercase=lowercase), total, cut


def _of_words(text: Path, config: VectorizeConfig, lowercase: bool, cut: int) -> tuple[Vocabulary, int, int]:
    counts, before = _count(text, "words", Cutter(), cut)
    if (share := unspaced(counts)) > MUCH_UNSPACED:
        log.warning(
            f"{share:.0%} of the text is in scripts without spaces between words, so that each of their "
            "characters or syllables is a token; vectorize.tokens=characters suits it better"
        )
    kept, has_unknown = _frequent(counts, config.vocabulary_size)
    vocabulary = Vocabulary(
        kind="words", tokens=_sorted(kept), lowercase=lowercase, has_unknown=has_unknown, word_rule="unicode"
    )
    return vocabulary, counts.total(), before


def _of_subwords(text: Path, config: VectorizeConfig, lowercase: bool, cut: int) -> tuple[Vocabulary, int, int]:
    characters, _ = _characters(text)
    size = config.vocabulary_size or DEFAULT_SIZE
    if len(characters) >= size:
        raise UsageError(
            f"vectorize.vocabulary_size={size:,}: the text has {len(characters):,} different characters, each a token, "
            "so none would be left for subwords; raise it, or set vectorize.tokens to bytes or characters"
        )
    merges = learned(_before(pieces(text, "bpe", cut), cut), sorted(characters), size)
    tokens = _sorted(characters.union(left + right for left, right in merges))
    vocabulary = Vocabulary(kind="bpe", tokens=tokens, lowercase=lowercase, merges=merges)
    counts, before = _count(text, "bpe", vocabulary.cutter, cut)
    return vocabulary, counts.total(), before


def _of_bytes(text: Path, _config: VectorizeConfig, lowercase: bool, cut: int) -> tuple[Vocabulary, int, int]:
    total = before = read = 0
    has_documents = False
    for piece in pieces(text, "bytes", cut):
        has_documents = has_documents or END in piece
        read, total = read + len(piece), total + len(piece.encode())
        before = total if read == cut else before
    tokens = _sorted({*utf8.BYTES, *({END} if has_documents else ())})
    return Vocabulary(kind="bytes", tokens=tokens, lowercase=lowercase), total, before


def _sorted(tokens: set[str]) -> tuple[str, ...]:
    """Tokens in their order, in which a document's end is the empty one."""
    return tuple(sorted("" if token == END else token for token in tokens))


def _before(text: Iterator[str], cut: int) -> Iterator[str]:
    """The pieces of a text before `cut`."""
    read = 0
    for piece in text:
        if read >= cut:
            return
        read += len(piece)
        yield piece


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


def _count(text: Path, kind: TokenKind, cutter: Mapping[str, Sequence[str]], cut: int) -> tuple[Counter[str], int]:
    """How often each token occurs, and how many there are before `cut`; `cutter` has the tokens of each chunk."""
    counts: Counter[str] = Counter()
    read = before = 0
    for piece in pieces(text, kind, cut):
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
