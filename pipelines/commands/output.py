"""How commands print."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.command.printing import visible, write
from components.command.stage import print_json


def print_result(arguments: argparse.Namespace, values: Mapping[str, Any], lines: Sequence[str]) -> int:
    """Print `values` as one JSON object for --json, otherwise `lines`; return the exit code 0."""
    if arguments.json:
        print_json(values)
    else:
        write("".join(f"{visible(line, one_line=True)}\n" for line in lines))
    return 0


def shortest(uri: str) -> str:
    """A path relative to the current directory, if it is below it."""
    return uri.removeprefix(f"{Path.cwd()}/")
