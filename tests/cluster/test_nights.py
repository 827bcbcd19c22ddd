"""Nights played through on a bucket as Kubeflow leaves it: what each one's message says."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import champion, storage
from components.artifacts.errors import SourceError
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from components.notify import posting
from components.notify.notifying import WEBHOOK_VARIABLE, notify
from tests.cluster.stored import store_log
from tests.cluster.test_champion import make_model
from tests.unit.ingest.champions import keep_champion
from tests.unit.notify.webhooks import listening

ID = "0b9d6f6c-7a55-4c58-9f6e-0123456789ab"
TEXT = "".join(f"line {number} of a tale\n" for number in range(100))
Night = Callable[..., dict[str, Any]]


@pytest.fixture
def runs(bucket: str) -> str:
    """Where runs are kept."""
    return f"{bucket}/runs"


@pytest.fixture
def sent(runs: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """Let a night end; the message that was sent."""
    monkeypatch.setattr(posting, "WAITS_SECONDS", (0.01, 0.01))
    with listening() as webhook:
        monkeypatch.setenv(WEBHOOK_VARIABLE, webhook.url())

        def end(status: str, error: str = "", **changes: str) -> dict[str, Any]:
            values = {"run": "two", "name": "nightly-2", "root": runs, "champion": f"{runs}/champion", "endpoint": ""}
            every = ("succeeded", "unchanged", "failed", "canceled")
            notify(status, error, **{**values, **changes}, states=every, template="plain")
            (message,) = webhook.messages
            assert (message.pop("run"), message.pop("name")) == ("two", "nightly-2")
            return dict(message)

        yield end


def log(runs: str, stage: str, *lines: str, **more: Any) -> None:
    """What a stage of the night's run left in its log."""
    store_log(f"{runs}/text-generation/two/{stage}/{ID}", *lines, **more)


def promoted(model: str, runs: str) -> None:
    champion.promote(model, f"{runs}/champion", compare=lambda *_: champion.Verdict(moves=False, reason=""))


def test_an_unchanged_text(runs: str, sent: Night) -> None:
    log(runs, "ingest", "100 characters")
    log(runs, "unchanged", "Nothing is trained: the champion was made from the same text with the same settings")
    text = "Quillflow run nightly-2 succeeded: nothing new, nothing trained"
    assert sent("SUCCEEDED") == {"text": text, "state": "unchanged"}


@pytest.mark.parametrize("better", [True, False])
def test_a_grown_text(runs: str, sent: Night, tmp_path: Path, better: bool) -> None:
    (tmp_path / "scratch").mkdir()
    promoted(make_model(runs, "one", tmp_path / "scratch", 1.5), runs)
    loss = 1.4 if better else 1.6
    promoted(make_model(runs, "two", tmp_path / "scratch", loss, validation_bits_per_char=2.25), runs)
    for stage in ("unchanged", "promote"):
        log(runs, stage, "a line")
    said = "its model is the champion now" if better else "the champion stays"
    text = f"Quillflow run nightly-2 succeeded: 2.250 bits per character on held-out text; {said}"
    assert sent("SUCCEEDED") == {"text": text, "state": "succeeded", "bits_per_character": 2.25, "promoted": better}


def test_a_text_that_shrank_by_half(runs: str, sent: Night, tmp_path: Path) -> None:
    pointer = keep_champion(tmp_path / "here", TEXT)
    (tmp_path / "half.txt").write_text(TEXT[: len(TEXT) // 2])
    config, source = IngestConfig(shrinks_at_most=0.3), str(tmp_path / "half.txt")
    with pytest.raises(SourceError) as raised:
        ingest(config, source=source, corpus=str(tmp_path / "corpus"), champion=str(pointer))
    log(runs, "ingest", "reading", f"error: {raised.value}")
    message = sent("FAILED", "The DAG failed")
    assert (message["state"], message["stage"]) == ("failed", "ingest")
    assert "895 characters are 50.0% fewer than the 1,790 of the champion's corpus" in message["error"]
    assert message["text"] == f"Quillflow run nightly-2 failed in ingest: {message['error']}"


def test_a_trainer_that_dies_for_good(runs: str, sent: Night) -> None:
    log(runs, "ingest", "error: of an attempt that a later one made good", "100 characters")
    for attempt in (0, 1):
        log(runs, "train", "epoch 1: loss 2.1 nats", "Killed", attempt=attempt, plain=(1,))
    log(runs, "notify", "of an attempt before this one")
    message = sent("FAILED", "The DAG failed")
    assert (message["stage"], message["error"]) == (
        "train",
        "killed from outside, usually because it ran out of memory",
    )


@pytest.mark.parametrize("as_json", [True, False])
def test_a_bucket_that_was_away_while_the_run_read_it(runs: str, sent: Night, as_json: bool) -> None:
    log(runs, "sample-shard", "error: gs://quill: can't be reached; is it up?", as_json=as_json)
    message = sent("FAILED", "The DAG failed")
    assert (message["stage"], message["error"]) == ("sample", "gs://quill: can't be reached; is it up?")


def test_a_bucket_that_is_still_away_when_somebody_is_notified(sent: Night) -> None:
    message = sent("FAILED", "The DAG failed", root="gs://no-such-bucket/runs")
    assert message == {
        "text": "Quillflow run nightly-2 failed: The DAG failed",
        "state": "failed",
        "error": "The DAG failed",
    }


def test_a_damaged_pointer_costs_only_details(runs: str, sent: Night) -> None:
    storage.write_file(f"{runs}/champion", b"{")
    log(runs, "promote", "a line")
    assert sent("SUCCEEDED") == {"text": "Quillflow run nightly-2 succeeded", "state": "succeeded"}
