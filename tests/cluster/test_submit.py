"""`quillflow submit`: what arrives at the cluster, once and not twice, and what is refused before that."""

import json
from pathlib import Path

import pytest
import yaml

from components.artifacts import storage
from pipelines.inputs.digests import suite_version
from tests.cluster.conftest import NIGHTLY, Command
from tests.cluster.server import Server


def test_a_run_is_submitted_with_its_settings_in_the_environments_experiment(
    server: Server, quillflow: Command
) -> None:
    code, out, _ = quillflow("submit", "--recipe", "quick", "--set", "train.epochs=3", "--name", "first")
    assert code == 0
    (run,) = server.api.runs.values()
    assert run.display_name == "first"
    assert server.api.experiments[run.experiment_id].display_name == "stories"
    parameters = run.runtime_config.parameters
    assert parameters["train"]["epochs"] == 3
    assert parameters["source"] == "builtin:python-docs"
    assert len(parameters["source_digest"]) == 64
    assert parameters["version"] == suite_version()
    assert out.splitlines()[0].startswith(f"Run {run.run_id} (first) of text-generation-")
    assert out.splitlines()[1] == f"  {server.url}/#/runs/details/{run.run_id}"


def test_the_pipeline_and_the_experiment_are_brought_once(server: Server, quillflow: Command) -> None:
    for _ in range(2):
        assert quillflow("submit")[0] == 0
    assert len(server.api.runs) == 2
    assert len(server.api.experiments) == len(server.api.pipelines) == len(server.api.versions) == 1


def test_another_pipeline_is_another_version_of_it(server: Server, quillflow: Command, environment: Path) -> None:
    quillflow("submit")
    environment.write_text(environment.read_text() + "retries: {count: 3}\n")
    quillflow("submit", "--json")
    first, second = server.api.versions.values()
    assert first.name != second.name
    assert [run.pipeline_version_reference.pipeline_version_id for run in server.api.runs.values()] == [
        first.pipeline_version_id,
        second.pipeline_version_id,
    ]


def test_json_says_what_was_submitted(server: Server, quillflow: Command) -> None:
    _, out, _ = quillflow("submit", "--json", "--name", "first")
    (run,) = server.api.runs
    (version,) = server.api.versions.values()
    link = f"{server.url}/#/runs/details/{run}"
    assert json.loads(out) == {"run": run, "name": "first", "version": version.name, "link": link}


def test_an_api_with_separate_namespaces_gets_ours(server: Server, quillflow: Command, environment: Path) -> None:
    server.api.multi_user = True
    code, _, err = quillflow("submit")
    assert (code, "a namespace is needed" in err) == (1, True)
    environment.write_text(environment.read_text().replace("cluster:", "cluster:\n  namespace: team-a"))
    assert quillflow("submit")[0] == 0
    assert [one.namespace for one in server.api.experiments.values()] == ["team-a"]


def test_a_source_in_a_bucket_is_named_by_its_version(server: Server, quillflow: Command, in_bucket: str) -> None:
    source = f"{in_bucket}/tale.txt"
    for data in (b"one", None, b"two"):
        if data is not None:
            storage.write_file(source, data)
        assert quillflow("submit", "--source", source)[0] == 0
    digests = [run.runtime_config.parameters["source_digest"] for run in server.api.runs.values()]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("pattern", ["*.txt", ""], ids=["a glob", "a prefix"])
def test_several_objects_in_a_bucket_are_named_by_all_their_versions(
    server: Server, quillflow: Command, in_bucket: str, pattern: str
) -> None:
    source = f"{in_bucket}/texts/{pattern}"
    for name, data in (("a.txt", b"one"), ("b.txt", b"two"), ("b.txt", b"three"), ("c.md", b"four")):
        storage.write_file(f"{in_bucket}/texts/{name}", data)
        assert quillflow("submit", "--source", source)[0] == 0
    parameters = [run.runtime_config.parameters for run in server.api.runs.values()]
    assert {one["source"] for one in parameters} == {source}
    first, more, changed, other = (one["source_digest"] for one in parameters)
    assert len({first, more, changed}) == 3
    assert (other == changed) == bool(pattern)  # what a pattern leaves out does not count


def test_a_glob_in_a_bucket_that_matches_nothing_is_refused_before_the_cluster_hears_of_it(
    server: Server, quillflow: Command, in_bucket: str
) -> None:
    code, out, err = quillflow("submit", "--source", f"{in_bucket}/nowhere/*.txt")
    assert (code, out) == (1, "")
    assert f"{in_bucket}/nowhere/*.txt: " in err
    assert not server.api.runs


def test_a_bucket_that_cannot_be_asked_from_here_is_never_taken_for_unchanged(
    server: Server, quillflow: Command, in_bucket: str
) -> None:
    assert in_bucket
    for _ in range(2):
        code, _, err = quillflow("submit", "--source", "gs://elsewhere/tale.txt")
        assert (code, "unknown whether it has changed" in err) == (0, True)
    first, second = (run.runtime_config.parameters["source_digest"] for run in server.api.runs.values())
    assert first != second


def test_the_root_and_the_service_account_are_the_environments(
    server: Server, quillflow: Command, environment: Path
) -> None:
    more = "cluster:\n  pipeline_root: gs://lab/runs\n  service_account: quill"
    environment.write_text(environment.read_text().replace("cluster:", more))
    assert quillflow("submit")[0] == 0
    (run,) = server.api.runs.values()
    assert (run.runtime_config.pipeline_root, run.service_account) == ("gs://lab/runs", "quill")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source", "tale.txt"], "--source tale.txt: is on this machine, where the cluster can't read it; copy it"),
        (["--source", "texts/"], "--source texts/: is on this machine"),
        (["--source", "texts/*.txt"], "--source texts/*.txt: is on this machine"),
        (["--source", "gs://bucket/*.txt", "~/tale.txt"], "--source ~/tale.txt: is on this machine"),
        (["--source", "-"], "--source -: is on this machine"),
        (["--set", "sample.prompts_file=/p.txt"], "sample.prompts_file /p.txt: is on this machine"),
        (["--set", "sample.no_copy=40", "--set", "sample.corpus=/c"], "sample.corpus /c: is on this machine"),
        (["--set", "train.init_from=file:///c"], "train.init_from file:///c: is on this machine"),
        (["--recipe", "nietzsche"], "recipe nietzsche has no text of its own; name one with --source"),
        (["--set", "train.epoch=3"], "unknown setting train.epoch; did you mean train.epochs?"),
    ],
)
def test_what_cannot_run_there_is_refused_before_the_cluster_hears_of_it(
    server: Server, quillflow: Command, arguments: list[str], message: str
) -> None:
    code, out, err = quillflow("submit", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not server.faults.seen


def test_without_held_out_text_no_run_begins_where_a_champion_is_kept(
    server: Server, quillflow: Command, in_bucket: str
) -> None:
    assert in_bucket
    code, out, err = quillflow("submit", "--set", "vectorize.held_out=0")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "vectorize.held_out: the environment lab has a champion, which is chosen by the held-out loss" in err
    assert not server.faults.seen


def test_a_run_moves_the_champion_of_its_environment(server: Server, quillflow: Command, in_bucket: str) -> None:
    assert quillflow("submit")[0] == 0
    (version,) = server.api.versions.values()
    task = version.pipeline_spec["components"]["comp-condition-1"]["dag"]["tasks"]["promote"]
    pointer = in_bucket.replace("/runs", "/champion")
    assert task["inputs"]["parameters"]["champion"] == {"runtimeValue": {"constant": pointer}}


def test_two_who_bring_the_same_at_once_both_get_their_run(server: Server, quillflow: Command) -> None:
    """The one who comes second finds what is there, though it was not there when it looked."""
    api = server.api
    assert quillflow("submit")[0] == 0
    for kind, pattern in (
        ("experiments", "GET .*/experiments"),
        ("pipelines", "GET .*/pipelines/names"),
        ("versions", "GET .*/versions"),
    ):
        hidden = dict(getattr(api, kind))
        getattr(api, kind).clear()
        server.faults.after(pattern, lambda kind=kind, hidden=hidden: getattr(api, kind).update(hidden))
        code, _, err = quillflow("submit")
        assert (code, err) == (0, ""), kind
        assert getattr(api, kind) == hidden
    assert len(api.runs) == 4


def test_submit_waits_and_says_how_it_ended(server: Server, quillflow: Command) -> None:
    server.faults.after("POST .*/runs", lambda: server.api.end(next(iter(server.api.runs))))
    code, out, err = quillflow("submit", "--wait")
    (run,) = server.api.runs
    assert (code, out) == (0, f"Run {run} succeeded\n")
    assert f"{server.url}/#/runs/details/{run}" in err


def test_submit_that_waits_exits_1_when_the_run_fails(server: Server, quillflow: Command) -> None:
    server.faults.after("POST .*/runs", lambda: server.api.end(next(iter(server.api.runs)), "FAILED", "train"))
    code, out, err = quillflow("submit", "--wait")
    assert (code, out) == (1, "")
    assert "train failed; " in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("asked", "succeeded", "failed"),
    [
        ("", 3600, 3600),
        ("ttl: 600", 600, 600),
        ("ttl: 600\nttl_failed: 86400", 600, 86400),
        ("ttl_failed: 60", 3600, 60),
    ],
)
def test_a_run_is_kept_as_long_as_is_asked_for(
    server: Server, quillflow: Command, environment: Path, asked: str, succeeded: int, failed: int
) -> None:
    """The sooner of two counts, and Kubeflow has a default of its own for each outcome."""
    environment.write_text(f"{environment.read_text()}{asked}\n")
    assert quillflow("submit")[0] == 0
    (workflow,) = server.api.workflows.values()
    always = workflow.ttl.get("secondsAfterCompletion", 2**31)
    assert min(always, workflow.ttl["secondsAfterSuccess"]) == succeeded
    assert min(always, workflow.ttl["secondsAfterFailure"]) == failed


def test_training_may_start_from_the_champion_wherever_it_points_by_then(
    server: Server, quillflow: Command, in_bucket: str, tmp_path: Path
) -> None:
    code, _, err = quillflow("submit", "--set", "train.start_from=champion")
    assert code == 0, err
    (run,) = server.api.runs.values()
    pointer = f"{in_bucket.removesuffix('/runs')}/champion"
    assert run.runtime_config.parameters["train"]["start_from"] == pointer
    folder = tmp_path / "schedules"
    folder.mkdir()
    nightly = {**NIGHTLY, "settings": {"train": {"start_from": "champion"}}}
    (folder / "nightly.yaml").write_text(yaml.safe_dump(nightly))
    code, _, err = quillflow("schedule", "apply", str(folder))
    assert code == 0, err
    (recurring,) = server.api.recurring.values()
    assert recurring.runtime_config.parameters["train"]["start_from"] == pointer


def test_without_a_champion_none_can_be_started_from(server: Server, quillflow: Command) -> None:
    code, _, err = quillflow("submit", "--set", "train.start_from=champion")
    assert (code, "train.start_from=champion: the environment lab has none; set cluster.champion" in err) == (2, True)
    assert not server.changes()
