"""`quillflow compare`: runs side by side."""

import argparse
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from components.artifacts.errors import UsageError
from components.command import log
from components.command.stage import add_common_flags
from pipelines.commands.output import print_result


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "Show runs side by side: settings that differ, metrics, losses and samples."
    command = commands.add_parser("compare", help=text, description=text)
    command.add_argument("names", nargs="+", metavar="RUN", help="a run's name or URI, or a model's URI; two or more")
    command.add_argument("--page", type=Path, metavar="FILE", help="also write a self-contained HTML page")
    command.add_argument("--root", default="runs", metavar="URI", help="where runs are stored (default: %(default)s)")
    add_common_flags(command)
    command.set_defaults(run=_compare)


def _compare(arguments: argparse.Namespace) -> int:
    if not 1 < len(arguments.names) <= len(ascii_uppercase):
        raise UsageError(f"compare takes two to {len(ascii_uppercase)} runs, not {len(arguments.names)}")
    from pipelines.results.comparison import as_dict, look_at
    from pipelines.results.comparison_view import as_lines, write_comparison

    runs = look_at(arguments.names, arguments.root)
    if arguments.page:
        write_comparison(arguments.page, runs)
        log.info(f"the page is {arguments.page}")
    return print_result(arguments, as_dict(runs), as_lines(runs))
