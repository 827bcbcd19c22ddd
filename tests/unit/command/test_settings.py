"""Settings are checked by name, come from flags, recipes and JSON alike, and are all in --help."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from components.artifacts.errors import UsageError
from components.command.settings import nearest, shown
from components.ingest.config import IngestConfig
from components.sample.config import SampleConfig
from components.train.config import TrainConfig
from tests.unit.command.stages import STAGES


def refused(stage: str, **values: Any) -> str:
    with pytest.raises(UsageError) as raised:
        STAGES[stage].parse(values, stage)
    reported = str(raised.value)
    assert "\n" not in reported
    return reported


@pytest.mark.parametrize(
    ("stage", "values", "reported"),
    [
        ("train", {"epochs": 0}, "train.epochs: input should be greater than or equal to 1, not 0"),
        (
            "train",
            {"epochs": "many"},
            "train.epochs: input should be a valid integer, unable to parse string as an integer, not 'many'",
        ),
        (
            "train",
            {"epochs": 3.5},
            "train.epochs: input should be a valid integer, got a number with a fractional part, not 3.5",
        ),
        (
            "train",
            {"optimizer": "adagrad"},
            "train.optimizer: input should be 'muon', 'adamw', 'adam', 'rmsprop' or 'sgd', not 'adagrad'",
        ),
        ("train", {"learning_rate": "nan"}, "train.learning_rate: input should be a finite number, not 'nan'"),
        ("vectorize", {"held_out": 1}, "vectorize.held_out: input should be less than 1, not 1"),
        ("ingest", {"encoding": "klingon"}, "ingest.encoding: must be a character encoding that Python knows, not"),
        ("ingest", {"format": "csv", "keep_users": ["a"]}, "ingest: keep_users and drop_users need user_column"),
        ("ingest", {"delimiter": "a\nb"}, "ingest.delimiter: must be one ASCII character, tab or auto, and no"),
        ("sample", {"temperatures": "0.5,hot"}, "sample.temperatures.1: input should be a valid number, unable to"),
        ("sample", {"temperatures": [-1]}, "sample.temperatures.0: must be 0, or from 1e-30 to 1e+30, not -1"),
        ("sample", {"temperatures": "0.5,1e-50"}, "sample.temperatures.1: must be 0, or from 1e-30 to 1e+30, not "),
        ("train", {"sample_temperatures": [1e40]}, "train.sample_temperatures.0: must be 0, or from 1e-30 to 1e+30, "),
    ],
)
def test_a_wrong_value_is_reported_with_stage_field_value_and_what_is_allowed(
    stage: str, values: dict[str, Any], reported: str
) -> None:
    assert refused(stage, **values).startswith(reported)


WITHOUT_EFFECT = [
    ("ingest", {"format": "text", "keep_users": ["ada"], "user_column": "name"}, "user_column and keep_users"),
    ("ingest", {"format": "text", "drop_users": ["ada"], "user_column": "name"}, "user_column and drop_users"),
    ("ingest", {"format": "text", "first_fraction": 0.5}, "first_fraction"),
    ("ingest", {"format": "text", "text_column": "body"}, "text_column"),
    ("ingest", {"format": "text", "delimiter": ";"}, "delimiter"),
    ("ingest", {"format": "json", "delimiter": ";"}, "delimiter"),
    ("ingest", {"format": "whatsapp", "quoting": "none"}, "quoting"),
    ("ingest", {"format": "csv", "strip_gutenberg": True}, "strip_gutenberg"),
    ("vectorize", {"vocabulary_size": 9}, "vocabulary_size"),
    ("train", {"input": "one_hot", "embedding_size": 9}, "embedding_size"),
    ("train", {"input": "scaled", "ngrams": 3}, "ngrams"),
    ("train", {"input": "one_hot", "input_dropout": 0.1}, "input_dropout"),
    ("train", {"ngram_buckets": 7}, "ngram_buckets"),
    ("train", {"ngram_decay": 2}, "ngram_decay"),
    ("train", {"dropout_placement": "between"}, "dropout_placement"),
    ("train", {"schedule": "constant", "warm_up_steps": 9}, "warm_up_steps"),
    ("train", {"optimizer": "sgd", "beta_2": 0.5}, "beta_2"),
    ("train", {"optimizer": "rmsprop", "beta_2": 0.5}, "beta_2"),
    ("train", {"optimizer": "muon", "weight_decay": 0.5}, "weight_decay"),
    ("train", {"optimizer": "adam", "momentum": 0.5}, "momentum"),
    ("train", {"epochs": 3, "train_steps": 9}, "epochs"),
    ("train", {"sample_length": 9}, "sample_length"),
    ("train", {"sample_temperatures": [1]}, "sample_temperatures"),
    ("sample", {"temperatures": [0], "top_k": 5}, "top_k"),
    ("sample", {"temperatures": [0], "top_p": 0.9}, "top_p"),
    ("sample", {"temperatures": [0], "min_p": 0.1}, "min_p"),
    ("sample", {"prompts": ["Once"], "prompt_length": 5}, "prompt_length"),
    ("sample", {"prompts_file": "a.txt", "prompt_length": 5}, "prompt_length"),
    ("sample", {"replace_unknown": True}, "replace_unknown"),
    ("sample", {"corpus": "runs/a/ingest/corpus"}, "corpus"),
    ("complete", {"temperature": 0, "top_k": 5}, "top_k"),
    ("complete", {"temperature": 0, "min_p": 0.1}, "min_p"),
]


@pytest.mark.parametrize(("stage", "values", "names"), WITHOUT_EFFECT)
def test_a_setting_that_has_no_effect_is_refused_with_what_would_make_it_count(
    stage: str, values: dict[str, Any], names: str
) -> None:
    reported = refused(stage, **values)
    assert re.match(rf"{stage}: {names} (has|have) an effect only with ", reported)
    assert re.search(r"; set that, or leave \S+ at \S+", reported)


@pytest.mark.parametrize(("stage", "values", "names"), WITHOUT_EFFECT)
def test_the_default_may_be_given_where_it_has_no_effect(stage: str, values: dict[str, Any], names: str) -> None:
    fields = STAGES[stage].model_fields
    STAGES[stage].parse({**values, **{name: fields[name].default for name in names.split(" and ")}}, stage)


def test_what_is_set_drops_a_recipes_settings_that_it_leaves_without_effect() -> None:
    recipe = {"ngrams": 4, "ngram_decay": 2, "warm_up_steps": 50, "sample_times": 6, "sample_length": 9, "units": 7}
    config = TrainConfig.parse({"input": "one_hot", "sample_times": "0"}, "train", recipe)
    assert config == TrainConfig(input="one_hot", warm_up_steps=50, units=7)
    with pytest.raises(UsageError, match=r"^train: ngram_decay has an effect only with ngrams above 1; "):
        TrainConfig.parse({"input": "one_hot", "ngram_decay": 1}, "train", recipe)
    with pytest.raises(UsageError, match=r"^train: warm_up_steps has an effect only with schedule=cosine; "):
        TrainConfig.parse({"units": 8}, "train", {"schedule": "constant", "warm_up_steps": 50})


def test_a_recipes_choice_of_users_is_never_dropped() -> None:
    recipe = {"format": "csv", "user_column": "name", "keep_users": ["ada"]}
    with pytest.raises(
        UsageError, match=r"^ingest: user_column and keep_users have an effect only with a format that "
    ):
        IngestConfig.parse({"format": "text"}, "ingest", recipe)


@pytest.mark.parametrize(("keep", "drop"), [(["ada", "bob"], ["bob"]), ([], ["bob"]), (["ada"], ["bob"])])
def test_users_may_be_kept_and_dropped(keep: list[str], drop: list[str]) -> None:
    config = IngestConfig.parse({"user_column": "name", "keep_users": keep, "drop_users": drop}, "ingest")
    assert (config.keep_users, config.drop_users) == (tuple(keep), tuple(drop))


@pytest.mark.parametrize(
    ("stage", "name", "hint"),
    [
        ("train", "epoch", "did you mean train.epochs?"),
        ("train", "sample-at", "did you mean train.sample_at?"),
        ("sample", "topk", "did you mean sample.top_k?"),
        ("vectorize", "lenght", "did you mean vectorize.length?"),
    ],
)
def test_an_unknown_setting_is_reported_with_the_nearest(stage: str, name: str, hint: str) -> None:
    assert refused(stage, **{name: 1}) == f"unknown setting {stage}.{name}; {hint}"


def test_where_nothing_is_near_all_are_named() -> None:
    assert nearest("zzz", ["words", "quick"]) == "known are quick, words"
    assert nearest("wrods", ["words", "quick"]) == "did you mean words?"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Cyd", "Cyd"),
        ("José", "José"),
        ("Jose\u0301", r"'Jose\u0301'"),
        ("\u200eCyd ", r"'\u200eCyd '"),
        ("Cy\xa0d", r"'Cy\xa0d'"),
        ("", "''"),
    ],
)
def test_a_name_is_written_so_that_what_can_not_be_seen_shows(name: str, written: str) -> None:
    assert shown(name) == written
    assert nearest(name, [name]) == f"did you mean {written}?"


@pytest.mark.parametrize("text", ["0.2,0.5", "0.2, 0.5", "0.2 0.5", "[0.2, 0.5]", " [0.2,0.5] "])
def test_a_list_of_numbers_is_written_on_one_line(text: str) -> None:
    assert SampleConfig.parse({"temperatures": text}, "sample").temperatures == (0.2, 0.5)


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ('["a","b"]', ("a", "b")),
        ('["a, b"]', ("a, b",)),
        ("one, two and three", ("one, two and three",)),
        ("[not JSON", ("[not JSON",)),
        ("[]", ()),
    ],
)
def test_a_list_of_texts_is_json_or_a_single_text_with_its_commas(text: str, prompts: tuple[str, ...]) -> None:
    assert SampleConfig.parse({"prompts": text}, "sample").prompts == prompts


def test_no_item_is_an_empty_list() -> None:
    assert TrainConfig.parse({"sample_at": ""}, "train").sample_at == ()


def test_text_that_looks_like_a_number_stays_as_it_is_written() -> None:
    config = IngestConfig.parse({"keep_users": "007", "drop_users": ["1e3", "00"], "user_column": "01"}, "ingest")
    assert (config.keep_users, config.drop_users, config.user_column) == (("007",), ("1e3", "00"), "01")


def test_a_number_becomes_text_where_text_is_wanted() -> None:
    config = IngestConfig.parse({"keep_users": [7], "user_column": 1}, "ingest")
    assert (config.keep_users, config.user_column) == (("7",), "1")


@pytest.mark.parametrize("value", [3, 3.0, "3", "3.0"])
def test_a_whole_number_may_come_as_kubeflow_hands_it(value: object) -> None:
    config = TrainConfig.parse({"epochs": value, "sample_at": [value]}, "train")
    assert config.epochs == 3
    assert isinstance(config.epochs, int)
    assert config.sample_at == (3,)


@pytest.mark.parametrize(("value", "meant"), [("true", True), ("no", False), (True, True), ("0", False)])
def test_yes_and_no_may_be_text(value: object, meant: bool) -> None:
    assert IngestConfig.parse({"lowercase": value}, "ingest").lowercase is meant


@pytest.mark.parametrize("stage", STAGES)
def test_settings_survive_the_json_they_travel_as(stage: str) -> None:
    settings = STAGES[stage].parse({}, stage)
    assert STAGES[stage].parse(settings.model_dump(mode="json"), stage) == settings


@pytest.mark.parametrize(
    ("stage", "values"),
    [("sample", {"prompts": ["fine", "caf\udce9"]}), ("ingest", {"text_column": "\ud800"})],
)
def test_bytes_that_are_no_text_are_refused(stage: str, values: dict[str, Any]) -> None:
    reported = refused(stage, **values)
    assert reported.startswith(f"{stage}.{next(iter(values))}: must be Unicode text, not ")
    assert reported.isascii()


@pytest.mark.parametrize("stage", STAGES)
def test_settings_cannot_be_changed(stage: str) -> None:
    settings = STAGES[stage].parse({}, stage)
    for name in type(settings).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(settings, name, getattr(settings, name))
