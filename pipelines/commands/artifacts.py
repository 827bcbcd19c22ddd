"""`quillflow artifacts`: what runs leave, listed, shown, fetched and verified."""

import argparse
from pathlib import Path
from typing import Any

from components.command import log
from components.command.stage import add_common_flags
from pipelines.commands.output import print_result


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
            action.add_argument("name", metavar="WHAT", help="an artifact's URI, a run's URI, or a run's name")
        if name == "pull":
            action.add_argument("directory", type=Path, metavar="DIR", help="where it goes")
        action.add_argument("--root", default="runs", metavar="URI", help="where runs are kept (default: %(default)s)")
        add_common_flags(action)
        action.set_defaults(run=run)


def _ls(arguments: argparse.Namespace) -> int:
    from pipelines import artifacts

    found = artifacts.find(arguments.root)
    return print_result(arguments, {"artifacts": [one.as_dict() for one in found]}, artifacts.as_table(found))


def _show(arguments: argparse.Namespace) -> int:
    from pipelines import artifacts

    shown = [artifacts.show(one, arguments.root) for one in artifacts.resolve(arguments.name, arguments.root)]
    return print_result(arguments, {"artifacts": shown}, [line for one in shown for line in artifacts.as_lines(one)])


def _pull(arguments: argparse.Namespace) -> int:
    from pipelines import artifacts

    paths = artifacts.pull(artifacts.resolve(arguments.name, arguments.root), arguments.directory)
    return print_result(arguments, {"pulled": paths}, paths)


def _verify(arguments: argparse.Namespace) -> int:
    from pipelines import artifacts

    verdicts = artifacts.verify_all(artifacts.resolve(arguments.name, arguments.root))
    print_result(
        arguments, {"verdicts": verdicts}, [f"whole  {uri}" for uri, verdict in verdicts.items() if not verdict]
    )
    for verdict in filter(None, verdicts.values()):
        log.error(verdict)
    return 1 if any(verdicts.values()) else 0
