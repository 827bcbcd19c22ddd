"""How commands print."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from components.command.stage import print_json


def print_result(arguments: argparse.Namespace, values: Mapping[str, Any], lines: Sequence[str]) -> int:
    """Print `values` as one JSON object where --json asks for it, else `lines`; the exit code 0."""
    if arguments.json:
        print_json(values)
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0
