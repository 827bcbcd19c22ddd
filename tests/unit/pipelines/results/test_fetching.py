"""Artifacts fetched, one or a run's, and verified."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import MANIFEST_NAME
from components.artifacts.storage import Place
from components.report.reporting import report
from pipelines.commands.main import main
from pipelines.results import finding
from pipelines.results.fetching import pull, verify_all
from tests.pages import made
from tests.unit.pipelines.conftest import MakeRun

Capture = pytest.CaptureFixture[str]
UUID = "0b9d6f6c-7a55-4c58-9f6e-0123456789ab"


def fetch(name: object, root: Path, directory: Path) -> list[str]:
    return pull(finding.resolve(str(name), str(root)), directory)


def files_in(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("uuid", ["", UUID], ids=["local", "cluster"])
def test_the_pages_of_a_fetched_run_are_linked_as_they_were(root: Path, tmp_path: Path, uuid: str) -> None:
    run = root / "text-generation" / "run-7"
    uris = {}
    for kind, uri in made.artifacts(run).items():
        uris[kind] = str(Path(uri).parent / uuid / kind)
        Path(uris[kind]).parent.mkdir(exist_ok=True)
        Path(uri).rename(uris[kind])
    report(**uris, report=str(run / "report" / uuid / "report"))

    fetch("run-7", root, tmp_path / "copy")
    assert files_in(tmp_path / "copy") == files_in(run)
    page = tmp_path / "copy" / "report" / uuid / "report" / "report.html"
    links = re.findall(r'<a href="([^"]*)"', page.read_text())
    assert len(links) == 3
    assert all((page.parent / link).resolve().is_relative_to(tmp_path / "copy") for link in links)
    assert all((page.parent / link).is_file() for link in links)


def test_a_run_is_fetched_whole_and_fetching_again_fixes_what_is_not_as_listed(
    make_run: MakeRun, root: Path, tmp_path: Path
) -> None:
    make_run("one")
    copy = tmp_path / "copy"
    stages = {"samples": "sample", "model": "train", "dataset": "vectorize", "corpus": "ingest"}
    assert fetch("one", root, copy) == [str(copy / stage / kind) for kind, stage in stages.items()]
    (copy / "train" / "model" / "model.keras").write_bytes(b"cut off")
    (copy / "sample" / "samples" / MANIFEST_NAME).rename(copy / "sample" / "samples" / f".{MANIFEST_NAME}.partial")
    (copy / "sample" / "samples" / "samples-00000-of-00001.jsonl").unlink()
    for name in ("some", MANIFEST_NAME):
        (copy / "vectorize" / "dataset" / name).unlink()
    fetch("one", root, copy)
    assert files_in(copy) == files_in(root / "one")
    assert set(verify_all(finding.find(str(copy))).values()) == {""}


@pytest.mark.parametrize("what", ["one", "one/train/model"])
def test_nothing_is_fetched_into_what_holds_somebodys_files(
    make_run: MakeRun, root: Path, tmp_path: Path, what: str
) -> None:
    make_run("one")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(ArtifactError, match=r"mine: holds .*; choose another place or empty it"):
        fetch(what, root, tmp_path / "mine")
    with pytest.raises(ArtifactError, match=r"notes\.txt: is a file, but an artifact is a directory"):
        fetch(root / "one" / "train" / "model", root, tmp_path / "mine" / "notes.txt")
    assert files_in(tmp_path / "mine") == {"notes.txt": b"mine"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("one/train/model", "two/train/model"),
        ("one/train/model", "one/sample/samples"),
        ("one", "two"),
        ("one", "one/train/model"),
        ("one/train/model", "one"),
    ],
)
def test_nothing_is_fetched_into_what_holds_another_artifact(
    make_run: MakeRun, root: Path, tmp_path: Path, first: str, second: str
) -> None:
    make_run("one")
    make_run("two", seed=2)
    copy = tmp_path / "copy"
    fetch(first, root, copy)
    before = files_in(copy)
    with pytest.raises(ArtifactError, match=r"copy.*: holds .*; choose another place or empty it"):
        fetch(second, root, copy)
    assert files_in(copy) == before


def test_a_key_that_leads_outside_is_refused_and_nothing_written(make_run: MakeRun, root: Path, tmp_path: Path) -> None:
    """A bucket's keys may hold `..` where a disk's can't."""
    make_run("one")
    model, dataset, *_ = finding.resolve("one", str(root))
    outside = replace(model, place=Place(model.place.store, f"{root}/one/../../model"))
    with pytest.raises(ArtifactError, match="fetch it alone, by its URI"):
        pull([dataset, outside], tmp_path / "copy" / "inner")
    assert not (tmp_path / "copy").exists()


def test_a_fetched_artifact_was_written_when_the_original_was(
    make_run: MakeRun, root: Path, tmp_path: Path, capsys: Capture
) -> None:
    make_run("one")
    model = root / "one" / "train" / "model"
    assert main(["artifacts", "pull", str(model), str(tmp_path / "copy"), "--root", str(root)]) == 0
    capsys.readouterr()
    shown = []
    for place in (model, tmp_path / "copy"):
        assert main(["artifacts", "show", str(place), "--root", str(root)]) == 0
        shown.append(capsys.readouterr().out.splitlines())
    assert [line for line in shown[1] if "written" in line] == [line for line in shown[0] if "written" in line]
    assert not [line for line in shown[1] if line.startswith("  run ") or "alone" in line]


def test_verify_names_what_is_damaged_and_exits_1(make_run: MakeRun, root: Path, capsys: Capture) -> None:
    run = make_run("one", without=("corpus", "dataset"))
    assert main(["artifacts", "verify", "one", "--root", str(root), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["verdicts"].values()) == {""}
    damaged = run / "sample" / "samples" / "samples-00000-of-00001.jsonl"
    damaged.write_bytes(damaged.read_bytes().replace(b"o", b"O", 1))
    assert main(["artifacts", "verify", "one", "--root", str(root)]) == 1
    out, err = capsys.readouterr()
    assert out.split() == ["whole", str(run / "train" / "model")]
    assert f"{damaged}: its SHA-256" in err
