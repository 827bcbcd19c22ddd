"""The report of a run: its artifacts, figures and texts, and what is said where one is damaged."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import digest, verify, write_manifest
from components.command import log
from components.report.reporting import report
from tests.pages import made

Report = Callable[..., str]
NO_LINE_ENDS = "one\u2028two\u2029three\u0085four\u000bfive\u000csix\u001cseven"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was made once, as drawing its pages takes long."""
    place = tmp_path_factory.mktemp("drawn") / "run"
    made.artifacts(place)
    return place


@pytest.fixture
def artifacts(drawn: Path, tmp_path: Path) -> dict[str, str]:
    shutil.copytree(drawn, tmp_path / "run")
    return {kind: str(tmp_path / "run" / stage / kind) for kind, stage in made.STAGES.items()}


@pytest.fixture
def make(artifacts: dict[str, str], tmp_path: Path) -> Report:
    """Makes the report, perhaps with other artifacts in place of the run's; its page."""

    def run(**others: str) -> str:
        place = tmp_path / "run" / "report" / "report"
        assert report(**{**artifacts, **others}, report=str(place)) == {"report": str(place)}
        return (place / "report.html").read_text(encoding="utf-8")

    return run


def test_the_report_is_an_artifact_made_from_the_samples(
    make: Report, artifacts: dict[str, str], tmp_path: Path
) -> None:
    make()
    manifest = verify(tmp_path / "run" / "report" / "report", "report")
    assert sorted(manifest.files) == ["report.html", "summary.md"]
    assert manifest.made_from == {"samples": digest(Path(artifacts["samples"]))}


def test_the_page_shows_what_was_made_from_what_and_links_to_each_page(
    make: Report, artifacts: dict[str, str], tmp_path: Path
) -> None:
    page = make()
    for kind, made_from in {"dataset": "corpus", "model": "dataset", "samples": "model"}.items():
        assert digest(Path(artifacts[kind]))[:16] in page
        assert f"from {made_from} {digest(Path(artifacts[made_from]))[:16]}</span>" in page
    links = re.findall(r'<a href="([^"]*)"', page)
    assert links == [f"../../{place}/report.html" for place in ("ingest/corpus", "train/model", "sample/samples")]
    assert all((tmp_path / "run" / "report" / "report" / link).resolve().is_file() for link in links)
    assert "not this one" not in page
    assert "<h1>Run run</h1>" in page
    assert "40 lines" in page
    assert "Resumed at train step" in page


def test_an_artifact_of_another_run_is_distinguished(make: Report, artifacts: dict[str, str], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "text.txt").write_text("other")
    counts = {"characters": 9, "bytes": 9, "distinct_characters": 9, "lines": 1, "users": 0, "replaced": 0}
    config = {"source": "tale.txt"}
    write_manifest(other, kind="corpus", stage="ingest", config=config, counts=counts, made_from={"source": "ab"})
    page = make(corpus=str(other))
    assert page.count("not this one") == 1
    assert f"from corpus {digest(Path(artifacts['corpus']))[:16]}, which is not this one" in page


def test_the_page_shows_the_loss_and_texts_of_each_temperature(make: Report) -> None:
    page = make()
    assert page.count("<svg") == 2
    assert [page.count(f"text {number} of the") for number in range(6)] == [1, 1, 1, 1, 0, 0]
    assert page.count("<h3>Temperature") == 2


def test_the_summary_has_the_figures_and_nothing_a_user_wrote_as_markup(make: Report, tmp_path: Path) -> None:
    make()
    summary = (tmp_path / "run" / "report" / "report" / "summary.md").read_text(encoding="utf-8")
    assert "| bits per character, held-out | 2.020 |" in summary
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", summary, flags=re.DOTALL | re.MULTILINE)
    assert made.HARM in summary
    assert "harmed" not in outside


@pytest.mark.parametrize("name", ["metrics.json", "history.jsonl", "manifest.json"])
def test_a_damaged_or_missing_file_is_an_error_that_names_it(
    make: Report, artifacts: dict[str, str], tmp_path: Path, name: str
) -> None:
    file = Path(artifacts["model"]) / name
    file.write_bytes(file.read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(ArtifactError, match=name):
        make()
    file.unlink()
    with pytest.raises(ArtifactError, match=name):
        make()
    assert not (tmp_path / "run" / "report" / "report").exists()


def test_an_artifact_of_another_kind_is_refused(make: Report, artifacts: dict[str, str]) -> None:
    with pytest.raises(ArtifactError, match="this is a dataset artifact, where a corpus is needed"):
        make(corpus=artifacts["dataset"])


def rewritten(directory: str, name: str, text: str, **made_from: str) -> None:
    """Give an artifact other contents, as a stage would have written it."""
    place, manifest = Path(directory), verify(Path(directory))
    (place / name).write_text(text, encoding="utf-8")
    write_manifest(
        place,
        kind=manifest.kind,
        stage=manifest.producer.stage,
        config=manifest.config,
        counts=manifest.counts,
        made_from={**manifest.made_from, **made_from},
    )


def rows(texts: list[dict[str, object]]) -> str:
    return "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts)


def test_a_text_with_other_line_ends_than_newlines_is_reported(
    make: Report, artifacts: dict[str, str], tmp_path: Path
) -> None:
    history = made.history()
    history[0]["samples"][0]["text"] = NO_LINE_ENDS
    rewritten(artifacts["model"], "history.jsonl", rows(history))
    samples = [{**text, "text": f"{number}: {NO_LINE_ENDS}"} for number, text in enumerate(made.TEXTS)]
    rewritten(artifacts["samples"], "samples-00000-of-00001.jsonl", rows(samples))
    page = make()
    assert "can&#39;t be shown" not in page
    assert all(f"{number}: {NO_LINE_ENDS}" in page for number in range(4))
    assert page.count("<svg") == 2
    assert NO_LINE_ENDS in (tmp_path / "run" / "report" / "report" / "summary.md").read_text(encoding="utf-8")


def test_samples_that_were_not_to_copy_a_corpus_are_reported_with_both_they_were_made_from(
    make: Report, artifacts: dict[str, str], tmp_path: Path
) -> None:
    rewritten(artifacts["samples"], "samples-00000-of-00001.jsonl", rows(made.TEXTS), corpus="cd" * 32)
    page = make()
    both = [f"without copies of corpus {'cd' * 8}", f"from model {digest(Path(artifacts['model']))[:16]}"]
    assert all(f">{words}</span>" in page for words in both)
    assert "not this one" not in page
    summary = (tmp_path / "run" / "report" / "report" / "summary.md").read_text(encoding="utf-8")
    assert f"| {', '.join(both)} |" in summary


@pytest.mark.parametrize(
    ("kind", "name", "text", "heading", "lost"),
    [
        ("model", "metrics.json", "{}", "", "bits per character, held-out"),
        ("model", "history.jsonl", '{"epoch": 1}\n', "Training", "<svg"),
        ("samples", "samples-00000-of-00001.jsonl", '{"text": "cut\n', "Samples", "<h3>Temperature"),
    ],
)
def test_what_the_page_cant_show_costs_its_part_and_not_the_run(
    make: Report,
    artifacts: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    name: str,
    text: str,
    heading: str,
    lost: str,
) -> None:
    log.set_up("report")
    rewritten(artifacts[kind], name, text)
    page = make()
    assert lost not in page
    assert page.count("This part can&#39;t be shown (") == 1
    others = {"What was made from what", "Training", "Samples", "Settings"}
    assert set(re.findall("<h2>(.*?)</h2>", page)) == others
    assert f"warning: {heading or 'the beginning'}: left out of the page (" in capsys.readouterr().err
    verify(tmp_path / "run" / "report" / "report", "report")


def test_half_a_surrogate_pair_is_shown_as_such(make: Report, artifacts: dict[str, str]) -> None:
    half = [{**text, "text": "\\ud800 alone"} for text in made.TEXTS]
    rewritten(artifacts["samples"], "samples-00000-of-00001.jsonl", rows(half).replace("\\\\ud800", "\\ud800"))
    assert "\\ud800 alone" in make()
