"""`quillflow promote`: make a model the champion, if it is better than the one that is."""

import argparse
from typing import Any

from components.artifacts.champion import Promotion, promote
from components.artifacts.errors import ArtifactError
from components.command.stage import add_common_flags
from pipelines.commands.cluster import add_root_flags, champion_at, root_of
from pipelines.commands.output import print_result


def add(commands: Any) -> None:
    """Give the parser the command."""
    text = "Point the champion at a model, if its loss on the same held-out text is below the champion's."
    command = commands.add_parser("promote", help=text, description=text)
    command.add_argument(
        "name",
        nargs="?",
        metavar="MODEL",
        help="the model's URI, or a run's, or a run's id or name (default: the newest model there is)",
    )
    command.add_argument("--to", metavar="URI", help="the pointer (default: the environment's, else ROOT/champion)")
    command.add_argument(
        "--force", action="store_true", help="move it whatever the losses: to new data, or back to an older model"
    )
    add_root_flags(command)
    add_common_flags(command)
    command.set_defaults(run=_promote)


def _promote(arguments: argparse.Namespace) -> int:
    root, champion = root_of(arguments), arguments.to or champion_at(arguments)
    done = promote_run(arguments.name, root, champion, force=arguments.force)
    return print_result(arguments, done.model_dump(), [as_line(done)])


def promote_run(name: str | None, root: str, champion: str, *, force: bool = False) -> Promotion:
    """Promote a model, given by its URI or by the run that made it, or else the newest below `root`.

    Raises:
        ArtifactError: there is none, or it can't be compared with the champion.
    """
    from pipelines import artifacts
    from pipelines.reruns import of_run

    if name is None:
        model = next((found for found in artifacts.find(root) if found.manifest.kind == "model"), None)
        if model is None:
            raise ArtifactError(f"{root}: no model is below it; see to --root and --environment")
    else:
        model = of_run(name, "model", root)
    return promote(str(model.place), champion, run=model.run, force=force)


def as_line(done: Promotion) -> str:
    """What came of it, for a person."""
    if done.moved:
        return f"Champion is now {done.champion.model}: {done.reason}"
    return f"Champion stays {done.champion.model}: {done.reason}"
