"""`quillflow completion`: tab completion for a shell."""

import argparse
from typing import Any

from components.command.stage import add_common_flags
from pipelines.commands.output import print_result
from pipelines.completion import SHELLS, script


def add(commands: Any) -> None:
    """Give the parser the command."""
    text = "Print a script that completes commands, flags, recipes and settings."
    command = commands.add_parser(
        "completion", help=text, description=text + " To use it: source <(quillflow completion bash)"
    )
    command.add_argument("shell", choices=SHELLS, help="the shell it is for")
    add_common_flags(command)
    command.set_defaults(run=_completion)


def _completion(arguments: argparse.Namespace) -> int:
    from pipelines.cli import parser

    written = script(parser([]), arguments.shell)
    return print_result(arguments, {"script": written}, written.removesuffix("\n").split("\n"))
