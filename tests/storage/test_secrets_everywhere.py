"""A URI's secrets, given to every command, reach no place that output goes to, nor a run's stages' command lines."""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from components.artifacts.errors import UsageError
from components.artifacts.machine import PROC
from components.artifacts.storage import SECRETS_VARIABLE, bare, has_secrets, redacted, whole, without_secrets
from components.command.settings import recorded
from components.sample.config import SampleConfig
from components.train.config import TrainConfig
from pipelines.cluster import client
from pipelines.commands.main import command_names, main
from pipelines.inputs.arguments import arguments_of, refuse_for_cluster, withhold
from pipelines.inputs.settings import as_dict, recipe, settings_of
from tests.storage.test_secrets import CANARY, port

__all__ = ["port"]
URI = "http://user:{secret}@127.0.0.1:{port}/text?X-Amz-Signature={secret}"
CLUSTER = "name: there\ncluster: {endpoint: http://127.0.0.1:9, pipeline_root: s3://bucket/runs}\n"
TINY = ("vectorize.length=16", "train.units=8", "train.batch=8", "train.epochs=1", "sample.length=10", "sample.count=1")
COMMANDS = {
    "run": [
        ["--source", "{uri}", "--root", "{uri}"],
        ["--source", "{bucket}"],
        ["--source", "{other}", "--set", "train.init_from={uri}"],
        ["--source", "{other}", "--set", "train.init_from={bucket}"],
        ["--source", "{other}", "--set", "train.start_from={uri}"],
        ["--source", "{other}", "--set", "train.start_from={bucket}"],
        ["--source", "{other}", "--set", "sample.no_copy=9", "--set", "sample.corpus={uri}"],
        ["--set", "sample.promts_file={uri}"],
        ["--set", "{uri}"],
        ["--set", "train.epochs={uri}"],
        ["--recipe", "{uri}"],
        ["--environment", "{uri}"],
        ["--sorce={uri}"],
        ["{uri}"],
    ],
    "sweep": [
        ["--source", "{uri}", "--root", "{uri}", "--set", "train.units=8,16"],
        ["--source", "{bucket}", "--set", "train.units=8,16"],
        ["--source", "{other}", "--set", "train.units=8,16", "--set", "train.start_from={uri}"],
        ["--source", "{other}", "--set", "train.units=8,{uri}"],
        ["--source", "{uri}", "--set", "train.units=8,16", "--on-cluster", "--environment", "cluster.yaml"],
    ],
    "ingest": [["--source", "{refused}", "--corpus", "corpus"], ["--source", "{other}", "--corpus", "{uri}"]],
    "vectorize": [["--corpus", "{uri}", "--dataset", "dataset"], ["--corpus", "corpus", "--dataset", "{bucket}"]],
    "train": [
        ["--dataset", "{uri}", "--checkpoints", "{uri}", "--model", "{uri}"],
        ["--dataset", "{bucket}", "--checkpoints", "c", "--model", "m", "--init-from", "{uri}"],
    ],
    "sample": [["--model", "{uri}", "--samples", "samples"], ["--model", "{bucket}", "--samples", "{bucket}"]],
    "complete": [["Once", "--model", "{uri}"], ["Once", "--root", "{uri}"], ["Once", "--model", "{bucket}"]],
    "compare": [["{uri}", "{bucket}"], ["--root", "{uri}", "a", "b"]],
    "inspect": [["{uri}"], ["{bucket}"]],
    "evaluate": [["{uri}"], ["--root", "{bucket}"], ["m", "--dataset", "{uri}", "--text", "{uri}"]],
    "recipes": [["{uri}"], ["{recipe}"], ["--json", "{recipe}"]],
    "artifacts": [
        ["ls", "--root", "{uri}"],
        ["show", "{uri}"],
        ["verify", "{bucket}"],
        ["pull", "{uri}", "to"],
        ["pull", "x", "{uri}"],
    ],
    "compile": [["{uri}"], ["--environment", "{uri}"]],
    "submit": [
        ["--environment", "{cluster}", "--source", "{uri}"],
        ["--environment", "{cluster}", "--source", "{bucket}"],
        ["--environment", "{cluster}", "--source", "{other}", "--set", "sample.prompts_file={uri}"],
        ["--environment", "{cluster}", "--recipe", "{recipe}"],
        ["--environment", "{cluster}", "--source", "{other}", "--endpoint", "{uri}"],
    ],
    "runs": [["ls", "--endpoint", "{uri}"], ["logs", "{uri}"], ["show", "{uri}", "--environment", "{cluster}"]],
    "rerun": [
        ["ingest", "--from", "{uri}"],
        ["ingest", "--from", "{bucket}", "--environment", "{cluster}"],
        ["sample", "--from", "x", "--root", "{uri}"],
        ["sample", "--from", "x", "--set", "sample.prompts_file={uri}"],
    ],
    "schedule": [["apply", "{schedules}", "--environment", "{cluster}"], ["rm", "{uri}"]],
    "promote": [["{uri}", "--champion", "{uri}"], ["{bucket}"]],
    "doctor": [["--root", "{uri}"], ["--endpoint", "{uri}"]],
    "completion": [["{uri}"]],
}


def test_every_command_is_tried() -> None:
    assert set(COMMANDS) == set(command_names())


@pytest.mark.parametrize(
    ("command", "arguments"),
    [(name, one) for name, ways in COMMANDS.items() for one in ways],
    ids=lambda value: str(value)[:60],
)
def test_no_command_shows_a_uris_secrets(
    command: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(client, "WAITS_SECONDS", ())
    uri = URI.format(secret=CANARY, port=9)
    (tmp_path / "cluster.yaml").write_text(CLUSTER)
    (tmp_path / "own.yaml").write_text(f"source: {uri}\nsample: {{prompts_file: '{uri}'}}\n")
    (tmp_path / "schedules").mkdir()
    (tmp_path / "schedules" / "nightly.yaml").write_text(
        f"name: nightly\ncron: 0 0 2 * * *\nenvironment: there\nsource: {uri}\n"
    )
    mine = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    values = {
        "uri": uri,
        "refused": uri,
        "other": "http://127.0.0.1:9/other",
        "bucket": f"s3://user:{CANARY}@bucket/file?X-Amz-Signature={CANARY}",
        "recipe": "own.yaml",
        "cluster": "cluster.yaml",
        "schedules": "schedules",
    }
    try:
        code = main([command, *(argument.format(**values) for argument in arguments), "--verbose"])
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capfd.readouterr()
    written = [
        f"{path}\n{path.read_text(errors='replace')}"
        for path in tmp_path.rglob("*")
        if path.is_file() and path not in mine
    ]
    assert code != 0 or command in {"recipes", "doctor"}
    assert out + err, "nothing was said"
    assert CANARY not in "\n".join([out, err, *written])


def command_lines() -> set[str]:
    """The command lines of this user's processes."""
    if not PROC.exists():
        command = ["ps", "-U", str(os.getuid()), "-ww", "-o", "command="]
        return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n"))
    seen = set()
    for path in PROC.glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            if path.stat().st_uid == os.getuid():
                seen.add(path.read_bytes().decode(errors="replace"))
    return seen


class Watch(threading.Thread):
    """The command lines of all that this process has started, as anybody on the machine can read them."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._ended = threading.Event()
        self.seen: set[str] = set()

    def run(self) -> None:
        """Look every few milliseconds."""
        while not self._ended.wait(0.005):
            self.seen |= command_lines()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


def _run(tmp_path: Path, port: int, *settings: str, environment: bool = False) -> tuple[int, str, set[str]]:
    """`quillflow run` of a source and prompts with secrets: its exit code, all that it left, and all command lines."""
    uri = URI.format(secret=CANARY, port=port)
    source = redacted(uri) if environment else uri
    (tmp_path / "own.yaml").write_text(
        f"source: {source}\nsample: {{prompts_file: '{uri}&second', replace_unknown: true}}\n"
    )
    (tmp_path / "tmp").mkdir()
    values = dict(setting.split("=") for setting in ("ingest.allow_private_hosts=true", *TINY, *settings))
    flags = [f"--set={name}={value}" for name, value in values.items()]
    variables = {**os.environ, "TMPDIR": str(tmp_path / "tmp")} | ({SECRETS_VARIABLE: uri} if environment else {})
    command = [
        sys.executable,
        "-m",
        "pipelines.commands.main",
        "run",
        "--recipe",
        "own.yaml",
        "--verbose",
        "--json",
        *flags,
    ]
    with Watch() as watch:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=variables | {"PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "own.yaml"]
    texts = [path.read_bytes().decode(errors="replace") for path in files]
    return done.returncode, "\n".join([done.stdout, done.stderr, *map(str, files), *texts]), watch.seen


@pytest.mark.slow("a run of the pipeline")
@pytest.mark.parametrize("environment", [False, True])
def test_a_run_hands_secrets_to_its_stages_unseen(tmp_path: Path, port: int, environment: bool) -> None:
    code, said, commands = _run(tmp_path, port, "vectorize.length=100000", environment=environment)
    assert code == 1
    assert "vectorize" in said, "ingest, which needs the secret, did not end well"
    assert any("ephemeral_component" in command for command in commands), "no stage was seen"
    assert CANARY not in said
    assert not any(CANARY in command for command in commands)


@pytest.mark.slow("a whole run with TensorFlow")
def test_a_run_up_to_its_samples_leaves_no_secret_anywhere(tmp_path: Path, port: int) -> None:
    code, said, commands = _run(tmp_path, port)
    assert code == 1
    assert "sample: 127.0.0.1 is at the private address" in said, "prompts are never fetched from a private host"
    assert CANARY not in said
    assert not any(CANARY in command for command in commands)


def settings(**sample: str) -> dict[str, object]:
    return settings_of(recipe("quick"), [f"sample.{name}={value}" for name, value in sample.items()])  # type: ignore[return-value]


def test_a_runs_arguments_hold_no_secret_and_its_stages_find_them(monkeypatch: pytest.MonkeyPatch) -> None:
    source, prompts = (f"http://u:{CANARY}@127.0.0.1:9/text{query}" for query in ("?a", f"?b={CANARY}"))
    arguments, variables = withhold(arguments_of(source, settings(prompts_file=prompts)))  # type: ignore[arg-type]
    assert CANARY not in str(arguments)
    assert arguments["source"] != arguments["sample"]["prompts_file"], "two files became one"
    monkeypatch.setenv(*next(iter(variables.items())))
    assert whole(arguments["source"]) == source
    assert whole(arguments["sample"]["prompts_file"]) == prompts


@pytest.mark.parametrize(
    "uri", [f"https://u:{CANARY}@host/text", f"https://host/text?sig={CANARY}", f"gs://{CANARY}@bucket/text"]
)
def test_a_cluster_is_given_no_secret_but_the_way_out_is_reported(uri: str) -> None:
    for source, chosen in ((uri, settings()), ("https://host/text", settings(prompts_file=uri))):
        with pytest.raises(UsageError, match=f"store.secret_keys sets as {SECRETS_VARIABLE}, or copy") as failure:
            refuse_for_cluster(source, chosen)  # type: ignore[arg-type]
        assert CANARY not in str(failure.value)


def test_a_manifest_holds_places_without_secrets() -> None:
    config = SampleConfig(prompts_file=f"https://u:{CANARY}@host/a?b={CANARY}", prompts=("see https://host/?q=1",))
    assert recorded(config)["prompts_file"] == "https://host/a"
    assert recorded(config)["prompts"] == ["see https://host/?q=1"]
    assert {*SampleConfig.places(), *TrainConfig.places()} == {"prompts_file", "corpus", "init_from", "start_from"}


def test_a_recipe_of_several_sources_is_shown_without_their_secrets(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"source: ['https://u:{CANARY}@host/a', 'https://u:{CANARY}@host/b?c={CANARY}', 's3://b/c #1']\n")
    assert as_dict(recipe(str(path)))["source"] == "https://host/a\nhttps://host/b\ns3://b/c #1"


def test_what_is_no_secret_stays() -> None:
    for uri in (
        "https://host/@user/text",
        "tale.txt",
        "builtin:python-docs",
        "s3://bucket/what?.txt",
        "https://host:80/a#2",
    ):
        assert not has_secrets(uri)
        assert bare(uri, []) == whole(uri) == uri
    assert (
        without_secrets("s3://bucket/what?.txt: gone; https://host/a: gone")
        == "s3://bucket/what?.txt: gone; https://host/a: gone"
    )


@pytest.mark.parametrize("password", ["p/w", "p?w", "p#w", "p@w", "p:w"])
def test_a_password_that_was_not_escaped_is_not_shown(password: str) -> None:
    uri = f"http://user:{password}{CANARY}@host/text"
    assert redacted(uri) == "http://host/text"
    assert has_secrets(uri)
    assert without_secrets(f"error: {uri}: it failed") == "error: http://host/text: it failed"


@pytest.fixture(autouse=True)
def _no_secrets_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRETS_VARIABLE, raising=False)
