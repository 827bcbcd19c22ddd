"""The message's forms: one JSON object each."""

from collections.abc import Callable
from typing import Any

from components.artifacts.as_json import as_json
from components.notify.ending import Ending

_SLACK_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def in_words(ending: Ending) -> str:
    """How a run ended, in a sentence."""
    said = f"Quillflow run {ending.name or ending.run} "
    if ending.state == "unchanged":
        return f"{said}succeeded: nothing new, nothing trained"
    said += ending.state
    if ending.state != "succeeded":
        where = f" in {ending.stage}" if ending.stage else ""
        return f"{said}{where}{ending.error and f': {ending.error}'}"
    if ending.bits_per_character is not None:
        said += f": {ending.bits_per_character:.3f} bits per character on held-out text"
    return said + {True: "; its model is the champion now", False: "; the champion stays", None: ""}[ending.promoted]


def _plain(ending: Ending) -> dict[str, Any]:
    return {"text": in_words(ending), **ending.as_dict()}


def _slack(ending: Ending) -> dict[str, Any]:
    """What Slack and its like take: a text, in which three characters are escaped, and a link."""
    text = in_words(ending).translate(_SLACK_ESCAPES)
    return {"text": f"{text}\n<{ending.link}>" if ending.link else text}


TEMPLATES: dict[str, Callable[[Ending], dict[str, Any]]] = {"plain": _plain, "slack": _slack}


def rendered(ending: Ending, template: str) -> bytes:
    """The message as JSON, in ASCII with escapes."""
    return as_json(TEMPLATES[template](ending)).encode()
