"""One benchmark module in this process: `python -m tests.benchmarks.child MODULE BUDGET RESULT.json`."""

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

from components.command import log


def main(module: str, budget: str, result: str) -> None:
    """Write the module's figures to the result file."""
    log.set_up("bench")
    figures = importlib.import_module(module).figures(budget)
    Path(result).write_text(json.dumps([asdict(figure) for figure in figures]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
