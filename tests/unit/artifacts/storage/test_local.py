"""A small file on a disk is written whole or not at all."""

from pathlib import Path

import pytest

from components.artifacts import storage
from tests.unit.artifacts.storage.published import names


def test_a_small_file_is_written_whole_in_place_of_another(tmp_path: Path) -> None:
    for data in (b"first", b"", b"second"):
        storage.write_file((tmp_path / "the file").as_uri(), data)
        assert (tmp_path / "the file").read_bytes() == data
        assert names(tmp_path) == ["the file"]


def test_a_small_file_that_can_not_be_written_leaves_the_old_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.write_file(str(tmp_path / "file"), b"old")

    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(storage.StorageError, match="No space left on device"):
        storage.write_file(str(tmp_path / "file"), b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]
