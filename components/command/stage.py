"""A step of the pipeline, its command line, and the frame that turns any failure into one line and an exit code."""

import argparse
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.artifacts import storage
from components.artifacts.as_json import as_json
from components.artifacts.errors import QuillflowError
from components.artifacts.storage.failures import full, is_full
from components.artifacts.version import VERSION
from components.command import log
from components.command.parser import Parser
from components.command.printing import write
from components.command.settings import Settings, add_flags

ARTIFACTS_VARIABLE = "QUILLFLOW_ARTIFACTS"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of the pipeline, as the table of steps has it (components/steps.py).

    `inputs` and `outputs` map the names of what it reads and makes (kinds of artifacts, or a source) to their help.
    `page` is the output with a report.html. `runs_as` is the stage whose image and pod it runs in, if it has none of
    its own. `less_memory` says what to lower if memory runs out. `on_cluster` says that it is part of runs on a cluster
    alone.
    """

    name: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    page: str = ""
    runs_as: str = ""
    less_memory: str = "close other programs, or use a machine with more memory"
    on_cluster: bool = False

    @property
    def host(self) -> str:
        """The stage whose image and pod it runs in."""
        return self.runs_as or self.name


@dataclass(frozen=True, kw_only=True)
class Stage(Step):
    """A step with settings, a command and a pipeline of its own.

    `work` is called with the settings and the URIs of inputs and outputs by name, and returns what `--json` prints.
    Arguments in `several` may be given more than once, and arrive one per line.
    """

    summary: str
    settings: type[Settings]
    work: Callable[..., Mapping[str, Any]]
    several: frozenset[str] = frozenset()

    @property
    def artifacts(self) -> Mapping[str, str]:
        """The command's URI arguments with their help, inputs first."""
        return {**self.inputs, **self.outputs}

    @property
    def feed(self) -> str:
        """Its input."""
        return next(iter(self.inputs))

    @property
    def feed_parameter(self) -> str:
        """The parameter of its own pipeline for its input."""
        return self.feed if self.feed == "source" else f"{self.feed}_uri"

    @property
    def result(self) -> str:
        """The kind of artifact that it makes."""
        return [*self.outputs][-1]

    def add_arguments(self, parser: argparse.ArgumentParser, defaults: Mapping[str, Any]) -> None:
        """Add the stage's arguments to `parser`; `defaults` are a recipe's settings."""
        for name, text in self.artifacts.items():
            several: Any = {"nargs": "+", "action": "extend"} if name in self.several else {}
            parser.add_argument(f"--{name}", metavar="URI", required=True, help=text, **several)
        add_common_flags(parser)
        add_flags(parser, self.settings, defaults)

    def run(self, arguments: argparse.Namespace, defaults: Mapping[str, Any]) -> int:
        """Do the stage's work with parsed `arguments`."""
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
    """The flags of every command."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    parser.add_argument("--quiet", action="store_true", help="show only errors and results")
    parser.add_argument("--verbose", action="store_true", help="also show tracebacks and other programs' output")


def print_json(values: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output, in ASCII with escapes: safe for any output."""
    write(as_json(values, indent=2) + "\n")


class _TerminatedError(KeyboardInterrupt):
    """SIGTERM arrived: the work ends and cleans up as on Ctrl-C."""


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block with its cleanup, unless a handler is set; further signals do not interrupt that."""
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
    """Turn an exception into one line on standard error and SystemExit with its exit code."""
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
    """The frame of a stage that runs as a pipeline's task: it logs as `stage`, with full tracebacks."""
    log.set_up(stage)
    with errors_in_one_line(verbose=True):
        yield


def input_uri(artifact: Any) -> str:
    """Where a task reads an input: Kubeflow's local copy, or else its URI."""
    return str(artifact.path if Path(artifact.path).exists() else artifact.uri)


def output_uri(artifact: Any, stage: str) -> str:
    """Where a task writes an output: the place that Kubeflow gave it, or below ARTIFACTS_VARIABLE's URI.

    The latter is how a run on this machine stores its artifacts in a bucket; the artifact's URI is set accordingly.
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
