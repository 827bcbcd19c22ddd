"""Environments: those that come with Quillflow load, and each wrong line of a file is one line that says so."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from components.artifacts.errors import UsageError
from components.artifacts.version import VERSION
from components.command.settings import Settings
from pipelines.build import environment as module
from pipelines.build import pods
from pipelines.build.environment import Environment, environment, environment_names
from pipelines.commands.main import main
from pipelines.inputs.settings import recipe, recipe_names, settings_of

Refused = Callable[[str], str]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """What a file with this text is refused with, the file's name taken off."""

    def call(text: str) -> str:
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        with pytest.raises(UsageError) as raised:
            environment(str(path))
        message = str(raised.value)
        assert message.startswith(f"{path}: ")
        assert "\n" not in message
        return message.removeprefix(f"{path}: ")

    return call


def test_there_is_one_for_this_machine_and_one_for_each_kind_of_cluster() -> None:
    assert environment_names() == ["gke", "kubeflow", "local", "on-prem", "standalone"]
    for name in environment_names():
        assert environment(name).name == name
        assert environment(name).description


def test_this_machine_is_what_nothing_set_means() -> None:
    local = environment("local")
    assert local == Environment(name="local", description=local.description)
    assert local.images.tag == VERSION
    assert local.sample.shards == 1


@pytest.mark.parametrize("name", ["gke", "kubeflow", "on-prem", "standalone"])
def test_a_cluster_has_all_that_a_run_on_it_needs(name: str) -> None:
    where = environment(name)
    for pod in (where.ingest, where.vectorize, where.train, where.sample):
        assert pod.cpu_request
        assert pod.cpu_limit
        assert pod.memory_request
        assert pod.memory_limit
        assert pod.timeout
    assert where.train.gpus == (name in {"gke", "on-prem"})
    assert where.images.registry
    assert where.cluster.endpoint
    assert where.cluster.pipeline_root
    assert where.cluster.champion
    assert where.cluster.service_account
    assert bool(where.store.secret) == (name != "gke")


def test_a_file_of_ones_own_is_an_environment_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text("train: {gpus: 2, cpu_request: 4, node_selector: {zone: a}}\nsample: {shards: 3}\n")
    where = environment(str(path))
    assert (where.name, where.train.gpus, where.train.cpu_request, where.sample.shards) == ("lab", 2, "4", 3)
    assert where.train.node_selector == {"zone": "a"}
    path.write_text("")
    assert environment(str(path)) == Environment(name="lab")


def test_a_retry_may_begin_after_two_weeks_of_training_unless_set_otherwise() -> None:
    assert Environment().retries.maximum == 1_209_600


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trian: {}", "unknown setting trian; did you mean train?"),
        ("train: {memroy_limit: 4Gi}", "unknown setting train.memroy_limit; did you mean train.memory_limit?"),
        ("sample: {gpus: 1}", "unknown setting sample.gpus"),
        (
            "train: {tolerations: [{key: a}, {key: b, efect: NoSchedule}]}",
            "unknown setting train.tolerations.1.efect; did you mean train.tolerations.1.effect?",
        ),
        (
            "train: {tolerations: [{operator: Exist}]}",
            "train.tolerations.0.operator: input should be 'Equal' or 'Exists', not 'Exist'",
        ),
        ("train: {tolerations: [{value: x}]}", "name the taint's key, or set operator to Exists"),
        ("train: {tolerations: 3}", "train.tolerations: input should be a valid tuple, not 3"),
        (
            "train: {memory_limit: 0.5Gi}",
            "train.memory_limit: must be whole Mi, Gi or the like, such as 512Mi or 4Gi, not '0.5Gi'",
        ),
        ("train: {cpu_limit: two}", "train.cpu_limit: must be a number of cores such as 2 or 500m, not 'two'"),
        ("train: {cpu_request: 2, cpu_limit: 1500m}", "train: cpu_request 2 is more than cpu_limit 1500m"),
        (
            "train: {memory_request: 2Gi, memory_limit: 2000Mi}",
            "train: memory_request 2Gi is more than memory_limit 2000Mi",
        ),
        ("train: {gpus: -1}", "train.gpus: input should be greater than or equal to 0, not -1"),
        ("train: {node_selector: {gpu: true}}", "train.node_selector.gpu: input should be a valid string, not True"),
        ("train: 3", "train: must be settings by name, not 3"),
        ("sample: {shards: 0}", "sample.shards: input should be greater than or equal to 1, not 0"),
        ("images: {tag: latest}", "images.tag: must be a tag that says which version it is, as latest does not"),
        ("images: {pull_policy: Sometimes}", "images.pull_policy: input should be '', 'Always', 'IfNotPresent'"),
        ("cluster: {endpoint: kfp.example}", "cluster.endpoint: must be http(s)://host[:port]"),
        ("cluster: {pipeline_root: 'ftp://a/b'}", "cluster.pipeline_root: must be a path, or gs://, s3://"),
        (
            "train: {timeout: 7200}\nretries: {count: 1, maximum: 3600}",
            "retries.maximum 3600 must be more than the longest timeout, 7200",
        ),
        ("a: [", "not valid YAML at line 1: "),
        ("- train", "must hold settings such as images: and train:, not ['train']"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line(text: str, message: str, refused: Refused) -> None:
    assert message in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "store: {secret: 'hunter2/ABC+='}",
        "store: {endpoint: 'http://user:hunter2@minio'}",
        "cluster: {endpoint: 'https://kfp.example/?token=hunter2'}",
        "cluster: {champion: 's3://user:hunter2@bucket/champion'}",
        "images: {registry: 'user:hunter2@registry.example'}",
        "images: {pull_secrets: ['HUNTER2=hunter2']}",
    ],
)
def test_a_credential_has_no_place_in_a_file_and_is_not_repeated(text: str, refused: Refused) -> None:
    assert "hunter2" not in refused(text).lower()


@pytest.mark.parametrize("place", ["s3://bucket/best #1?/champion", "gs://bucket/me@home", "~/the best: champion", ""])
def test_a_champion_may_be_at_any_key(place: str) -> None:
    assert Environment.model_validate({"cluster": {"champion": place}}).cluster.champion == place


@pytest.mark.parametrize("place", ["https://host/a", "ftp://a", "s3://b/{{a}}", "s3://b/a?X-Amz-Signature=hunter2"])
def test_a_champion_at_no_place_or_with_a_secret_is_refused(place: str, refused: Refused) -> None:
    reported = refused(f"cluster: {{champion: '{place}'}}")
    assert reported == "cluster.champion: must be a path, or gs://, s3:// or minio:// without user or signature"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gek", "no environment 'gek'; did you mean gke? (a file's name ends in .yaml)"),
        ("./nowhere.yaml", "./nowhere.yaml: can't be read: No such file or directory"),
    ],
)
def test_an_environment_that_is_not_there_is_wrong_use(
    name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["compile", str(tmp_path), "--environment", name])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.splitlines() == [f"error: {message}"]
    assert not list(tmp_path.iterdir())


def test_shards_are_set_by_the_environment_or_in_the_settings_but_not_by_both() -> None:
    settings = settings_of(recipe("quick"), ["sample.shards=3"])
    Environment(name="one").check(settings)
    both = Environment.model_validate({"name": "many", "sample": {"shards": 4}})
    both.check(settings_of(recipe("quick"), []))
    with pytest.raises(UsageError, match=r"sample.shards: the environment many already has 4 shards; leave it at 1"):
        both.check(settings)


def test_a_whole_run_holds_text_out_where_a_champion_is_kept() -> None:
    settings = settings_of(recipe("quick"), ["vectorize.held_out=0"])
    Environment(name="one").check_whole_run(settings)
    keeps = Environment.model_validate({"name": "lab", "cluster": {"champion": "gs://lab/champion"}})
    keeps.check(settings)  # a stage alone promotes nothing
    keeps.check_whole_run(settings_of(recipe("quick"), []))
    with pytest.raises(UsageError, match=r"vectorize.held_out: the environment lab has a champion, .* set it above 0"):
        keeps.check_whole_run(settings)


def test_an_environments_settings_are_beneath_a_recipes_and_what_is_set() -> None:
    values = {"train": {"epochs": 9, "seed": 9}, "ingest": {"shrinks_at_most": 0.3}}
    lab = Environment.model_validate({"name": "lab", "settings": values, "cluster": {"champion": "gs://lab/champion"}})
    chosen = replace(recipe("quick"), stages={**recipe("quick").stages, "train": {"epochs": 8}})
    settings: Any = settings_of(lab.beneath(chosen), ["ingest.shrinks_at_most=0.4"])
    assert (settings["train"].epochs, settings["train"].seed) == (8, 9)
    assert settings["ingest"].shrinks_at_most == 0.4


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("{trane: {epochs: 3}}", "settings: no stage 'trane'; did you mean train?"),
        ("{train: {epoch: 3}}", "settings: unknown setting train.epoch; did you mean train.epochs?"),
        ("{ingest: {shrinks_at_most: 2}}", "settings: ingest.shrinks_at_most: input should be less than or equal to 1"),
    ],
)
def test_an_environments_settings_are_checked_when_it_is_read(refused: Refused, text: str, reported: str) -> None:
    assert refused(f"settings: {text}").startswith(reported)


def test_a_gate_that_compares_with_the_champion_is_refused_where_there_is_none() -> None:
    settings = settings_of(recipe("quick"), ["ingest.shrinks_at_most=0.3"])
    Environment.model_validate({"cluster": {"champion": "gs://lab/champion"}}).check(settings)
    with pytest.raises(UsageError, match=r"ingest: shrinks_at_most compare with .* environment one has no champion"):
        Environment(name="one").check(settings)


@pytest.mark.parametrize("name", ["gke", "kubeflow", "on-prem", "standalone"])
def test_on_a_cluster_all_gates_are_closed_and_here_they_are_open(name: str) -> None:
    gates = {"minimum_characters", "shrinks_at_most", "new_characters_at_most", "repeats_at_most"}
    assert environment(name).settings["ingest"].keys() == gates
    assert not environment("local").settings


@pytest.mark.parametrize(
    ("assignments", "reported"),
    [
        (
            ["vectorize.step=3"],
            r"^vectorize\.step has an effect only with train\.objective=next or train\.carry_state=false",
        ),
        (
            ["train.best_by=validation_loss", "vectorize.held_out=0"],
            r"^train\.best_by=validation_loss has an effect only with vectorize\.held_out above 0",
        ),
        (
            ["train.evaluate_tokens=9", "vectorize.held_out=0"],
            r"^train\.evaluate_tokens has an effect only with vectorize\.held_out above 0",
        ),
        (
            ["sample.stop=the end", "sample.length=5"],
            r"^sample\.stop: 'the end' has 7 characters, more than sample\.length, 5, so it can",
        ),
    ],
)
def test_what_another_stage_leaves_without_effect_is_refused(assignments: list[str], reported: str) -> None:
    settings = settings_of(recipe("default"), assignments)
    with pytest.raises(UsageError, match=reported):
        Environment(name="one").check_whole_run(settings)


def test_every_recipe_is_fit_for_a_whole_run() -> None:
    for name in recipe_names():
        Environment(name="one").check_whole_run(settings_of(recipe(name), []))


def fields(settings: type[Settings]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in settings.model_fields.items():
        yield f"{settings.__name__}.{name}", field


def test_every_setting_is_described_and_has_a_default() -> None:
    named = {**vars(module), **vars(pods)}.values()
    classes = [one for one in named if isinstance(one, type) and issubclass(one, Settings)]
    assert len(classes) > 8
    for name, field in (pair for one in classes for pair in fields(one)):
        assert field.description, name
        assert not field.is_required(), name
