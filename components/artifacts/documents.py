"""The documents of a corpus: where each ends in text.txt.

text.txt holds the documents in order, each followed by a newline, so it stays plain text. Beside it, documents.txt has
a line per document with its length in characters, without that newline. So a newline within a document is not its end,
and each file confirms the other. A corpus without documents has no documents.txt.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from components.artifacts.errors import ArtifactError

TEXT_NAME = "text.txt"
DOCUMENTS_NAME = "documents.txt"
END = "\r"
"""A document's end in a text in memory. No corpus contains this character: all line ends are newlines there."""
_MOST_DIGITS = 18


def document_lengths(corpus: Path) -> Iterator[int]:
    """The length of each document of the corpus in a directory, in characters, one at a time.

    Raises:
        ArtifactError: documents.txt is damaged.
    """
    path = corpus / DOCUMENTS_NAME
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            digits = line.removesuffix(b"\n")
            if not digits.isdigit() or len(digits) > _MOST_DIGITS or not int(digits):
                raise ArtifactError(f"{path}: line {number:,} is not a document's length; ingest the text again")
            yield int(digits)


def with_ends(chunks: Iterable[str], corpus: Path) -> Iterator[str]:
    """The chunks of the text of the corpus in a directory, with END in place of the newline after each document.

    Raises:
        ArtifactError: documents.txt is damaged or does not match the text.
    """
    lengths = document_lengths(corpus)
    left = next(lengths, None)  # characters until the current document's end
    for chunk in chunks:
        parts: list[str] = []
        begin = 0
        while left is not None and begin + left < len(chunk):
            end = begin + left
            if chunk[end] != "\n":
                raise _mismatch(corpus)
            parts += chunk[begin:end], END
            begin, left = end + 1, next(lengths, None)
        rest = chunk[begin:]
        if rest and left is None:
            raise _mismatch(corpus)
        left = None if left is None else left - len(rest)
        yield "".join([*parts, rest])
    if left is not None:
        raise _mismatch(corpus)


def _mismatch(corpus: Path) -> ArtifactError:
    return ArtifactError(f"{corpus}: {DOCUMENTS_NAME} does not match {TEXT_NAME}; ingest the text again")
