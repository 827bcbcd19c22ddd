"""A store on a bad day: nearly a third of its answers are refusals, for whole stages."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.commands.main import main
from tests.storage import servers


def stages(root: str, source: Path) -> None:
    """Ingest and vectorize with their artifacts below `root`, which are then verified."""
    assert main(["ingest", "--source", str(source), "--corpus", f"{root}/corpus"]) == 0
    assert main(["vectorize", "--corpus", f"{root}/corpus", "--dataset", f"{root}/dataset", "--length", "8"]) == 0
    assert main(["artifacts", "verify", f"{root}/dataset", "--json"]) == 0


def refuse(monkeypatch: pytest.MonkeyPatch, decide: Callable[[], bool]) -> list[bool]:
    """Let every store answer 503 where `decide` says so; what was decided."""
    decided: list[bool] = []

    def take(*_: object) -> str:
        decided.append(decide())
        return "503" if decided[-1] else ""

    monkeypatch.setattr(servers.Faults, "take", take)
    return decided


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "tale.txt"
    path.write_text("Foxes jump over dogs. " * 50)
    return path


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_a_store_that_refuses_nearly_a_third_holds_no_stage_up_for_good(
    root: str, kind: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert root.startswith(f"{kind}://")
    rng = random.Random(7)
    decided = refuse(monkeypatch, lambda: rng.random() < 0.3)
    stages(root, source)
    assert sum(decided) >= 5
