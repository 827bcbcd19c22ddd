"""Commands and their arguments, changed for a test."""

import sys
from collections.abc import Sequence

_DEFAULTS = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""
INTERRUPTIBLE = (sys.executable, "-c", _DEFAULTS)
"""Precedes a command that heeds SIGINT and SIGHUP wherever the tests run: a shell has those that it starts in the
background ignore SIGINT, nohup SIGHUP. Not every env can do that."""


def without(arguments: Sequence[str], setting: str) -> list[str]:
    """The arguments but for a --set of this setting, which may be given once."""
    return [argument for argument in arguments if not argument.startswith(f"--set={setting}=")]
