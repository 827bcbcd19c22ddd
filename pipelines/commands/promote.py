"""`quillflow promote`: make a model the champion if it is better than the current one."""

import argparse
from typing import TYPE_CHECKING, Any

from components.artifacts.errors import ArtifactError
from components.command.stage import add_common_flags
from pipelines.commands.cluster import add_root_flags, champion_at, root_of
from pipelines.commands.output import print_result

if TYPE_CHECKING:
    from pipelines.results.finding import Artifact


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "Point the champion at a model if its loss on its held-out text is below the champion's on the same text."
    command = commands.add_parser(
        "promote",
        help=text,
        description=text + " Runs in an environment with a champion do this automatically.",
    )
    command.add_argument(
        "name",
        nargs="?",
        default="",
        metavar="MODEL",
        help="the model's URI, or a run's URI, id or name (default: the newest model)",
    )
    command.add_argument("--to", metavar="URI", help="the pointer (default: the environment's, else ROOT/champion)")
    command.add_argument(
        "--force", action="store_true", help="move it regardless of the losses, for example back to an older model"
    )
    add_root_flags(command)
    add_common_flags(command)
    command.set_defaults(run=_promote)


def _promote(arguments: argparse.Namespace) -> int:
    from components.promote.promoting import promote
    from pipelines.results.finding import find_model

    root, champion = root_of(arguments), arguments.to or champion_at(arguments)
    model = find_model(arguments.name, root)
    done = promote(
        model=str(model.place), dataset=lambda: _dataset_of(model, root), champion=champion, force=arguments.force
    )
    return print_result(arguments, done.model_dump(), [done.as_line()])


def _dataset_of(model: "Artifact", root: str) -> str:
    """The URI of the dataset that a model was made from."""
    from pipelines.results import finding

    uri = next((step["uri"] for step in finding.lineage(model, root) if step["kind"] == "dataset"), None)
    if uri is None:
        raise ArtifactError(
            f"{model.place}: the champion's loss is of different held-out text, and this model's dataset, on which "
            f"both could be compared, is not below {root}; --force moves the champion without comparison"
        )
    return str(uri)
