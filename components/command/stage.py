"""A stage's command line, and the frame that turns whatever goes wrong into one line and an exit code."""

import argparse
import difflib
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from components.artifacts import storage
from components.artifacts.as_json import as_json
from components.artifacts.errors import QuillflowError, UsageError
from components.artifacts.storage.failures import full, is_full
from components.artifacts.version import VERSION
from components.command import log
from components.command.printing import write
from components.command.settings import Settings, add_flags, nearest

ARTIFACTS_VARIABLE = "QUILLFLOW_ARTIFACTS"
_INVALID_CHOICE = re.compile(r"argument (?P<name>\S+): invalid choice: '(?P<value>.*)' \(choose from (?P<choices>.*)\)")


class _Once(argparse._StoreAction):  # noqa: SLF001 -- argparse has no public name for it
    """Stores a flag's value, and lets no other take its place."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if option_string and isinstance(parser, Parser):
            if self.dest in parser.given:
                raise UsageError(f"{option_string} is given twice; give it once")
            parser.given.add(self.dest)
        super().__call__(parser, namespace, values, option_string)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line that names what is near, and which takes no abbreviated flags.

    A flag that takes one value is given once.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)
        self.given: set[str] = set()
        for name in (None, "store"):
            self.register("action", name, _Once)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the arguments that are known.

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
        raise UsageError(f"{message}; {self.prog} --help lists what there is")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help, in which a recipe's defaults stand, as all else is printed."""
        write(message, file or sys.stderr)


class CommandParser(Parser):
    """A parser of a command's own arguments, which answers for those it does not know itself."""

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


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a stage's command takes and calls.

    `artifacts` maps the names of its URI arguments, inputs first, to their help; `work` is called with
    the settings and those URIs by name, and returns what `--json` prints. Of `several` more than one may be given, and
    come one a line.
    """

    name: str
    summary: str
    settings: type[Settings]
    artifacts: Mapping[str, str]
    work: Callable[..., Mapping[str, Any]]
    several: frozenset[str] = frozenset()

    def add_arguments(self, parser: argparse.ArgumentParser, defaults: Mapping[str, Any]) -> None:
        """Give `parser` the stage's arguments; `defaults` are a recipe's settings."""
        for name, text in self.artifacts.items():
            several: Any = {"nargs": "+", "action": "extend"} if name in self.several else {}
            parser.add_argument(f"--{name}", metavar="URI", required=True, help=text, **several)
        add_common_flags(parser)
        add_flags(parser, self.settings, defaults)

    def run(self, arguments: argparse.Namespace, defaults: Mapping[str, Any]) -> int:
        """Do the stage's work as parsed `arguments` say."""
        log.set_up(self.name, quiet=arguments.quiet)
        with errors_in_one_line(verbose=arguments.verbose):
            given = {name: value for name, value in vars(arguments).items() if name in self.settings.model_fields}
            config = self.settings.parse(given, self.name, defaults)
            given_uris = {name: getattr(arguments, name) for name in self.artifacts}
            uris = {name: uri if isinstance(uri, str) else "\n".join(uri) for name, uri in given_uris.items()}
            result = self.work(config, **uris)
            if arguments.json:
                print_json(result)
        return 0

    def main(self, argv: Sequence[str] | None = None) -> int:
        """The command `python -m components.<stage>`."""
        parser = Parser(prog=f"python -m components.{self.name}", description=self.summary)
        parser.add_argument("--version", action="version", version=f"quillflow {VERSION}")
        self.add_arguments(parser, {})
        log.set_up(self.name)
        with errors_in_one_line():
            arguments = parser.parse_args(argv)
        return self.run(arguments, {})


def add_common_flags(parser: argparse.ArgumentParser) -> None:
    """The flags every command has."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    parser.add_argument("--quiet", action="store_true", help="tell errors and results only")
    parser.add_argument("--verbose", action="store_true", help="show tracebacks and other programs' output")


def print_json(values: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output, all that is not ASCII escaped: any output takes it, none obeys it."""
    write(as_json(values, indent=2) + "\n")


class _TerminatedError(KeyboardInterrupt):
    """SIGTERM came: what is under way ends and cleans up as on Ctrl-C."""


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end what is done here in order, where nobody else heeds it; further ones don't disturb the end."""
    in_charge = threading.current_thread() is threading.main_thread()
    if not in_charge or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise _TerminatedError

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is end:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def errors_in_one_line(*, verbose: bool = False) -> Iterator[None]:
    """Turn an exception into one line on standard error and SystemExit with the exit code it stands for."""
    try:
        with _ended_by_sigterm():
            yield
    except QuillflowError as error:
        _report(str(error), verbose=verbose, exit_code=error.exit_code)
        raise SystemExit(error.exit_code) from None
    except _TerminatedError:
        log.error("stopped by SIGTERM", 143)
        raise SystemExit(143) from None
    except KeyboardInterrupt:
        log.error("interrupted", 130)
        raise SystemExit(130) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        reason = full(error.filename) if place and is_full(error) else error.strerror or error
        _report(f"{place}{reason}", verbose=verbose)
        raise SystemExit(1) from None
    except Exception as error:  # noqa: BLE001 -- the last line of defence: nothing ends in a bare traceback
        hint = "" if verbose else "; --verbose shows where"
        _report(f"unexpected {type(error).__name__}: {' '.join(str(error).split())}{hint}", verbose=verbose)
        raise SystemExit(1) from None


@contextmanager
def stage_task(stage: str) -> Iterator[None]:
    """The frame of a stage that runs as a pipeline's task: logs as `stage`, full tracebacks to the log."""
    log.set_up(stage)
    with errors_in_one_line(verbose=True):
        yield


def input_uri(artifact: Any) -> str:
    """Where a task reads an input: the copy that Kubeflow laid beside the task, else its URI."""
    return str(artifact.path if Path(artifact.path).exists() else artifact.uri)


def output_uri(artifact: Any, stage: str) -> str:
    """Where a task writes an output: the place Kubeflow gave it, or below ARTIFACTS_VARIABLE's URI.

    The latter is how a run on this machine keeps its artifacts in a bucket; the artifact is told.
    """
    root = os.environ.get(ARTIFACTS_VARIABLE)
    if root:
        artifact.uri = f"{root}/{stage}/{artifact.name}"
        return str(artifact.uri)
    return str(artifact.path)


def _report(message: str, *, verbose: bool, exit_code: int = 1) -> None:
    if verbose:
        write(storage.without_secrets(traceback.format_exc()), sys.stderr)
    log.error(storage.without_secrets(message), exit_code)
