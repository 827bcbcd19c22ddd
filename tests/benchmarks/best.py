"""The recipe `best` for its twenty minutes; too long for a short budget."""

from collections.abc import Iterator

from tests.benchmarks.learning import shakespeare
from tests.benchmarks.measure import Budget, Figure
from tests.benchmarks.peak import has_avx512


def figures(budget: Budget) -> Iterator[Figure]:
    """Held-out loss on tinyshakespeare."""
    return shakespeare("best", budget, minutes=20, target=1.425 if has_avx512() else 1.445)
