"""A text may end before its full length: with a document's end, or a string to stop at; and its row begins another."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from components.artifacts.tensorflow import tf
from components.artifacts.vocabulary import Vocabulary, code_points
from components.generator.architecture import Architecture
from components.generator.ending import Ended, Ending
from components.generator.network import stepper_of
from components.generator.passages import Passages
from components.generator.refused import Copies
from components.generator.refusing import RefusingWriter
from components.generator.rows import Request, Text
from components.generator.writing import Tiling, Writer
from tests.unit.generator.indifferent import Indifferent

LETTERS = Vocabulary(kind="characters", tokens=("", *"abcdef"))
ENDING = Ending(end=0, tokens=LETTERS.tokens)
TILING = Tiling(rows=4, many=4, threads=2, compiled=False)


@pytest.mark.parametrize(
    ("text", "new", "stop", "place"),
    [
        ("abc", 0, (), None),
        ("ab\rcd\r", 0, (), (3, "end")),
        ("abc", 0, ("bc",), (3, "stop")),
        ("abcd", 0, ("bc",), (3, "stop")),
        ("abcd", 2, ("bc", "d"), (3, "stop")),
        ("abcd", 0, ("d", "cd", "ab"), (2, "stop")),
        ("ab\rcd", 0, ("b",), (2, "stop")),
        ("ab\rcd", 0, ("bc", "d"), (3, "end")),
        ("aab", 2, ("ab",), (3, "stop")),
    ],
)
def test_the_first_end_counts(text: str, new: int, stop: tuple[str, ...], place: tuple[int, Ended] | None) -> None:
    assert replace(ENDING, stop=stop).place(LETTERS.encode(text), new) == place


def test_a_string_may_end_within_a_word() -> None:
    words = Vocabulary(kind="words", tokens=(" mill", " on", "the"), word_rule="unicode")
    ending = Ending(stop=("mi", "ill o"), tokens=words.tokens)
    assert ending.place(np.array([2, 0, 1]), 0) == (2, "stop")
    assert replace(ending, stop=("ill o",)).place(np.array([2, 0, 1]), 2) == (3, "stop")


class Countdown:
    """Writes its prompt's last id so often, and then an end: a text of known length."""

    def zero_states(self, batch: int) -> list[Any]:
        return [tf.zeros([batch, 1], tf.int32)]

    def read(self, ids: Any, states: Sequence[Any]) -> list[Any]:
        begun = states[0][:, 0] > 0
        return [tf.where(begun, states[0][:, 0] - 1, ids + 1)[:, None]]

    def logits(self, states: Sequence[Any]) -> Any:
        return tf.one_hot(tf.where(states[0][:, 0] > 1, 1, 0), 50) * 9.0


def _request(number: int, prompt: Sequence[int], temperature: float = 1.0) -> Request:
    return Request(id=number, prompt=np.array(prompt), temperature=temperature)


@pytest.mark.parametrize("length", [200, 20])
def test_texts_of_all_lengths_end_where_they_should(length: int) -> None:
    lengths = [1, 40, 3, 31, 32, 33, 2, 49, 5, 20, 19, 21, 8]
    writer = Writer(Countdown(), context="carry", ending=Ending(end=0), tiling=TILING)
    texts = writer.write([_request(n, [size], 0.0) for n, size in enumerate(lengths)], length=length, seed=1)
    for size, text in zip(lengths, texts, strict=True):
        whole = [1] * size + [0]
        assert text.ids.tolist() == whole[:length]
        assert len(text.nats) == len(text.ids)
        assert text.ended == ("end" if size < length else "length")


def _same(texts: Sequence[Text], others: Sequence[Text]) -> bool:
    return all(
        (a.ids.tolist(), a.nats_per_token, a.ended) == (b.ids.tolist(), b.nats_per_token, b.ended)
        for a, b in zip(texts, others, strict=True)
    )


@pytest.mark.parametrize("context", ["carry", "window"])
@pytest.mark.parametrize("refuses", [False, True])
def test_a_text_is_the_same_alone_and_after_others_in_its_row(
    tiny: Architecture, network_of: Callable[[Architecture], Any], context: Any, refuses: bool
) -> None:
    stepper = stepper_of(tiny, network_of(tiny))
    options: dict[str, Any] = {"context": context, "window": 3, "ending": ENDING, "tiling": TILING}
    if refuses:
        passages = Passages([code_points("abcdefabdfcaeb" * 3)], 3)
        writer: Writer = RefusingWriter(stepper, refusals=[partial(Copies, passages)], vocabulary=LETTERS, **options)
    else:
        writer = Writer(stepper, **options)
    requests = [_request(number, [0, 1 + number % 6]) for number in range(20)]
    together = writer.write(requests, length=70, seed=3)
    assert len({len(text.ids) for text in together if text.ended == "end"}) > 3
    assert _same([writer.write([request], length=70, seed=3)[0] for request in requests], together)
    unending = Writer(stepper, context=context, window=3, tiling=TILING)
    if not refuses:
        for text, longer in zip(together, unending.write(requests, length=70, seed=3), strict=True):
            assert text.ids.tolist() == longer.ids[: len(text.ids)].tolist()
            assert 0 not in text.ids[:-1]


def test_the_end_of_a_document_is_never_refused() -> None:
    every_pair = "".join(a + b for a in "abcdef" for b in "abcdef")
    writer = RefusingWriter(
        Indifferent(np.zeros(len(LETTERS))),
        refusals=[partial(Copies, Passages([code_points(every_pair)], 2))],
        vocabulary=LETTERS,
        context="carry",
        ending=ENDING,
        tiling=TILING,
    )
    texts = writer.write([_request(number, [0]) for number in range(5)], length=30, seed=1)
    assert {len(text.ids) for text in texts if text.ids[0]} == {2}
    assert {text.ended for text in texts} == {"end"}
