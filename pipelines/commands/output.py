"""How commands print."""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.command.printing import erase, is_terminal, visible, write
from components.command.stage import print_json


def print_result(arguments: argparse.Namespace, values: Mapping[str, Any], lines: Sequence[str]) -> int:
    """Print `values` as one JSON object for --json, otherwise `lines`; return the exit code 0."""
    if arguments.json:
        print_json(values)
    else:
        write("".join(f"{visible(line, one_line=True)}\n" for line in lines))
    return 0


def redraw(lines: Sequence[str], height: int) -> int:
    """Print lines; on a terminal in place of the `height` lines that were printed before. The new height."""
    if is_terminal(sys.stdout):
        erase(height, sys.stdout)
        lines = [line[: shutil.get_terminal_size().columns - 1] for line in lines]
    elif height:
        lines = ["", *lines]
    write("".join(f"{visible(line, one_line=True)}\n" for line in lines))
    return len(lines)


def shortest(uri: str) -> str:
    """A path relative to the current directory, if it is below it."""
    return uri.removeprefix(f"{Path.cwd()}/")
