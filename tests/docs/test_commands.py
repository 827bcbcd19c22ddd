"""Every command of the documentation runs, page by page and in the page's order, as a reader would type them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.artifacts.storage import place
from tests.cluster.server import serving
from tests.docs.pages import PAGES, commands, fails
from tests.docs.reader import Reader
from tests.docs.sandbox import Sandbox
from tests.storage.google import google_server


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where runs are kept: one, as `make demo` leaves one."""
    box = Sandbox(tmp_path_factory.mktemp("laptop"))
    made = box.run("quillflow run --source my-text.txt")
    assert made
    assert made.returncode == 0, made.stderr
    return box.directory / "runs"


@pytest.fixture
def reader(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """Somebody with such a run on the laptop, a bucket, and a cluster."""
    shutil.copytree(runs, tmp_path / "runs")
    with google_server() as google, serving() as server:
        server.api.multi_user = True
        google.make_bucket("example-quillflow")
        for name, value in {**google.environment, "KF_PIPELINES_ENDPOINT": server.url}.items():
            monkeypatch.setenv(name, value)
        place._bucket.cache_clear()
        yield Reader(Sandbox(tmp_path), server.api)
        place._bucket.cache_clear()


@pytest.mark.slow("each command is a process; test_pages parses them all")
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any("quillflow " in line for line in commands(page))],
    ids=lambda page: f"{page.parent.name}/{page.name}",
)
def test_the_commands_of_a_page_run(page: Path, reader: Reader) -> None:
    for command in commands(page):
        failing = fails(page, command)
        done = reader.types(command, failing=failing)
        if done:
            assert done.returncode == int(failing), f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
