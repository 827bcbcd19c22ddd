"""Text that is read from the right is shown so, on every page, its first line too."""

from pathlib import Path
from typing import Any

import pytest

from components.artifacts.page import reading, write_page
from tests.pages import browser, made

HEBREW = "\u05d1\u05e8\u05d0\u05e9\u05d9\u05ea \u05d1\u05e8\u05d0 \u05d0\u05dc\u05d4\u05d9\u05dd"
ARABIC = "\u0643\u0627\u0646 \u064a\u0627 \u0645\u0627 \u0643\u0627\u0646"
IN_A_BROWSER = pytest.mark.skipif(
    browser.CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)"
)
LINES = """
    const lines = (block) => {
      const box = block.getBoundingClientRect(), found = new Map();
      const walk = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
      while (walk.nextNode()) for (let at = 0; at < walk.currentNode.length; at++) {
        const range = document.createRange();
        range.setStart(walk.currentNode, at);
        range.setEnd(walk.currentNode, at + 1);
        const place = range.getClientRects()[0];
        if (!place || !place.width) continue;
        const line = Math.round(place.top);
        found.set(line, [...(found.get(line) || []), place.left + place.width / 2 - box.left]);
      }
      return [...found].sort((one, other) => one[0] - other[0])
        .map(([, letters]) => letters[0] > letters[letters.length - 1] ? "from the right" : "from the left");
    };
"""


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("Once upon a time", 'class="text led" dir="ltr"'),
        (HEBREW, 'class="text led" dir="rtl"'),
        (ARABIC, 'class="text led" dir="rtl"'),
        (f"abc {HEBREW}", 'class="text led" dir="rtl"'),
        (f"{HEBREW}: a word in a text that is English all the same", 'class="text led" dir="ltr"'),
        (f"English alone\n{HEBREW}\n{ARABIC}", 'class="text" dir="rtl"'),
        (f"{HEBREW}\nOnce upon a time there was a mill", 'class="text" dir="ltr"'),
        (f"12, ...\n{HEBREW}", 'class="text led" dir="rtl"'),
        ("", 'class="text led" dir="ltr"'),
    ],
)
def test_a_text_has_the_direction_of_most_of_its_letters(text: str, attributes: str) -> None:
    assert str(reading(text)) == attributes


@IN_A_BROWSER
@pytest.mark.slow("each look at a page starts a browser")
@pytest.mark.parametrize("name", sorted(made.PAGES))
def test_every_page_shows_it_from_the_right(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"12. {HEBREW}, {ARABIC}.\nEnglish, once.\n{HEBREW}!"
    monkeypatch.setattr(made, "HARM", f"{HEBREW}, {HEBREW}!")
    monkeypatch.setattr(made, "TEXTS", [{**row, "prompt": f"abc, {HEBREW} ", "text": text} for row in made.TEXTS])
    script = f"{LINES} return [...document.querySelectorAll('.text')].map(lines)"
    shown: list[list[str]] = browser.reported(made.PAGES[name](tmp_path), script, "--window-size=2000,900")
    assert shown
    assert {lines[0] for lines in shown} == {"from the right"}
    if name in {"samples", "run"}:
        assert all(lines == ["from the right", "from the left", "from the right"] for lines in shown)


@IN_A_BROWSER
@pytest.mark.slow("each look at a page starts a browser")
def test_names_in_tables_and_plots_are_shown_from_the_right_in_their_places(tmp_path: Path) -> None:
    values: dict[str, Any] = {"settings": {"prompts": f"{HEBREW}!", "units": "8"}}
    write_page(tmp_path / "page.html", "{{ pairs(settings) }}", title="Settings", **values)
    script = f"{LINES} return [...document.querySelectorAll('td')].map((cell) => [lines(cell)[0], cell.offsetLeft])"
    (name, left), (_, other) = browser.reported(tmp_path / "page.html", script)
    assert name == "from the right"
    assert left == other
