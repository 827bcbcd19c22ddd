"""What arrives at a webhook and a heartbeat when a run ends; whatever fails, the run does not, and no log has a URL."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from components.notify import notifying, posting
from components.notify.ending import Ending
from components.notify.message import in_words, rendered
from components.notify.notifying import HEARTBEAT_VARIABLE, WEBHOOK_VARIABLE
from tests.unit.notify.webhooks import Webhook, listening

Notify = Callable[..., str]


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setattr(posting, "WAITS_SECONDS", (0.01, 0.01))
    with listening() as webhook:
        monkeypatch.setenv(WEBHOOK_VARIABLE, webhook.url())
        monkeypatch.setenv(HEARTBEAT_VARIABLE, webhook.url("/alive/s3cret"))
        yield webhook


@pytest.fixture
def notify(capsys: pytest.CaptureFixture[str]) -> Notify:
    """Tell of a run's end; what was logged."""

    def call(status: str, error: str = "", **changes: Any) -> str:
        values = {
            "run": "0b9d",
            "name": "nightly-7",
            "root": "",
            "champion": "",
            "endpoint": "http://kubeflow.example",
            "states": ["succeeded", "failed"],
            "template": "plain",
        }
        notifying.notify(status, error, **{**values, **changes})
        logged = capsys.readouterr().err
        assert "s3cret" not in logged
        assert "127.0.0.1" not in logged
        return logged

    return call


def test_a_failure_is_posted_and_the_heartbeat_stays_silent(webhook: Webhook, notify: Notify) -> None:
    notify("FAILED", "it\nfailed")
    assert webhook.seen == [
        (
            "POST",
            "/hook/s3cret",
            {
                "text": "Quillflow run nightly-7 failed: it failed",
                "run": "0b9d",
                "name": "nightly-7",
                "state": "failed",
                "error": "it failed",
                "link": "http://kubeflow.example/#/runs/details/0b9d",
            },
        )
    ]


def test_a_success_is_posted_and_the_heartbeat_called(webhook: Webhook, notify: Notify) -> None:
    notify("SUCCEEDED")
    assert [(method, path) for method, path, _ in webhook.seen] == [("GET", "/alive/s3cret"), ("POST", "/hook/s3cret")]
    assert webhook.messages[0]["state"] == "succeeded"


def test_only_the_states_that_count_are_posted(webhook: Webhook, notify: Notify) -> None:
    assert "nothing is posted of runs that are succeeded" in notify("SUCCEEDED", states=["failed"])
    notify("CANCELLED", states=["failed"])
    assert [method for method, _, _ in webhook.seen] == ["GET"]


@pytest.mark.parametrize("statuses", [[503], [500, 429]])
def test_what_may_pass_is_tried_again(webhook: Webhook, notify: Notify, statuses: list[int]) -> None:
    webhook.statuses = [*statuses]
    assert "webhook: notified" in notify("FAILED")
    assert len(webhook.messages) == len(statuses) + 1


@pytest.mark.parametrize(
    ("statuses", "asked", "said"),
    [([404], 1, "HTTP status 404"), ([302], 1, "HTTP status 302"), ([500] * 9, 3, "HTTP status 500")],
)
def test_a_webhook_that_refuses_is_a_warning(
    webhook: Webhook, notify: Notify, statuses: list[int], asked: int, said: str
) -> None:
    webhook.statuses = statuses
    assert f"warning: webhook: not notified: {said}" in notify("FAILED")
    assert len(webhook.seen) == asked


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:1/s3cret", "it can't be reached (ConnectionRefusedError)"),
        ("ftp://127.0.0.1/s3cret", "its URL in the secret is not an http(s) one"),
        ("s3cret", "its URL in the secret is not an http(s) one"),
        ("http://[s3cret", "its URL in the secret is not a valid one"),
        ("http://127.0.0.1:x/s3cret", "it can't be reached (InvalidURL)"),
        ("http://127.0.0.1/s3 cret", "it can't be reached (InvalidURL)"),
    ],
)
def test_a_url_that_leads_nowhere_is_a_warning_without_it(
    webhook: Webhook, notify: Notify, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv(WEBHOOK_VARIABLE, url)
    assert f"warning: webhook: not notified: {said}" in notify("FAILED")
    assert not webhook.seen


def test_without_a_secret_nobody_is_notified_and_a_line_says_so(
    notify: Notify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WEBHOOK_VARIABLE, raising=False)
    assert "warning: the secret has no URL of a webhook" in notify("FAILED")


def test_whatever_else_goes_wrong_does_not_fail_the_run(notify: Notify, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("with s3cret")

    monkeypatch.setattr(notifying, "_send", fail)
    assert "warning: nobody was notified: unexpected RuntimeError" in notify("FAILED")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"state": "unchanged"}, "nightly-7 succeeded: nothing new, nothing trained"),
        ({"state": "failed", "stage": "train", "error": "no"}, "nightly-7 failed in train: no"),
        ({"state": "canceled"}, "nightly-7 canceled"),
        (
            {"state": "succeeded", "bits_per_character": 1.5286, "promoted": True},
            "nightly-7 succeeded: 1.529 bits per character on held-out text; its model is the champion now",
        ),
        ({"state": "succeeded", "promoted": False}, "nightly-7 succeeded; the champion stays"),
    ],
)
def test_a_sentence_says_how_a_run_ended(values: dict[str, Any], words: str) -> None:
    assert in_words(Ending(run="0b9d", name="nightly-7", **values)) == f"Quillflow run {words}"


def test_slack_gets_a_text_with_its_three_characters_escaped() -> None:
    ending = Ending(run="0b9d", name="a<b>&c", state="failed", link="http://kubeflow.example/x")
    expected = b'{"text": "Quillflow run a&lt;b&gt;&amp;c failed\\n<http://kubeflow.example/x>"}'
    assert rendered(ending, "slack") == expected
