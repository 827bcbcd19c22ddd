"""What the cluster refuses, and a cluster that is away: one line that says what to do, and never a success."""

import socket
from pathlib import Path

import pytest

from tests.cluster.conftest import Command
from tests.cluster.server import Server

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("fault", "when", "message"),
    [
        (
            "400 cron is wrong",
            "POST .*/runs",
            "rejected the run first (400: cron is wrong); fix the problem named above",
        ),
        ("401", "healthz", "requires a sign-in, or the token has expired; set KFP_EXISTING"),
        ("302", "healthz", "requires a sign-in, or the token has expired; set KFP_EXISTING"),
        (
            "login",
            "healthz",
            "answers text/html for its health, so it is not a Kubeflow Pipelines API or requires a sign",
        ),
        ("403 no", "GET .*/experiments", "does not allow the experiment stories: no; ask its owner for permission"),
        ("404 gone", "POST .*/runs", "the run first does not exist: gone; check the name and the environment"),
        ("409 busy", "POST .*/runs", "the run first already exists or is being changed: busy; check, then try again"),
        (
            "503 no quorum",
            "POST .*/runs",
            "the run first failed with 503: no quorum; try again later; it may",
        ),
        ("429 slow", "POST .*/upload", "the pipeline version text-generation-"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(
    server: Server, quillflow: Command, fault: str, when: str, message: str
) -> None:
    server.faults.add(fault, when)
    said, out, err = quillflow("submit", "--name", "first")
    assert (said, out) == (1, "")
    assert message in err
    *reported, error = err.splitlines()
    assert error.startswith(f"error: {server.url}: ")
    assert all(line.startswith("Uploaded pipeline version") for line in reported)
    assert not server.api.runs


def test_what_the_server_says_at_length_ends_between_two_words(server: Server, quillflow: Command) -> None:
    server.faults.add(f"400 {'scheduler ' * 60}", "POST .*/runs")
    err = quillflow("submit")[2]
    assert " scheduler scheduler ...); fix the problem named above and retry\n" in err
    assert err.count("scheduler") < 60


def test_a_read_is_tried_again_until_the_server_is_back(server: Server, quillflow: Command) -> None:
    server.faults.add("503", "GET .*/runs", times=4)
    assert quillflow("submit")[0] == 0
    code, out, err = quillflow("runs", "ls")
    assert (code, err, len(out.splitlines())) == (0, "", 2)
    assert server.faults.left() == 0


def test_a_read_that_keeps_failing_is_given_up(server: Server, quillflow: Command) -> None:
    quillflow("submit")
    server.faults.add("500 broken", "GET .*/runs", times=99)
    code, out, err = quillflow("runs", "ls")
    assert (code, out) == (1, "")
    assert err == f"error: {server.url}: the list of runs failed with 500: broken; try again later\n"
    assert server.faults.count("GET .*/runs") == 5


def test_what_changes_something_is_asked_for_once(server: Server, quillflow: Command) -> None:
    server.faults.add("503", "POST .*/runs")
    code, _, err = quillflow("submit")
    assert (code, "it may have succeeded nevertheless, so check first" in err) == (1, True)
    assert server.faults.count("POST .*/runs") == 1


@pytest.mark.parametrize("command", [["submit"], ["runs", "ls"], ["runs", "wait", "r"], ["schedule", "ls"]])
def test_a_server_that_is_away_is_one_line_with_how_to_reach_it(quillflow: Command, command: list[str]) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and does not listen
        away = f"http://127.0.0.1:{held.getsockname()[1]}"
        code, out, err = quillflow(*command, "--endpoint", away)
    assert (code, out) == (1, "")
    assert err == (
        f"error: {away}: can't be reached (connection refused); check the endpoint and whether the server is running, "
        "or forward its port: kubectl port-forward -n kubeflow svc/ml-pipeline 8888\n"
    )


def test_an_endpoint_that_speaks_no_tls_is_said_to_be_unreachable(server: Server, quillflow: Command) -> None:
    code, _, err = quillflow("runs", "ls", "--endpoint", server.url.replace("http://", "https://"))
    assert (code, "can't be reached (" in err, len(err.splitlines())) == (1, True, 1)


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        (
            "",
            "no cluster is given; name its API with --endpoint, KF_PIPELINES_ENDPOINT or an --environment that has one",
        ),
        ("localhost:8888", "localhost:8888: write the endpoint with http:// or https://"),
    ],
)
def test_no_endpoint_or_a_wrong_one_is_wrong_use(
    environment: Path, quillflow: Command, endpoint: str, message: str
) -> None:
    environment.write_text("{}")
    code, _, err = quillflow("runs", "ls", *(["--endpoint", endpoint] if endpoint else []))
    assert (code, err) == (2, f"error: {message}\n")


def test_the_endpoint_may_come_from_kubeflows_own_variable(
    environment: Path, server: Server, quillflow: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.write_text("{}")
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", server.url)
    assert quillflow("runs", "ls")[:2] == (0, "no runs\n")


def test_a_token_opens_the_door_and_is_in_no_line(
    server: Server, quillflow: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server.api.token = SECRET
    assert quillflow("runs", "ls")[0] == 1
    monkeypatch.setenv("KFP_EXISTING_TOKEN", SECRET + "x")
    code, out, err = quillflow("runs", "ls", "--verbose")
    assert code == 1
    assert SECRET not in out + err
    monkeypatch.setenv("KFP_EXISTING_TOKEN", SECRET)
    assert quillflow("runs", "ls")[0] == 0
    monkeypatch.delenv("KFP_EXISTING_TOKEN")
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(file))
    assert quillflow("runs", "ls")[0] == 0


def test_a_password_in_the_endpoint_is_in_no_line(quillflow: Command) -> None:
    _, out, err = quillflow("runs", "ls", "--endpoint", f"http://ada:{SECRET}@127.0.0.1:1")
    assert SECRET not in out + err
    assert "http://127.0.0.1:1: can't be reached" in err
