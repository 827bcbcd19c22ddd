"""A vocabulary turns any text into ids and back, and refuses what it can't read."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts import utf8
from components.artifacts.documents import END
from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.plaintext import with_newlines
from components.artifacts.vocabulary import UNKNOWN, TokenKind, Vocabulary, code_points
from components.artifacts.words import Cutter

# Any text at all, and text in which words, marks and white space meet often.
TEXTS = st.text() | st.lists(st.sampled_from(["the", "don't", " ", "\n", "\t", ".", "—", "é", "_", "x" * 70])).map(
    "".join
)

OLD = Vocabulary(kind="words", tokens=())
"""Cuts words as vocabularies did before Unicode's boundaries."""


def vocabulary_of(text: str, kind: TokenKind = "characters", *, lowercase: bool = False) -> Vocabulary:
    tokens = text if kind == "characters" else OLD.cut(text)
    return Vocabulary(kind=kind, tokens=tuple(sorted(set(tokens))), lowercase=lowercase)


def of_size(size: int) -> Vocabulary:
    return Vocabulary(kind="characters", tokens=tuple(map(chr, range(size))))


def test_a_tokens_id_is_its_place_in_sorted_order() -> None:
    vocabulary = vocabulary_of("banana\n")
    assert vocabulary.tokens == ("\n", "a", "b", "n")
    assert vocabulary.ids == {"\n": 0, "a": 1, "b": 2, "n": 3}
    assert vocabulary.encode("ban\n").tolist() == [2, 1, 3, 0]


@given(text=TEXTS)
def test_tokens_joined_give_any_text_back(text: str) -> None:
    assert "".join(OLD.cut(text)) == text


def test_a_token_of_any_kind_says_how_many_characters_it_is() -> None:
    bytes_ = Vocabulary(kind="bytes", tokens=tuple(sorted(set(utf8.as_bytes("aé€")))))
    assert bytes_.lengths[bytes_.encode("é€a")].tolist() == [1, 0, 1, 0, 0, 1]
    assert vocabulary_of("ab the", "words").lengths.tolist() == [4, 2]


def test_a_text_may_continue_the_last_subword_of_a_prompt() -> None:
    merges = (("t", "h"), (" ", "th"), ("th", "e"))
    subwords = Vocabulary(kind="bpe", tokens=(" ", " th", "e", "h", "t", "th", "the"), merges=merges)
    assert [subwords.cut("the th"), subwords.cut("e the")] == [["the", " th"], ["e", " th", "e"]]
    assert subwords.open_end(subwords.encode("the t")) == "t"
    assert subwords.open_end(subwords.encode("the the")) == "", "no other token begins like the last one"
    assert subwords.open_end(subwords.encode("t")) == "", "something must be read"
    characters = vocabulary_of("the")
    assert characters.open_end(characters.encode("the t")[:2]) == ""


@pytest.mark.parametrize("kind", ["characters", "words"])
@given(text=TEXTS)
def test_decoding_gives_the_encoded_text_back(kind: TokenKind, text: str) -> None:
    vocabulary = vocabulary_of(text, kind)
    ids = vocabulary.encode(text)
    assert ids.dtype == np.int64
    assert vocabulary.decode(ids) == text


def test_a_word_takes_the_one_space_before_it_and_a_mark_likewise() -> None:
    assert OLD.cut("I don't  know -- say,\nyou!") == [
        *("I", " don't", " ", " know", " -", "-", " say", ",", "\n", "you", "!")
    ]


def test_a_vocabulary_says_by_which_rule_its_words_were_cut(tmp_path: Path) -> None:
    text = "don\u2019t हिन्दी"
    new = Vocabulary(kind="words", tokens=tuple(sorted(Cutter().cut(text))), word_rule="unicode")
    new.write(tmp_path)
    assert json.loads((tmp_path / "vocabulary.json").read_bytes())["word_rule"] == "unicode"
    assert Vocabulary.read(tmp_path) == new
    assert new.decode(new.encode(text)) == text
    assert list(new.cut(text)) == ["don\u2019t", " हिन्दी"]


def test_a_vocabulary_from_before_the_rule_was_named_is_read_by_its_own(tmp_path: Path) -> None:
    tokens = sorted(["don", "\u2019", "t", " it's"])
    (tmp_path / "vocabulary.json").write_text(json.dumps({"kind": "words", "tokens": tokens}))
    old = Vocabulary.read(tmp_path)
    assert old.cut("don\u2019t it's") == ["don", "\u2019", "t", " it's"]
    assert old.decode(old.encode("don\u2019t it's")) == "don\u2019t it's"


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "words", "tokens": ["b", "a"]},
        {"kind": "words", "tokens": ["a", "a"]},
        {"kind": "words", "tokens": ["", "", "a"]},
        {"kind": "words", "tokens": ["a", ""]},
        {"kind": "characters", "tokens": ["", "\r"]},
        {"kind": "characters", "tokens": ["a", "bc"]},
        {"kind": "words", "tokens": ["a"], "has_unknown": True},
        {"kind": "words", "tokens": ["a"], "word_rule": "guess"},
    ],
)
def test_tokens_that_are_no_vocabularys_are_refused(tmp_path: Path, values: dict[str, object]) -> None:
    (tmp_path / "vocabulary.json").write_text(json.dumps(values))
    with pytest.raises(ArtifactError, match=r"vocabulary\.json: not a vocabulary; re-run the stage that made it"):
        Vocabulary.read(tmp_path)


def test_a_very_long_word_is_cut() -> None:
    assert OLD.cut("x" * 130) == ["x" * 64, "x" * 64, "x" * 2]


@pytest.mark.parametrize(("size", "dtype"), [(1, "u1"), (256, "u1"), (257, "<u2"), (65_536, "<u2"), (65_537, "<u4")])
def test_ids_take_the_narrowest_type_that_holds_them(size: int, dtype: str) -> None:
    assert of_size(size).id_dtype == np.dtype(dtype)


def test_what_is_not_in_the_vocabulary_is_minus_one() -> None:
    assert vocabulary_of("ab").encode("abc").tolist() == [0, 1, -1]
    assert vocabulary_of("a b", "words").encode("a c b").tolist() == [1, -1, 0]


@pytest.mark.parametrize("kind", ["characters", "words"])
@pytest.mark.parametrize("more", ["", "".join(map(chr, range(0x400, 0x600)))], ids=["small", "large"])
@given(text=TEXTS | st.text(st.characters(max_codepoint=127)))
def test_a_corpus_is_encoded_as_by_looking_up_each_token(kind: TokenKind, more: str, text: str) -> None:
    vocabulary = vocabulary_of(f"{text}\n{more}", kind)
    tokens = text if kind == "characters" else OLD.cut(text)
    plain = [vocabulary.tokens.index(token) for token in tokens]
    assert vocabulary.encode_corpus(text).tolist() == vocabulary.encode(text).tolist() == plain


def test_an_unknown_word_becomes_the_token_for_such() -> None:
    vocabulary = Vocabulary(kind="words", tokens=(" the", "the", UNKNOWN), has_unknown=True)
    assert vocabulary.unknown_id == 2
    assert vocabulary.encode("the cat the").tolist() == [1, 2, 0]
    assert vocabulary.encode_prompt("the cat", replace_unknown=False).tolist() == [1, 2]
    assert vocabulary_of("the", "words").unknown_id == -1


@pytest.mark.parametrize(
    ("kind", "prompt", "reported"),
    [
        ("characters", "the c#t", "prompt 'the c#t': '#' at character 6 is not in the model's vocabulary"),
        ("words", "the cat the", "prompt 'the cat the': ' cat' at word 2 is not in the model's vocabulary"),
        ("characters", "th\ne", r"prompt 'th\ne': '\n' at character 3 is not"),
    ],
)
def test_a_prompt_outside_the_vocabulary_is_refused_with_token_and_place(
    kind: TokenKind, prompt: str, reported: str
) -> None:
    vocabulary = vocabulary_of("the the ct the", kind)
    with pytest.raises(UsageError) as raised:
        vocabulary.encode_prompt(prompt, replace_unknown=False)
    assert str(raised.value).startswith(reported)
    assert "sample.replace_unknown" in str(raised.value)


def test_a_long_prompt_is_shortened_in_the_error() -> None:
    with pytest.raises(UsageError) as raised:
        vocabulary_of("a").encode_prompt("a" * 5000 + "b", replace_unknown=False)
    assert str(raised.value).startswith(f"prompt '{'a' * 37}...': 'b' at character 5001 is not")


def test_what_is_unknown_becomes_a_space_when_asked() -> None:
    vocabulary = vocabulary_of("a b")
    assert vocabulary.decode(vocabulary.encode_prompt("a#b€", replace_unknown=True)) == "a b "
    assert vocabulary_of("ab").encode_prompt("b#", replace_unknown=True).tolist() == [1, 0]


def test_what_is_put_in_for_the_unknown_is_reported() -> None:
    assert vocabulary_of("a b").replacement == " "
    assert vocabulary_of("ab").replacement == "a"
    words = Vocabulary(kind="words", tokens=("a", UNKNOWN), has_unknown=True)
    assert (words.replacement, words.unknown_in("a zebra\nzebra")) == (UNKNOWN, [" zebra", "\n", "zebra"])
    assert vocabulary_of("a b").unknown_in("a#b#\u20ac") == ["#", "\u20ac"]


@pytest.mark.parametrize("kind", ["characters", "words"])
def test_the_error_for_a_typed_newline_says_how_to_give_one(kind: TokenKind) -> None:
    vocabulary = vocabulary_of("one\ntwo", kind)
    with pytest.raises(UsageError) as raised:
        vocabulary.encode_prompt(r"one\ntwo", replace_unknown=False)
    assert r"; a typed \n is a backslash and an n: write a newline as $'\n' in the shell, or as " in str(raised.value)
    written = vocabulary.encode_prompt("one\r\ntwo", replace_unknown=False)
    assert written.tolist() == vocabulary.encode("one\ntwo").tolist()
    with pytest.raises(UsageError) as raised:
        vocabulary.encode_prompt("one three", replace_unknown=False)
    assert "typed" not in str(raised.value)


def test_a_prompt_gets_the_corpuss_case() -> None:
    lower = vocabulary_of("ab", lowercase=True)
    assert lower.encode_prompt("AbA", replace_unknown=False).tolist() == [0, 1, 0]
    with pytest.raises(UsageError, match="'A' at character 1"):
        vocabulary_of("ab").encode_prompt("AbA", replace_unknown=False)


@pytest.mark.parametrize("lowercase", [False, True])
@given(text=st.text(min_size=1))
def test_a_prompt_is_normalised_as_the_corpus(lowercase: bool, text: str) -> None:
    from components.ingest.text import clean

    corpus = clean(with_newlines(text), lowercase=lowercase)
    vocabulary = vocabulary_of(corpus, lowercase=lowercase)
    for prompt in [text] if lowercase else [text, unicodedata.normalize("NFD", text)]:
        assert vocabulary.decode(vocabulary.encode_prompt(prompt, replace_unknown=False)) == corpus


@given(text=TEXTS, kind=st.sampled_from(["characters", "words"]), lowercase=st.booleans())
def test_a_vocabulary_survives_its_file(
    tmp_path_factory: pytest.TempPathFactory, text: str, kind: TokenKind, lowercase: bool
) -> None:
    directory = tmp_path_factory.getbasetemp()
    written = vocabulary_of(text, kind, lowercase=lowercase)
    written.write(directory)
    assert Vocabulary.read(directory) == written


def test_the_file_is_json_that_names_its_parts(tmp_path: Path) -> None:
    Vocabulary(kind="words", tokens=(" é", UNKNOWN), lowercase=True, has_unknown=True).write(tmp_path)
    assert json.loads((tmp_path / "vocabulary.json").read_bytes()) == {
        "kind": "words",
        "lowercase": True,
        "has_unknown": True,
        "word_rule": "runs",
        "tokens": [" é", UNKNOWN],
    }


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "{}", '{"kind": "letters", "tokens": []}', '{"kind": "words", "tokens": [1]}', "\0"]
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "vocabulary.json"
    path.write_text(text)
    with pytest.raises(ArtifactError) as raised:
        Vocabulary.read(tmp_path)
    assert str(raised.value) == f"{path}: not a vocabulary; re-run the stage that made it"


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as raised:
        Vocabulary.read(tmp_path)
    assert str(raised.value) == f"{tmp_path / 'vocabulary.json'}: missing; re-run the stage that made it"


@given(text=st.text())
def test_code_points_are_the_characters_numbers(text: str) -> None:
    assert code_points(text).tolist() == [ord(character) for character in text]


def test_the_empty_token_is_a_documents_end(tmp_path: Path) -> None:
    Vocabulary(kind="characters", tokens=("", "\n", "a", "é")).write(tmp_path)
    vocabulary = Vocabulary.read(tmp_path)
    ids = vocabulary.encode_corpus(f"aé\na{END}a{END}")
    assert ids.tolist() == vocabulary.encode(f"aé\na{END}a{END}").tolist() == [2, 3, 1, 2, 0, 2, 0]
    assert vocabulary.encode_corpus(f"a{END}").tolist() == [2, 0]
    assert (vocabulary.decode(ids), vocabulary.decode(ids, "|")) == ("aé\naa", "aé\na|a|")
    assert vocabulary.lengths.tolist() == [1, 1, 1, 1]
    assert vocabulary.replacement == "\n"
    assert vocabulary_of("ab").end_id == -1


def test_no_prompt_contains_a_documents_end() -> None:
    vocabulary = Vocabulary(kind="characters", tokens=("", "\n", "a"))
    assert vocabulary.encode_prompt(f"a{END}a", replace_unknown=False).tolist() == [2, 1, 2]
