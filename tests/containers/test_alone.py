"""Each image alone, with narrow rights and no network but a bucket's server: one stage after the other."""

import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.artifacts import storage
from components.artifacts.manifest import digest, verify
from components.artifacts.storage import place
from tests.containers.running import NARROW, Run
from tests.storage import servers
from tests.storage.amazon import amazon_server
from tests.storage.google import google_server
from tests.unit.tensorboard.showing import check_losses, make_model, shows, until

TEXT = "".join(f"The {n} foxes jump over {n % 7} dogs. " for n in range(150))
SMALL = ["--units", "16", "--batch", "8", "--checkpoint-seconds", "1"]
DEPLOYMENT = Path(__file__).parents[2] / "deploy" / "tensorboard" / "deployment.yaml"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def network(engine: Any) -> Iterator[Any]:
    """A network that leads to this machine and nowhere else."""
    made = engine.networks.create(f"quillflow-tests-{time.time_ns()}", internal=True)
    made.reload()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def bucket_servers(network: Any) -> Iterator[dict[str, servers.Proxy]]:
    host = network.attrs["IPAM"]["Config"][0]["Gateway"].partition("/")[0]
    with google_server(host) as google, amazon_server(host) as amazon:
        for proxy in (google, amazon):
            proxy.make_bucket("bucket")
        yield {"gs": google, "s3": amazon}


@pytest.fixture(params=["gs", "s3"])
def root(request: pytest.FixtureRequest, environment: Callable[[str], dict[str, str]]) -> str:
    assert environment(request.param)
    return f"{request.param}://bucket/{next(_numbers)}"


@pytest.fixture
def environment(
    bucket_servers: dict[str, servers.Proxy], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], dict[str, str]]:
    """What a client of a scheme's server needs, here and in a container."""
    place._bucket.cache_clear()

    def serve(scheme: str) -> dict[str, str]:
        for name, value in bucket_servers[scheme].environment.items():
            monkeypatch.setenv(name, value)
        return bucket_servers[scheme].environment

    return serve


def test_the_images_make_samples_of_a_text_one_after_the_other(
    root: str, run: Run, network: Any, environment: Callable[[str], dict[str, str]], tmp_path: Any
) -> None:
    storage.write_file(f"{root}/tale.txt", TEXT.encode())
    within = {"network": network.name, "environment": environment(root.partition(":")[0])}

    def stage(target: str, *arguments: str) -> dict[str, Any]:
        ended = run(target, ["--json", *arguments], **within)
        assert ended.code == 0, ended.err
        result: dict[str, Any] = json.loads(ended.out)
        return result

    stage("ingest", "--source", f"{root}/tale.txt", "--corpus", f"{root}/corpus")
    stage("vectorize", "--corpus", f"{root}/corpus", "--dataset", f"{root}/dataset", "--length", "16")
    places = ["--dataset", f"{root}/dataset", "--checkpoints", f"{root}/checkpoints", "--model", f"{root}/model"]
    trained = stage("train", *places, *SMALL, "--epochs", "1")
    assert trained["metrics"]["steps"] > 0
    stage("sample", "--model", f"{root}/model", "--samples", f"{root}/samples", "--length", "20", "--count", "1")

    made_from = {"dataset": "corpus", "model": "dataset", "samples": "model"}
    fetched = {}
    for kind in ("corpus", *made_from):
        fetched[kind] = tmp_path / kind
        storage.pull(storage.place_of(f"{root}/{kind}"), fetched[kind], kind)
    for kind, source in made_from.items():
        assert verify(fetched[kind], kind).made_from == {source: digest(fetched[source])}


def test_training_in_a_container_that_is_stopped_saves_and_resumes(
    engine: Any, name_of: Callable[[str], str], run: Run, network: Any, environment: Any
) -> None:
    root = f"s3://bucket/{next(_numbers)}"
    within = {"network": network.name, "environment": environment("s3")}
    storage.write_file(f"{root}/tale.txt", TEXT.encode())
    for target, *arguments in (
        ["ingest", "--source", f"{root}/tale.txt", "--corpus", f"{root}/corpus"],
        ["vectorize", "--corpus", f"{root}/corpus", "--dataset", f"{root}/dataset", "--length", "16"],
    ):
        assert run(target, arguments, **within).code == 0
    command = [
        "--dataset",
        f"{root}/dataset",
        "--checkpoints",
        f"{root}/checkpoints",
        "--model",
        f"{root}/model",
        *SMALL,
    ]
    container = engine.containers.run(
        name_of("train"), [*command, "--epochs", "100000"], detach=True, **NARROW, **within
    )
    try:
        for line in container.logs(stream=True):
            if b"epoch 2:" in line:
                break
        container.stop(timeout=30)
        assert container.wait()["StatusCode"] == 143
        saved = re.search(r"saved at train step ([\d,]+)", container.logs().decode())
    finally:
        container.remove(force=True)
    assert saved is not None
    steps = int(saved[1].replace(",", ""))
    ended = run("train", [*command, "--train-steps", str(steps + 3)], **within)
    assert ended.code == 0, ended.err
    assert f"resumed at train step {saved[1]}" in ended.err


def test_tensorboard_shows_a_bucket_s_models_as_its_deployment_runs_it(
    root: str, engine: Any, name_of: Callable[[str], str], network: Any, environment: Any, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"  # writable for anybody, as an emptyDir is
    logs.mkdir()
    logs.chmod(0o777)
    make_model(f"{root}/runs/text-generation/run-7/train/model")
    roots = {"PIPELINE_ROOT": f"{root}/runs", "ARTIFACTS": f"{root}/jobs"}
    started = {}
    for container in yaml.safe_load(DEPLOYMENT.read_text())["spec"]["template"]["spec"]["containers"]:
        given = [re.sub(r"\$\((\w+)\)", lambda found: roots[found[1]], text) for text in container.get("args", [])]
        mirrors = container["name"] == "mirror"
        started[container["name"]] = engine.containers.run(
            name_of("tensorboard"),
            [*container["command"][1:], *given],
            entrypoint=container["command"][0],
            volumes={str(logs): {"bind": "/logs", "mode": "rw" if mirrors else "ro"}},
            environment=environment(root.partition(":")[0]) if mirrors else {},
            network=network.name,
            detach=True,
            **NARROW,
        )
    try:
        until(lambda: bool(list(logs.glob("*/*/*tfevents*"))))
        (model,) = [path.name for path in logs.glob("*_run-7")]
        server = started["tensorboard"]
        until(lambda: b" (Press CTRL+C to quit)" in server.logs())
        server.reload()
        address = server.attrs["NetworkSettings"]["Networks"][network.name]["IPAddress"]
        until(lambda: shows(f"http://{address}:6006", model))
        check_losses(f"http://{address}:6006", model)
        for name, code in {"mirror": 143, "tensorboard": 0}.items():
            started[name].stop(timeout=30)
            assert started[name].wait()["StatusCode"] == code
    finally:
        for container in started.values():
            container.remove(force=True)
