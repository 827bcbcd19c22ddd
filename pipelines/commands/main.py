"""The command `quillflow`: the whole pipeline, each stage alone, and inspecting their results."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from components.artifacts.errors import UsageError
from components.artifacts.version import VERSION
from components.command import log
from components.command.parser import CommandParser, Parser
from components.command.stage import errors_in_one_line
from components.steps import STAGES
from pipelines.commands.artifacts import add as add_artifacts
from pipelines.commands.compare import add as add_compare
from pipelines.commands.compile import add as add_compile
from pipelines.commands.complete import add as add_complete
from pipelines.commands.completion import add as add_completion
from pipelines.commands.doctor import add as add_doctor
from pipelines.commands.evaluate import add as add_evaluate
from pipelines.commands.inspect import add as add_inspect
from pipelines.commands.promote import add as add_promote
from pipelines.commands.recipes import add as add_recipes
from pipelines.commands.rerun import add as add_rerun
from pipelines.commands.run import add as add_run
from pipelines.commands.runs import add as add_runs
from pipelines.commands.schedule import add as add_schedule
from pipelines.commands.submit import add as add_submit
from pipelines.commands.sweep import add as add_sweep
from pipelines.inputs.settings import recipe


def main(argv: Sequence[str] | None = None) -> int:
    """Parse a command line and execute it; return the exit code."""
    log.set_up("")
    arguments = list(sys.argv[1:] if argv is None else argv)
    with errors_in_one_line(verbose="--verbose" in arguments):
        parsed = parser(arguments).parse_args(arguments)
        log.set_up("", quiet=parsed.quiet)
        code: int = parsed.run(parsed)
        return code


def parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The command line's parser; a recipe that `arguments` name for a stage is in that stage's defaults.

    Raises:
        UsageError: there is no such recipe.
    """
    stage_defaults = _recipe_defaults(arguments)
    whole = Parser(
        prog="quillflow",
        description="Trains text generators on your own text and writes new text in bulk.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong use, 75 another trainer owns the checkpoints, 130 interrupted, "
        "137 killed, 143 saved and stopped on SIGTERM or SIGHUP.",
    )
    whole.add_argument("--version", action="version", version=f"quillflow {VERSION}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True, parser_class=CommandParser)
    add_run(commands)
    for stage in STAGES.values():
        command = commands.add_parser(stage.name, help=stage.summary, description=stage.summary)
        command.add_argument("--recipe", metavar="NAME", help="use this recipe's settings as the defaults")
        stage.add_arguments(command, stage_defaults.get(stage.name, {}))
        command.set_defaults(run=lambda parsed, stage=stage: stage.run(parsed, stage_defaults.get(stage.name, {})))
    add_complete(commands)
    add_compare(commands)
    add_sweep(commands)
    add_inspect(commands)
    add_evaluate(commands)
    add_recipes(commands)
    add_artifacts(commands)
    add_compile(commands)
    add_submit(commands)
    add_runs(commands)
    add_rerun(commands)
    add_schedule(commands)
    add_promote(commands)
    add_doctor(commands)
    add_completion(commands, whole)
    return whole


def command_names() -> list[str]:
    """All commands."""
    commands = parser([])._subparsers  # noqa: SLF001 -- argparse has no public way to ask
    return [name for action in getattr(commands, "_group_actions", []) for name in action.choices]


def _recipe_defaults(arguments: Sequence[str]) -> Mapping[str, Any]:
    """The stages' settings of the recipe that a stage's command line names, so that --help shows them too."""
    finder = Parser(add_help=False)
    finder.add_argument("--recipe")
    try:
        name = finder.parse_known_args(arguments)[0].recipe
    except UsageError:  # the parser proper reports it in full
        return {}
    return recipe(name).stages if name else {}


if __name__ == "__main__":
    sys.exit(main())
