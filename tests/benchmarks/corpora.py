"""The public-domain texts that benchmarks read; none of them is part of the project."""

import os
from pathlib import Path

VARIABLE = "QUILLFLOW_CORPORA"
_BESIDE_REPOSITORY = Path(__file__).parents[3] / "shared" / "corpora"


def find(name: str) -> Path | None:
    """The text called `name`, or None where it is not there.

    It is looked for in the folder that QUILLFLOW_CORPORA names, by default `../shared/corpora` from the
    repository's root.
    """
    path = Path(os.environ.get(VARIABLE) or _BESIDE_REPOSITORY) / name
    return path if path.is_file() else None


def corpus(name: str) -> Path:
    """The text called `name`.

    Raises:
        SystemExit: it is not there; the message says how to name its folder.
    """
    path = find(name)
    if path is None:
        raise SystemExit(f"{name} is missing: name the folder that holds it, {VARIABLE}=/path/to/corpora")
    return path


def split(text: str) -> tuple[str, str]:
    """A text's first nine tenths, to train on, and its last tenth, held out."""
    held_out = len(text) // 10
    return text[: len(text) - held_out], text[len(text) - held_out :]
