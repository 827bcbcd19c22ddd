"""Packed text is read by its bytes, and refused where it is damaged or expands beyond measure."""

import gzip
import hashlib
import os
from pathlib import Path

import pytest

from components.artifacts.manifest import read_manifest
from tests.unit.ingest.ingested import CHAT, assert_refused, run, text_of, write


def test_gzip_text_is_recognised_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    source = write(tmp_path / "notes.txt", gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    run(source, tmp_path / "corpus")
    assert text_of(tmp_path / "corpus") == "one\ntwo\n"
    packed = hashlib.sha256(source.read_bytes()).hexdigest()
    assert read_manifest(tmp_path / "corpus").made_from == {"source": packed}


def test_a_csv_is_recognised_by_its_name_in_any_case_and_packed(tmp_path: Path) -> None:
    source = write(tmp_path / "Chat.CSV.gz", gzip.compress(CHAT.encode()))
    result = run(source, tmp_path / "corpus", user_column="user", lowercase=True)
    assert text_of(tmp_path / "corpus") == "grüße an alle\ntwo\nthree\n"
    assert (result["counts"]["messages"], result["counts"]["users"]) == (3, 2)


def test_a_gzip_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    source = write(tmp_path / "notes.txt.gz", gzip.compress(b"a" * (5 << 20)))
    assert_refused(tmp_path, source, r"notes\.txt\.gz: expands more than 200 times")
    run(source, tmp_path / "corpus", maximum_gzip_ratio=2000)
    assert len(text_of(tmp_path / "corpus")) == 5 << 20


def test_a_small_gzip_may_expand_as_it_likes(tmp_path: Path) -> None:
    run(write(tmp_path / "notes.txt.gz", gzip.compress(b"a" * 500_000)), tmp_path / "corpus")
    assert len(text_of(tmp_path / "corpus")) == 500_000


@pytest.mark.parametrize("packed", [True, False])
def test_more_than_maximum_bytes_are_refused_packed_or_not(tmp_path: Path, packed: bool) -> None:
    text = b"word " * 1000
    source = write(tmp_path / "notes", gzip.compress(text) if packed else text)
    assert_refused(tmp_path, source, r"more than ingest\.maximum_bytes \(4,999\) of text", maximum_bytes=4999)
    run(source, tmp_path / "corpus", maximum_bytes=5000)


@pytest.mark.parametrize("end", [3, 12, 200, -9, -8, -1])
def test_gzip_that_is_broken_off_anywhere_is_refused(tmp_path: Path, end: int) -> None:
    packed = gzip.compress(os.urandom(1000).hex().encode())
    source = write(tmp_path / "notes.txt.gz", packed[:end])
    assert_refused(tmp_path, source, r"notes\.txt\.gz: the gzip data is truncated or damaged \(")


@pytest.mark.parametrize("place", [2, 30, -6, -2])
def test_gzip_with_a_flipped_byte_is_refused(tmp_path: Path, place: int) -> None:
    packed = bytearray(gzip.compress(b"one two three four five six seven eight nine ten eleven twelve"))
    packed[place] ^= 0xFF
    source = write(tmp_path / "notes.txt.gz", bytes(packed))
    assert_refused(tmp_path, source, r"notes\.txt\.gz: the gzip data is truncated or damaged \(")
