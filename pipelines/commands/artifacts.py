"""`quillflow artifacts`: what runs leave, listed, shown, fetched and verified."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.artifacts.champion import read
from components.artifacts.errors import ArtifactError
from components.command import log
from components.command.stage import add_common_flags
from pipelines.commands.cluster import add_root_flags, champion_at, root_of
from pipelines.commands.output import print_result

if TYPE_CHECKING:
    from pipelines.artifacts import Artifact

CHAMPION = "champion"


def add(commands: Any) -> None:
    """Give the parser the command."""
    text = "List, show, fetch and verify artifacts, on disk or in a bucket."
    actions = commands.add_parser("artifacts", help=text, description=text).add_subparsers(
        metavar="ACTION", required=True
    )
    for name, run, text in (
        ("ls", _ls, "List all artifacts below a root, newest first."),
        ("show", _show, "Show manifest, metrics and lineage of an artifact, or of all of a run."),
        ("pull", _pull, "Fetch an artifact or a whole run, going on where a fetch broke off."),
        (
            "verify",
            _verify,
            "Hold artifacts to their manifests' sizes and digests; exit 1 if one is damaged.",
        ),
    ):
        action = actions.add_parser(name, help=text, description=text)
        if name != "ls":
            action.add_argument("name", metavar="WHAT", help="an artifact's URI, a run's URI or name, or champion")
        if name == "pull":
            action.add_argument("directory", type=Path, metavar="DIR", help="where it goes")
        add_root_flags(action)
        add_common_flags(action)
        action.set_defaults(run=run)


def _ls(arguments: argparse.Namespace) -> int:
    from pipelines import artifacts

    found = artifacts.find(root_of(arguments))
    return print_result(arguments, {"artifacts": [one.as_dict() for one in found]}, artifacts.as_table(found))


def _named(arguments: argparse.Namespace) -> "list[Artifact]":
    """The artifacts that a command line names; `champion` is the model that the pointer is at."""
    from pipelines import artifacts

    if arguments.name != CHAMPION:
        return artifacts.resolve(arguments.name, root_of(arguments))
    place = champion_at(arguments)
    pointer = read(place)
    found = artifacts.resolve(pointer.model, root_of(arguments))
    if [one.digest for one in found] != [pointer.digest]:
        raise ArtifactError(f"{pointer.model}: not the model any more that {place} was pointed at; promote another")
    return found


def _show(arguments: argparse.Namespace) -> int:
    from pipelines import artifacts

    shown = [artifacts.show(one, root_of(arguments)) for one in _named(arguments)]
    return print_result(arguments, {"artifacts": shown}, [line for one in shown for line in artifacts.as_lines(one)])


def _pull(arguments: argparse.Namespace) -> int:
    from pipelines import artifacts

    paths = artifacts.pull(_named(arguments), arguments.directory)
    return print_result(arguments, {"pulled": paths}, paths)


def _verify(arguments: argparse.Namespace) -> int:
    from pipelines import artifacts

    verdicts = artifacts.verify_all(_named(arguments))
    print_result(
        arguments, {"verdicts": verdicts}, [f"whole  {uri}" for uri, verdict in verdicts.items() if not verdict]
    )
    for verdict in filter(None, verdicts.values()):
        log.error(verdict)
    return 1 if any(verdicts.values()) else 0
