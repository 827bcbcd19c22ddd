"""`quillflow ingest`: output, exit codes, help, and an import without TensorFlow and kfp."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from components.ingest.config import IngestConfig

NO_TENSORFLOW = """
import sys
from components.ingest.__main__ import STAGE

assert STAGE.main(sys.argv[1:]) == 0
assert "components.ingest.ingesting" in sys.modules
sys.exit(f"imported: {[name for name in ('tensorflow', 'keras', 'kfp') if name in sys.modules]}")
"""
DEFAULTS = {
    "format": "auto",
    "text_column": "text",
    "user_column": "none",
    "keep_users": "none",
    "drop_users": "none",
    "documents": "auto",
    "first_fraction": "1.0",
    "delimiter": "auto",
    "quoting": "auto",
    "header": "yes",
    "strip_gutenberg": "no",
    "lowercase": "no",
    "encoding": "utf-8",
    "undecodable": "error",
    "allow_private_hosts": "no",
    "maximum_bytes": "68719476736",
    "maximum_gzip_ratio": "200.0",
    "minimum_characters": "0",
    "shrinks_at_most": "1.0",
    "new_characters_at_most": "1.0",
    "repeats_at_most": "1.0",
}


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "QUILLFLOW_LOG"}
    return subprocess.run(
        [sys.executable, "-m", "components.ingest", *map(str, arguments)],
        env={**environment, "COLUMNS": "1000"},  # so that argparse wraps no line of its help
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def places(tmp_path: Path) -> tuple[str, Path, str, Path]:
    (tmp_path / "notes.txt").write_text("One two\n")
    return "--source", tmp_path / "notes.txt", "--corpus", tmp_path / "corpus"


def test_a_run_shows_people_on_standard_error_and_nobody_on_standard_output(places: tuple[str, ...]) -> None:
    run = command(*places, "--lowercase")
    assert (run.returncode, run.stdout) == (0, "")
    assert run.stderr == f"ingest     {places[1]}: 8 characters, 7 distinct\n"
    assert (Path(places[3]) / "text.txt").read_text() == "one two\n"


def test_json_prints_one_object_on_standard_output(places: tuple[str, ...]) -> None:
    run = command(*places, "--json")
    assert run.returncode == 0
    printed = json.loads(run.stdout)
    assert printed["corpus"] == str(places[3])
    assert printed["counts"]["characters"] == 8


def test_settings_reach_the_manifest(places: tuple[str, ...]) -> None:
    flags = ["--format", "csv", "--text-column", "One two", "--user-column", "One two", "--drop-users", "a", "b,c"]
    Path(places[1]).write_text('One two\nthree\na\n"b,c"\n')
    assert command(*places, *flags, "--maximum-gzip-ratio", "7.5").returncode == 0
    config = json.loads((Path(places[3]) / "manifest.json").read_text())["config"]
    assert (config["format"], config["drop_users"], config["maximum_gzip_ratio"]) == ("csv", ["a", "b,c"], 7.5)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--first-fraction", "1.5"], "ingest.first_fraction: input should be less than or equal to 1, not '1.5'"),
        (
            ["--format", "xml"],
            "ingest.format: input should be 'auto', 'text', 'csv', 'json', 'whatsapp' or 'telegram', not 'xml'",
        ),
        (["--format", "csv", "--keep-users", "amy"], "ingest: keep_users and drop_users need user_column"),
        (
            ["--delimiter", "ab"],
            "ingest.delimiter: must be one ASCII character, tab or auto, and no quote, line end or NUL, not 'ab'",
        ),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(places: tuple[str, ...], flags: list[str], message: str) -> None:
    run = command(*places, *flags)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == f"ingest     error: {message}\n"
    assert not Path(places[3]).exists()


def test_a_missing_argument_and_an_unknown_flag_are_exit_code_2(places: tuple[str, ...]) -> None:
    missing, unknown = command(*places[:2]), command(*places, "--colour", "red")
    assert (missing.returncode, unknown.returncode) == (2, 2)
    assert "--corpus" in missing.stderr
    assert "--colour" in unknown.stderr


def test_a_missing_file_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    run = command("--source", tmp_path / "missing.txt", "--corpus", tmp_path / "corpus", "--json")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == f"ingest     error: {tmp_path}/missing.txt: no such file\n"
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_can_not_be_written_is_one_line_and_exit_code_1(places: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = command(*places[:3], tmp_path / "file" / "corpus")
    assert run.returncode == 1
    assert run.stderr.startswith(f"ingest     error: {tmp_path}/file")
    assert run.stderr.count("\n") == 1


def test_verbose_shows_where_it_went_wrong(tmp_path: Path) -> None:
    run = command("--source", tmp_path / "missing.txt", "--corpus", tmp_path / "corpus", "--verbose")
    assert run.returncode == 1
    assert run.stderr.startswith("Traceback (most recent call last):\n")
    assert run.stderr.endswith(f"\ningest     error: {tmp_path}/missing.txt: no such file\n")


def test_help_documents_every_setting_with_its_default() -> None:
    run = command("--help")
    assert run.returncode == 0
    entries = [" ".join(entry.split()) for entry in re.split(r"\n  (?=-)", run.stdout)]
    for name, field in IngestConfig.model_fields.items():
        (entry,) = [entry for entry in entries if re.match(f"--{name.replace('_', '-')}[ ,]", entry)]
        assert field.description
        assert field.description in entry
        assert entry.endswith(f"(default: {DEFAULTS[name]})")
    assert list(DEFAULTS) == list(IngestConfig.model_fields)


def test_ingest_imports_neither_tensorflow_nor_kfp(places: tuple[str, ...]) -> None:
    run = subprocess.run(
        [sys.executable, "-c", NO_TENSORFLOW, *map(str, places)], check=False, capture_output=True, text=True
    )
    assert run.stderr.splitlines()[-1] == "imported: []"
