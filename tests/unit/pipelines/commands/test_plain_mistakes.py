"""A plain mistake has a plain error: one line that names it, on every command that takes such a thing."""

import errno
import json
import os
from pathlib import Path

import pytest

from components.artifacts import storage
from components.artifacts.storage.failures import is_full, of_file
from pipelines.build.environment import environment
from pipelines.commands.main import main
from tests.unit.pipelines.conftest import MakeRun

PLACES = {
    "a source": ["run", "--recipe", "quick", "--source", "{}"],
    "a source to ingest": ["ingest", "--source", "{}", "--corpus", "corpus"],
    "a root": ["run", "--recipe", "quick", "--source", "a.txt", "--root", "{}"],
    "a corpus": ["vectorize", "--corpus", "{}", "--dataset", "dataset"],
    "an output": ["ingest", "--source", "builtin:python-docs", "--corpus", "{}"],
    "prompts": ["run", "--recipe", "quick", "--source", "a.txt", "--set", "sample.prompts_file={}"],
    "an artifact": ["artifacts", "show", "{}"],
    "a recipe": ["run", "--recipe", "{}.yaml"],
    "an environment": ["compile", "out", "--environment", "{}.yaml"],
}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert isinstance(raised.value.code, int)
    return raised.value.code, err


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a text")
    return tmp_path


@pytest.mark.parametrize("place", PLACES)
def test_a_user_who_is_not_there_is_named(here: Path, capsys: pytest.CaptureFixture[str], place: str) -> None:
    code, line = refused(capsys, *(argument.format("~nosuchuser/a") for argument in PLACES[place]))
    assert code == 2
    assert "~nosuchuser/a" in line
    assert "the home directory of ~nosuchuser is unknown here; write the path in full" in line
    assert [path.name for path in here.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("place", PLACES)
def test_a_name_that_is_no_utf_8_is_distinguished(here: Path, capsys: pytest.CaptureFixture[str], place: str) -> None:
    code, line = refused(capsys, *(argument.format(os.fsdecode(b"caf\xe9")) for argument in PLACES[place]))
    assert code == 2
    assert "caf\\udce9" in line
    assert "not UTF-8" in line or "must be Unicode text" in line
    assert [path.name for path in here.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("name", ["a\0b", "a\udce9b"])
def test_so_is_one_in_a_recipe(here: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (here / "own.yaml").write_text(f"source: {json.dumps(name)}\n")
    code, line = refused(capsys, "run", "--recipe", "own.yaml")
    assert code == 2
    assert "not UTF-8, or a NUL" in line


def test_a_foreign_name_that_is_no_utf_8_hides_no_artifacts(
    make_run: MakeRun, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run("one")
    strange = root / "one" / "train" / os.fsdecode(b"caf\xe9")
    try:
        strange.mkdir()
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    (strange / "manifest.json").write_text("{}")
    (root / os.fsdecode(b"\xff")).mkdir()
    assert main(["artifacts", "ls", "--root", str(root)]) == 0
    assert main(["artifacts", "show", "one", "--root", str(root)]) == 0
    assert "caf\\udce9/manifest.json: not a Quillflow manifest" in capsys.readouterr().err
    assert storage.children(str(root)) == ["one"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--recipe", "wide.yaml"],
        ["compile", "out", "--environment", "wide.yaml"],
    ],
    ids=["recipe", "environment"],
)
def test_a_file_of_wide_characters_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], encoding: str
) -> None:
    (here / "wide.yaml").write_bytes("source: a tale\ntrain:\n  units: 7\n".encode(encoding))
    code, line = refused(capsys, *arguments)
    assert code == 2
    assert "wide.yaml: " in line
    assert f"it looks like {encoding}: save it as UTF-8" in line


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_source_of_wide_characters_without_a_mark_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    (here / "wide.txt").write_bytes("Once upon a time\n".encode(encoding) * 99)
    code, line = refused(capsys, "ingest", "--source", "wide.txt", "--corpus", "corpus")
    assert code == 1
    assert f"probably {encoding}; set ingest.encoding={encoding}" in line
    assert main(["ingest", "--source", "wide.txt", "--corpus", "corpus", "--encoding", encoding, "--quiet"]) == 0


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1/a", "https://127.0.0.1:1/a"])
def test_a_scheme_may_be_in_capitals(capsys: pytest.CaptureFixture[str], uri: str) -> None:
    scheme, rest = uri.split(":", 1)
    lines = {
        refused(capsys, "ingest", "--corpus", "corpus", "--source", f"{written}:{rest}")[1].lower()
        for written in (scheme, scheme.upper(), scheme.capitalize())
    }
    assert len(lines) == 1
    assert "can't be reached" in lines.pop()


def test_so_may_a_clusters_endpoint_and_a_files(here: Path) -> None:
    (here / "own.yaml").write_text("cluster:\n  endpoint: HTTPS://kfp.example.org\n")
    assert environment("./own.yaml").cluster.endpoint == "HTTPS://kfp.example.org"
    assert storage.local_path("FILE:///a/b.txt") == Path("/a/b.txt")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_disk_that_fills_is_named_with_the_room_there_is(here: Path) -> None:
    def write() -> None:
        with storage.outgoing(str(here / "corpus"), "corpus") as directory:
            (directory / "text.txt").symlink_to("/dev/full")
            (directory / "text.txt").write_text("a text")

    with pytest.raises(storage.StorageError) as full:
        write()
    line = str(full.value)
    assert line.startswith(f"{here}/.corpus.")
    assert "No space left on device: " in line
    assert line.endswith(" bytes are free; make room or choose another place")
    assert [path.name for path in here.iterdir()] == ["a.txt"]


def test_an_hdf5_file_that_finds_no_room_is_reported_by_its_words() -> None:
    error = OSError("Can't synchronously write data (file write failed: errno = 28, error message = 'No space left')")
    assert is_full(error)
    assert "model.keras: No space left on device: " in str(of_file("model.keras", error))
    assert not is_full(OSError(errno.EACCES, "Permission denied"))
