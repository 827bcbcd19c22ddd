"""Text written without copies or repeats holds none, and is otherwise the network's own, whatever is beside it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from components.artifacts.errors import UsageError
from components.artifacts.vocabulary import Vocabulary, code_points
from components.generator.network import Architecture, stepper_of
from components.generator.passages import Passages
from components.generator.refused import Copies, Refusal, Repeats
from components.generator.refusing import RefusingWriter
from components.generator.rows import Request, Text
from components.generator.stepping import Stepper
from components.generator.strategies import Strategy
from components.generator.writing import Context, Tiling, Writer
from tests.shorter import mostly_slow
from tests.unit.generator.indifferent import Indifferent

LETTERS = Vocabulary(kind="characters", tokens=tuple("abcdefg"))
TILING = Tiling(rows=4, many=4, threads=2, compiled=True)
LOGITS = np.array([2, 1, 0.5, 0, -0.5, -1, 1.5], np.float32)


def _requests(count: int, temperature: float = 1.0, prompt: str = "abc") -> list[Request]:
    return [Request(id=n, prompt=LETTERS.encode(prompt), temperature=temperature) for n in range(count)]


def _no_copy(corpus: str, characters: int) -> list[Refusal]:
    return [partial(Copies, Passages([code_points(corpus)], characters + 1))]


def _no_repeat(characters: int) -> list[Refusal]:
    return [partial(Repeats, characters)]


def _longest_copy(text: str, corpus: str) -> int:
    return max(
        (end - begin for begin in range(len(text)) for end in range(begin + 1, len(text) + 1)
         if text[begin:end] in corpus),
        default=0,
    )  # fmt: skip


def _same(texts: Sequence[Text], others: Sequence[Text]) -> bool:
    return all(
        a.ids.tolist() == b.ids.tolist() and a.nats_per_token == b.nats_per_token
        for a, b in zip(texts, others, strict=True)
    )


@pytest.fixture(scope="module")
def stepper(tiny: Architecture, network_of: Callable[[Architecture], Any]) -> Stepper:
    return stepper_of(tiny, network_of(tiny))


@pytest.fixture(scope="module")
def corpus(stepper: Stepper) -> str:
    """Much of what the network would write."""
    texts = Writer(stepper, context="carry").write(_requests(12, 0.5), length=200, seed=7)
    return "".join(LETTERS.decode(text.ids) for text in texts)


@pytest.mark.parametrize("context", ["carry", "window"])
@pytest.mark.parametrize("temperature", mostly_slow([0.5, 0.0, 1.0]))
def test_no_longer_passage_of_the_corpus_is_written_whatever_the_network_wants(
    stepper: Stepper, corpus: str, context: Context, temperature: float
) -> None:
    options: dict[str, Any] = {"context": context, "window": 5, "tiling": TILING}
    plain = Writer(stepper, **options)
    refusing = RefusingWriter(stepper, refusals=_no_copy(corpus, 9), vocabulary=LETTERS, **options)
    longest = [
        max(_longest_copy(LETTERS.decode(text.ids), corpus) for text in writer.write(requests, length=80, seed=3))
        for requests in [_requests(5, temperature)]
        for writer in (plain, refusing)
    ]
    assert longest[0] > 9
    assert longest[1] == 9


def test_a_text_is_the_same_alone_and_in_any_batch(stepper: Stepper, corpus: str) -> None:
    writer = RefusingWriter(stepper, refusals=_no_copy(corpus, 6), vocabulary=LETTERS, context="carry", tiling=TILING)
    requests = [*_requests(3, 0.5), *(Request(id=n, prompt=np.arange(n), temperature=0.9) for n in (3, 4, 6))]
    together = writer.write(requests, length=60, seed=3)
    assert _same([writer.write([request], length=60, seed=3)[0] for request in requests], together)
    assert _same(writer.write(requests[::-1], length=60, seed=3)[::-1], together)
    shorter = writer.write(requests, length=25, seed=3)
    assert [text.ids.tolist() for text in shorter] == [text.ids[:25].tolist() for text in together]


def test_where_nothing_is_refused_a_text_is_the_plain_writers(stepper: Stepper) -> None:
    options: dict[str, Any] = {"context": "carry", "strategy": Strategy(top_k=5), "forbidden": [2], "tiling": TILING}
    plain = Writer(stepper, **options).write(_requests(5), length=40, seed=2)
    refusing = RefusingWriter(stepper, refusals=_no_copy("xyz", 1), vocabulary=LETTERS, **options)
    written = refusing.write(_requests(5), length=40, seed=2)
    assert [text.ids.tolist() for text in written] == [text.ids.tolist() for text in plain]
    np.testing.assert_allclose([t.nats_per_token for t in written], [t.nats_per_token for t in plain], rtol=1e-5)


def test_greedy_takes_the_likeliest_that_is_left() -> None:
    # By likelihood: a g b c d e f. The corpus contains aa, ab and ga.
    writer = RefusingWriter(
        Indifferent(LOGITS), refusals=_no_copy("aab-ga", 1), vocabulary=LETTERS, context="carry", tiling=TILING
    )
    text = writer.write(_requests(1, 0.0), length=6, seed=1)[0]
    assert LETTERS.decode(text.ids) == "agggg" + "g"


def test_what_is_left_is_drawn_as_the_network_says() -> None:
    writer = RefusingWriter(
        Indifferent(LOGITS), refusals=_no_copy("agaba", 1), vocabulary=LETTERS, context="carry", tiling=TILING
    )
    texts = writer.write(_requests(4), length=1_000, seed=5)
    after_a = [b for text in texts for a, b in zip(text.ids[:-1], text.ids[1:], strict=True) if a == 0]
    counts, expected = np.bincount(after_a, minlength=7), np.exp(LOGITS)
    expected[[1, 6]] = 0
    expected *= len(after_a) / expected.sum()
    assert counts[[1, 6]].tolist() == [0, 0]
    left = [0, 2, 3, 4, 5]
    assert ((counts[left] - expected[left]) ** 2 / expected[left]).sum() < 23.5  # 4 degrees of freedom, 0.01 %


def test_a_passage_is_counted_from_where_the_prompt_ends(stepper: Stepper, corpus: str) -> None:
    greedy = Writer(stepper, context="carry").write(_requests(1, 0.0, corpus[:20]), length=9, seed=1)[0]
    continuation = corpus[:20] + LETTERS.decode(greedy.ids)
    writer = RefusingWriter(
        stepper, refusals=_no_copy(continuation, 9), vocabulary=LETTERS, context="carry", tiling=TILING
    )
    assert writer.write(_requests(1, 0.0, corpus[:20]), length=9, seed=1)[0].ids.tolist() == greedy.ids.tolist()


def test_words_are_refused_by_the_characters_they_bring() -> None:
    words = Vocabulary(kind="words", tokens=(" mill", " ground", " on", " and", ".", "the", " tree"))
    corpus = "the mill ground on and on. the mill"
    writer = RefusingWriter(
        Indifferent(LOGITS), refusals=_no_copy(corpus, 7), vocabulary=words, context="carry", tiling=TILING
    )
    texts = [words.decode(text.ids) for text in writer.write(_requests(4), length=60, seed=1)]
    assert max(_longest_copy(text, corpus) for text in texts) == 7
    plain = Writer(Indifferent(LOGITS), context="carry", tiling=TILING).write(_requests(4), length=60, seed=1)
    assert max(_longest_copy(words.decode(text.ids), corpus) for text in plain) > 7


def test_a_text_that_can_not_be_continued_is_an_error_that_says_what_to_do() -> None:
    every_pair = "".join(a + b for a in "abcdefg" for b in "abcdefg")
    writer = RefusingWriter(
        Indifferent(LOGITS), refusals=_no_copy(every_pair, 1), vocabulary=LETTERS, context="carry", tiling=TILING
    )
    with pytest.raises(UsageError, match=r"sample\.no_copy: after '[a-g]' every token .* more than 1 characters"):
        writer.write(_requests(1), length=5, seed=1)


def _repeated(text: str, length: int) -> int:
    """How many runs of a text are in it before."""
    runs = [text[place : place + length] for place in range(len(text) - length + 1)]
    return len(runs) - len(set(runs))


@pytest.mark.parametrize("context", mostly_slow(["carry", "window"]))
@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_no_run_is_written_twice_nor_one_that_the_prompt_has(
    stepper: Stepper, context: Context, temperature: float
) -> None:
    options: dict[str, Any] = {"context": context, "window": 50, "tiling": TILING}
    prompt = "abcdefgfedcba"
    requests = _requests(5, temperature, prompt)
    plain = Writer(stepper, **options).write(requests, length=150, seed=3)
    assert max(_repeated(prompt + LETTERS.decode(text.ids), 7) for text in plain) > 20
    writer = RefusingWriter(stepper, refusals=_no_repeat(7), vocabulary=LETTERS, **options)
    written = writer.write(requests, length=150, seed=3)
    assert [_repeated(prompt + LETTERS.decode(text.ids), 7) for text in written] == [0] * 5


def test_a_text_without_repeats_is_the_same_alone_and_in_any_batch_whatever_is_refused_beside_it(
    stepper: Stepper,
) -> None:
    writer = RefusingWriter(stepper, refusals=_no_repeat(5), vocabulary=LETTERS, context="carry", tiling=TILING)
    requests = [*_requests(3, 0.2), *_requests(9, 1.3)[3:], Request(id=9, prompt=np.arange(6), temperature=0.0)]
    together = writer.write(requests, length=300, seed=3)  # more than one chunk
    assert _same([writer.write([request], length=300, seed=3)[0] for request in requests], together)
    assert _same(writer.write(requests[::-1], length=300, seed=3)[::-1], together)


def test_both_rules_hold_at_once(stepper: Stepper, corpus: str) -> None:
    refusals = [*_no_copy(corpus, 9), *_no_repeat(8)]
    writer = RefusingWriter(stepper, refusals=refusals, vocabulary=LETTERS, context="carry", tiling=TILING)
    texts = [LETTERS.decode(text.ids) for text in writer.write(_requests(4, 0.4), length=100, seed=3)]
    assert max(_longest_copy(text, corpus) for text in texts) == 9
    assert max(_repeated(text, 8) for text in texts) == 0


def test_a_text_that_has_said_all_is_an_error_that_says_what_to_do() -> None:
    writer = RefusingWriter(
        Indifferent(LOGITS), refusals=_no_repeat(1), vocabulary=LETTERS, context="carry", tiling=TILING
    )
    with pytest.raises(UsageError, match=r"^sample\.no_repeat: after '[defg]{4}' every token would .* a run of 1 char"):
        writer.write(_requests(1), length=5, seed=1)
