"""`quillflow runs`: list, show, await, retry, end and inspect runs on a cluster."""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from components.steps import STEPS
from pipelines.commands.cluster import add_cluster_flags, environment_of
from pipelines.commands.output import print_result, redraw

if TYPE_CHECKING:
    from pipelines.cluster.logs import Log


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "List a cluster's runs; show one, wait for it, retry it, end it, or show its logs."
    actions = commands.add_parser("runs", help=text, description=text).add_subparsers(metavar="ACTION", required=True)
    for name, run, text in (
        ("ls", _ls, "List the environment's runs, newest first."),
        ("show", _show, "Show a run's stages, each with its state, times and last line, and how far training is."),
        ("wait", _wait, "Wait until a run has ended; exit 0 if it succeeded, otherwise 1 with the task that failed."),
        ("retry", _retry, "Retry a run that failed or was cancelled, keeping the stages that succeeded."),
        ("cancel", _cancel, "End a run, also one whose workflow no longer exists; its artifacts stay."),
        ("logs", _logs, "Show what a run's stages wrote."),
    ):
        action = actions.add_parser(name, help=text, description=text)
        if name == "ls":
            action.add_argument("--limit", type=int, default=20, metavar="N", help="at most this many (default: 20)")
        else:
            action.add_argument("name", metavar="RUN", help="the run's id")
        if name == "wait":
            action.add_argument("--timeout", type=float, metavar="SECONDS", help="how long to wait (default: forever)")
        if name == "show":
            action.add_argument("--watch", action="store_true", help="until the run has ended; then exit as wait does")
        if name == "logs":
            _add_log_flags(action)
        add_cluster_flags(action)
        action.set_defaults(run=run)


def _add_log_flags(action: argparse.ArgumentParser) -> None:
    action.add_argument("--stage", default="", choices=STEPS, metavar="STAGE", help="only this stage's")
    action.add_argument(
        "--attempt",
        type=_attempt,
        default=0,
        metavar="N",
        help="each task's Nth attempt, from 1 (default: the last)",
    )
    action.add_argument(
        "--all",
        action="store_true",
        dest="everything",
        help="all attempts, including Kubeflow's own lines",
    )


def _attempt(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be a number of at least 1, not {text!r}")
    return int(text)


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


def _show(arguments: argparse.Namespace) -> int:
    from pipelines.cluster import overview, runs
    from pipelines.cluster.client import Client

    client = Client(environment_of(arguments).cluster)
    if not arguments.watch:
        view = overview.overview(client, runs.get(client, arguments.name))
        return print_result(arguments, view, overview.as_lines(view))
    height = 0
    for now in runs.polled(client, arguments.name):
        if now is None:
            height = 0  # a warning is below what was shown
            continue
        view = overview.overview(client, now)
        if not arguments.json:
            height = redraw(overview.as_lines(view), height)
    if arguments.json:
        print_result(arguments, view, [])
    runs.check_succeeded(client, now)
    return 0


def _retry(arguments: argparse.Namespace) -> int:
    from pipelines.cluster import intervening
    from pipelines.cluster.client import Client

    now, kept = intervening.retry(Client(environment_of(arguments).cluster), arguments.name)
    what = f"keeping {', '.join(kept)}" if kept else "from its beginning"
    return print_result(arguments, {**now, "kept": kept}, [f"Run {now['run']} ({now['name']}) is retried, {what}"])


def _cancel(arguments: argparse.Namespace) -> int:
    from pipelines.cluster import intervening
    from pipelines.cluster.client import Client

    now = intervening.cancel(Client(environment_of(arguments).cluster), arguments.name)
    return print_result(arguments, now, [f"Run {now['run']} ({now['name']}) is {now['state'].lower()}"])


def _logs(arguments: argparse.Namespace) -> int:
    from pipelines.cluster import logs, runs
    from pipelines.cluster.client import Client

    client = Client(environment_of(arguments).cluster)
    found = logs.logs(
        client,
        runs.get(client, arguments.name),
        arguments.stage,
        attempt=arguments.attempt,
        everything=arguments.everything,
    )
    shown = [{"task": one.task, "attempt": one.attempt, "lines": one.lines} for one in found]
    return print_result(arguments, {"logs": shown}, [line for one in found for line in _reported(one)])


def _reported(one: "Log") -> list[str]:
    attempt = f", attempt {one.attempt}" if one.attempt > 1 else ""
    return [
        f"== {one.task}{attempt}, stored {datetime.fromtimestamp(one.stored, UTC):%Y-%m-%d %H:%M:%S} UTC",
        *one.lines,
    ]
