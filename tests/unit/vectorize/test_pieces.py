"""A text is read in pieces: the tokens of the pieces are those of the whole text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.artifacts.words import Cutter
from components.vectorize import pieces as pieces_module
from components.vectorize.pieces import pieces


@given(
    text=st.text("ab' .,\n\té_\u00a0") | st.lists(st.sampled_from(["x" * 70, "y" * 64, " ", "!", "a"])).map("".join),
    size=st.integers(1, 90),
)
@settings(max_examples=300, deadline=None)
def test_words_cut_from_pieces_are_those_of_the_whole_text(
    tmp_path_factory: pytest.TempPathFactory, text: str, size: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "text.txt"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces_module, "CHUNK_CHARACTERS", size)
        words = [word for piece in pieces(path, "words") for word in Cutter().cut(piece)]
        characters = list(pieces(path, "characters"))
    assert words == Cutter().cut(text)
    assert "".join(characters) == text
    assert all(len(piece) <= size for piece in characters)


def test_a_text_without_spaces_is_cut_alike_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces_module, "CHUNK_CHARACTERS", 50)
    monkeypatch.setattr(pieces_module, "LOOK_AHEAD", 40)
    for text in ("我能吞下玻璃而不傷身體。" * 30, "a.b" * 200, "x" * 5_000):
        path = tmp_path / "text.txt"
        path.write_text(text, encoding="utf-8")
        found = list(pieces(path, "words"))
        assert [token for piece in found for token in Cutter().cut(piece)] == Cutter().cut(text)
        assert max(map(len, found)) < 300
