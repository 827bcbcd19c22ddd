"""A source on this machine is read where it is."""

from pathlib import Path

import pytest

from components.artifacts import storage
from components.artifacts.errors import SourceError


def test_a_local_source_is_read_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "my notes.txt").write_text("one")
    for uri in (str(tmp_path / "my notes.txt"), (tmp_path / "my notes.txt").as_uri()):
        with storage.source_file(uri, tmp_path / "scratch", maximum_bytes=100) as path:
            assert path == tmp_path / "my notes.txt"


@pytest.mark.parametrize(("name", "reason"), [("missing", "no such file"), ("", "is a directory, name a file")])
def test_a_source_that_is_no_file_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    path = tmp_path / name
    with (
        pytest.raises(SourceError, match=f"^{path}: {reason}$"),
        storage.source_file(str(path), tmp_path, maximum_bytes=100),
    ):
        pytest.fail("it may not be read")
