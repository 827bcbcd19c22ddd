"""The parser of command lines: its errors are one line with the nearest known name."""

import argparse
import difflib
import re
import sys
from typing import Any, NoReturn

from components.artifacts.errors import UsageError
from components.command.printing import write
from components.command.settings import nearest

_INVALID_CHOICE = re.compile(r"argument (?P<name>\S+): invalid choice: '(?P<value>.*)' \(choose from (?P<choices>.*)\)")


class _Once(argparse._StoreAction):  # noqa: SLF001 -- argparse has no public name for it
    """Stores a flag's value and rejects a second one."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if option_string and isinstance(parser, Parser):
            if self.dest in parser.given:
                raise UsageError(f"{option_string} is given twice; give it once")
            parser.given.add(self.dest)
        super().__call__(parser, namespace, values, option_string)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line with the nearest known name, and which takes no abbreviated flags.

    A flag that takes one value can be given only once.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)
        self.given: set[str] = set()
        for name in (None, "store"):
            self.register("action", name, _Once)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the known arguments.

        Raises:
            UsageError: a flag is given twice, or a value is missing or wrong.
        """
        self.given.clear()
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the parser's message."""
        if wrong := _INVALID_CHOICE.fullmatch(message):
            name, value = wrong["name"], wrong["value"]
            what = f"{name}: no" if name.startswith("-") else f"no {name.lower()}"
            choices = re.findall(r"[^\s',]+", wrong["choices"])
            raise UsageError(f"{what} {value!r}; {nearest(value, choices)}")
        raise UsageError(f"{message}; {self.prog} --help lists them")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help, which shows a recipe's defaults, like all other output."""
        write(message, file or sys.stderr)


class CommandParser(Parser):
    """A parser of a command's own arguments, which reports unknown ones itself."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse all arguments.

        Raises:
            UsageError: one is unknown, or a value is missing or wrong.
        """
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            flags = [flag for action in self._actions for flag in action.option_strings]
            near = difflib.get_close_matches(unknown[0], flags, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return parsed, unknown
