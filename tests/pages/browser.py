"""A real browser, without a window: what becomes of a page in it, and what it has to say of it."""

import html
import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECONDS = 120
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


@dataclass(frozen=True)
class Seen:
    """A page in the browser: its document, and what was in the console."""

    document: str
    console: list[str]

    @property
    def title(self) -> str:
        """The page's title."""
        found = re.search(r"<title>(.*?)</title>", self.document, re.DOTALL)
        return html.unescape(found[1]) if found else ""


def see(page: Path, fragment: str = "", *options: str) -> Seen:
    """Open a page; whatever it asked the network for would be refused, and be in the console."""
    with tempfile.TemporaryDirectory(prefix="quillflow-browser-") as profile:
        command = [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        command += [f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"]
        command += ["--virtual-time-budget=2000", *options, "--dump-dom", f"{page.as_uri()}{fragment}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    return Seen(done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line])


def reported(page: Path, script: str, *options: str) -> Any:
    """What a script that is put into a copy of the page gives back, as JSON."""
    copy = page.with_name(f"shown-{page.name}")
    text = _POLICY.sub("", page.read_text(encoding="utf-8"))
    script = f"<script>document.title = JSON.stringify((() => {{ {script} }})())</script></body>"
    copy.write_text(text.replace("</body>", script), encoding="utf-8")
    return json.loads(see(copy, "", *options).title)
