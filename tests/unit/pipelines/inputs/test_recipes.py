"""Each recipe matches the facts of its tutorial, which are written out here again."""

from importlib import resources
from typing import Any

import pytest
import yaml

from components.artifacts.records import window_count
from components.artifacts.tensorflow import keras
from components.generator.network import build
from components.ingest.config import IngestConfig
from components.sample.config import SampleConfig
from components.steps import STAGES
from components.train import optimizer, trainer
from components.train.config import TrainConfig
from components.vectorize.config import VectorizeConfig
from pipelines.inputs.settings import as_yaml, recipe, recipe_names, settings_of

TUTORIALS = ["nietzsche", "gitter-chat", "sonnets", "game-of-thrones", "words"]
TEMPERATURES = (0.2, 0.5, 1.0, 1.2)
Parsed = tuple[IngestConfig, VectorizeConfig, TrainConfig, SampleConfig]


def parsed(name: str, *assignments: str) -> Parsed:
    """The settings of ingest, vectorize, train and sample."""
    stages: Any = settings_of(recipe(name), assignments)
    return stages["ingest"], stages["vectorize"], stages["train"], stages["sample"]


def network_of(train: TrainConfig, vocabulary: int, length: int) -> Any:
    return build(trainer.architecture_of(train, vocabulary), length=length)


def layers_of(train: TrainConfig) -> list[str]:
    """The LSTM and dropout layers in the order in which the ids pass them."""
    names = [layer.name for layer in network_of(train, 48, 100).layers]
    return [name for name in names if name.startswith(("lstm", "dropout"))]


def optimizer_of(train: TrainConfig) -> Any:
    return optimizer.make_optimizer(train, optimizer.make_learning_rate(train, train_steps=100))


@pytest.mark.parametrize("name", ["nietzsche", "words"])
def test_nietzsche_and_words_corpus_and_cut(name: str) -> None:
    ingest, vectorize, _, _ = parsed(name)
    assert ingest.lowercase
    assert (vectorize.length, vectorize.step, vectorize.held_out) == (60, 3, 0)
    assert vectorize.tokens == ("words" if name == "words" else "characters")
    assert window_count(600_901, vectorize.length, vectorize.step) == 200_281


@pytest.mark.parametrize("name", ["nietzsche", "words"])
def test_nietzsche_and_words_training(name: str) -> None:
    _, _, train, _ = parsed(name)
    assert (train.layers, train.units, train.dropout) == (1, 128, 0)
    assert train.input == ("embedding" if name == "words" else "one_hot")
    assert (train.optimizer, train.learning_rate, train.schedule, train.clip_norm) == ("rmsprop", 0.01, "constant", 0)
    assert (train.batch, train.epochs, train.train_steps) == (128, 60, 0)
    assert (train.objective, train.label_smoothing) == ("next", 0)  # categorical cross-entropy
    assert train.export == "last"


@pytest.mark.parametrize("name", ["nietzsche", "words"])
def test_nietzsche_and_words_samples(name: str) -> None:
    _, _, train, sample = parsed(name)
    assert (train.sample_every, train.sample_length, train.sample_temperatures) == (1, 400, TEMPERATURES)
    assert (sample.temperatures, sample.length) == (TEMPERATURES, 400)
    assert (sample.prompts, sample.prompts_file, sample.prompt_length) == ((), "", 0)  # a random window


def test_nietzsches_network_is_one_lstm_over_one_hot_characters() -> None:
    _, vectorize, train, _ = parsed("nietzsche")
    network = network_of(train, 59, vectorize.length)
    assert network.get_layer("lstm_1").count_params() == 4 * 128 * (59 + 128 + 1)
    assert network.get_layer("logits").count_params() == 59 * 128 + 59
    assert network.count_params() == 96_256 + 7_611
    assert network.output_shape == (None, 59)


def test_words_network_begins_with_an_embedding() -> None:
    _, vectorize, train, _ = parsed("words")
    layers = network_of(train, 1000, vectorize.length).layers
    assert [type(layer) for layer in layers[1:3]] == [keras.layers.Embedding, keras.layers.LSTM]


def test_words_is_nietzsche_but_for_tokens_and_input() -> None:
    words, nietzsche = parsed("words"), parsed("nietzsche")
    differing = {
        (stage, field)
        for stage, one, other in zip(STAGES, words, nietzsche, strict=True)
        for field, value in one.model_dump().items()
        if value != other.model_dump()[field]
    }
    assert differing == {("vectorize", "tokens"), ("train", "input")}


def test_gitter_chats_corpus_and_cut() -> None:
    ingest, vectorize, _, _ = parsed("gitter-chat")
    assert (ingest.format, ingest.user_column, ingest.text_column) == ("csv", "fromUser.id", "text")
    assert ingest.drop_users == ("55b977f00fc9f982beab7883",)
    assert ingest.keep_users == ("55a7c9e08a7b72f55c3f991e",)
    assert ingest.first_fraction == 0.2
    assert ingest.lowercase
    assert (vectorize.tokens, vectorize.length, vectorize.step, vectorize.held_out) == ("characters", 40, 3, 0)


def test_gitter_chats_training() -> None:
    _, _, train, _ = parsed("gitter-chat")
    assert (train.layers, train.units, train.dropout, train.input) == (1, 128, 0, "one_hot")
    assert (train.optimizer, train.learning_rate, train.schedule, train.clip_norm) == ("rmsprop", 0.01, "constant", 0)
    assert (train.batch, train.epochs, train.train_steps) == (128, 15, 0)
    assert (train.objective, train.label_smoothing) == ("next", 0)
    assert (train.best_by, train.export) == ("training_loss", "best")


def test_gitter_chats_samples() -> None:
    _, _, train, sample = parsed("gitter-chat")
    assert (train.sample_every, train.sample_at) == (0, (1, 15))
    assert (train.sample_length, train.sample_temperatures) == (400, TEMPERATURES)
    assert (sample.length, sample.temperatures) == (400, TEMPERATURES)


@pytest.mark.parametrize(
    ("name", "characters", "windows"), [("sonnets", 94_630, 94_530), ("game-of-thrones", 1_605_965, 1_605_865)]
)
def test_sonnets_and_game_of_thrones_corpus_and_cut(name: str, characters: int, windows: int) -> None:
    ingest, vectorize, _, _ = parsed(name)
    assert ingest.lowercase
    assert (vectorize.tokens, vectorize.length, vectorize.step, vectorize.held_out) == ("characters", 100, 1, 0)
    assert window_count(characters, vectorize.length, vectorize.step) == windows


@pytest.mark.parametrize(
    ("name", "layers", "batch", "epochs"), [("sonnets", 4, 64, 30), ("game-of-thrones", 1, 512, 60)]
)
def test_sonnets_and_game_of_thrones_training(name: str, layers: int, batch: int, epochs: int) -> None:
    _, _, train, _ = parsed(name)
    assert (train.layers, train.units, train.dropout, train.input) == (layers, 256, 0.2, "scaled")
    assert (train.optimizer, train.learning_rate, train.beta_2) == ("adam", 0.001, 0.999)  # Keras's own defaults
    assert (train.schedule, train.clip_norm) == ("constant", 0)
    assert (train.batch, train.epochs, train.train_steps) == (batch, epochs, 0)
    assert (train.objective, train.label_smoothing) == ("next", 0)
    assert (train.best_by, train.export) == ("training_loss", "best")


@pytest.mark.parametrize(("name", "length"), [("sonnets", 200), ("sonnets", 1000), ("game-of-thrones", 250)])
def test_sonnets_and_game_of_thrones_samples_are_greedy(name: str, length: int) -> None:
    _, _, _, sample = parsed(name, *(["sample.length=1000"] if length == 1000 else []))
    assert (sample.temperatures, sample.length) == ((0,), length)
    assert sample.strategy_at(sample.temperatures[0]) == "greedy"


def test_the_parameters_of_the_sonnets_network() -> None:
    _, vectorize, train, _ = parsed("sonnets")
    network = network_of(train, 48, vectorize.length)
    counts = [network.get_layer(f"lstm_{number}").count_params() for number in (1, 2, 3, 4)]
    assert counts == [264_192, 525_312, 525_312, 525_312]
    assert network.count_params() == sum(counts) + 48 * 256 + 48
    assert network.get_layer("scaled").scale == 1 / 48


def test_the_parameters_of_the_game_of_thrones_network() -> None:
    _, vectorize, train, _ = parsed("game-of-thrones")
    network = network_of(train, 60, vectorize.length)
    assert network.get_layer("lstm_1").count_params() == 264_192
    assert network.count_params() == 264_192 + 60 * 256 + 60
    assert network.get_layer("scaled").scale == 1 / 60


@pytest.mark.parametrize(
    ("name", "assignments", "layers"),
    [
        (
            "sonnets",
            [],
            ["lstm_1", "dropout_1", "lstm_2", "dropout_2", "lstm_3", "dropout_3", "lstm_4", "dropout_4"],
        ),
        ("game-of-thrones", [], ["lstm_1", "dropout_1"]),
        ("game-of-thrones", ["train.layers=2"], ["lstm_1", "dropout_1", "lstm_2"]),
        ("game-of-thrones", ["train.layers=3"], ["lstm_1", "dropout_1", "lstm_2", "dropout_2", "lstm_3"]),
        ("nietzsche", [], ["lstm_1"]),
    ],
)
def test_where_dropout_is(name: str, assignments: list[str], layers: list[str]) -> None:
    _, _, train, _ = parsed(name, *assignments)
    assert layers_of(train) == layers
    rates = {layer.rate for layer in network_of(train, 48, 100).layers if isinstance(layer, keras.layers.Dropout)}
    assert rates == ({0.2} if "dropout_1" in layers else set())


@pytest.mark.parametrize(
    ("name", "kind", "rate"),
    [
        ("nietzsche", keras.optimizers.RMSprop, 0.01),
        ("words", keras.optimizers.RMSprop, 0.01),
        ("gitter-chat", keras.optimizers.RMSprop, 0.01),
        ("sonnets", keras.optimizers.Adam, 0.001),
        ("game-of-thrones", keras.optimizers.Adam, 0.001),
    ],
)
def test_the_optimizer_is_kerass_with_its_defaults(name: str, kind: Any, rate: float) -> None:
    _, _, train, _ = parsed(name)
    assert type(optimizer_of(train)) is kind
    assert optimizer_of(train).get_config() | {"name": ""} == kind(learning_rate=rate).get_config() | {"name": ""}


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_trains_on_the_whole_text_unless_asked_and_brings_no_text(name: str) -> None:
    assert parsed(name)[1].held_out == 0
    assert parsed(name, "vectorize.held_out=0.1")[1].held_out == 0.1
    assert recipe(name).source == ""


def test_quick_holds_out_the_last_tenth_of_the_text_that_python_carries() -> None:
    assert parsed("quick")[1].held_out == 0.1
    assert recipe("quick").source == "builtin:python-docs"


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_has_known_settings_only(name: str) -> None:
    parsed(name)
    values = yaml.safe_load((resources.files("pipelines") / "recipes" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert values["description"]
    assert values.keys() <= {"description", "source", *STAGES}
    for stage in STAGES:
        assert values.get(stage, {}).keys() <= STAGES[stage].settings.model_fields.keys()


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_printed_as_yaml_is_the_recipe(name: str) -> None:
    chosen = recipe(name)
    printed = yaml.safe_load(as_yaml(chosen))
    assert printed.pop("description") == chosen.description
    assert printed.pop("source", "") == chosen.source
    assert printed == {stage: values for stage, values in chosen.stages.items() if values}


def test_all_recipes_are_there() -> None:
    assert {*TUTORIALS, "quick"} <= set(recipe_names())
    assert recipe_names() == sorted(recipe_names())
