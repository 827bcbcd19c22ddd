"""The pages in a real browser: they render without a word in the console, and do what they are for."""

import html
import re
from pathlib import Path

import pytest

from tests.pages import browser, made

pytestmark = [
    pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)"),
    pytest.mark.slow("each look at a page starts a browser"),
]

DARK = "--blink-settings=preferredColorScheme=0"
CONTRAST = """
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => numbers(colour).slice(0, 3).map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
      .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    const paper = light(getComputedStyle(document.body).backgroundColor);
    const contrasts = [...document.querySelectorAll("body, .soft, .prompt, th, svg text")].map((element) => {
      const style = getComputedStyle(element);
      const ink = light(element.closest("svg") ? style.fill : style.color);
      return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    });
    return {least: Math.min(...contrasts), seen: contrasts.length, paper};
"""


@pytest.fixture(scope="module", params=sorted(made.PAGES))
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.PAGES[request.param](tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.samples_page(tmp_path_factory.mktemp("pages"))


def shown(seen: browser.Seen) -> list[int]:
    """The ids of the texts that are not hidden, in their order on the page."""
    body = re.sub(r"<section[^>]* hidden.*?</section>", "", seen.document, flags=re.DOTALL)
    return [
        int(number)
        for number, hidden in re.findall(r'<article data-id="(\d+)"[^>]*?( hidden="")?>', body)
        if not hidden
    ]


def test_a_page_asks_for_nothing_says_nothing_in_the_console_and_runs_no_text(page: Path) -> None:
    seen = browser.see(page)
    assert seen.console == []
    assert seen.title.endswith(" · Quillflow")


def test_the_console_would_report_of_a_request_an_error_and_a_foreign_script(page: Path) -> None:
    foreign = page.with_name("foreign.html")
    added = '<img src="https://example.com/x.png"><script>1</script><h1>'
    foreign.write_text(page.read_text().replace("<h1>", added))
    assert len(browser.see(foreign).console) == 2


@pytest.mark.parametrize("options", [(), (DARK,)], ids=["light", "dark"])
def test_all_text_can_be_read_in_light_and_dark(page: Path, options: tuple[str, ...]) -> None:
    measured = browser.reported(page, CONTRAST, *options)
    assert measured["least"] >= 4.5
    assert measured["seen"] > 10
    assert (measured["paper"] < 0.5) == bool(options)


def test_a_page_is_no_wider_than_a_narrow_screen(page: Path) -> None:
    script = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert browser.reported(page, script, "--window-size=500,900") is True


def test_a_page_opens_in_a_frame_that_may_run_scripts_and_nothing_else(page: Path) -> None:
    frame = f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(page.read_text())}"></iframe>'
    outer = page.with_name("outer.html")
    outer.write_text(f"<!doctype html><title>outer</title>{frame}")
    seen = browser.see(outer)
    assert (seen.console, seen.title) == ([], "outer")


def test_the_samples_are_all_shown_at_first_with_their_controls(samples: Path) -> None:
    seen = browser.see(samples)
    assert shown(seen) == [0, 2, 4, 1, 3, 5]
    assert re.search(r'<form[^>]*id="controls">', seen.document)
    assert ">6 of 6</output>" in seen.document


@pytest.mark.parametrize(
    ("fragment", "ids"),
    [
        ("#search=HILL", [4, 3, 5]),
        ("#search=not%20there", []),
        ("#group=Temperature+0.5&search=text%204", [4]),
        ("#order=-nats&group=Temperature+1", [5, 3, 1]),
        ("#order=nats&search=%3Cimg", [4, 2, 0, 1, 3, 5]),
    ],
)
def test_the_filter_shows_the_texts_asked_for(samples: Path, fragment: str, ids: list[int]) -> None:
    seen = browser.see(samples, fragment)
    assert shown(seen) == ids
    assert f">{len(ids)} of 6</output>" in seen.document
    assert seen.console == []


def test_the_filter_follows_what_is_typed_and_chosen(samples: Path) -> None:
    script = """
        const texts = () => [...document.querySelectorAll("article")].filter((text) => !text.closest("[hidden]"))
          .map((text) => Number(text.dataset.id));
        const put = (id, value) => {
          const field = document.getElementById(id);
          if (field.type === "checkbox") field.checked = value; else field.value = value;
          field.dispatchEvent(new Event("input", {bubbles: true}));
          return texts();
        };
        const shaded = () => getComputedStyle(document.querySelector(".continuation .s4")).backgroundColor;
        const before = shaded();
        return [put("search", "mill"), put("group", "Temperature 0.5"), put("order", "-nats"), put("search", ""),
          put("shade", false), before === shaded()];
    """
    assert browser.reported(samples, script) == [[0, 2, 1], [0, 2], [0, 2], [0, 2, 4], [0, 2, 4], False]
