"""A text in pieces of whole tokens, so that no more than one of them is in memory."""

from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

from components.artifacts.documents import DOCUMENTS_NAME, END, with_ends
from components.artifacts.errors import ArtifactError
from components.artifacts.vocabulary import TokenKind
from components.artifacts.words import LOOK_AHEAD, Cutter
from components.command import log

CHUNK_CHARACTERS = 1 << 18  # all its copies fit into a core's cache


def pieces(text: Path, kind: TokenKind, cut: int = 0) -> Iterator[str]:
    """The text in pieces of whole tokens: tokenizing them one by one equals tokenizing all of it.

    A piece ends after `cut` characters, where a token begins; one of words must begin there anyway. Each document of a
    corpus that has any ends with END.
    """
    tail, read = "", 0
    chunks = _chunks(text, cut)
    for chunk in with_ends(chunks, text.parent) if (text.parent / DOCUMENTS_NAME).exists() else chunks:
        read += len(chunk)
        if kind in {"characters", "bytes"}:
            yield chunk
            continue
        joined = tail + chunk
        place = len(joined) if read == cut else _safe_cut(joined, kind)
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


def _safe_cut(text: str, kind: TokenKind) -> int:
    """An index at which a token begins, whatever follows; 0 if unknown yet.

    Where LOOK_AHEAD characters have no white space, a subword ends after those that were read.
    """
    last = max(map(text.rfind, (" ", "\n", END)))  # white space begins a token
    if last > 0:
        return last
    if kind == "bpe":
        return len(text) if len(text) > LOOK_AHEAD else 0
    cut = 0
    for token in Cutter().cut(text):
        if cut + len(token) > len(text) - LOOK_AHEAD:
            break
        cut += len(token)
    return cut
