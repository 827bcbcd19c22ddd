"""`quillflow compile`: the pipelines as KFP YAML."""

import argparse
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import UsageError
from components.command.stage import add_common_flags
from pipelines.build.environment import environment, environment_names
from pipelines.commands.output import print_result


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "Write the pipelines as KFP YAML: the whole pipeline, and one per stage."
    command = commands.add_parser("compile", help=text, description=text)
    command.add_argument("directory", metavar="DIR", help="where to write the files")
    command.add_argument(
        "--environment",
        default="local",
        metavar="NAME",
        help=f"where they run: {', '.join(environment_names())}, or a .yaml file (default: %(default)s)",
    )
    command.add_argument(
        "--kubernetes", action="store_true", help="write the Kubernetes resources Pipeline and PipelineVersion"
    )
    add_common_flags(command)
    command.set_defaults(run=_compile)


def _compile(arguments: argparse.Namespace) -> int:
    chosen = environment(arguments.environment)
    directory = storage.local_path(arguments.directory)
    if directory is None:
        raise UsageError(f"{arguments.directory}: is not on this machine; name a directory")
    from pipelines.build.compile import compile_all

    paths = [str(path) for path in compile_all(directory, chosen, kubernetes=arguments.kubernetes)]
    return print_result(arguments, {"pipelines": paths}, paths)
