"""The pages as markup: nothing from outside, nothing that a user wrote is markup, and all of it is there."""

import base64
import hashlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

from components.artifacts.plots import Series, bars, lines
from components.sample.report import write_report as write_samples_report
from components.train.report import write_report as write_training_report
from pipelines.results.comparison import Compared
from pipelines.results.comparison_view import write_comparison
from tests.pages import made


@dataclass
class Page(HTMLParser):
    """A page's tags, attributes, scripts and visible text."""

    source: str
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        (self.scripts if self.cdata_elem == "script" else self.words).append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


@pytest.fixture(scope="module", params=sorted(made.PAGES))
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Page:
    made_page = made.PAGES[request.param](tmp_path_factory.mktemp("pages"))
    return Page(made_page.read_text(encoding="utf-8"))


@pytest.fixture
def training_page(tmp_path: Path) -> Callable[..., Page]:
    """The train page with what is changed."""

    def make(**changes: object) -> Page:
        write_training_report(tmp_path / "training.html", made.training(**changes))
        return Page((tmp_path / "training.html").read_text(encoding="utf-8"))

    return make


def test_nothing_comes_from_outside(page: Page) -> None:
    assert {"link", "iframe", "img", "object", "base"}.isdisjoint(page.tags)
    assert page.values("src") == []
    assert "@import" not in page.source
    assert [url for url in re.findall(r"url\((.*?)\)", page.source) if not url.startswith("#")] == []
    assert [link for link in page.values("href") if ":" in link or link.startswith("/")] == []


def test_what_users_wrote_is_text_and_no_markup(page: Page) -> None:
    assert made.HARM in page.text
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert not [script for script in page.scripts if "harmed" in script]


def test_the_policy_lets_only_the_pages_own_script_run(page: Page) -> None:
    (policy,) = [value for value in page.values("content") if "default-src" in value]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'")
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in page.scripts]
    assert re.findall(r"'sha256-(.*?)'", policy) == hashes


def test_pages_share_one_look(tmp_path: Path) -> None:
    styles = [
        re.search(r"<style>\n(.*?)\n  @media print", make(tmp_path).read_text(), re.DOTALL)
        for make in made.PAGES.values()
    ]
    assert len({style[1] for style in styles if style}) == 1
    assert None not in styles


def test_two_pages_of_the_same_are_the_same_bytes(tmp_path: Path) -> None:
    for make in (made.corpus_page, made.training_page, made.samples_page):
        assert make(tmp_path).read_bytes() == make(tmp_path).read_bytes()


# --- train ---


def test_the_train_page_plots_loss_rate_and_speed_and_marks_resumes(training_page: Callable[..., Page]) -> None:
    page = training_page()
    assert page.tags.count("svg") == 4
    for words in (
        "nats per token",
        "bits per character",
        "train step",
        "seconds",
        "learning rate",
        "tokens per second",
    ):
        assert words in page.text
    assert "Resumed at train step 4, 14" in page.text
    dashed = page.source.count("stroke-dasharray")
    again = training_page(history=[{**row, "resumed_at": []} for row in made.history()])
    assert dashed - again.source.count("stroke-dasharray") == 4  # two in each plot of the loss
    assert "Resumed" not in again.text


def test_the_train_page_shows_layers_settings_environment_and_each_epoch(training_page: Callable[..., Page]) -> None:
    page = training_page()
    for words in ("lstm_1", "B x T x 8", "416", "init_from", "3.11.2", "1.3500", "1:20"):
        assert words in page.text


def test_samples_are_by_temperature_and_epoch(training_page: Callable[..., Page]) -> None:
    found = re.findall(r"epoch (\d) at ([\d.]+)", training_page().text)
    assert found == [("1", "0.5"), ("2", "0.5"), ("1", "1.0"), ("2", "1.0")]


def test_of_many_epochs_samples_of_some_are_shown_the_first_and_last_among_them(
    training_page: Callable[..., Page],
) -> None:
    page = training_page(history=made.history(100))
    shown = re.findall(r"epoch (\d+) at 0.5", page.text)
    assert (len(shown), shown[0], shown[-1]) == (12, "1", "100")
    assert "12 of 100 epochs are shown" in page.text


def test_without_samples_or_held_out_text_the_page_says_so(training_page: Callable[..., Page]) -> None:
    metrics = {**made.METRICS, "validation_loss_nats": None, "validation_bits_per_char": None}
    page = training_page(history=made.history(1, held_out=False, samples=False), metrics=metrics)
    assert "train.sample_every=1" in page.text
    assert ">held-out<" not in page.source
    assert "nats per token, held-out" not in page.text


# --- sample ---


def test_each_token_is_shaded_by_its_nats_per_character(tmp_path: Path) -> None:
    a_character = [("sure", 0.0), (" ", 0.49), ("so", 0.5), ("-so", 1.4), ("un", 1.5), ("like", 3.0), ("ly", 5.0)]
    tokens = [(token, nats * len(token)) for token, nats in a_character]
    row = {**made.TEXTS[0], "text": "sure so-sounlikely"}
    write_samples_report(
        tmp_path / "page.html", [(row, tokens)], 1, written_by="", means={(0.5, "temperature"): (1, 0.8)}
    )
    page = (tmp_path / "page.html").read_text()
    shaded = 'sure <i class="s1">so-so</i><i class="s2">un</i><i class="s3">like</i><i class="s4">ly</i></span>'
    assert f'<span class="continuation">{shaded}' in page


def test_texts_are_by_temperature_with_how_surprising_they_are(tmp_path: Path) -> None:
    text = Page(made.samples_page(tmp_path).read_text()).text
    assert re.findall(r"text (\d) · seed 1 · ([\d.]+) nats", text) == [
        ("0", "1.500"), ("2", "0.900"), ("4", "0.100"), ("1", "0.500"), ("3", "2.500"), ("5", "3.500"),
    ]  # fmt: skip
    assert re.search(r"Temperature 0\.5\s*3\s*0\.800\s*Temperature 1\s*3\s*2\.200", text)


# --- comparison ---


@pytest.fixture
def comparison(tmp_path: Path) -> Callable[..., Page]:
    """The page of these runs beside one another."""

    def make(*runs: Compared) -> Page:
        write_comparison(tmp_path / "comparison.html", runs)
        return Page((tmp_path / "comparison.html").read_text(encoding="utf-8"))

    return make


def test_compared_losses_lie_over_one_another_with_a_legend_by_steps_and_by_time(
    comparison: Callable[..., Page],
) -> None:
    page = comparison(*(made.compared(number) for number in (1, 2, 3)))
    steps, seconds = re.findall(r"<svg.*?</svg>", page.source, re.DOTALL)
    for plot, label in ((steps, "train step"), (seconds, "seconds")):
        assert f">{label}</text>" in plot
        assert ">nats per token</text>" in plot
        assert ">bits per character</text>" in plot
        for letter, colour in zip("ABC", (1, 2, 3), strict=True):
            assert f">{letter}</text>" in plot
            lines = re.findall(rf'style="fill: none;[^"]*stroke: var\(--series-{colour}\)[^"]*"', plot)
            assert sorted({"dasharray" in line for line in lines}) == [False, True]


def test_runs_whose_tokens_differ_are_compared_in_bits_per_character(comparison: Callable[..., Page]) -> None:
    page = comparison(made.compared(1), made.compared(2, tokens_a_character=0.2))
    assert page.source.count(">bits per character</text>") == 2
    assert ">nats per token</text>" not in page.source
    unknown = comparison(made.compared(1), made.compared(2, tokens_a_character=None))
    assert unknown.source.count(">nats per token</text>") == 2
    assert ">bits per character</text>" not in unknown.source


def test_as_many_runs_as_there_are_letters_are_distinguished(comparison: Callable[..., Page]) -> None:
    page = comparison(*(made.compared(1) for _ in range(26)))
    legends = re.findall(r'<use xlink:href="#(\w+)"[^>]*style="fill: var\(--series-(\d)\)', page.source)
    assert len(set(legends)) >= 26


def test_samples_of_compared_runs_are_side_by_side(comparison: Callable[..., Page]) -> None:
    page = comparison(made.compared(1), made.compared(2, samples=[]), made.compared(3))
    assert re.findall(r"(\d) wrote", page.text) == ["1", "3"]
    assert re.findall(r'<div class="soft">(\w)</div>', page.source) == ["A", "C"]


def test_runs_without_a_model_are_compared_without_curves(comparison: Callable[..., Page]) -> None:
    nothing = {"history": [], "metrics": {}, "samples": [], "tokens_a_character": None}
    page = comparison(made.compared(1, **nothing), made.compared(2, **nothing))
    assert "svg" not in page.tags
    assert "train.units" in page.text


# --- plots ---


def test_a_plot_takes_the_pages_colours_and_font() -> None:
    plot = lines([Series(name="a", x=[1, 2], y=[3, 4])], x_label="step", y_label="loss")
    assert "var(--series-1)" in plot
    assert "font-family" not in plot
    assert re.findall(r"(?:fill|stroke): (#\w+)", plot) == []
    assert 'aria-label="loss against step"' in plot


def test_a_single_point_shows() -> None:
    round_dots = [lines([Series(name="a", x=x, y=x)], x_label="x", y_label="y").count("C ") for x in ([1], [1, 2])]
    assert round_dots[0] > 0 == round_dots[1]


@pytest.mark.parametrize("name", ["", "\0", "\n\n", "$x$", "a\u202eb", "<b>", "&amp;", "日本語" * 30])
def test_any_name_can_be_plotted(name: str, recwarn: pytest.WarningsRecorder) -> None:
    plot = bars([name, "other"], [2, 1], label="messages")
    assert "<b>" not in plot
    assert "\0" not in plot
    assert not recwarn.list


class Unshowable(str):
    """A text that something goes wrong with as soon as it is to be shown."""

    __slots__ = ()

    def __html__(self) -> str:
        raise LookupError("no font has it")


def test_on_every_page_what_cant_be_shown_costs_its_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)  # nothing can be drawn
    drawn = {"corpus": 3, "training": 1, "samples": 0, "run": 1, "comparison": 1}
    for name, make in made.PAGES.items():
        page = Page(make(tmp_path).read_text(encoding="utf-8"))
        assert page.text.count("This part can't be shown (") == drawn[name], name
        assert made.HARM in page.text, name
        assert "svg" not in page.tags


def test_one_temperature_that_cant_be_shown_leaves_the_others(tmp_path: Path) -> None:
    rows = [({**text, "prompt": Unshowable("x")} if not text["id"] % 2 else text, [("a", 0.1)]) for text in made.TEXTS]
    means = {(0.5, "temperature"): (3, 0.8), (1.0, "temperature"): (3, 2.2)}
    write_samples_report(tmp_path / "samples.html", rows, 6, written_by="a model", means=means)
    page = Page((tmp_path / "samples.html").read_text(encoding="utf-8"))
    assert page.text.count("This part can't be shown (LookupError: no font has it).") == 1
    assert page.tags.count("article") == 3
