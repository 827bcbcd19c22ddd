"""No word that docs/glossary.md retired is in code, documentation or tests."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
RETIRED = [
    r"mend(s|ed|ing)?",
    r"torn",
    r"stands? ready",
    r"stands? (in|at|on|above|below|beside|before|first|last|twice|there|here|apart|alone)",
    r"chance",
    r"leavings",
    r"a text's way",
    r"lets? go( of)?",
    r"goes without",
    r"by hand of",
    r"(gone|goes|going|go|went) on",
    r"tak(e|es|en|ing) up(?! to)",
    r"told",
    r"tells? (of|that|how|which|whether)",
    r"(has|have|had|having) no part",
    r"counts? only (with|where)",
    r"spoil(s|t|ed)?",
    r"(?<!start-)anew",
    r"amid",
    r"strangers?",
    r"foretell?s?|foretold",
    r"void",
]
"""In words, or in a name whose words are joined by underscores."""
WORDS = re.compile("|".join(rf"(?<![a-zA-Z])({word.replace(' ', '[ _]')})(?![a-zA-Z])" for word in RETIRED))
ELSEWHERE = (
    "docs/glossary.md",
    "tests/contract/test_words.py",
    "CHANGELOG.md",  # what was said then
    "docs/learning.svg",
    "requirements/",
)
ALLOWED = re.compile(r"start_anew|StartAnew")


def test_no_retired_word_is_left() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = []
    for name in listed.stdout.split("\n"):
        path = ROOT / name
        if name.startswith(ELSEWHERE) or not path.is_file():
            continue
        text = ALLOWED.sub("", path.read_bytes().decode("utf-8", "ignore"))
        found += [f"{name}:{text.count(chr(10), 0, word.start()) + 1}: {word[0]}" for word in WORDS.finditer(text)]
    assert found == []


def test_the_glossary_names_every_retired_word() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").partition("## Retired words")[2]
    table = "".join(line.split("|")[1] for line in text.split("\n") if line.startswith("| "))
    assert [word for word in RETIRED if not re.search(word.replace("(?<!start-)", ""), table)] == []
