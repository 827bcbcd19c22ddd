"""The command `python -m components.prune`, for a pod: it asks nothing."""

from collections.abc import Sequence

from components.artifacts.version import VERSION
from components.command import log
from components.command.parser import Parser
from components.command.stage import add_common_flags, errors_in_one_line
from components.prune import command


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(prog="python -m components.prune", description="Remove old runs' artifacts.")
    made.add_argument("--version", action="version", version=f"quillflow {VERSION}")
    made.add_argument("--root", metavar="URI", required=True, help="where runs are stored")
    command.add_flags(made)
    add_common_flags(made)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """List what goes, and remove it."""
    log.set_up("prune")
    with errors_in_one_line():
        arguments = parser().parse_args(argv)
    log.set_up("prune", quiet=arguments.quiet)
    with errors_in_one_line(verbose=arguments.verbose):
        return command.run(arguments, arguments.root, command.rules_of(arguments, arguments.root))


if __name__ == "__main__":
    raise SystemExit(main())
