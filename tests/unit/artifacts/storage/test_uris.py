"""URIs name places on this machine or in a bucket, and never show what may be secret."""

from pathlib import Path

import pytest

from components.artifacts import storage
from components.artifacts.errors import UsageError


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("notes.txt", "notes.txt"),
        ("/data/my notes.txt", "/data/my notes.txt"),
        ("/data/50%25.txt", "/data/50%25.txt"),
        ("C:notes", "C:notes"),
        ("~/notes.txt", "/home/amy/notes.txt"),
        ("file:///data/notes.txt", "/data/notes.txt"),
        ("file://localhost/data/notes.txt", "/data/notes.txt"),
        ("file:///data/my%20gr%C3%BC%C3%9Fe%3F%23%25.txt", "/data/my grüße?#%.txt"),
        ("file:///data/chat #3?.txt", "/data/chat #3?.txt"),
    ],
)
def test_a_local_uri_names_a_path(uri: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/amy")
    assert storage.local_path(uri) == Path(path)


def test_any_path_survives_being_written_as_a_uri(tmp_path: Path) -> None:
    path = tmp_path / "a b%20c#d?e&é"
    assert storage.local_path(path.as_uri()) == path


@pytest.mark.parametrize("uri", ["file://data/notes.txt", "file://", "file://amy:hunter2@data/notes.txt"])
def test_a_file_of_another_host_is_refused_and_not_looked_for_here(uri: str) -> None:
    with pytest.raises(UsageError, match=r"^file://(data/notes\.txt)?: is not on this machine; write it as") as raised:
        storage.local_path(uri)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("uri", ["http://example.org/a", "https://example.org/a"])
def test_a_remote_uri_names_no_path(uri: str) -> None:
    assert storage.local_path(uri) is None


def test_an_unknown_scheme_is_wrong_use_and_keeps_its_secrets() -> None:
    with pytest.raises(UsageError) as raised:
        storage.local_path("gopher://amy:hunter2@host/a?token=s3cret")
    assert str(raised.value).startswith("gopher://host/a: unknown scheme gopher://; use a path, file://")
    assert not any(secret in str(raised.value) for secret in ("amy", "hunter2", "s3cret"))


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("notes?.txt", "notes?.txt"),
        ("amy@host/notes#1", "amy@host/notes#1"),
        ("http://host:80/a/b", "http://host:80/a/b"),
        ("https://amy:hunter2@host:80/a?X-Signature=s3cret#s3cret", "https://host:80/a"),
        ("https://amy@host?token=s3cret", "https://host"),
        ("https://amy:hunt@er2@host/a@b", "https://host/a@b"),
        ("runs/http://amy:hunter2@host/a", "runs/http://host/a"),
        ("s3://bucket/notes #1?.txt", "s3://bucket/notes #1?.txt"),
        ("S3://amy:hunter2@bucket/a@b", "s3://bucket/a@b"),
        ("gs://amy:hunt/er2@bucket/a", "gs://bucket/a"),
        ("gs://bucket?Signature=s3cret/a", "gs://bucket"),
        ("file:///data/notes #1?sig=a", "file:///data/notes #1?sig=a"),
    ],
)
def test_what_may_be_secret_is_taken_out_of_a_uri(uri: str, shown: str) -> None:
    assert storage.redacted(uri) == shown
