"""Training's page shows the network, its curves and its samples."""

from pathlib import Path

from components.artifacts.tensorflow import tf
from tests.unit.train.trained import json_in


def test_the_report_shows_the_network_and_the_samples(finished: Path) -> None:
    page = (finished / "report.html").read_text(encoding="utf-8")
    metrics = json_in(finished / "metrics.json")
    said = [f"{metrics['validation_loss_nats']:.4f}", metrics["device"], tf.__version__, "B x T x 8", "epoch 3"]
    assert [words for words in said if words not in page] == []
    assert page.count('<span class="continuation">') == 4
    assert page.count("<svg") == 4
