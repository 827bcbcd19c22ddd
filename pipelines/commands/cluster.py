"""What the cluster commands share: the environment and the endpoint."""

import argparse
import os

from components.artifacts.errors import UsageError
from components.command.stage import add_common_flags
from pipelines.build.environment import Environment, environment

ENVIRONMENT_VARIABLE = "QUILLFLOW_ENVIRONMENT"


def add_environment_flag(parser: argparse.ArgumentParser) -> None:
    """The flag that names an environment, which a variable can name once for all commands."""
    parser.add_argument(
        "--environment",
        default=os.environ.get(ENVIRONMENT_VARIABLE, "local"),
        metavar="NAME",
        help=f"settings of the cluster: a name or a .yaml file (default: ${ENVIRONMENT_VARIABLE}, now %(default)s)",
    )


def add_cluster_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of a cluster command."""
    add_environment_flag(parser)
    parser.add_argument(
        "--endpoint",
        metavar="URL",
        help="address of the Kubeflow Pipelines API (default: $KF_PIPELINES_ENDPOINT, or else the environment's)",
    )
    add_common_flags(parser)


def environment_of(arguments: argparse.Namespace) -> Environment:
    """The environment that a command line names, with the endpoint it names."""
    found = environment(arguments.environment)
    endpoint = getattr(arguments, "endpoint", None) or os.environ.get("KF_PIPELINES_ENDPOINT")
    if not endpoint:
        return found
    return found.model_copy(update={"cluster": found.cluster.model_copy(update={"endpoint": endpoint})})


def add_root_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that say where runs are stored: here, or in an environment's place."""
    parser.add_argument("--root", metavar="URI", help="where runs are stored (default: the environment's, else runs)")
    add_environment_flag(parser)


def root_of(arguments: argparse.Namespace) -> str:
    """Where runs are kept, as --root or else the environment says."""
    return arguments.root or environment_of(arguments).cluster.pipeline_root or "runs"


def champion_at(arguments: argparse.Namespace) -> str:
    """The champion's place: next to the runs of --root, or as the environment says."""
    of = environment_of(arguments)
    if arguments.root is None and of.cluster.pipeline_root:
        return champion_of(of)
    return f"{(arguments.root or 'runs').rstrip('/')}/champion"


def champion_of(of: Environment) -> str:
    """The place of the environment's champion.

    Raises:
        UsageError: it has none.
    """
    if not of.cluster.champion:
        raise UsageError(f"environment {of.name} has no champion; set cluster.champion, or use another --environment")
    return of.cluster.champion
