"""`quillflow runs`: what runs on a cluster do and did."""

import argparse
from datetime import UTC, datetime
from typing import Any

from pipelines.commands.cluster import add_cluster_flags, environment_of
from pipelines.commands.output import print_result


def add(commands: Any) -> None:
    """Give the parser the command."""
    text = "List a cluster's runs, wait for one, or show what its stages wrote."
    actions = commands.add_parser("runs", help=text, description=text).add_subparsers(metavar="ACTION", required=True)
    for name, run, text in (
        ("ls", _ls, "List the environment's runs, newest first."),
        ("wait", _wait, "Wait until a run has ended; exit 0 if it succeeded, else 1 with the task that failed."),
        ("logs", _logs, "Show what a run's stages wrote."),
    ):
        action = actions.add_parser(name, help=text, description=text)
        if name == "ls":
            action.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many (default: 20)")
        else:
            action.add_argument("name", metavar="RUN", help="the run's id")
        if name == "wait":
            action.add_argument("--timeout", type=float, metavar="SECONDS", help="how long (default: for ever)")
        if name == "logs":
            action.add_argument("--stage", default="", metavar="STAGE", help="of this stage only")
        add_cluster_flags(action)
        action.set_defaults(run=run)


def _ls(arguments: argparse.Namespace) -> int:
    from pipelines.cluster import runs
    from pipelines.cluster.client import Client

    found = list(runs.listed(Client(environment_of(arguments).cluster), arguments.limit))
    return print_result(arguments, {"runs": found}, runs.as_table(found))


def _wait(arguments: argparse.Namespace) -> int:
    from components.command import log
    from pipelines.cluster import runs
    from pipelines.cluster.client import Client

    ended = runs.wait(Client(environment_of(arguments).cluster), arguments.name, arguments.timeout)
    took = "" if ended["seconds"] is None else f" in {log.duration(ended['seconds'])}"
    return print_result(arguments, ended, [f"Run {ended['run']} ({ended['name']}) {ended['state'].lower()}{took}"])


def _logs(arguments: argparse.Namespace) -> int:
    from pipelines.cluster import runs
    from pipelines.cluster.client import Client

    found = runs.logs(Client(environment_of(arguments).cluster), arguments.name, arguments.stage)
    lines = []
    for one in found:
        lines += [f"== {one.task}, stored {datetime.fromtimestamp(one.stored, UTC):%Y-%m-%d %H:%M:%S} UTC", *one.lines]
    return print_result(arguments, {"logs": [{"task": one.task, "lines": one.lines} for one in found]}, lines)
