"""A text depends on its seed, id, prompt and settings alone, and follows the network's probabilities."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.artifacts.tensorflow import tf
from components.generator import writing
from components.generator.architecture import Architecture, Context, Objective
from components.generator.network import stepper_of
from components.generator.randomness import uniform_stream
from components.generator.rows import Request, Text
from components.generator.strategies import Strategy
from components.generator.writing import Tiling, Writer
from tests.shorter import mostly_slow

V = 7
TABLE = np.random.default_rng(5).normal(0, 1.5, (V, V)).astype(np.float32)


class SumOfAll:
    """Logits are a row of a table; its index is the sum of all ids + 1 read since the state was zero."""

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
    rng = np.random.default_rng(6)
    lengths, temperatures = (1, 4, 2, 9, 3, 3, 6), (1.0, 0.5, 0.0, 1.3, 1.0, 1.0, 0.8)
    return [
        _request(number, rng.integers(0, V, length).tolist(), temperature)
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


@pytest.mark.parametrize("temperature", mostly_slow([0.0, 1.0, 5.0]))
def test_forbidden_ids_are_never_written(temperature: float) -> None:
    table = np.zeros((V, V), np.float32)
    table[:, [2, 5]] = 3  # what is forbidden would be the likeliest
    writer = Writer(SumOfAll(table), context="carry", forbidden=[2, 5])
    texts = writer.write([_request(n, [2], temperature) for n in range(5)], length=40, seed=1)
    written = {int(token) for text in texts for token in text.ids}
    assert written == ({0} if temperature == 0 else {0, 1, 3, 4, 6})


@pytest.mark.parametrize("forbidden", [[], [3]])
def test_nats_are_the_networks_own_whatever_the_strategy(forbidden: list[int]) -> None:
    writer = Writer(SumOfAll(), context="carry", strategy=Strategy(top_k=4, top_p=0.9), forbidden=forbidden)
    text = writer.write([_request(0, [1, 2], 0.5)], length=30, seed=4)[0]
    logits = np.array([TABLE[_row([1, 2, *text.ids[:count]])] for count in range(30)], np.float64)
    nats = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(30), text.ids]
    assert text.nats == pytest.approx(nats, abs=1e-5)
    assert text.nats_per_token == pytest.approx(nats.mean(), rel=1e-5)


@pytest.mark.parametrize("temperature", mostly_slow([0.0, 1.0]))
def test_carry_and_window_agree_while_the_text_fits_the_window(
    tiny: Architecture, network_of: Callable[[Architecture], Any], temperature: float
) -> None:
    stepper = stepper_of(tiny, network_of(tiny))
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
    writer = Writer(stepper_of(architecture, network), context="window", window=4)
    assert _greedy(writer, text[:4], 12) == text[4:]
    assert len(set(text[4:])) > 1


@pytest.mark.parametrize("context", ["carry", "window"])
@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_a_text_is_the_one_that_a_plain_loop_writes(
    tiny: Architecture, network_of: Callable[[Architecture], Any], context: Context, temperature: float
) -> None:
    network = network_of(tiny)
    prompt, uniforms = [2, 5, 1, 1, 6], uniform_stream(8, 3, 60)
    expected, nats = _plainly_written(network, prompt, uniforms, temperature, window=4 if context == "window" else None)
    writer = Writer(stepper_of(tiny, network), context=context, window=4)
    text = writer.write([_request(3, prompt, temperature)], length=60, seed=8)[0]
    assert text.ids.tolist() == expected
    assert text.nats_per_token == pytest.approx(nats, abs=1e-5)


def _plainly_written(
    network: Any, prompt: list[int], uniforms: NDArray[np.float32], temperature: float, *, window: int | None
) -> tuple[list[int], float]:
    """Ids and mean nats, by the LSTM's equations in double precision, everything read again for each token."""
    kernel, recurrent, bias, output, output_bias = (weight.astype(np.float64) for weight in network.get_weights())
    ids, nats = list(prompt), []
    for uniform in uniforms:
        h, c = np.zeros((2, recurrent.shape[0]))
        for token in ids[-window:] if window else ids:
            i, f, g, o = np.split(kernel[token] + h @ recurrent + bias, 4)
            c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            h = np.tanh(c) / (1 + np.exp(-o))
        logits = h @ output + output_bias
        weights = np.exp((logits - logits.max()) / (temperature or 1))
        reached = np.searchsorted(weights.cumsum(), uniform * weights.sum(), side="right")
        ids.append(int(reached) if temperature else int(logits.argmax()))
        nats.append(np.log(np.exp(logits).sum()) - logits[ids[-1]])
    return ids[len(prompt) :], float(np.mean(nats))


@pytest.mark.parametrize("context", ["carry", "window"])
def test_a_text_does_not_show_how_long_its_companions_prompts_are(
    tiny: Architecture, network_of: Callable[[Architecture], Any], context: Context
) -> None:
    tiling = Tiling(rows=4 if context == "carry" else 16, many=16, threads=2, compiled=True)
    writer = Writer(stepper_of(tiny, network_of(tiny)), context=context, window=4, tiling=tiling)
    texts = []
    for length in (1, 3, 9, 400):
        companions = [_request(number, [number] * length, 1.0) for number in (0, 1, 3)]
        texts.append(writer.write([*companions, _request(2, [1, 6, 2, 2, 0], 1.0)], length=100, seed=1)[-1])
    assert _same(texts[1:], texts[:1] * 3)


MANY = Tiling(rows=4, many=16, threads=2, compiled=True)


def _many_requests() -> list[Request]:
    """Thirty-six texts, not in the order of their ids: two large tiles for each thread and one that is not full."""
    return [_request(id_, [id_ % V] * (1 + id_ % 3), 1.0 - id_ % 2 / 10) for id_ in [*range(50, 68), *range(18)]]


def test_large_tiles_give_the_texts_of_small_ones(
    tiny: Architecture, network_of: Callable[[Architecture], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stepper = stepper_of(tiny, network_of(tiny))
    small = Writer(stepper, context="carry", tiling=replace(MANY, many=4))
    texts = small.write(_many_requests(), length=300, seed=1)
    monkeypatch.setattr(writing, "_MUCH", 1)
    large = Writer(stepper, context="carry", tiling=MANY)
    assert large.rows_for(36, 300) == 16
    assert _same(large.write(_many_requests(), length=300, seed=1), texts)


class OfRows(SumOfAll):
    """As a processor whose products round differently for another number of rows."""

    def logits(self, states: Sequence[Any]) -> Any:
        return super().logits(states) * (1 + states[0].shape[0] / 10_000)


def test_large_tiles_are_not_used_where_they_round_differently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_MUCH", 1)
    assert Writer(OfRows(), context="carry", tiling=MANY).rows_for(1_000, 1_000) == 4
    assert Writer(SumOfAll(), context="carry", tiling=MANY).rows_for(1_000, 1_000) == 16


@pytest.mark.parametrize(("texts", "length"), [(31, 1_000_000), (32, 100)])
def test_few_texts_and_short_ones_try_no_large_tiles(texts: int, length: int) -> None:
    writer = Writer(SumOfAll(), context="carry", tiling=MANY)
    assert writer.rows_for(texts, length) == 4
    assert "_many_round_alike" not in vars(writer)


def test_windows_keep_the_rows_of_their_tiles() -> None:
    assert Writer(SumOfAll(), context="window", window=2, tiling=MANY).rows_for(1_000, 1_000_000) == 2


def _chi_square_of_what_is_written(temperature: float) -> float:
    """Of 50,000 tokens at a temperature, by a network that always says the same, against its softmax."""
    logits = TABLE[0]
    writer = Writer(SumOfAll(np.tile(logits, (V, 1))), context="carry")
    texts = writer.write([_request(n, [0], temperature) for n in range(4)], length=12_500, seed=5)
    counts = np.bincount(np.concatenate([text.ids for text in texts]), minlength=V)
    expected = 50_000 * np.exp(logits) / np.exp(logits).sum()
    return float(((counts - expected) ** 2 / expected).sum())


def test_what_is_written_follows_the_networks_softmax_by_chi_square() -> None:
    limit = 27.86  # 6 degrees of freedom, 0.01 %
    assert _chi_square_of_what_is_written(1.0) < limit
    assert _chi_square_of_what_is_written(0.95) > limit
