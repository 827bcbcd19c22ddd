"""A run's source that is more than one file: how it is digested, made absolute, mounted, and kept."""

import io
import sys
from pathlib import Path

import pytest

from components.artifacts.errors import UsageError
from pipelines.commands.main import main
from pipelines.inputs.arguments import arguments_of
from pipelines.inputs.digests import digest_of, digest_of_source
from pipelines.inputs.settings import recipe, settings_of, source_of
from pipelines.local import running as local


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two texts, in a working directory whose name looks like a glob."""
    here = tmp_path / "[old]"
    (here / "texts").mkdir(parents=True)
    (here / "texts" / "a.txt").write_text("eins")
    (here / "texts" / "b.txt").write_text("zwei")
    monkeypatch.chdir(here)
    return here / "texts"


def digest(source: str) -> str:
    return digest_of_source(source, allow_private_hosts=False)


@pytest.mark.parametrize("source", ["texts", "texts/*.txt", "texts/a.txt\ntexts/b.txt"])
def test_a_source_is_digested_by_the_bytes_of_all_its_files(folder: Path, source: str) -> None:
    before = digest(source)
    assert before == digest(source) != ""
    (folder / "b.txt").write_text("zwo")
    changed = digest(source)
    assert changed not in {before, ""}
    (folder / "b.txt").rename(folder / "c.txt")
    if "\n" not in source:
        assert digest(source) not in {before, changed, ""}


def test_a_single_file_is_digested_as_ever(folder: Path) -> None:
    assert digest("texts/a.txt") == digest_of(str(folder / "a.txt"), allow_private_hosts=False)
    assert digest("texts/missing.txt\ntexts/a.txt") == ""


def test_all_places_of_a_source_are_made_absolute(folder: Path) -> None:
    settings = settings_of(recipe("quick"), [])
    given = arguments_of("texts/*.txt\nbuiltin:python-docs", settings)
    pattern, builtin = given["source"].split("\n")
    assert builtin == "builtin:python-docs"
    assert digest(pattern) == digest(str(folder / "*.txt").replace("[old]", "[[]old]"))
    assert arguments_of("texts/", settings)["source"] == str(folder)


def test_a_directory_and_a_globs_directory_are_mounted(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    containers = pytest.importorskip("pipelines.local.containers")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for uri in (str(folder), f"{folder}/*.txt"):
        mounts = containers._mounts([uri], tmp_path / "runs")
        assert str(folder) in {mount["Source"] for mount in mounts}


def test_a_link_that_leads_out_of_what_containers_see_is_refused(folder: Path, tmp_path: Path) -> None:
    containers = pytest.importorskip("pipelines.local.containers")
    outside, root = tmp_path / "outside.txt", tmp_path / "runs"
    outside.write_text("drei")
    (folder / "inside.txt").symlink_to("a.txt")
    containers._refuse_links_out("texts/i*.txt\nbuiltin:python-docs", [folder, root])
    (folder / "link.txt").symlink_to(outside)
    containers._refuse_links_out(f"{folder}/link.txt", [folder / "link.txt", root])
    for source in ("texts/l*.txt", "texts/b.txt\ntexts/l*"):
        with pytest.raises(UsageError) as raised:
            containers._refuse_links_out(source, [folder, root])
        assert str(raised.value).startswith(f"--source {folder}/link.txt: is a link to {outside}, which the containers")


def test_several_sources_come_from_flags_and_recipes(tmp_path: Path) -> None:
    assert source_of(recipe("quick"), ["a.txt", "b.txt"], named="") == "a.txt\nb.txt"
    path = tmp_path / "mine.yaml"
    path.write_text("source: [a.txt, texts/]\n")
    assert source_of(recipe(str(path)), None, named="") == "a.txt\ntexts/"


@pytest.mark.parametrize("root", ["texts/runs", "texts"])
def test_a_root_inside_the_source_is_refused(folder: Path, root: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["run", "--recipe", "quick", "--source", str(folder), "--root", root])
    assert stopped.value.code == 2
    assert "so its runs would be read as text; choose another" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["a.txt", "b.txt"]


def test_what_comes_through_a_pipe_is_kept_by_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(data: bytes) -> str:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        return local._keep_pipes("-\nbuiltin:python-docs", tmp_path, 100)

    first, builtin = kept(b"eins").split("\n")
    assert (Path(first).read_bytes(), builtin) == (b"eins", "builtin:python-docs")
    assert kept(b"eins").split("\n")[0] == first != kept(b"zwei").split("\n")[0]
    assert len(list((tmp_path / "sources").iterdir())) == 2


def test_a_flag_given_twice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["run", "--root", "a", "--root", "b"])
    assert stopped.value.code == 2
    assert "--root is given twice" in capsys.readouterr().err
