"""Two processes at one place: each ends right or says why not, and what is half of one and half of another never reads.

Threads play processes: locks are held by open files, and nothing else is shared but the stores.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components.artifacts.errors import ArtifactError, QuillflowError
from components.artifacts.manifest import verify
from components.artifacts.storage import Place, incoming, local, outgoing, place_of, pull
from components.artifacts.storage import fetch as fetching
from tests.storage.trees import fill, tree_in

TREES = {name: {f"file-{number}": f"{name} {number} ".encode() * 500 for number in range(6)} for name in "ab"}


def publish(uri: str, name: str) -> None:
    with outgoing(uri, "corpus") as directory:
        fill(directory, TREES[name])


def content(directory: Path) -> str:
    """Which of the trees a directory holds, whole."""
    found = tree_in(directory)
    (name,) = [name for name, tree in TREES.items() if tree.items() <= found.items()]
    return name


def at_once(*jobs: Callable[[], object]) -> list[str]:
    """Do all jobs at the same time; what each failed with, or ""."""
    ready = threading.Barrier(len(jobs))

    def attempt(job: Callable[[], object]) -> str:
        ready.wait()
        try:
            job()
        except QuillflowError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(attempt, jobs))


def test_many_fetches_of_one_artifact_into_one_directory_all_end_well(root: str, tmp_path: Path) -> None:
    publish(f"{root}/a", "a")
    assert at_once(*[lambda: pull(place_of(f"{root}/a"), tmp_path / "copy")] * 6) == [""] * 6
    assert content(tmp_path / "copy") == "a"
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == sorted([*TREES["a"], "manifest.json"])


def test_of_fetches_of_two_artifacts_into_one_directory_one_ends_well_and_the_other_says_why_not(
    root: str, tmp_path: Path
) -> None:
    for name in "ab":
        publish(f"{root}/{name}", name)
    jobs = [lambda name=name: pull(place_of(f"{root}/{name}"), tmp_path / "copy") for name in "ab"]  # type: ignore[misc]
    errors = at_once(*jobs)
    assert errors.count("") == 1
    assert "copy: holds another artifact; choose another place" in "".join(errors)
    assert content(tmp_path / "copy") == "ab"[errors.index("")]


def test_who_waits_for_another_fetch_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    publish(str(tmp_path / "a"), "a")
    (tmp_path / "copy").mkdir()
    fetch = threading.Thread(target=pull, args=(place_of(str(tmp_path / "a")), tmp_path / "copy"))
    local._LOGGER.propagate = True
    with caplog.at_level("INFO", "quillflow"), local.taking_turns(tmp_path / "copy"):
        fetch.start()
        while not caplog.records:
            time.sleep(0.01)
        assert not list((tmp_path / "copy").iterdir())
    fetch.join()
    assert f"{tmp_path}/copy: waiting for another process that is writing there" in caplog.text
    assert content(tmp_path / "copy") == "a"


def test_of_two_that_publish_at_one_place_one_stays_whole(root: str) -> None:
    uri = f"{root}/artifact"
    assert at_once(*[lambda name=name: publish(uri, name) for name in "aba"]) == [""] * 3  # type: ignore[misc]
    with incoming(uri, "corpus") as directory:
        assert content(directory) in "ab"


@pytest.mark.parametrize("kind", ["local"])
def test_what_is_read_while_it_is_replaced_is_of_one_artifact_or_an_error(root: str) -> None:
    uri, ended = f"{root}/artifact", threading.Event()
    publish(uri, "a")

    def publish_on() -> None:
        while not ended.is_set():
            for name in "ba":
                publish(uri, name)
                time.sleep(0.003)

    publisher = threading.Thread(target=publish_on)
    publisher.start()
    errors, read = set(), 0
    try:
        for _ in range(150):
            try:
                with incoming(uri, "corpus") as directory:
                    found = {name: (directory / name).read_bytes() for name in TREES["a"]}
                read += 1
                assert found in TREES.values(), "half of one and half of another"
            except ArtifactError as error:
                errors.add(str(error))
    finally:
        ended.set()
        publisher.join()
    assert read
    assert errors <= {f"{uri}: was replaced by another artifact while it was read; try again"}


@pytest.mark.parametrize("kind", ["local"])
def test_an_error_of_the_readers_own_stays_what_it_is(root: str) -> None:
    publish(f"{root}/a", "a")
    with pytest.raises(ArtifactError, match=r"^something else$"), incoming(f"{root}/a", "corpus"):
        raise ArtifactError("something else")


@pytest.mark.parametrize("kind", ["local"])
def test_an_error_that_comes_of_the_replacing_is_said_to_be_its(root: str) -> None:
    publish(f"{root}/a", "a")

    def read() -> None:
        with incoming(f"{root}/a", "corpus"):
            publish(f"{root}/a", "b")
            raise ArtifactError("its tensors are not config.json's network's")

    with pytest.raises(ArtifactError, match="replaced"):
        read()


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_an_artifact_that_is_replaced_while_it_is_fetched_is_an_error_that_says_so(
    root: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert root.startswith(kind)
    uri, theirs = f"{root}/artifact", fetching._download
    publish(uri, "a")

    def download(place: Place, directory: Path, name: str) -> None:
        if name == "file-0":
            publish(uri, "b")
        theirs(place, directory, name)

    monkeypatch.setattr(fetching, "_download", download)
    with pytest.raises(ArtifactError, match=f"^{uri}: was replaced by another artifact while it was read; try again$"):
        pull(place_of(uri), tmp_path / "copy")
    with pytest.raises(ArtifactError):
        verify(tmp_path / "copy")
