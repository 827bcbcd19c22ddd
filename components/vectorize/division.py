"""Where a text of documents is divided into training and held-out text: between two documents."""

from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from components.artifacts.documents import document_lengths
from components.artifacts.errors import ArtifactError


@dataclass(frozen=True, kw_only=True)
class Division:
    """How many documents are in each split, and how many characters of text.txt are in the first."""

    train: int
    validation: int
    train_characters: int


def division_of(corpus: Path, held_out: float, name: str) -> Division:
    """Divide the documents of the corpus in a directory as near as possible to a fraction held out at the end.

    At least one document is held out, and at least one is not, unless the fraction is 0. Errors call the corpus `name`.

    Raises:
        ArtifactError: there is only one document, or documents.txt is damaged.
    """
    documents = characters = 0
    for documents, characters in enumerate(_ends(corpus), start=1):  # noqa: B007 -- the last ones are the totals
        pass
    if not held_out:
        return Division(train=documents, validation=0, train_characters=characters)
    if documents < 2:  # noqa: PLR2004 -- one for each split
        raise ArtifactError(
            f"{name}: it is a single document, so none can be held out; set vectorize.held_out=0, or ingest.documents "
            "to what the text consists of"
        )
    wanted = characters * (1 - held_out)
    train, end = min(
        ((number, end) for number, end in enumerate(_ends(corpus), start=1) if number < documents),
        key=lambda found: abs(found[1] - wanted),
    )
    return Division(train=train, validation=documents - train, train_characters=end)


def _ends(corpus: Path) -> "accumulate[int]":
    """Where each document ends in text.txt, in characters, its newline included."""
    return accumulate(length + 1 for length in document_lengths(corpus))
