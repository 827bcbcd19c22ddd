"""The recipe `best` for its twenty minutes; too long for a short budget."""

from collections.abc import Iterator

from tests.benchmarks.learning import shakespeare
from tests.benchmarks.measure import Budget, Figure


def figures(budget: Budget) -> Iterator[Figure]:
    """Held-out loss on tinyshakespeare."""
    return shakespeare("best", budget, minutes=20, target=1.47)
