"""The work of notify: it reports a run's end, and whatever happens to it, it does not fail the run."""

import os
from collections.abc import Sequence
from typing import Any

from components.artifacts.errors import QuillflowError
from components.artifacts.storage.failures import one_line
from components.command import log
from components.notify.ending import LONGEST_ERROR, Ending, look
from components.notify.message import rendered
from components.notify.posting import request

WEBHOOK_VARIABLE = "QUILLFLOW_WEBHOOK_URL"
HEARTBEAT_VARIABLE = "QUILLFLOW_HEARTBEAT_URL"
_STATES = {"SUCCEEDED": "succeeded", "FAILED": "failed", "CANCELLED": "canceled", "CANCELED": "canceled"}
GOOD = {"succeeded", "unchanged"}


def notify(
    status: str,
    error: str,
    *,
    run: str,
    name: str,
    root: str,
    champion: str,
    endpoint: str,
    states: Sequence[str],
    template: str,
) -> None:
    """Post how a run ended to the webhook, and call the heartbeat if it succeeded.

    Their URLs are in the environment, as QUILLFLOW_WEBHOOK_URL and QUILLFLOW_HEARTBEAT_URL.

    Args:
        status: the run's final state, by Kubeflow's name.
        error: Kubeflow's message, for a run whose logs say nothing.
        run: the run's id.
        name: the run's name.
        root: URI below which runs store their artifacts; or empty.
        champion: URI of the pointer to the best model; or empty.
        endpoint: address of Kubeflow, for the link to the run.
        states: the states to post.
        template: the message's form.
    """
    log.set_up("notify")
    try:
        state = _STATES.get(status, status.lower())
        known: dict[str, Any] = {
            "run": run,
            "name": name,
            "state": state,
            "error": one_line(error, limit=LONGEST_ERROR),
        }
        known["link"] = f"{endpoint}/#/runs/details/{run}" if endpoint else ""
        known |= _looked_up(root, run, champion, failed=state not in GOOD)
        _send(Ending(**known), states, template)
    except Exception as failure:  # noqa: BLE001 -- the run's end must not depend on who hears of it; no URL in its text
        log.warning(f"nobody was notified: unexpected {type(failure).__name__}")


def _looked_up(root: str, run: str, champion: str, *, failed: bool) -> dict[str, Any]:
    """What the store tells; nothing, with a warning, if it can't be read."""
    try:
        found = look(root, run, champion, failed=failed) if root else {}
    except (QuillflowError, ValueError) as error:
        log.warning(f"the run's logs and artifacts can't be read, so the message lacks details: {error}")
        return {}
    return {name: value for name, value in found.items() if value not in ("", None)}


def _send(ending: Ending, states: Sequence[str], template: str) -> None:
    webhook, heartbeat = os.environ.get(WEBHOOK_VARIABLE, "").strip(), os.environ.get(HEARTBEAT_VARIABLE, "").strip()
    if ending.state in GOOD and heartbeat:
        request(heartbeat, None, "heartbeat")
    if ending.state not in states:
        log.info(f"nothing is posted of runs that are {ending.state}")
    elif webhook:
        request(webhook, rendered(ending, template), "webhook")
    else:
        log.warning("the secret has no URL of a webhook, so nothing is posted")
