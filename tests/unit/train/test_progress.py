"""Progress notes what each train step and epoch adds, and which loss was the best."""

from components.train.progress import Progress


def test_an_epochs_row_has_its_loss_and_curve_and_the_next_starts_over() -> None:
    progress = Progress(resumed_at=[1])
    progress.take(2, nats=6.0, targets=4)
    progress.add_to_curve(learning_rate=0.1, tokens_per_second=None, seconds=1.0)
    progress.take(1, nats=1.0, targets=2)
    progress.add_to_curve(learning_rate=0.2, tokens_per_second=9.0, seconds=2.0)
    row = progress.row(1, None, seconds=3.0)
    assert (row["train_loss_nats"], row["train_step"], row["resumed_at"]) == (7 / 6, 3, [1])
    assert [point["train_loss_nats"] for point in row["curve"]] == [1.5, 0.5]
    progress.end_epoch(row)
    assert (progress.last_row_at, progress.curve, progress.epoch_nats) == (3, [], 0.0)
    progress.take(1, nats=2.0, targets=2)
    assert progress.row(2, None, seconds=4.0)["resumed_at"] == []
    assert progress.epoch_loss == 1.0


def test_the_best_step_is_the_first_with_the_lowest_loss() -> None:
    progress = Progress()
    for step, loss in enumerate([3.0, 2.0, 2.0, 2.5], start=1):
        progress.train_step = step
        progress.note_loss(loss)
    assert (progress.best_step, progress.best_loss) == (2, 2.0)
