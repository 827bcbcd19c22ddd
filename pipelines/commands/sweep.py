"""`quillflow sweep`: a run for every combination of settings, ranked."""

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from components.artifacts.errors import QuillflowError, UsageError
from components.command import log
from components.command.stage import add_common_flags
from pipelines.build.champion import with_champion
from pipelines.build.environment import Environment
from pipelines.commands.cluster import ENVIRONMENT_VARIABLE, environment_of
from pipelines.commands.output import print_result
from pipelines.commands.run import add_runner_flag, add_settings_flags
from pipelines.inputs.combinations import Combination, Swept, combinations
from pipelines.inputs.durations import parse_duration
from pipelines.inputs.settings import recipe, source_of


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "Run every combination of settings, and rank the runs by held-out loss."
    command = commands.add_parser(
        "sweep",
        help=text,
        description=text + " Runs follow one another here; on a cluster they run side by side. ",
        epilog="Values are separated by commas: --set train.units=128,256 --set train.dropout=0.1,0.3 is four runs.",
    )
    add_settings_flags(command)
    command.add_argument(
        "--root",
        metavar="URI",
        help="where runs are stored (default: runs; with --on-cluster the environment's)",
    )
    add_runner_flag(command)
    command.add_argument("--on-cluster", action="store_true", help="run them on the environment's cluster")
    command.add_argument(
        "--environment",
        metavar="NAME",
        help=f"a name or a .yaml file (default: with --on-cluster ${ENVIRONMENT_VARIABLE}, here local)",
    )
    command.add_argument(
        "--budget", metavar="TIME", help="stop after this time: a number with m, h or d (default: until all are done)"
    )
    command.add_argument(
        "--page",
        type=Path,
        default=Path("sweep.html"),
        metavar="FILE",
        help="the comparison as a self-contained HTML page (default: %(default)s)",
    )
    add_common_flags(command)
    command.set_defaults(run=_sweep)


def _sweep(arguments: argparse.Namespace) -> int:
    usual = os.environ.get(ENVIRONMENT_VARIABLE, "local") if arguments.on_cluster else "local"
    arguments.environment = arguments.environment or usual
    environment = environment_of(arguments)
    chosen = recipe(arguments.recipe)
    chosen = environment.beneath(chosen) if arguments.on_cluster else chosen
    wanted = [
        replace(one, settings=with_champion(one.settings, environment))
        for one in combinations(chosen, arguments.assignments)
    ]
    if len(wanted) > len(ascii_uppercase):
        raise UsageError(f"{len(wanted)} combinations are too many to compare; give at most {len(ascii_uppercase)}")
    budget = parse_duration(arguments.budget, "--budget").total_seconds() if arguments.budget else None
    source = source_of(chosen, arguments.source, named="with --source")
    for one in wanted:
        environment.check_whole_run(one.settings)
    if arguments.on_cluster:
        root = arguments.root or environment.cluster.pipeline_root
        swept = _on_cluster(environment, root, wanted, budget, source, Path(chosen.name).stem)
        return _show(arguments, swept, root)
    from pipelines.local.sweeping import sweep_here

    root = arguments.root or "runs"
    how = {"environment": environment, "runner": arguments.runner, "verbose": arguments.verbose}
    return _show(arguments, sweep_here(wanted, budget, source, root, **how), root)


def _on_cluster(
    environment: Environment, root: str, wanted: list[Combination], budget: float | None, source: str, name: str
) -> Swept:
    from pipelines.cluster.sweeping import sweep_on_cluster
    from pipelines.inputs.arguments import refuse_for_cluster

    if not root:
        raise UsageError(f"environment {environment.name}: set cluster.pipeline_root, where the runs' models are read")
    for one in wanted:
        refuse_for_cluster(source, one.settings)
    name = f"{name}-{time.strftime('%Y-%m-%d-%H-%M-%S')}"
    return sweep_on_cluster(environment, wanted, budget, source, name)


def _show(arguments: argparse.Namespace, swept: Swept, root: str) -> int:
    """Print the ranking and the comparison, and write the page.

    Raises:
        QuillflowError: a run failed, or none was made.
    """
    from pipelines.results.comparison import as_dict, look_at
    from pipelines.results.comparison_view import as_lines, write_comparison
    from pipelines.results.ranking import as_lines as ranking
    from pipelines.results.ranking import ranked

    if swept.made:
        runs = ranked(look_at(list(swept.made), root))
        write_comparison(arguments.page, runs)
        log.info(f"the page is {arguments.page}")
        print_result(arguments, {**swept.as_dict(), **as_dict(runs)}, [*ranking(runs, swept.made), "", *as_lines(runs)])
    if swept.left:
        log.warning(f"the time did not suffice for {'; '.join(swept.left)}")
    if swept.failed or not swept.made:
        raise QuillflowError(f"{len(swept.failed)} of the runs failed: {'; '.join(swept.failed)}")
    return 0
