"""Passages of a corpus are found by their hashes, without exception."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.vocabulary import code_points
from components.generator.passages import Passages, chunks_of_hashes, run_hashes

TEXTS = st.text(alphabet="ab\u00e9\U0001f600", max_size=40)


@given(text=TEXTS, other=TEXTS, length=st.integers(1, 20))
def test_runs_have_the_same_hash_if_and_only_if_they_are_the_same(text: str, other: str, length: int) -> None:
    def runs(of: str) -> list[str]:
        return [of[place : place + length] for place in range(len(of) - length + 1)]

    hashes = [*run_hashes(code_points(text), length).tolist(), *run_hashes(code_points(other), length).tolist()]
    all_runs = [*runs(text), *runs(other)]
    assert len(hashes) == len(all_runs)
    assert len(set(zip(all_runs, hashes, strict=True))) == len(set(all_runs)) == len(set(hashes))


@pytest.mark.parametrize("length", [1, 7, 64])
def test_a_long_texts_hashes_come_in_chunks(length: int) -> None:
    points = code_points("the mill ground on and on. " * 20_000)
    whole = run_hashes(points, length).tolist()
    chunks = list(chunks_of_hashes(points, length))
    assert len(chunks) > 1
    assert [value for _, chunk in chunks for value in chunk.tolist()] == whole
    assert [begin for begin, _ in chunks] == [sum(len(part) for _, part in chunks[:n]) for n in range(len(chunks))]


@given(corpora=st.lists(TEXTS, max_size=2), text=TEXTS, length=st.integers(1, 6))
def test_runs_that_are_among_the_passages_are_distinguished_from_those_that_are_not(
    corpora: list[str], text: str, length: int
) -> None:
    passages = Passages([code_points(corpus) for corpus in corpora], length)
    runs = {corpus[place : place + length] for corpus in corpora for place in range(len(corpus) - length + 1)}
    expected = [text[place : place + length] in runs for place in range(len(text) - length + 1)]
    assert passages.found_in(code_points(text)).tolist() == expected
