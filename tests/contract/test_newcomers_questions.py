"""What a newcomer asks first (where does a new ... go?) is answered by as many files as docs/architecture.md says."""

import re

import pytest

from tests.contract.test_imports import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()

QUESTIONS = {
    "a source format": (
        r"telegram|Telegram",
        r"components/ingest/telegram\.py",
        {"components/ingest/config.py", "components/ingest/formats.py"},
    ),
    "a cell": (
        r"\bgru|_gru|GRU",
        "",
        {f"components/generator/cells/{name}.py" for name in ("gru", "gru_on_cpu", "__init__")},
    ),
    "a sampling rule": (r"min_p", "", {"components/generator/strategies.py", "pipelines/api.py"}),
    "a kind of bucket": (
        r"\"(gs|s3|minio)\"|Gcs|S3Store|GOOGLE_|CLOUDSDK|STORAGE_EMULATOR_HOST",
        r"components/artifacts/storage/(gcs|s3|s3_client|s3_errors)\.py",
        {"components/artifacts/storage/buckets.py"},
    ),
    "a step of the pipeline": (
        r"components[./]promote\b|\"promote\"|judging promote",
        r"components/promote/.*|pipelines/commands/promote\.py",
        {"components/steps.py", "pipelines/text_generation.py", "images/Dockerfile"},
    ),
    "a command": (
        r"commands\.inspect|commands\.add_parser\(\"inspect\"|\"inspect\"|add_inspect",
        "",
        {"pipelines/commands/inspect.py", "pipelines/commands/main.py"},
    ),
}
"""By question: what one that is there already is known by, files of its own, and the others that know of it."""


def code() -> dict[str, str]:
    files = [path for folder in ("components", "pipelines") for path in (ROOT / folder).rglob("*.py")]
    files.append(ROOT / "images" / "Dockerfile")
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}


CODE = code()


@pytest.mark.parametrize("question", QUESTIONS)
def test_only_the_files_that_the_page_names_know_of_one(question: str) -> None:
    known_by, own, others = QUESTIONS[question]
    files = {path for path, text in CODE.items() if re.search(known_by, _code_of(text)) and not re.fullmatch(own, path)}
    assert files == others
    assert len(files) <= 3


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_page_names_them(question: str) -> None:
    row = re.search(rf"^\| {question} \| (.*) \|$", PAGE, re.MULTILINE)
    assert row
    for path in QUESTIONS[question][2]:
        assert f"{path.rpartition('/')[2]}`" in row[1]


def _code_of(text: str) -> str:
    """The text without comments and what documents it."""
    return re.sub(r'"""(?s:.*?)"""|(?m:^#.*$)', "", text)
