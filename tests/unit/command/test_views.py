"""Pages and metrics are written where Kubeflow's UI reads them."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from kfp import dsl

from components.artifacts.errors import ArtifactError
from components.command.views import log_metrics, show


def test_a_page_is_laid_where_the_ui_reads_it(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_bytes("<h1>Grüße</h1>\r\n".encode())
    view = SimpleNamespace(path=str(tmp_path / "view"))
    show(str(tmp_path), "report.html", view)
    assert Path(view.path).read_bytes() == (tmp_path / "report.html").read_bytes()


def test_a_page_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"report\.html: missing"):
        show(str(tmp_path), "report.html", SimpleNamespace(path=str(tmp_path / "view")))


def test_known_metrics_are_logged_and_have_a_file(tmp_path: Path) -> None:
    metrics = dsl.Metrics(uri=str(tmp_path / "metrics"))
    log_metrics(metrics, {"steps": 3, "loss": 0.5, "held_out": None})
    assert metrics.metadata == {"steps": 3, "loss": 0.5}
    assert json.loads((tmp_path / "metrics").read_text()) == {"steps": 3, "loss": 0.5}
