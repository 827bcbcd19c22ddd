"""All benchmarks, one after another: `make bench`, or some of them: `make bench ONLY="fidelity overhead"`.

Prints a table as it goes, writes the figures to build/bench.json, and fails where a figure misses its target.
"""

import os
import sys
from pathlib import Path

from tests.benchmarks import suite
from tests.benchmarks.measure import budget

MODULES = (
    "vectorizing",
    "reading",
    "shares",
    "fidelity",
    "chains",
    "overhead",
    "checkpoints",
    "sampling",
    "copying",
    "learning",
    "best",
    "seeds",
    "finetuning",
    "tokens",
)
LONG = {"best", "chains", "copying", "finetuning", "seeds", "tokens"}  # left out of a short budget


def main() -> int:
    """Run what ONLY names, or all; the exit code."""
    wanted = tuple(os.environ.get("ONLY", "").split()) or [
        name for name in MODULES if budget() == "full" or name not in LONG
    ]
    unknown = [name for name in wanted if name not in MODULES]
    if unknown:
        raise SystemExit(f"ONLY={' '.join(unknown)}: there is {', '.join(MODULES)}")
    return suite.run([f"tests.benchmarks.{name}" for name in wanted], budget(), Path("build/bench.json"))


if __name__ == "__main__":
    sys.exit(main())
