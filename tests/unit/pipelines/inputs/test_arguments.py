"""What a run's tasks are given: the same whichever directory they run in, here or on a cluster."""

from pathlib import Path

import pytest

from components.artifacts.errors import UsageError
from components.steps import STAGES
from pipelines.build.environment import environment
from pipelines.inputs.arguments import DIGESTS, arguments_of, place_digests, plain, refuse_for_cluster
from pipelines.inputs.settings import recipe, settings_of
from pipelines.local.running import run_pipeline
from pipelines.single_stages import ALONE
from pipelines.text_generation import build


def test_every_setting_that_names_a_place_is_seen_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = ("train.init_from", "train.start_from", "sample.prompts_file", "sample.corpus")
    settings = settings_of(recipe("quick"), ["sample.no_copy=9", *(f"{name}=made/{name}" for name in named)])
    for name in named:
        stage, setting = name.split(".")
        assert plain(settings[stage])[setting] == f"{tmp_path}/made/{name}"
    bucket = settings_of(recipe("quick"), ["sample.no_copy=9", "sample.corpus=s3://bucket/corpus"])
    assert plain(bucket["sample"])["corpus"] == "s3://bucket/corpus"


@pytest.mark.parametrize(
    ("setting", "file", "digest"),
    [
        ("sample.prompts_file", "prompts.txt", "prompts_digest"),
        ("sample.corpus", "corpus/manifest.json", "corpus_digest"),
        ("train.start_from", "model/manifest.json", "start_digest"),
        ("train.start_from", "champion", "start_digest"),
    ],
)
def test_the_cache_is_reported_what_lies_where_a_setting_points(
    setting: str, file: str, digest: str, tmp_path: Path
) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    also = ["sample.no_copy=9"] if setting == "sample.corpus" else []
    settings = settings_of(recipe("quick"), [*also, f"{setting}={tmp_path / file.partition('/')[0]}"])
    reported = []
    for content in ("one", "other"):
        (tmp_path / file).write_text(content)
        reported.append(place_digests(settings))
    assert [name for name in DIGESTS if reported[0][name] != reported[1][name]] == [digest]


def test_every_digest_is_a_parameter_of_the_pipeline_and_of_its_stages_own() -> None:
    local = environment("local")
    assert set(DIGESTS) <= build(local).pipeline_spec.root.input_definitions.parameters.keys()
    for stage in STAGES.values():
        own = ALONE[stage.name](local).pipeline_spec.root.input_definitions.parameters.keys()
        assert {place.digest for place in stage.settings.places().values()} <= own
        assert stage.feed_parameter in own


JOB, TIME = "{{$.pipeline_job_name}}", "[[CurrentTime]]"


@pytest.mark.parametrize(
    ("source", "assignment", "said"),
    [
        (f"a {JOB}.txt", "", "--source: "),
        ("a/kfp-workspace/b.txt", "", "--source: "),
        ("a.txt", f'sample.prompts=["fine", "so {JOB}"]', f"sample.prompts: 'so {JOB}' has '{{{{$'"),
        ("a.txt", f"sample.prompts_file={JOB}", "sample.prompts_file: "),
        ("a.txt", f"train.init_from={JOB}", "train.init_from: "),
        ("a.txt", f"sample.corpus={JOB}", "sample.corpus: "),
    ],
)
def test_what_means_something_to_the_engine_is_refused_with_the_way_out(
    source: str, assignment: str, said: str
) -> None:
    also = ["sample.no_copy=9"] if assignment.startswith("sample.corpus") else []
    settings = settings_of(recipe("quick"), [*also, *filter(None, [assignment])])
    with pytest.raises(UsageError) as refused:
        arguments_of(source, settings)
    assert str(refused.value).startswith(said)
    assert "which Kubeflow would replace; " in str(refused.value)


@pytest.mark.parametrize("text", [JOB, "{{workflow.name}}", "{{=1}}", TIME, "[[RunUUID]]", "[[ScheduledTime.2006]]"])
def test_a_cluster_takes_more_for_its_own(text: str) -> None:
    settings = settings_of(recipe("quick"), [f'sample.prompts=["{text}"]'])
    with pytest.raises(UsageError, match="put it into a prompts file"):
        refuse_for_cluster("s3://bucket/a.txt", settings)
    with pytest.raises(UsageError, match=r"--source: .* rename the file"):
        refuse_for_cluster(f"s3://bucket/{text}.txt", settings_of(recipe("quick"), []))


@pytest.mark.parametrize("text", ["{", "{x}", "{ {", "}}", "[[", "[[Infobox]]", "$", "{$.x}"])
def test_braces_that_mean_nothing_pass(text: str) -> None:
    settings = settings_of(recipe("quick"), [f"sample.prompts={[text]!r}".replace("'", '"')])
    refuse_for_cluster("s3://bucket/a.txt", settings)
    assert arguments_of("a.txt", settings)["sample"]["prompts"] == [text]
    wiki = settings_of(recipe("quick"), ['sample.prompts=["{{Infobox}} [[CurrentTime]]"]'])
    assert arguments_of("a.txt", wiki)["sample"]["prompts"] == ["{{Infobox}} [[CurrentTime]]"]


def test_a_root_and_a_champion_that_mean_something_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--root: .* name another directory"):
        run_pipeline("a.txt", settings_of(recipe("quick"), []), str(tmp_path / JOB), environment=environment("local"))
    (tmp_path / "mine.yaml").write_text(f'cluster:\n  champion: "s3://bucket/{JOB}"\n')
    with pytest.raises(UsageError, match=r"mine.yaml: cluster.champion: must be a path"):
        environment(str(tmp_path / "mine.yaml"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml"]
