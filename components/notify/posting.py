"""Requests to the webhook and the heartbeat. Their URLs are secret: they are in no log and no error."""

import http.client
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from components.command import log

TIMEOUT_SECONDS = 10.0
WAITS_SECONDS = (2.0, 8.0)
"""How long to wait before each further attempt."""
_MAY_PASS = {408, 425, 429, *range(500, 600)}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected message would arrive without its body, and maybe elsewhere."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""


def request(url: str, body: bytes | None, name: str) -> bool:
    """Post JSON to a URL, or get it if there is no body; whether that worked. Logs and errors call it `name`."""
    for wait in (*WAITS_SECONDS, None):
        failure, may_pass = _attempt(url, body)
        if not failure:
            log.info(f"{name}: notified")
            return True
        if wait is None or not may_pass:
            log.warning(f"{name}: not notified: {failure}")
            return False
        time.sleep(wait)
    return False


def _attempt(url: str, body: bytes | None) -> tuple[str, bool]:
    """Why a request failed, without its URL, and whether another may not; an empty text if it worked."""
    try:
        if urlsplit(url).scheme not in {"http", "https"}:
            return "its URL in the secret is not an http(s) one", False
        headers = {"User-Agent": "quillflow", **({"Content-Type": "application/json"} if body is not None else {})}
        asked = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 -- http(s), by the line above
        with urllib.request.build_opener(_NoRedirects).open(asked, timeout=TIMEOUT_SECONDS) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        error.close()
        return f"HTTP status {error.code}", error.code in _MAY_PASS
    except (OSError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", error)
        return f"it can't be reached ({type(cause).__name__})", True
    except ValueError:
        return "its URL in the secret is not a valid one", False
    return "", False
