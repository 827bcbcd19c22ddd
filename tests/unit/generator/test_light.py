"""A generator in NumPy reads a model, and writes the texts that sample writes."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.vocabulary import UNKNOWN, Vocabulary
from components.generator import writing
from components.generator.architecture import Architecture, Context, Input
from components.generator.cells import CELLS, CellName
from components.generator.light.generator import TextGenerator, Writing
from components.generator.model import Model
from components.generator.network import stepper_of
from components.generator.refused import Repeats
from components.generator.refusing import RefusingWriter
from components.generator.strategies import Strategy
from tests.shorter import mostly_slow

NetworkOf = Callable[[Architecture], Any]
KINDS: list[tuple[Input, int]] = [("one_hot", 1), ("scaled", 1), ("embedding", 1), ("embedding", 3)]


@pytest.fixture(scope="module")
def model_of(network_of: NetworkOf, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a model artifact's files; changes are of its architecture or of Model's fields."""

    def make(tiny: Architecture, vocabulary: Vocabulary, context: Context = "carry", **changes: Any) -> Path:
        architecture = replace(tiny, **{"vocabulary": len(vocabulary), **changes})
        directory = tmp_path_factory.mktemp("model")
        Model(
            architecture=architecture,
            network=network_of(architecture),
            vocabulary=vocabulary,
            context=context,
            window=4,
            prompts=["ab"],
        ).write(directory, {})
        return directory

    return make


CHARACTERS = Vocabulary(kind="characters", tokens=tuple("\n abcdé"))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("context", ["carry", "window"])
@pytest.mark.parametrize(("source", "ngrams"), mostly_slow(reversed(KINDS)))
def test_a_text_is_the_one_that_sample_writes(
    tiny: Architecture, model_of: Callable[..., Path], cell: CellName, context: Context, source: Input, ngrams: int
) -> None:
    shape = {"cell": cell, "layers": 2, "input": source, "ngrams": ngrams, "ngram_buckets": 97}
    directory = model_of(tiny, CHARACTERS, context, **shape)
    model, generator = Model.read(directory), TextGenerator.read(directory)
    prompt = generator.encode("ab cab dé")
    writer = writing.Writer(
        stepper_of(model.architecture, model.network),
        context=context,
        window=4,
        strategy=Strategy(top_k=5, top_p=0.95),
    )
    requests = [writing.Request(id=number, prompt=prompt, temperature=0.9) for number in range(3)]
    for request, text in zip(requests, writer.write(requests, length=40, seed=7), strict=True):
        rules = Writing(length=40, temperature=0.9, top_k=5, top_p=0.95, seed=7)
        tokens = list(generator.stream("ab cab dé", rules, request.id))
        assert "".join(token.text for token in tokens) == CHARACTERS.decode(text.ids)
        assert np.mean([token.nats for token in tokens]) == pytest.approx(text.nats_per_token, abs=1e-4)


@pytest.mark.parametrize("context", ["carry", "window"])
@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_a_text_without_repeats_is_the_one_that_sample_writes(
    tiny: Architecture, model_of: Callable[..., Path], context: Context, temperature: float
) -> None:
    directory = model_of(tiny, CHARACTERS, context)
    model, generator = Model.read(directory), TextGenerator.read(directory)
    writer = RefusingWriter(
        stepper_of(model.architecture, model.network),
        refusals=[partial(Repeats, 3)],
        vocabulary=CHARACTERS,
        context=context,
        window=4,
    )
    prompt, rules = "ab cab dé", Writing(length=60, temperature=temperature, no_repeat=3, seed=7)
    request = writing.Request(id=2, prompt=generator.encode(prompt), temperature=temperature)
    (text,) = writer.write([request], length=60, seed=7)
    written = "".join(token.text for token in generator.stream(prompt, rules, 2))
    assert written == CHARACTERS.decode(text.ids)
    plain = generator.stream(prompt, rules.model_copy(update={"no_repeat": 0}), 2)
    assert written != "".join(token.text for token in plain)


def test_a_text_that_has_said_all_ends_with_an_error(tiny: Architecture, model_of: Callable[..., Path]) -> None:
    written = TextGenerator.read(model_of(tiny, CHARACTERS)).stream("ab", Writing(no_repeat=1))
    with pytest.raises(UsageError, match=r"^no_repeat: every token would complete a run of 1 character.*raise no_r"):
        list(written)


def test_a_model_that_names_no_cell_is_of_lstm_layers(tiny: Architecture, model_of: Callable[..., Path]) -> None:
    directory = model_of(tiny, CHARACTERS)
    config = json.loads((directory / "config.json").read_text())
    assert config["architecture"].pop("cell") == "lstm"
    (directory / "config.json").write_text(json.dumps(config))
    for reader in (Model, TextGenerator):
        assert reader.read(directory).architecture == replace(tiny, vocabulary=len(CHARACTERS))


def test_it_is_described_as_the_model_is(tiny: Architecture, model_of: Callable[..., Path]) -> None:
    directory = model_of(tiny, CHARACTERS, "window")
    assert TextGenerator.read(directory).description == Model.read(directory).description


def test_logits_are_those_after_the_text(tiny: Architecture, model_of: Callable[..., Path]) -> None:
    directory = model_of(tiny, CHARACTERS)
    expected = Model.read(directory).network(CHARACTERS.encode("abc")[None].astype(np.int32))[0, -1]
    np.testing.assert_allclose(TextGenerator.read(directory).logits("abc"), expected, atol=1e-4)


def test_everything_a_prompt_has_that_the_model_lacks_is_named(
    tiny: Architecture, model_of: Callable[..., Path]
) -> None:
    generator = TextGenerator.read(model_of(tiny, CHARACTERS))
    with pytest.raises(UsageError, match=r"^the prompt has 'X', '☃', not among the model's 7 characters"):
        generator.stream("aXb☃X", Writing())
    with pytest.raises(UsageError, match="the prompt is empty"):
        generator.stream("", Writing())


def test_a_prompt_is_put_in_the_corpuss_form(tiny: Architecture, model_of: Callable[..., Path]) -> None:
    generator = TextGenerator.read(model_of(tiny, replace(CHARACTERS, lowercase=True)))
    assert generator.encode("ABE\N{COMBINING ACUTE ACCENT}").tolist() == [2, 3, 6]


def test_the_token_for_unknown_words_is_read_but_never_written(
    tiny: Architecture, model_of: Callable[..., Path]
) -> None:
    words = Vocabulary(kind="words", tokens=(" a", " b", "a", UNKNOWN), has_unknown=True)
    generator = TextGenerator.read(model_of(tiny, words))
    tokens = [token.text for token in generator.stream("a quince", Writing(length=300, temperature=5.0))]
    assert set(tokens) == {" a", " b", "a"}


def test_weights_of_another_shape_than_the_configs_are_refused(
    tiny: Architecture, model_of: Callable[..., Path]
) -> None:
    directory = model_of(tiny, CHARACTERS)
    config = directory / "config.json"
    config.write_text(config.read_text().replace('"units": 5', '"units": 6'))
    with pytest.raises(ArtifactError, match=r"model\.keras: its tensors are not config\.json's network's"):
        TextGenerator.read(directory)


def test_other_weights_than_the_configs_are_refused(tiny: Architecture, model_of: Callable[..., Path]) -> None:
    directory, other = model_of(tiny, CHARACTERS), model_of(tiny, CHARACTERS)
    network = Model.read(other).network
    network.get_layer("logits").bias.assign_add(np.ones(7, np.float32))
    network.save(directory / "model.keras")
    with pytest.raises(ArtifactError, match=r"model\.keras: its tensors do not match the digest in config\.json"):
        TextGenerator.read(directory)


@pytest.mark.parametrize("keep", [0, 0.5, 0.99])
def test_a_incomplete_network_is_named(tiny: Architecture, model_of: Callable[..., Path], keep: float) -> None:
    path = model_of(tiny, CHARACTERS) / "model.keras"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(ArtifactError, match=r"model\.keras: missing or not a Keras model"):
        TextGenerator.read(path.parent)


def test_the_shapes_of_the_weights_follow_from_the_architecture(tiny: Architecture, network_of: NetworkOf) -> None:
    for (source, ngrams), cell in itertools.product(KINDS, CELLS):
        architecture = replace(tiny, cell=cell, layers=2, input=source, ngrams=ngrams, ngram_buckets=97)
        layers = [layer for layer in network_of(architecture).layers if layer.get_weights()]
        shapes = {layer.name: [array.shape for array in layer.get_weights()] for layer in layers}
        assert architecture.weight_shapes == shapes
