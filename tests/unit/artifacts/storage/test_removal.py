"""Removing takes the named files and the directories left empty, and nothing that a link leads to."""

from pathlib import Path

import pytest

from components.artifacts import storage
from components.artifacts.manifest import verify
from tests.unit.artifacts.storage.published import names, publish

FILES = ("text.txt", "more/shard", "manifest.json")


def test_removing_takes_the_named_files_and_the_directories_that_are_empty_then(tmp_path: Path) -> None:
    publish(tmp_path / "one", "one")
    publish(tmp_path / "other", "other")
    storage.remove(str(tmp_path / "one"), FILES)
    assert names(tmp_path) == ["other"]
    storage.remove(str(tmp_path / "one"), FILES)
    verify(tmp_path / "other", "corpus")


def test_a_manifest_that_is_not_named_stays(tmp_path: Path) -> None:
    publish(tmp_path / "one", "one")
    storage.remove(str(tmp_path / "one"), FILES[:2])
    assert names(tmp_path / "one") == ["manifest.json"]


def test_removing_takes_the_manifest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path / "corpus", "one")
    unlink = Path.unlink

    def killed_after_one(path: Path, **options: bool) -> None:
        unlink(path, **options)
        if path.name in FILES:
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", killed_after_one)
    with pytest.raises(KeyboardInterrupt):
        storage.remove(str(tmp_path / "corpus"), FILES)
    assert names(tmp_path / "corpus") == ["more", "text.txt"]


def test_removing_leaves_what_links_lead_to(tmp_path: Path) -> None:
    publish(tmp_path / "elsewhere", "mine")
    publish(tmp_path / "corpus", "one")
    (tmp_path / "corpus" / "more" / "shard").rename(tmp_path / "shard")
    (tmp_path / "corpus" / "more").rmdir()
    (tmp_path / "corpus" / "more").symlink_to(tmp_path / "elsewhere" / "more")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("corpus", "link"):
        storage.remove(str(tmp_path / name), FILES)
    verify(tmp_path / "elsewhere", "corpus")
    assert names(tmp_path) == ["corpus", "elsewhere", "shard"]
