"""Checkpoints are saved as often as asked, and the newest and the best stay."""

from pathlib import Path

from tests.unit.train.trained import checkpoints_in


def test_the_newest_checkpoints_and_the_best_stay(overfitted: Path) -> None:
    assert set(checkpoints_in(overfitted.parent)) == {12, 48, 60}


def test_checkpoints_are_saved_as_often_as_asked_for(often_saved: Path) -> None:
    assert set(checkpoints_in(often_saved.parent)) == {4, 8, 12, 16, 20, 24}
