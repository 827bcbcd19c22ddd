"""Artifacts of any files, made and read back; Hypothesis makes the files."""

import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from components.artifacts.manifest import MANIFEST_NAME, write_manifest
from components.artifacts.storage import Place

Tree = Mapping[str, bytes]
EXAMPLES = {"local": 60, "gs": 12, "s3": 12}
LETTERS = st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="/\\")
NAMES = st.text(LETTERS, min_size=1, max_size=12).filter(lambda name: name.strip(".") and name != MANIFEST_NAME)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CONTENTS = st.binary(max_size=200) | st.sampled_from([b"", b"\r\n\r\n--==", b"\0" * 3000])
TREES = st.dictionaries(PATHS, CONTENTS, min_size=1, max_size=5)


def are_apart(tree: Tree) -> bool:
    """No name is another's directory, here or where a disk folds them."""
    folded = [unicodedata.normalize("NFKC", name).casefold() for name in tree]
    return len(set(folded)) == len(folded) and not any(
        one != other and other.startswith(f"{one}/") for one in folded for other in folded
    )


def fill(directory: Path, tree: Tree, kind: str = "corpus") -> Path:
    for name, data in tree.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    directory.mkdir(parents=True, exist_ok=True)
    write_manifest(directory, kind=kind, stage="ingest", config={"size": 1}, counts={"files": len(tree)}, made_from={})
    return directory


def tree_in(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def keys_below(place: Place) -> list[str]:
    return sorted(listed.key[len(place.key) + 1 :] for listed in place.store.list(place.key))


def flipped(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


def for_examples(kind: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Settings for a property of a store; buckets are slower than the disk."""
    return settings(
        max_examples=EXAMPLES[kind],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
