"""`quillflow compile`: the pipelines as KFP YAML."""

import argparse
from pathlib import Path
from typing import Any

from components.command.stage import add_common_flags
from pipelines.commands.output import print_result


def add(commands: Any) -> None:
    """Give the parser the command."""
    text = "Write the pipelines as KFP YAML: the whole one, and one a stage."
    command = commands.add_parser("compile", help=text, description=text)
    command.add_argument("directory", type=Path, metavar="DIR", help="where the files go")
    add_common_flags(command)
    command.set_defaults(run=_compile)


def _compile(arguments: argparse.Namespace) -> int:
    from pipelines.compile import compile_all

    paths = [str(path) for path in compile_all(arguments.directory)]
    return print_result(arguments, {"pipelines": paths}, paths)
