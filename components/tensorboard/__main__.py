"""The command `python -m components.tensorboard`."""

from collections.abc import Sequence
from pathlib import Path

from components.artifacts.version import VERSION
from components.command import log
from components.command.parser import Parser
from components.command.settings import add_flags
from components.command.stage import errors_in_one_line
from components.tensorboard.config import TensorboardConfig


def parser() -> Parser:
    """The command's arguments."""
    made = Parser(
        prog="python -m components.tensorboard",
        description="Mirror the logs of models in a bucket into a directory, for TensorBoard to read.",
    )
    made.add_argument("--version", action="version", version=f"quillflow {VERSION}")
    made.add_argument(
        "--root", metavar="URI", required=True, action="append", help="a place below which models are; may be repeated"
    )
    made.add_argument("--logs", metavar="DIRECTORY", required=True, type=Path, help="where to write their logs")
    made.add_argument("--quiet", action="store_true", help="show only errors")
    made.add_argument("--verbose", action="store_true", help="also show tracebacks")
    add_flags(made, TensorboardConfig, {})
    return made


def main(argv: Sequence[str] | None = None) -> None:
    """Mirror until a signal arrives."""
    log.set_up("tensorboard")
    with errors_in_one_line():
        arguments = parser().parse_args(argv)
    log.set_up("tensorboard", quiet=arguments.quiet)
    with errors_in_one_line(verbose=arguments.verbose):
        given = {name: value for name, value in vars(arguments).items() if name in TensorboardConfig.model_fields}
        config = TensorboardConfig.parse(given, "tensorboard")
        from components.tensorboard.mirroring import mirror

        mirror(config, roots=arguments.root, directory=arguments.logs)


if __name__ == "__main__":
    main()
