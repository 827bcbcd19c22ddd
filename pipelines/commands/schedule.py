"""`quillflow schedule`: recurring runs on a cluster, defined by files."""

import argparse
from pathlib import Path
from typing import Any

from pipelines.commands.cluster import add_cluster_flags, environment_of
from pipelines.commands.output import print_result
from pipelines.inputs.durations import parse_duration


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "Make a cluster's recurring runs match files, list, check or remove them."
    actions = commands.add_parser("schedule", help=text, description=text).add_subparsers(
        metavar="ACTION", required=True
    )
    for name, run, text in (
        ("apply", _apply, "Make the environment's recurring runs match its files; those that match already stay."),
        ("ls", _ls, "List the environment's recurring runs that came from files."),
        ("check", _check, "Exit 1 if a schedule has had no success lately, and say which, and since when."),
        ("rm", _rm, "Remove one from the cluster; if its file still exists, the next apply creates it again."),
    ):
        action = actions.add_parser(name, help=text, description=text)
        if name == "rm":
            action.add_argument("name", metavar="NAME", help="the schedule's name")
        if name == "check":
            action.add_argument(
                "--within",
                default="26h",
                metavar="TIME",
                help="how old the last success may be: a number with m, h or d (default: %(default)s)",
            )
        if name == "apply":
            action.add_argument(
                "directory",
                nargs="?",
                type=Path,
                metavar="DIR",
                help="where the files are (default: the environment's)",
            )
        add_cluster_flags(action)
        action.set_defaults(run=run)


def _apply(arguments: argparse.Namespace) -> int:
    from pipelines.cluster import schedule_files, schedules
    from pipelines.cluster.client import Client

    environment = environment_of(arguments)
    directory = arguments.directory or Path(environment.cluster.schedules)
    wanted = [one for one in schedule_files.read(directory) if one.environment == environment.name]
    done = schedules.apply(Client(environment.cluster), environment, wanted)
    lines = [f"{name:<20} {what}" for name, what in done.items()]
    return print_result(
        arguments, done, lines or [f"no schedules of {environment.name}, neither in {directory} nor on the cluster"]
    )


def _ls(arguments: argparse.Namespace) -> int:
    from pipelines.cluster import schedules
    from pipelines.cluster.client import Client

    environment = environment_of(arguments)
    found = schedules.listed(Client(environment.cluster), environment)
    return print_result(arguments, {"schedules": found}, schedules.as_table(found))


def _check(arguments: argparse.Namespace) -> int:
    from pipelines.cluster import schedule_check
    from pipelines.cluster.client import Client

    within = parse_duration(arguments.within, "--within")
    environment = environment_of(arguments)
    found = schedule_check.look_at(Client(environment.cluster), environment)
    shown = {"schedules": [one.as_dict() for one in found]}
    if arguments.json:  # for a program all of it, also if it fails
        print_result(arguments, shown, [])
    schedule_check.refuse_overdue(found, within, arguments.within)
    return 0 if arguments.json else print_result(arguments, shown, schedule_check.as_lines(found))


def _rm(arguments: argparse.Namespace) -> int:
    from pipelines.cluster import schedules
    from pipelines.cluster.client import Client

    environment = environment_of(arguments)
    schedules.remove(Client(environment.cluster), environment, arguments.name)
    return print_result(arguments, {"removed": arguments.name}, [f"{arguments.name:<20} removed"])
