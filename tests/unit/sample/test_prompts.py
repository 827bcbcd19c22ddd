"""Prompts come from settings, a file or the model, in the corpus's form."""

from pathlib import Path
from typing import Any

import pytest

from components.artifacts import http
from components.artifacts.errors import SourceError, UsageError
from components.command import log
from components.sample.config import SampleConfig
from tests.unit.sample.sampled import Write


def test_prompts_come_from_a_file_after_those_given(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_bytes("\ufeffabc\r\n\r\nfé & \n\n<\n".encode())
    rows = write(prompts=("i",), prompts_file=str(path), count=1, temperatures=(1,))
    assert [row["prompt"] for row in rows] == ["i", "abc", "fé & ", "<"]


def test_only_line_ends_end_a_prompt(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_bytes("ab\x0ccd\u2028ef\n".encode())
    rows = write(prompts_file=str(path), count=1, temperatures=(1,), replace_unknown=True)
    assert [row["prompt"] for row in rows] == ["ab\x0ccd\u2028ef"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n\n", r"prompts\.txt: contains no prompt"),
        (b"abc\nab\xffc\n", r"prompts\.txt: not UTF-8 at byte 6"),
        (None, r"prompts\.txt: no such file"),
    ],
)
def test_a_prompts_file_without_prompts_is_refused(
    write: Write, tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "prompts.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        write(prompts_file=str(path))
    assert not (tmp_path / "samples").exists()


def test_the_secrets_of_a_prompts_files_uri_are_written_nowhere(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []

    def fetch(uri: str, target: Path, **_: object) -> None:
        fetched.append(uri)
        target.write_text("abc\n")

    monkeypatch.setattr(http, "fetch", fetch)
    uri = "https://user:kanarienvogel@example.org/prompts?sig=kanarienvogel"
    write(prompts_file=uri, count=1, temperatures=(1,))
    assert fetched == [uri]
    written = [path.read_text(encoding="utf-8") for path in (tmp_path / "samples").iterdir()]
    assert any('"https://example.org/prompts"' in text for text in written)
    assert not any("kanarienvogel" in text for text in written)


def test_a_prompt_outside_the_vocabulary_is_refused_by_character(write: Write, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"prompt 'fix': 'x' at character 3 .* sample\.replace_unknown"):
        write(prompts=("abc", "fix"))
    assert not (tmp_path / "samples").exists()


def test_a_space_can_stand_for_what_the_vocabulary_lacks(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {"count": 1, "temperatures": (0, 1)}
    capsys.readouterr()
    log.set_up("sample")
    rows = write(prompts=("fix",), replace_unknown=True, **changes)
    reported = "1 of 1 prompts have tokens that the model does not know ('x'); it reads ' ' instead"
    assert f"warning: {reported}" in capsys.readouterr().err
    assert reported.replace("'", "&#39;") in (tmp_path / "samples" / "report.html").read_text(encoding="utf-8")
    assert [row["prompt"] for row in rows] == ["fix", "fix"]
    assert [row["text"] for row in rows] == [row["text"] for row in write(prompts=("fi ",), **changes)]


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(UsageError, match="a prompt must not be empty"):
        SampleConfig.parse({"prompts": ["a", ""]}, "sample")


def test_without_prompts_texts_start_from_the_models_own(write: Write) -> None:
    rows = write(count=12, temperatures=(0.5, 1))
    prompts = [row["prompt"] for row in rows]
    assert prompts[::2] == prompts[1::2]
    assert set(prompts) == {"abc def ", "fé <hi> ", "& i had ", "\nabcdef\n"}
    assert [row["id"] for row in rows] == list(range(24))


def test_random_prompts_follow_from_the_seed_and_their_number(write: Write) -> None:
    first, longer, other = (
        [row["prompt"] for row in write(count=count, seed=seed, temperatures=(1,), length=1)]
        for count, seed in ((6, 1), (10, 1), (10, 2))
    )
    assert longer[:6] == first
    assert other != longer


@pytest.mark.parametrize("prompt_length", [3, 8])
def test_the_end_of_a_random_window_can_be_the_prompt(write: Write, prompt_length: int) -> None:
    whole = [row["prompt"] for row in write(count=4, temperatures=(1,))]
    ends = [row["prompt"] for row in write(count=4, temperatures=(1,), prompt_length=prompt_length)]
    assert ends == [prompt[-prompt_length:] for prompt in whole]


def test_a_prompt_that_is_longer_than_a_random_window_is_refused(write: Write) -> None:
    with pytest.raises(UsageError, match=r"^sample.prompt_length 9: a random window has 8 tokens; "):
        write(count=4, temperatures=(1,), prompt_length=9)


@pytest.mark.parametrize("prompt", ["\r\nabc", "\rabc"])
def test_a_prompts_line_ends_are_the_corpuss(write: Write, prompt: str) -> None:
    changes: dict[str, Any] = {"count": 1, "temperatures": (0, 1)}
    texts = [row["text"] for row in write(prompts=("\nabc",), **changes)]
    assert [row["text"] for row in write(prompts=(prompt,), **changes)] == texts
