"""`quillflow rerun`: one stage of a run again, here or on a cluster."""

import argparse
import secrets
import time
from typing import Any

from components.artifacts.errors import UsageError
from components.steps import STAGES
from pipelines.build.environment import Environment
from pipelines.commands.cluster import add_cluster_flags, environment_of
from pipelines.commands.output import print_result, shortest
from pipelines.commands.run import add_assignments_flag
from pipelines.inputs.settings import DEFAULT_RECIPE


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "Re-run one stage of a run, with the run's artifacts and settings."
    command = commands.add_parser(
        "rerun",
        help=text,
        description=text
        + " It runs on the environment's cluster if there is one and --root is not given, otherwise on this machine. "
        "Unfinished training resumes from its checkpoints.",
    )
    command.add_argument("stage", choices=tuple(STAGES), metavar="STAGE", help=", ".join(STAGES))
    command.add_argument(
        "--from",
        dest="former",
        required=True,
        metavar="RUN",
        help="the run's id or name, or the URI of the stage's input artifact",
    )
    add_assignments_flag(command, "a setting that should differ from the run's")
    command.add_argument(
        "--recipe",
        default=DEFAULT_RECIPE,
        metavar="NAME",
        help="the recipe to use if the run's settings are unknown (default: %(default)s)",
    )
    command.add_argument("--root", metavar="URI", help="run on this machine; where runs are stored (default: runs)")
    add_cluster_flags(command)
    command.set_defaults(run=_rerun)


def _rerun(arguments: argparse.Namespace) -> int:
    if arguments.root is not None and arguments.endpoint is not None:
        raise UsageError("--root runs on this machine, --endpoint on a cluster; give only one of them")
    environment = environment_of(arguments)
    if arguments.root is None and environment.cluster.endpoint:
        return _on_cluster(arguments, environment)
    return _here(arguments, arguments.root or "runs")


def _here(arguments: argparse.Namespace, root: str) -> int:
    from pipelines.results.reruns import plan, rerun_here

    stage = STAGES[arguments.stage]
    chosen = plan(
        stage.name,
        arguments.former,
        root,
        recorded={},
        assignments=arguments.assignments,
        fallback=arguments.recipe,
    )
    done = rerun_here(chosen, root)
    made = {name: done[name] for name in stage.artifacts if name in done}
    lines = [f"Run {done['run']}: {stage.name} of {arguments.former} again"]
    places = {**made, **({"report": f"{done[stage.page]}/report.html"} if stage.page else {})}
    lines += [f"  {name:<12} {shortest(uri)}" for name, uri in places.items()]
    return print_result(arguments, done, lines)


def _on_cluster(arguments: argparse.Namespace, environment: Environment) -> int:
    from pipelines.cluster import runs
    from pipelines.cluster.client import Client
    from pipelines.cluster.submitting import package, submit
    from pipelines.inputs.arguments import place_digests, plain, refuse_for_cluster
    from pipelines.inputs.digests import suite_version
    from pipelines.results.reruns import plan

    root = environment.cluster.pipeline_root
    if not root:
        raise UsageError(
            f"environment {environment.name} has no cluster.pipeline_root; set it to the place where runs are stored"
        )
    client = Client(environment.cluster)
    recorded: dict[str, Any] = {}
    if "://" not in arguments.former:
        former = runs.get(client, arguments.former)
        recorded = dict((former.runtime_config and former.runtime_config.parameters) or {})
    stage = arguments.stage
    chosen = plan(
        stage, arguments.former, root, recorded=recorded, assignments=arguments.assignments, fallback=arguments.recipe
    )
    refuse_for_cluster(chosen.source, chosen.settings)
    environment.check(chosen.settings)
    fed_with = STAGES[stage].feed_parameter
    values = {
        fed_with: chosen.source,
        "settings": plain(chosen.settings[stage]),
        # A re-run must not use the cache, so its version is unique.
        "version": f"{suite_version()} {secrets.token_hex(4)}",
        **place_digests(chosen.settings, [stage]),
    }
    name = f"rerun-{stage}-{time.strftime('%Y-%m-%d-%H-%M-%S')}"
    done = submit(client, package(stage, environment), name=name, arguments=values)
    lines = [f"Run {done.run}: {stage} of {arguments.former} again, fed with {chosen.source}", f"  {done.link}"]
    return print_result(arguments, {**done.as_dict(), fed_with: chosen.source}, lines)
