"""`quillflow run`: the whole pipeline, here."""

import argparse
import time
from typing import TYPE_CHECKING, Any

from components.command import log
from components.command.printing import write
from components.command.stage import add_common_flags
from pipelines.build.environment import environment
from pipelines.commands.output import print_result, shortest
from pipelines.inputs.settings import DEFAULT_RECIPE, recipe, recipe_names, settings_of, source_of

if TYPE_CHECKING:
    from pipelines.local.running import Run


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "Run the whole pipeline here: ingest, vectorize, train, sample."
    command = commands.add_parser(
        "run",
        help=text,
        description=text + " The cache provides what was made before from the same text, settings and version. ",
        epilog="Every setting of every stage can be set; quillflow STAGE --help lists them.",
    )
    add_settings_flags(command)
    command.add_argument(
        "--root",
        default="runs",
        metavar="URI",
        help="where runs are stored: a directory or a bucket (default: %(default)s)",
    )
    add_runner_flag(command)
    command.add_argument(
        "--environment",
        default="local",
        metavar="NAME",
        help="environment with shards, retries, caching and champion: a name or a .yaml file (default: %(default)s)",
    )
    add_common_flags(command)
    command.set_defaults(run=_run)


def add_settings_flags(command: argparse.ArgumentParser) -> None:
    """The flags for the whole pipeline's inputs and settings."""
    command.add_argument(
        "--recipe",
        default=DEFAULT_RECIPE,
        metavar="NAME",
        help=f"named settings: {', '.join(recipe_names())}, or a YAML file of your own (default: %(default)s)",
    )
    command.add_argument(
        "--source",
        action="extend",
        nargs="+",
        metavar="URI",
        help="the text: files, directories, globs, bucket prefixes, or - for standard input (default: the recipe's)",
    )
    add_assignments_flag(command, "a setting, such as train.epochs=3")


def add_assignments_flag(command: argparse.ArgumentParser, text: str) -> None:
    """The flag that sets a stage's setting, with its help."""
    command.add_argument(
        "--set",
        action="append",
        default=[],
        dest="assignments",
        metavar="STAGE.SETTING=VALUE",
        help=f"{text}; may be repeated for other settings",
    )


def add_runner_flag(command: argparse.ArgumentParser) -> None:
    """The flag that says what runs the stages here."""
    command.add_argument(
        "--runner",
        choices=("subprocess", "docker"),
        default="subprocess",
        help="run stages as processes, or in containers of the images built by make images (default: %(default)s)",
    )


def _run(arguments: argparse.Namespace) -> int:
    chosen = recipe(arguments.recipe)
    settings = settings_of(chosen, arguments.assignments)
    source = source_of(chosen, arguments.source, named="with --source")
    chosen_environment = environment(arguments.environment)
    from pipelines.local.running import run_pipeline

    began = time.monotonic()
    done = run_pipeline(
        source,
        settings,
        arguments.root,
        environment=chosen_environment,
        runner=arguments.runner,
        verbose=arguments.verbose,
    )
    if arguments.json:
        return print_result(arguments, done.as_dict(), [])
    lines = [f"Run {done.name} done in {log.duration(time.monotonic() - began)}"]
    places = {**done.artifacts, "report": f"{done.artifacts['report']}/report.html"}
    lines += [f"  {name:<12} {shortest(uri)}" for name, uri in places.items()]
    print_result(arguments, done.as_dict(), lines)
    for show in (_loss, _sample):
        try:
            write(f"\n{show(done)}\n")
        except Exception as error:  # noqa: BLE001 -- whatever it is, the run is done, and listed
            log.warning(f"some of the result can't be shown ({type(error).__name__}: {error})")
    return 0


def _sample(done: "Run") -> str:
    sample = done.first_sample()
    after = f", after {sample['prompt']!r}" if sample["prompt"] else ""
    return f"A sample at temperature {sample['temperature']:g}{after}:\n\n{sample['text']}"


def _loss(done: "Run") -> str:
    metrics = done.metrics
    if metrics["validation_loss_nats"] is None:
        return f"Training loss {metrics['train_loss_nats']:.4f} nats per token; no text was held out"
    return (
        f"Held-out loss {metrics['validation_loss_nats']:.4f} nats per token, "
        f"{metrics['validation_bits_per_char']:.3f} bits per character (protocol: {metrics['validation_protocol']})"
    )
