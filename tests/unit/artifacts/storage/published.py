"""Small artifacts, filled and published."""

from pathlib import Path

from components.artifacts import storage
from components.artifacts.manifest import write_manifest


def fill(directory: Path, text: str, kind: str = "corpus") -> None:
    (directory / "text.txt").write_text(text)
    (directory / "more").mkdir()
    (directory / "more" / "shard").write_bytes(b"abc")
    write_manifest(directory, kind=kind, stage="ingest", config={}, counts={}, made_from={})


def publish(target: Path, text: str, kind: str = "corpus") -> None:
    with storage.outgoing(str(target), kind) as directory:
        fill(directory, text, kind)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())
