"""Sources that change: what is made of them never goes by the name of what they were."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import storage
from components.artifacts.errors import SourceError
from components.artifacts.manifest import write_manifest
from components.artifacts.storage import place_of
from components.ingest import ingesting
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from pipelines.inputs.digests import digest_of, digest_of_artifact, digest_of_source
from tests.unit.artifacts.conftest import server as server  # noqa: PLC0414 -- a fixture, used by its name
from tests.unit.artifacts.web import Server

pytestmark = pytest.mark.usefixtures("no_page")

CHANGED = "has changed since the run began"
Change = Callable[[], object]


def put(uri: str, data: bytes) -> None:
    place = place_of(uri)
    place.store.write(place.key, data)


@pytest.fixture
def halfway(monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], None]:
    """Has something happen while ingest reads, after the source was opened."""

    def when_read(change: Change) -> None:
        pieces = ingesting._joined

        def changing(*arguments: Any) -> Any:
            read = pieces(*arguments)
            change()
            return read

        monkeypatch.setattr(ingesting, "_joined", changing)

    return when_read


def test_a_source_that_stays_is_taken_by_its_name(root: str, tmp_path: Path) -> None:
    put(f"{root}/tale.txt", b"once upon a time")
    digest = digest_of(f"{root}/tale.txt", allow_private_hosts=False)
    made = ingest(IngestConfig(), source=f"{root}/tale.txt", corpus=str(tmp_path / "corpus"), source_digest=digest)
    assert made["counts"]["characters"] == 16


@pytest.mark.parametrize("change", [b"once upon a tide", b"once upon a time, and", None], ids=["other", "more", "gone"])
def test_a_source_that_changed_between_its_digest_and_its_reading_is_refused(
    root: str, tmp_path: Path, change: bytes | None
) -> None:
    put(f"{root}/tale.txt", b"once upon a time")
    digest = digest_of(f"{root}/tale.txt", allow_private_hosts=False)
    if change is None:
        place_of(root).store.delete((place_of(root) / "tale.txt").key)
    else:
        put(f"{root}/tale.txt", change)
    with pytest.raises(SourceError, match="no such" if change is None else CHANGED):
        ingest(IngestConfig(), source=f"{root}/tale.txt", corpus=str(tmp_path / "corpus"), source_digest=digest)
    assert not (tmp_path / "corpus").exists()


@pytest.mark.parametrize("name", ["tale.txt", "tale.txt.gz"])
def test_a_file_that_grows_while_it_is_read_is_refused(
    name: str, tmp_path: Path, halfway: Callable[[Change], None]
) -> None:
    source = tmp_path / name
    data = b"once upon a time"
    source.write_bytes(gzip.compress(data) if name.endswith("gz") else data)

    def grow() -> None:
        with source.open("ab") as file:
            file.write(b" there was")

    halfway(grow)
    with pytest.raises(SourceError, match=rf"{name}: changed while it was read; wait until nothing writes to it"):
        ingest(IngestConfig(), source=str(source), corpus=str(tmp_path / "corpus"))
    assert not (tmp_path / "corpus").exists()


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_an_object_that_is_replaced_while_it_is_read_is_refused(
    root: str, tmp_path: Path, halfway: Callable[[Change], None]
) -> None:
    put(f"{root}/tale.txt", b"once upon a time")
    digest = digest_of(f"{root}/tale.txt", allow_private_hosts=False)
    halfway(lambda: put(f"{root}/tale.txt", b"once upon a tide"))
    with pytest.raises(SourceError, match=CHANGED):
        ingest(IngestConfig(), source=f"{root}/tale.txt", corpus=str(tmp_path / "corpus"), source_digest=digest)


@pytest.mark.parametrize("said", ["ETag", "Last-Modified"])
def test_a_page_that_changes_between_its_name_and_its_reading_or_while_it_is_read_is_refused(
    server: Server, said: str, tmp_path: Path, halfway: Callable[[Change], None]
) -> None:
    def answer(text: bytes, day: int) -> None:
        value = f'"{day}"' if said == "ETag" else f"Mon, 0{day} Nov 2021 10:00:00 GMT"
        headers = {said: value, "Date": "Wed, 10 Nov 2021 10:00:00 GMT", "Content-Length": str(len(text))}
        server.answers["/tale.txt"] = (200, headers, text)

    source, corpus = server.uri("/tale.txt"), tmp_path / "corpus"
    config = IngestConfig(allow_private_hosts=True)
    answer(b"once upon a time", 1)
    digest = digest_of_source(source, allow_private_hosts=True)
    assert storage.is_comparable(digest)
    ingest(config, source=source, corpus=str(corpus), source_digest=digest)
    answer(b"once upon a tide", 2)
    with pytest.raises(SourceError, match=CHANGED):
        ingest(config, source=source, corpus=str(tmp_path / "other"), source_digest=digest)
    digest = digest_of_source(source, allow_private_hosts=True)
    halfway(lambda: answer(b"once upon a town", 3))
    with pytest.raises(SourceError, match=CHANGED):
        ingest(config, source=source, corpus=str(tmp_path / "other"), source_digest=digest)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("change", ["one", "more", "fewer", "gone"])
def test_one_of_several_files_that_changes_while_they_are_read_is_found_out(
    root: str, tmp_path: Path, halfway: Callable[[Change], None], change: str
) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        put(f"{root}/texts/{name}", name.encode())
    source = f"{root}/texts/" if change != "gone" else "\n".join(f"{root}/texts/{name}" for name in ("a.txt", "c.txt"))
    digest = digest_of_source(source, allow_private_hosts=False)
    ingest(IngestConfig(), source=source, corpus=str(tmp_path / "same"), source_digest=digest)
    place = place_of(f"{root}/texts/c.txt")
    halfway(
        {
            "one": lambda: put(str(place), b"other"),
            "more": lambda: put(f"{root}/texts/d.txt", b"more"),
            "fewer": lambda: place.store.delete(place.key),
            "gone": lambda: place.store.delete(place.key),
        }[change]
    )
    with pytest.raises(SourceError, match=rf"{CHANGED}|c\.txt: changed while it was read|c\.txt: no such"):
        ingest(IngestConfig(), source=source, corpus=str(tmp_path / "corpus"), source_digest=digest)
    assert not (tmp_path / "corpus").exists()


@pytest.mark.parametrize(
    "digest",
    ["", "[[ScheduledTime]]", "2026-11-25 03:00:00", storage.unknown_digest()],
    ids=["none", "scheduled", "time", "unknown"],
)
def test_a_name_that_reports_nothing_holds_nothing_up(tmp_path: Path, digest: str) -> None:
    (tmp_path / "tale.txt").write_text("once upon a time")
    source, corpus = str(tmp_path / "tale.txt"), str(tmp_path / "corpus")
    ingest(IngestConfig(), source=source, corpus=corpus, source_digest=digest)


def test_an_artifact_made_again_has_another_name(root: str) -> None:
    names = [digest_of_artifact(f"{root}/corpus"), digest_of_artifact("")]
    for text in ("one", "two"):
        with storage.outgoing(f"{root}/corpus", "corpus") as directory:
            (directory / "text.txt").write_text(text)
            write_manifest(directory, kind="corpus", stage="ingest", config={}, counts={}, made_from={})
        names.append(digest_of_artifact(f"{root}/corpus"))
        storage.check_unchanged(f"{root}/corpus/manifest.json", names[-1])
    assert names[:2] == ["", ""]
    assert len({*names[1:]}) == 3
    assert all(re.fullmatch("[0-9a-f]{64}", name) for name in names[2:])
    with pytest.raises(SourceError, match=CHANGED):
        storage.check_unchanged(f"{root}/corpus/manifest.json", names[-2])
