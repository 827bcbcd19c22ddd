from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from components.artifacts.tensorflow import tf
from components.generator.network import Architecture, Objective
from components.generator.stepping import Stepper
from components.generator.writing import Context, Request, Text, Writer, uniform_stream

V = 7
TABLE = np.random.default_rng(5).normal(0, 1.5, (V, V)).astype(np.float32)


class SumOfAll:
    """Logits are a row of a table; which row is told by the sum of all ids + 1 read since the state was zero."""

    def __init__(self, table: NDArray[np.float32] = TABLE) -> None:
        self._table = table

    def zero_states(self, batch: int) -> list[Any]:
        return [tf.zeros([batch, 1], tf.int32)]

    def read(self, ids: Any, states: Sequence[Any]) -> list[Any]:
        return [states[0] + ids[:, None] + 1]

    def logits(self, states: Sequence[Any]) -> Any:
        return tf.gather(tf.constant(self._table), states[0][:, 0] % V)


class CountOfTokens:
    """Says how many tokens were read since the state was zero."""

    def zero_states(self, batch: int) -> list[Any]:
        return [tf.zeros([batch, 1], tf.int32)]

    def read(self, ids: Any, states: Sequence[Any]) -> list[Any]:
        return [states[0] + tf.ones_like(ids)[:, None]]

    def logits(self, states: Sequence[Any]) -> Any:
        return tf.one_hot(states[0][:, 0], 20)


def _row(ids: Sequence[int]) -> int:
    """The row of SumOfAll's table after reading ids."""
    return (sum(ids) + len(ids)) % V


def _request(number: int, prompt: Sequence[int], temperature: float = 0.0) -> Request:
    return Request(id=number, prompt=np.array(prompt), temperature=temperature)


def _greedy(writer: Writer, prompt: Sequence[int], length: int) -> list[int]:
    return writer.write([_request(0, prompt)], length=length, seed=1)[0].ids.tolist()


def _same(texts: Sequence[Text], others: Sequence[Text]) -> bool:
    return all(
        a.ids.tolist() == b.ids.tolist() and a.nats_per_token == b.nats_per_token
        for a, b in zip(texts, others, strict=True)
    )


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    """Seven texts whose prompts differ in length, at temperatures that differ too."""
    chance = np.random.default_rng(6)
    lengths, temperatures = (1, 4, 2, 9, 3, 3, 6), (1.0, 0.5, 0.0, 1.3, 1.0, 1.0, 0.8)
    return [
        _request(number, chance.integers(0, V, length).tolist(), temperature)
        for number, (length, temperature) in enumerate(zip(lengths, temperatures, strict=True))
    ]


@pytest.fixture(scope="module", params=["carry", "window"])
def writer(request: pytest.FixtureRequest) -> Writer:
    return Writer(SumOfAll(), context=request.param, window=4)


def test_carry_reads_the_prompt_and_then_what_was_written() -> None:
    text = [3, 1, 6]
    for _ in range(8):
        text.append(int(TABLE[_row(text)].argmax()))
    assert _greedy(Writer(SumOfAll(), context="carry"), text[:3], 8) == text[3:]


def test_window_reads_the_last_tokens_alone() -> None:
    text = [3, 1, 6, 5, 2, 4]
    for _ in range(8):
        text.append(int(TABLE[_row(text[-4:])].argmax()))
    assert _greedy(Writer(SumOfAll(), context="window", window=4), text[:6], 8) == text[6:]


@pytest.mark.parametrize(
    ("context", "prompt", "counts"),
    [
        ("window", [9], [1, 2, 3, 3, 3, 3]),
        ("window", [9, 9, 9, 9, 9], [3, 3, 3, 3, 3, 3]),
        ("carry", [9, 9, 9, 9, 9], [5, 6, 7, 8, 9, 10]),
    ],
)
def test_a_token_is_chosen_after_reading_this_many(context: Context, prompt: list[int], counts: list[int]) -> None:
    assert _greedy(Writer(CountOfTokens(), context=context, window=3), prompt, 6) == counts


def test_a_text_is_the_same_alone_and_among_others(writer: Writer, requests: list[Request]) -> None:
    together = writer.write(requests, length=12, seed=3)
    alone = [writer.write([request], length=12, seed=3)[0] for request in requests]
    assert _same(together, alone)


def test_a_text_is_the_same_in_any_order_and_batch(writer: Writer, requests: list[Request]) -> None:
    expected = writer.write(requests, length=12, seed=3)
    order = [4, 6, 1, 0, 5, 3, 2]
    written: dict[int, Text] = {}
    for first in range(0, 7, 3):
        batch = order[first : first + 3]
        texts = writer.write([requests[number] for number in batch], length=12, seed=3)
        written.update(zip(batch, texts, strict=True))
    assert _same([written[number] for number in range(7)], expected)


def test_texts_differ_by_seed_id_and_prompt(writer: Writer) -> None:
    def write(seed: int, number: int, prompt: list[int]) -> tuple[int, ...]:
        return tuple(writer.write([_request(number, prompt, 1.0)], length=20, seed=seed)[0].ids.tolist())

    texts = [write(1, 0, [2, 3]), write(2, 0, [2, 3]), write(1, 1, [2, 3]), write(1, 0, [2, 4])]
    assert len(set(texts)) == 4


def test_a_longer_text_begins_with_the_shorter_one(writer: Writer) -> None:
    shorter, longer = (writer.write([_request(1, [2], 1.0)], length=n, seed=9)[0].ids.tolist() for n in (5, 15))
    assert longer[:5] == shorter


@pytest.mark.parametrize("temperature", [0.0, 1.0, 5.0])
def test_forbidden_ids_are_never_written(temperature: float) -> None:
    table = np.zeros((V, V), np.float32)
    table[:, [2, 5]] = 3  # what is forbidden would be the likeliest
    writer = Writer(SumOfAll(table), context="carry", forbidden=[2, 5])
    texts = writer.write([_request(n, [2], temperature) for n in range(5)], length=40, seed=1)
    written = {int(token) for text in texts for token in text.ids}
    assert written == ({0} if temperature == 0 else {0, 1, 3, 4, 6})


@pytest.mark.parametrize("forbidden", [[], [3]])
def test_nats_are_the_networks_own_whatever_the_strategy(forbidden: list[int]) -> None:
    writer = Writer(SumOfAll(), context="carry", top_k=4, top_p=0.9, forbidden=forbidden)
    text = writer.write([_request(0, [1, 2], 0.5)], length=30, seed=4)[0]
    logits = np.array([TABLE[_row([1, 2, *text.ids[:count]])] for count in range(30)], np.float64)
    nats = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(30), text.ids]
    assert text.nats_per_token == pytest.approx(nats.mean(), rel=1e-5)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_carry_and_window_agree_while_the_text_fits_the_window(
    tiny: Architecture, network_of: Callable[[Architecture], Any], temperature: float
) -> None:
    stepper = Stepper(tiny, network_of(tiny))
    carry, window = (
        Writer(stepper, context=context, window=10).write([_request(0, [1, 5, 2], temperature)], length=16, seed=2)[0]
        for context in ("carry", "window")
    )
    # The last of ten tokens' successor is chosen from all ten, so one more than the window holds agrees.
    assert carry.ids[:8].tolist() == window.ids[:8].tolist()


@pytest.mark.parametrize("objective", ["next", "sequence"])
def test_window_equals_calling_the_network_on_the_last_ids(
    tiny: Architecture, network_of: Callable[[Architecture], Any], objective: Objective
) -> None:
    architecture = replace(tiny, objective=objective)
    network = network_of(architecture)
    text = [0, 4, 1, 6]
    for _ in range(12):
        logits = np.array(network(np.array([text[-4:]], np.int32)))[0]
        text.append(int((logits if objective == "next" else logits[-1]).argmax()))
    writer = Writer(Stepper(architecture, network), context="window", window=4)
    assert _greedy(writer, text[:4], 12) == text[4:]
    assert len(set(text[4:])) > 1


@given(seed=st.integers(0, 2**63 - 1), text=st.integers(0, 2**64 - 1))
def test_chance_lies_below_one_and_a_shorter_stream_is_its_beginning(seed: int, text: int) -> None:
    stream = uniform_stream(seed, text, 50)
    assert stream.dtype == np.float32
    assert ((stream >= 0) & (stream < 1)).all()
    np.testing.assert_array_equal(uniform_stream(seed, text, 20), stream[:20])


@given(
    keys=st.lists(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)), min_size=2, max_size=2, unique=True)
)
@settings(max_examples=200)
def test_chance_differs_by_seed_and_text(keys: list[tuple[int, int]]) -> None:
    (seed, text), (other_seed, other_text) = keys
    assert (uniform_stream(seed, text, 10) != uniform_stream(other_seed, other_text, 10)).any()
