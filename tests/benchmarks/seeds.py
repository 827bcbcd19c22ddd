"""How much the seed matters for what `default` learns in its three minutes, and what it learns of other texts.

The recipe was chosen within the first nine tenths of tinyshakespeare, so its last tenth was held out of every choice,
and so were the other texts whole. Too long for a short budget.
"""

from collections.abc import Iterator

from tests.benchmarks.corpora import corpus
from tests.benchmarks.learning import SHAKESPEARE_WINDOW, TimedRun
from tests.benchmarks.measure import Budget, Figure

MINUTES = 3
SEEDS = (1, 2, 3)


def figures(_budget: Budget) -> Iterator[Figure]:
    """The mean held-out loss over the seeds, its spread, and the loss on the other texts."""
    losses, runs = zip(*(_trained("tinyshakespeare.txt", seed) for seed in SEEDS), strict=True)
    each = ", ".join(f"{loss:.3f}" for loss in losses)
    yield Figure(
        what=f"tinyshakespeare, {MINUTES} minutes, recipe default, mean of {len(SEEDS)} seeds",
        measured=sum(losses) / len(losses),
        unit="nats",
        conditions=f"{each}; the last: {runs[-1]}",
    )
    yield Figure(what="the largest of these less the smallest", measured=max(losses) - min(losses), unit="nats")
    for name in ("nietzsche.txt", "sonnets.txt"):
        loss, run = _trained(name, SEEDS[0])
        yield Figure(
            what=f"{name}, {MINUTES} minutes, recipe default",
            measured=loss,
            unit="nats",
            conditions=f"windows of {SHAKESPEARE_WINDOW}, all targets; {run}",
        )


def _trained(name: str, seed: int) -> tuple[float, TimedRun]:
    """The held-out loss of a text's last tenth by windows, and the run."""
    run = TimedRun("default", corpus(name), [f"train.seed={seed}"])
    run.train_for(60 * MINUTES)
    return run.window_loss(SHAKESPEARE_WINDOW, None)(run.trainer.network.get_weights()), run
