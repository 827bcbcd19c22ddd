"""`quillflow completion`: tab completion for a shell."""

import argparse
from typing import Any

from components.command.stage import add_common_flags
from pipelines.commands.completion_script import SHELLS, script
from pipelines.commands.output import print_result


def add(commands: Any, whole: argparse.ArgumentParser) -> None:
    """Give the parser the command, which the script is made from."""
    text = "Print a script that completes commands, flags, recipes and settings."
    command = commands.add_parser(
        "completion", help=text, description=text + " To use it: source <(quillflow completion bash)"
    )
    command.add_argument("shell", choices=SHELLS, help="the shell")
    add_common_flags(command)
    command.set_defaults(run=lambda arguments: _completion(arguments, whole))


def _completion(arguments: argparse.Namespace, whole: argparse.ArgumentParser) -> int:
    written = script(whole, arguments.shell)
    return print_result(arguments, {"script": written}, written.removesuffix("\n").split("\n"))
