import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import http
from components.artifacts.errors import ArtifactError, SourceError, UsageError
from components.artifacts.manifest import digest, verify
from components.artifacts.vocabulary import UNKNOWN, Vocabulary
from components.command import log
from components.generator.writing import Tiling
from components.sample import texts
from components.sample.config import SampleConfig
from components.sample.gathering import gather
from components.sample.sampling import sample

Write = Callable[..., list[dict[str, Any]]]


def _rows(directory: Path) -> list[dict[str, Any]]:
    """All rows of a samples artifact, its files in order."""
    lines = [line for path in sorted(directory.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    return [json.loads(line) for line in lines]


@pytest.fixture
def write_compiled(model: Path, tmp_path: Path) -> Write:
    """Writes samples with the changed settings, and returns their rows."""

    def run(*, source: Path = model, **changes: Any) -> list[dict[str, Any]]:
        sample(SampleConfig(**{"length": 12, **changes}), model=str(source), samples=str(tmp_path / "samples"))
        return _rows(tmp_path / "samples")

    return run


@pytest.fixture
def write(write_compiled: Write, monkeypatch: pytest.MonkeyPatch) -> Write:
    """The same without XLA, whose compiling takes longer than a few texts."""
    tiling = replace(Tiling.of_device(), compiled=False)
    monkeypatch.setattr(Tiling, "of_device", lambda: tiling)
    return write_compiled


@pytest.fixture(scope="module")
def given(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Samples of two given prompts at three temperatures, and what `sample` returned."""
    samples = tmp_path_factory.mktemp("given") / "samples"
    config = SampleConfig(
        prompts=("<b>", "fed & "), temperatures=(0, 0.5, 1), count=3, length=15, seed=7, top_k=9, top_p=0.95
    )
    return samples, sample(config, model=str(model), samples=str(samples))


def test_there_is_a_text_for_each_prompt_repeat_and_temperature(given: tuple[Path, dict[str, Any]]) -> None:
    rows = _rows(given[0])
    assert [row["id"] for row in rows] == list(range(18))
    assert [row["prompt"] for row in rows] == ["<b>"] * 9 + ["fed & "] * 9
    assert [row["temperature"] for row in rows] == [0, 0.5, 1] * 6


def test_a_row_tells_what_the_text_depended_on(given: tuple[Path, dict[str, Any]]) -> None:
    rows = _rows(given[0])
    fields = ["id", "prompt", "temperature", "strategy", "seed", "text", "nats_per_token"]
    assert {tuple(row) for row in rows} == {tuple(fields)}
    assert {(row["temperature"], row["strategy"]) for row in rows} == {
        (0, "greedy"),
        (0.5, "top_k=9+top_p=0.95"),
        (1, "top_k=9+top_p=0.95"),
    }
    assert {row["seed"] for row in rows} == {7}
    assert {len(row["text"]) for row in rows} == {15}
    assert all(row["nats_per_token"] > 0 for row in rows)


def test_the_manifest_names_model_counts_and_settings(given: tuple[Path, dict[str, Any]], model: Path) -> None:
    manifest = verify(given[0], "samples")
    assert manifest.made_from == {"model": digest(model)}
    assert manifest.counts == {"texts": 18, "tokens": 18 * 15}
    assert manifest.config["prompts"] == ["<b>", "fed & "]
    assert set(manifest.files) == {"samples-00000-of-00001.jsonl", "report.html"}


def test_the_result_shows_the_first_texts(given: tuple[Path, dict[str, Any]]) -> None:
    samples, result = given
    rows = _rows(samples)
    nats = {
        name: pytest.approx(sum(row["nats_per_token"] for row in rows if row["temperature"] == value) / 6)
        for name, value in {"0": 0, "0.5": 0.5, "1": 1}.items()
    }
    counts = {"texts": 18, "tokens": 270}
    assert result == {"samples": str(samples), "counts": counts, "nats_per_token": nats, "first": rows[:3]}


def test_the_report_escapes_texts_and_tells_prompt_from_continuation(given: tuple[Path, dict[str, Any]]) -> None:
    page = (given[0] / "report.html").read_text(encoding="utf-8")
    assert page.count('<span class="prompt">&lt;b&gt;</span>') == 9
    assert page.count('<span class="prompt">fed &amp; </span>') == 9
    assert page.count('<span class="continuation">') == 18
    assert "<b>" not in page.partition("</style>")[2]
    assert all(f"<h2>{title}" in page for title in ("Greedy", "Temperature 0.5", "Temperature 1"))
    assert "top_k=9, top_p=0.95" in page
    assert "18 of 18 texts" in page


def test_the_report_shows_the_first_texts_of_many(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "TEXTS_SHOWN", 3)
    write(prompts=("a",), count=5, temperatures=(1,))
    page = (tmp_path / "samples" / "report.html").read_text(encoding="utf-8")
    assert "3 of 5 texts" in page
    assert page.count('<span class="continuation">') == 3


def test_the_report_has_no_more_tokens_than_a_browser_opens_at_once(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "TOKENS_SHOWN", 30)
    write(prompts=("a",), count=5, temperatures=(0.5, 1), length=12)
    assert "2 of 10 texts" in (tmp_path / "samples" / "report.html").read_text(encoding="utf-8")
    write(prompts=("a",), count=5, temperatures=(0.5, 1), length=40)
    assert "2 of 10 texts" in (tmp_path / "samples" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("context", ["carry", "window"])
def test_the_bytes_depend_neither_on_the_batch_nor_on_shards(
    write_compiled: Write, tmp_path: Path, context: str
) -> None:
    def written(**more: int) -> bytes:
        write_compiled(
            prompts=("a", "fed & ", "<hi>\n"), count=4, length=40, temperatures=(0, 0.7, 1.3), context=context, **more
        )
        return b"".join(path.read_bytes() for path in sorted((tmp_path / "samples").glob("*.jsonl")))

    whole = written(batch=512)
    assert [written(batch=batch) == whole for batch in (1, 7)] == [True, True]
    shards = [written(shard=shard, shards=4, batch=5) for shard in range(4)]
    assert b"".join(shards) == whole
    assert [shard.count(b"\n") for shard in shards] == [9, 9, 9, 9]


def test_a_shard_says_which_it_is_and_counts_its_own_texts(write: Write, tmp_path: Path) -> None:
    rows = write(prompts=("a",), count=5, temperatures=(1,), shard=1, shards=2)
    assert [row["id"] for row in rows] == [2, 3, 4]
    assert verify(tmp_path / "samples", "samples").counts == {"texts": 3, "tokens": 36}
    page = (tmp_path / "samples" / "report.html").read_text(encoding="utf-8")
    assert "shard 1 of 2" in page
    assert "3 of 3 texts" in page


def test_gathered_shards_are_what_one_process_writes(model: Path, tmp_path: Path) -> None:
    config = SampleConfig(count=5, length=12, temperatures=(0, 0.7))
    sample(config, model=str(model), samples=str(tmp_path / "whole"))
    shards = [str(tmp_path / str(number)) for number in range(3)]
    for number, path in enumerate(shards):
        sample(config.model_copy(update={"shard": number, "shards": 3}), model=str(model), samples=path)
    gather(shards, samples=str(tmp_path / "gathered"))
    assert _rows(tmp_path / "gathered") == _rows(tmp_path / "whole")
    assert verify(tmp_path / "gathered").config == verify(tmp_path / "whole").config


def test_a_shard_may_have_nothing_to_write(write: Write, tmp_path: Path) -> None:
    assert write(prompts=("a",), count=1, temperatures=(1,), shard=0, shards=3) == []
    assert verify(tmp_path / "samples", "samples").counts == {"texts": 0, "tokens": 0}


def test_a_shard_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="shard 4 is not one of 4, which are counted from 0"):
        SampleConfig.parse({"shard": 4, "shards": 4}, "sample")


def test_the_same_settings_give_the_same_files(write: Write, tmp_path: Path) -> None:
    digests = []
    for _ in range(2):
        write(prompts=("a",), temperatures=(1,))
        digests.append(digest(tmp_path / "samples"))
    assert digests[0] == digests[1]


def test_chance_follows_the_seed_and_greedy_needs_none(write: Write) -> None:
    first, second = (write(prompts=("abc",), count=2, temperatures=(0, 1), seed=seed) for seed in (1, 2))
    greedy = {row["text"] for row in [*first, *second] if row["temperature"] == 0}
    assert len(greedy) == 1
    assert len({row["text"] for row in [*first, *second]}) == 5


def test_the_models_context_is_followed_unless_another_is_asked_for(
    write: Write, model_of: Callable[..., Path]
) -> None:
    changes = {"prompts": ("fed & abc",), "count": 1, "temperatures": (0.8,), "length": 60}
    window = model_of(context="window", window=3)
    by_default, asked = write(source=window, **changes), write(source=window, context="carry", **changes)
    assert write(source=window, context="window", **changes) == by_default
    assert asked == write(context="carry", **changes) == write(**changes)
    assert asked != by_default


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
        (b"\n\n", r"prompts\.txt: no prompt in it"),
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
    told = "1 of 1 prompts have what the model does not know ('x'); it read ' ' there"
    assert f"warning: {told}" in capsys.readouterr().err
    assert told.replace("'", "&#39;") in (tmp_path / "samples" / "report.html").read_text(encoding="utf-8")
    assert [row["prompt"] for row in rows] == ["fix", "fix"]
    assert [row["text"] for row in rows] == [row["text"] for row in write(prompts=("fi ",), **changes)]


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(UsageError, match="a prompt must not be empty"):
        SampleConfig.parse({"prompts": ["a", ""]}, "sample")


def test_texts_go_to_files_of_limited_size(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "TEXTS_A_FILE", 3)
    rows = write(prompts=("a", "b"), count=2, temperatures=(0, 1), batch=2)
    files = sorted((tmp_path / "samples").glob("*.jsonl"))
    assert [path.name for path in files] == [f"samples-0000{n}-of-00003.jsonl" for n in range(3)]
    assert [len(path.read_bytes().splitlines()) for path in files] == [3, 3, 2]
    assert [row["id"] for row in rows] == list(range(8))


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


def test_the_token_for_unknown_words_is_read_but_never_written(
    write: Write, model_of: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = tuple(sorted([UNKNOWN, "a", " a", " b", "c", "."]))
    words = Vocabulary(kind="words", tokens=tokens, lowercase=True, has_unknown=True)
    log.set_up("sample")
    source = model_of(vocabulary=words, prompts=["a b."])
    rows = write(source=source, prompts=("A zebra b.",), count=8, temperatures=(0, 1, 3), length=50)
    assert {row["prompt"] for row in rows} == {"A zebra b."}
    told = "1 of 1 prompts have what the model does not know (' zebra'); it read '\N{REPLACEMENT CHARACTER}' there"
    assert f"warning: {told}" in capsys.readouterr().err
    written = "".join(row["text"] for row in rows)
    assert UNKNOWN not in written
    assert set(written) == set("abc .")


@pytest.mark.parametrize("name", ["model.keras", "config.json", "vocabulary.json", "prompts.json"])
def test_a_damaged_model_is_refused_by_file(write: Write, model: Path, tmp_path: Path, name: str) -> None:
    damaged = Path(shutil.copytree(model, tmp_path / "model"))
    data = bytearray((damaged / name).read_bytes())
    data[len(data) // 2] ^= 1
    (damaged / name).write_bytes(data)
    with pytest.raises(ArtifactError, match=rf"{name}: its SHA-256 is not the manifest's"):
        write(source=damaged)
    assert not (tmp_path / "samples").exists()


def test_another_kind_of_artifact_is_refused(given: tuple[Path, dict[str, Any]], write: Write) -> None:
    with pytest.raises(ArtifactError, match="this is a samples artifact, where a model is needed"):
        write(source=given[0])


@pytest.mark.parametrize(
    ("top_k", "top_p", "temperature", "name"),
    [
        (0, 1.0, 0.0, "greedy"),
        (5, 0.5, 0.0, "greedy"),
        (0, 1.0, 0.7, "temperature"),
        (5, 1.0, 0.7, "top_k=5"),
        (0, 0.9, 0.7, "top_p=0.9"),
        (5, 0.25, 0.7, "top_k=5+top_p=0.25"),
    ],
)
def test_a_strategy_is_named_by_what_limits_it(top_k: int, top_p: float, temperature: float, name: str) -> None:
    assert SampleConfig(top_k=top_k, top_p=top_p).strategy_at(temperature) == name


def test_every_rule_stands_in_a_strategys_name() -> None:
    assert SampleConfig(top_k=5, min_p=0.05).strategy_at(0.7) == "top_k=5+min_p=0.05"


def test_temperatures_below_zero_are_refused() -> None:
    with pytest.raises(UsageError, match=r"temperatures.1: must be 0, or from 1e-30 to 1e\+30, not '-1'"):
        SampleConfig.parse({"temperatures": "0.5,-1"}, "sample")


@pytest.mark.parametrize("prompt", ["\r\nabc", "\rabc"])
def test_a_prompts_line_ends_are_the_corpuss(write: Write, prompt: str) -> None:
    changes: dict[str, Any] = {"count": 1, "temperatures": (0, 1)}
    texts = [row["text"] for row in write(prompts=("\nabc",), **changes)]
    assert [row["text"] for row in write(prompts=(prompt,), **changes)] == texts
