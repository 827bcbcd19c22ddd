"""Words of all scripts, cut at Unicode's boundaries (UAX #29)."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.words import CHUNK, LOOK_AHEAD, Cutter, unspaced

LETTERS_AND_MARKS = "aZé中あカ1٣_-,.:;'\"!? \n\t、\u2019\u0301\u0e2a\u0e31\u05d0\u200d\u00ad\u038b\u3000"
APART = regex.compile(
    "|".join(rf"\p{{WB={name}}}" for name in ("Extend", "Format", "ZWJ", "Regional_Indicator", "Single_Quote"))
    + r"|[\u2018\u2019\u201b\uff07]"
)
PLAIN = st.characters(exclude_categories=["Z", "C"]).filter(lambda character: not APART.match(character))
MIXED = st.lists(st.sampled_from([*LETTERS_AND_MARKS, "😀", "🇩", "x" * 70])).map("".join)
# The library's own boundaries. They leave the annex at apostrophes, flags, and marks beside points and at a start.
REFERENCE = regex.compile(r"(?V1w)(?<=.)\b(?=.)|(?<=\s)(?=.)|(?<=.)(?=\s)", regex.DOTALL)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I don't  know -- say,\nyou!", ["I", " don't", " ", " know", " -", "-", " say", ",", "\n", "you", "!"]),
        ("don\u2019t l\u2019\u00e9t\u00e9", ["don\u2019t", " l\u2019\u00e9t\u00e9"]),
        ("हिन्दी में", ["हिन्दी", " में"]),
        ('שָׁלוֹם צה"ל', ["שָׁלוֹם", ' צה"ל']),
        ("我能。", ["我", "能", "。"]),
        ("カタカナ ひ", ["カタカナ", " ひ"]),
        ("\u00ad1 \u03011", ["\u00ad", "1", " \u0301", "1"]),
        ("כ·\u0301ב 1.\u03012 a:\u00adb", ["כ·\u0301ב", " 1.\u03012", " a:\u00adb"]),
        ("l'aube 🇩a", ["l'aube", " 🇩", "a"]),
        ("3.14 1,000 a1 foo_bar e.g.", ["3.14", " 1,000", " a1", " foo_bar", " e.g", "."]),
        ("'tis dogs'", ["'", "tis", " dogs", "'"]),
        ("👩\u200d👩\u200d👧 🇩🇪🇫🇷", ["👩\u200d👩\u200d👧", " 🇩🇪", "🇫🇷"]),
        ("Größe, naïve;", ["Größe", ",", " naïve", ";"]),
    ],
)
def test_words_are_cut_as_their_scripts_have_them(text: str, tokens: list[str]) -> None:
    assert Cutter().cut(text) == tokens


def test_thai_vowels_and_tones_stay_with_their_letters() -> None:
    assert Cutter().cut("สวัสดี") == ["ส", "วั", "ส", "ดี"]


@given(text=st.text() | MIXED)
def test_tokens_joined_give_any_text_back(text: str) -> None:
    assert "".join(Cutter().cut(text)) == text


@given(text=MIXED)
def test_a_text_may_be_cut_wherever_a_token_begins(text: str) -> None:
    cutter, place = Cutter(), 0
    tokens = cutter.cut(text)
    for number, token in enumerate(tokens):
        assert cutter.cut(text[place:]) == tokens[number:]
        place += len(token)


@given(text=st.text(PLAIN, max_size=12) | st.text('aé1٣ア_,.:אב"中ส😀-', max_size=12))
def test_boundaries_are_unicodes(text: str) -> None:
    for chunk in CHUNK.findall(text):
        ends, place = set(), 0
        for token in Cutter()[chunk][:-1]:
            place += len(token)
            ends.add(place)
        assert ends == {match.start() for match in REFERENCE.finditer(chunk)}


def test_a_token_is_never_longer_than_what_is_looked_ahead() -> None:
    for text in ("x" * 200_000, "a_" * 100_000, "a\u0301" * 100_000, "1.1" * 70_000, "_" * 200_000, "\u0301" * 200_000):
        tokens = Cutter().cut(text)
        assert max(map(len, tokens)) < LOOK_AHEAD / 2
        assert "".join(tokens) == text


def test_scripts_without_spaces_are_told_by_their_share() -> None:
    assert unspaced({"word": 5, "中": 5}) == pytest.approx(5 / 25)
    assert unspaced({"ส": 1, "カ": 1, "ひ": 1, "ក": 1}) == 1
    assert unspaced({"हिन्दी": 3, " слово": 2}) == unspaced({}) == 0
