"""Words of all scripts, cut at Unicode's boundaries (UAX #29)."""

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.words import CHUNK, LOOK_AHEAD, MARK, PLAIN, SINGLE, Cutter, _rule, unspaced

LETTERS_AND_MARKS = "aZé中あカ1٣_-,.:;'\"!? \n\t、\u2019\u0301\u0e2a\u0e31\u05d0\u200d\u00ad\u038b\u3000"
APART = regex.compile(
    "|".join(rf"\p{{WB={name}}}" for name in ("Extend", "Format", "ZWJ", "Regional_Indicator", "Single_Quote"))
    + r"|[\u2018\u2019\u201b\uff07]"
)
NOT_APART = st.characters(exclude_categories=["Z", "C"]).filter(lambda character: not APART.match(character))
NEVER_JOINED = "中文ก\u0e31\u0e48ခ\u102b\u1039ក\u17d2あ\u3099カー々한\uff0c\uff1a。1a' \u0301\u200d\u00ad“\"ﾞ😀"
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


@given(text=st.text(NOT_APART, max_size=12) | st.text('aé1٣ア_,.:אב"中ส😀-', max_size=12))
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


def test_scripts_without_spaces_are_reported_by_their_share() -> None:
    assert unspaced({"word": 5, "中": 5}) == pytest.approx(5 / 25)
    assert unspaced({"ส": 1, "カ": 1, "ひ": 1, "ក": 1}) == 1
    assert unspaced({"हिन्दी": 3, " слово": 2}) == unspaced({}) == 0


@pytest.mark.parametrize(
    ("characters", "classes"),
    [
        (SINGLE, ["Other"]),
        (MARK, ["Extend", "Format", "ZWJ"]),
        (
            PLAIN,
            [
                *("Other", "ALetter", "Katakana", "Numeric", "ExtendNumLet", "MidLetter", "MidNum", "MidNumLet"),
                *("Single_Quote", "Double_Quote"),
            ],
        ),
    ],
)
def test_what_is_cut_without_the_whole_rule_is_of_classes_that_it_cuts_so(characters: str, classes: list[str]) -> None:
    of_these = regex.compile("|".join(rf"\p{{WB={name}}}" for name in classes))
    found = re.compile(f"[{characters}]").findall("".join(map(chr, range(0x110000))))
    assert [character for character in found if not of_these.match(character)] == []


@given(text=st.text(st.sampled_from(NEVER_JOINED), max_size=30) | MIXED)
def test_runs_of_letters_that_never_join_are_cut_by_the_same_rule(text: str) -> None:
    by_the_rule = [token for chunk in CHUNK.findall(text) for token in _rule().findall(chunk)]
    assert Cutter().cut(text) == by_the_rule


def test_a_letter_has_at_most_fifteen_marks_in_a_run_too() -> None:
    assert Cutter().cut("ก" + "\u0e48" * 17 + "ก") == ["ก" + "\u0e48" * 15, "\u0e48" * 2, "ก"]
