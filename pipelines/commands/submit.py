"""`quillflow submit`: the whole pipeline, on a cluster."""

import argparse
import time
from pathlib import Path
from typing import Any

from components.command import log
from pipelines.build.champion import with_champion
from pipelines.commands.cluster import add_cluster_flags, environment_of
from pipelines.commands.output import print_result
from pipelines.commands.run import add_settings_flags
from pipelines.inputs.settings import recipe, settings_of, source_of


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "Run the whole pipeline on a cluster: ingest, vectorize, train, sample."
    command = commands.add_parser(
        "submit",
        help=text,
        description=text + " The pipeline is uploaded as a version of its own, unless it is there already.",
        epilog="Every setting of every stage can be set; quillflow STAGE --help lists them.",
    )
    add_settings_flags(command)
    command.add_argument("--name", metavar="NAME", help="the run's name (default: recipe and time)")
    command.add_argument("--wait", action="store_true", help="wait until it has ended; exit 1 if it failed")
    add_cluster_flags(command)
    command.set_defaults(run=_submit)


def _submit(arguments: argparse.Namespace) -> int:
    from pipelines.cluster import retries, runs
    from pipelines.cluster.client import Client
    from pipelines.cluster.submitting import package, submit
    from pipelines.inputs.arguments import arguments_of, refuse_for_cluster

    environment = environment_of(arguments)
    chosen = environment.beneath(recipe(arguments.recipe))
    settings = with_champion(settings_of(chosen, arguments.assignments), environment)
    source = source_of(chosen, arguments.source, named="with --source")
    refuse_for_cluster(source, settings)
    environment.check_whole_run(settings)
    client = Client(environment.cluster)
    if ineffective := retries.ineffective(client.kubernetes, environment):
        log.warning(f"{ineffective}; {retries.PATCH} changes this")
    done = submit(
        client,
        package("text-generation", environment),
        name=arguments.name or f"{Path(chosen.name).stem}-{time.strftime('%Y-%m-%d-%H-%M-%S')}",
        arguments=arguments_of(source, settings),
    )
    lines = [f"Run {done.run} ({done.name}) of {done.version}", f"  {done.link}"]
    shown = done.as_dict()
    if not arguments.wait:
        return print_result(arguments, shown, lines)
    for line in lines:
        log.info(line)
    shown |= runs.wait(client, done.run)
    return print_result(arguments, shown, [f"Run {done.run} {shown['state'].lower()}"])
