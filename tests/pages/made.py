"""Pages of every stage, made from text that would do harm if it were markup."""

import json
import math
from pathlib import Path
from typing import Any

from components.artifacts.manifest import digest, write_manifest
from components.ingest.report import write_report as write_corpus_report
from components.ingest.statistics import CorpusStatistics
from components.report.reporting import report
from components.sample.report import write_report as write_samples_report
from components.train.report import Training
from components.train.report import write_report as write_training_report
from pipelines.results.comparison import Compared
from pipelines.results.comparison_view import write_comparison

HARM = """</script><script>document.title="harmed"</script><img src=x onerror='document.title="harmed"'>"{{ 7*7 }}`"""
TEXTS = [
    {
        "id": number,
        "prompt": HARM,
        "temperature": (0.5, 1.0)[number % 2],
        "strategy": "temperature",
        "seed": 1,
        "text": f"text {number} of the {('mill', 'Hill')[number // 3]}\n{HARM}",
        "nats_per_token": (1.5, 0.5, 0.9, 2.5, 0.1, 3.5)[number],
    }
    for number in range(6)
]
STAGES = {"corpus": "ingest", "dataset": "vectorize", "model": "train", "samples": "sample"}
METRICS = {
    "train_loss_nats": 1.2,
    "validation_loss_nats": 1.4,
    "validation_bits_per_char": 1.4 / math.log(2),
    "validation_protocol": "carry",
    "validation_tokens_scored": 499_999,
    "validation_tokens": 6_000_000,
    "perplexity": math.exp(1.4),
    "tokens_per_second": 12345.6,
    "steps": 20,
    "train_steps": 20,
    "epochs": 2.0,
    "wall_seconds": 75.0,
    "device": f"GPU {HARM}",
}


def history(epochs: int = 2, *, held_out: bool = True, samples: bool = True) -> list[dict[str, Any]]:
    """Rows of ten train steps each; training was resumed at steps 4 and 14."""
    rows = []
    for epoch in range(1, epochs + 1):
        curve = [
            {
                "train_step": step,
                "train_loss_nats": 1 + 3 / step,
                "learning_rate": 0.004 / step,
                "tokens_per_second": 12_000.0 + step if step > 2 else None,
                "seconds": 4.0 * step,
            }
            for step in range(10 * epoch - 8, 10 * epoch + 1, 2)
        ]
        row = {
            "epoch": epoch,
            "train_step": 10 * epoch,
            "train_loss_nats": 1 + 3 / (10 * epoch),
            "validation_loss_nats": 1.2 + 3 / (10 * epoch) if held_out else None,
            "tokens_per_second": 12_000.0,
            "seconds": 40.0 * epoch,
            "curve": curve,
            "resumed_at": [10 * epoch - 6],
        }
        if samples:
            row["samples"] = [
                {"temperature": value, "prompt": HARM, "text": f"epoch {epoch} at {value} {HARM}"}
                for value in (1.0, 0.5)
            ]
        rows.append(row)
    return rows


def training(**changes: Any) -> Training:
    """What the train page shows."""
    values: dict[str, Any] = {
        "description": "1 x LSTM 8 over 12 characters, reading all text before a token",
        "metrics": METRICS,
        "history": history(),
        "tokens_a_character": 1.0,
        "layers": [("embedding", "Embedding", "B x T x 4", 48), ("lstm_1", "LSTM", "B x T x 8", 416)],
        "environment": {"device": f"GPU {HARM}", "Python": "3.11.2"},
        "settings": {"units": 8, "init_from": HARM},
    }
    return Training(**{**values, **changes})


def corpus_page(directory: Path) -> Path:
    """The page of a corpus whose users and messages mean harm."""
    statistics = CorpusStatistics(unit="messages")
    for number in range(40):
        message = f"{HARM} {'x' * number}"
        statistics.add_text(message)
        statistics.add_message(message)
        statistics.users[HARM if number % 2 else f"<b>{number % 5}</b>"] += 1
    write_corpus_report(directory / "corpus.html", HARM, statistics)
    return directory / "corpus.html"


def training_page(directory: Path) -> Path:
    """The page of a training whose samples and settings mean harm."""
    write_training_report(directory / "training.html", training())
    return directory / "training.html"


def samples_page(directory: Path) -> Path:
    """The page of six texts at two temperatures; their tokens' nats go up from 0 by a tenth."""
    rows = [(text, [(character, place / 10) for place, character in enumerate(text["text"])]) for text in TEXTS]
    means = {(0.5, "temperature"): (3, 0.8), (1.0, "temperature"): (3, 2.2)}
    write_samples_report(directory / "samples.html", rows, 6, written_by=HARM, means=means)
    return directory / "samples.html"


def artifacts(root: Path) -> dict[str, str]:
    """A run's artifacts, each made from the one before, laid out as a run lays them out; their URIs."""
    corpus, dataset, model, samples = places = [root / stage / kind for kind, stage in STAGES.items()]
    for directory in places:
        directory.mkdir(parents=True)
    (corpus / "report.html").write_text("a page")
    counts = {"characters": 1234, "bytes": 1300, "distinct_characters": 12, "lines": 40, "users": 0, "replaced": 0}
    _seal(corpus, "corpus", "ingest", counts, {"source": "ab" * 32}, source=HARM)
    (dataset / "vocabulary.json").write_text("{}")
    splits = {f"{split}_{unit}": 100 for split in ("train", "validation") for unit in ("tokens", "characters")}
    _seal(dataset, "dataset", "vectorize", {"vocabulary": 12, **splits}, {"corpus": digest(corpus)}, length=8)
    training_page(model).rename(model / "report.html")
    (model / "metrics.json").write_text(_json(METRICS))
    (model / "history.jsonl").write_text("".join(_json(row) + "\n" for row in history()))
    _seal(
        model,
        "model",
        "train",
        {"parameters": 464, "steps": 20, "train_steps": 20},
        {"dataset": digest(dataset)},
        init_from=HARM,
    )
    samples_page(samples).rename(samples / "report.html")
    (samples / "samples-00000-of-00001.jsonl").write_text("".join(_json(text) + "\n" for text in TEXTS))
    _seal(samples, "samples", "sample", {"texts": 6, "tokens": 60}, {"model": digest(model)}, prompts=[HARM])
    return dict(zip(STAGES, map(str, places), strict=True))


def run_page(directory: Path) -> Path:
    """The page that ties such a run together."""
    place = directory / "run" / "report" / "report"
    report(**artifacts(directory / "run"), report=str(place))
    return place / "report.html"


def compared(number: int, **changes: Any) -> Compared:
    """A run as it is compared; its number is in all that runs differ in."""
    values: dict[str, Any] = {
        "name": f"run {number} {HARM}",
        "uris": {"model": f"runs/{number}/train/model"},
        "settings": {"train.units": 8 * number, "train.init_from": f"{number} {HARM}", "train.layers": 1},
        "metrics": {**METRICS, "steps": 10 * number},
        "history": history(number + 1),
        "samples": [{**TEXTS[0], "text": f"{number} wrote {HARM}"}],
        "tokens_a_character": 1.0,
    }
    return Compared(**{**values, **changes})


def comparison_page(directory: Path) -> Path:
    """The page of three runs that mean harm."""
    write_comparison(directory / "comparison.html", [compared(number) for number in (1, 2, 3)])
    return directory / "comparison.html"


PAGES = {
    "corpus": corpus_page,
    "training": training_page,
    "samples": samples_page,
    "run": run_page,
    "comparison": comparison_page,
}


def _seal(
    directory: Path, kind: str, stage: str, counts: dict[str, int], made_from: dict[str, str], **config: Any
) -> None:
    write_manifest(directory, kind=kind, stage=stage, config=config, counts=counts, made_from=made_from)


def _json(values: Any) -> str:

    return json.dumps(values, ensure_ascii=False)
