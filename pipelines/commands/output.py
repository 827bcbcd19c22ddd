"""How commands print."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.command.stage import print_json

BROKEN_PIPE = 141
"""The exit code of a program whose reader went away, as shells have it."""


def print_result(arguments: argparse.Namespace, values: Mapping[str, Any], lines: Sequence[str]) -> int:
    """Print `values` as one JSON object where --json asks for it, else `lines`; the exit code 0."""
    if arguments.json:
        print_json(values)
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def shortest(uri: str) -> str:
    """A path below the current directory as seen from there."""
    return uri.removeprefix(f"{Path.cwd()}/")


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Where whoever reads standard output has had enough, as `head` does, end without a word."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left of the output goes nowhere
        raise SystemExit(BROKEN_PIPE) from None
