"""`quillflow inspect`: a dataset's figures and windows."""

import argparse
from typing import Any

from components.command.stage import add_common_flags
from pipelines.commands.output import print_result


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "Print a dataset's first windows as text, each with its target."
    command = commands.add_parser("inspect", help=text, description=text)
    command.add_argument("dataset", metavar="DATASET", help="the dataset's URI")
    command.add_argument("--split", choices=("train", "validation"), default="train", help="(default: %(default)s)")
    command.add_argument("--count", type=int, default=10, metavar="N", help="windows to print (default: %(default)s)")
    add_common_flags(command)
    command.set_defaults(run=_inspect)


def _inspect(arguments: argparse.Namespace) -> int:
    from components.vectorize.inspect import as_lines, first_windows

    found = first_windows(arguments.dataset, split=arguments.split, count=arguments.count)
    return print_result(arguments, found, as_lines(found))
