"""The command `quillflow`: the whole pipeline, each stage alone, and looks at what they make."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.artifacts.errors import UsageError
from components.artifacts.version import VERSION
from components.command import log
from components.command.stage import Parser, add_common_flags, errors_in_one_line, print_json
from pipelines.settings import STAGES, as_yaml, recipe, recipe_names, settings_of

DEFAULT_RECIPE = "default"


def main(argv: Sequence[str] | None = None) -> int:
    """Parse a command line and do what it says; the exit code."""
    log.set_up("")
    arguments = list(sys.argv[1:] if argv is None else argv)
    with errors_in_one_line(verbose="--verbose" in arguments):
        parsed = parser(arguments).parse_args(arguments)
        code: int = parsed.run(parsed)
        return code


def parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The command line's parser; a recipe that `arguments` name for a stage is in that stage's defaults.

    Raises:
        UsageError: there is no such recipe.
    """
    stage_defaults = _recipe_defaults(arguments)
    whole = Parser(
        prog="quillflow",
        description="Trains text generators on your own text and writes new text in bulk.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong use, 75 another trainer owns the checkpoints, 130 interrupted, "
        "143 saved and stopped on SIGTERM.",
    )
    whole.add_argument("--version", action="version", version=f"quillflow {VERSION}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    _add_run(commands)
    for stage in STAGES.values():
        command = commands.add_parser(stage.name, help=stage.summary, description=stage.summary)
        command.add_argument("--recipe", metavar="NAME", help="take the settings' defaults from this recipe")
        stage.add_arguments(command, stage_defaults.get(stage.name, {}))
        command.set_defaults(run=lambda parsed, stage=stage: stage.run(parsed, stage_defaults.get(stage.name, {})))
    _add_inspect(commands)
    _add_recipes(commands)
    _add_artifacts(commands)
    _add_compile(commands)
    return whole


def command_names() -> list[str]:
    """All commands there are."""
    commands = parser([])._subparsers  # noqa: SLF001 -- argparse has no public way to ask
    return [name for action in getattr(commands, "_group_actions", []) for name in action.choices]


def _recipe_defaults(arguments: Sequence[str]) -> Mapping[str, Any]:
    """The stages' settings of the recipe that a stage's command line names, so that --help shows them too."""
    finder = Parser(add_help=False)
    finder.add_argument("--recipe")
    try:
        name = finder.parse_known_args(arguments)[0].recipe
    except UsageError:  # left for the parser proper, which says it in full
        return {}
    return recipe(name).stages if name else {}


def _add_run(commands: Any) -> None:
    text = "Run the whole pipeline here: ingest, vectorize, train, sample."
    command = commands.add_parser(
        "run",
        help=text,
        description=text + " What was made before from the same text, settings and version is not made again.",
        epilog="Every setting of every stage can be set; quillflow STAGE --help lists them.",
    )
    command.add_argument(
        "--recipe",
        default=DEFAULT_RECIPE,
        metavar="NAME",
        help=f"named settings: {', '.join(recipe_names())} (default: %(default)s)",
    )
    command.add_argument("--source", metavar="URI", help="the text (default: the recipe's)")
    command.add_argument(
        "--root",
        default="runs",
        metavar="URI",
        help="where runs are kept: a directory or a bucket (default: %(default)s)",
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        dest="assignments",
        metavar="STAGE.SETTING=VALUE",
        help="a setting, such as train.epochs=3; may be repeated",
    )
    add_common_flags(command)
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    chosen = recipe(arguments.recipe)
    settings = settings_of(chosen, arguments.assignments)
    source = arguments.source or chosen.source
    if not source:
        raise UsageError(f"recipe {chosen.name} has no text of its own; name one with --source")
    from pipelines.local import run_pipeline

    began = time.monotonic()
    done = run_pipeline(source, settings, arguments.root, verbose=arguments.verbose)
    if arguments.json:
        print_json(done.as_dict())
        return 0
    lines = [f"Run {done.name} done in {log.duration(time.monotonic() - began)}"]
    lines += [f"  {name:<12} {_shortest(uri)}" for name, uri in done.artifacts.items()]
    lines += [f"  {'report':<12} {_shortest(done.artifacts['samples'])}/report.html", "", _loss(done.metrics), ""]
    sample = done.first_sample()
    lines += [
        f"A sample at temperature {sample['temperature']:g}, after {sample['prompt']!r}:",
        "",
        sample["text"],
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _loss(metrics: Mapping[str, Any]) -> str:
    if metrics["validation_loss_nats"] is None:
        return f"Training loss {metrics['train_loss_nats']:.4f} nats per token; no text was held out"
    return (
        f"Held-out loss {metrics['validation_loss_nats']:.4f} nats per token, "
        f"{metrics['validation_bits_per_char']:.3f} bits per character (protocol: {metrics['validation_protocol']})"
    )


def _shortest(uri: str) -> str:
    """A path below the current directory as seen from there."""
    return uri.removeprefix(f"{Path.cwd()}/")


def _add_inspect(commands: Any) -> None:
    text = "Print a dataset's first windows as text, each with its target."
    command = commands.add_parser("inspect", help=text, description=text)
    command.add_argument("dataset", metavar="DATASET", help="the dataset's URI")
    command.add_argument("--split", choices=("train", "validation"), default="train", help="(default: %(default)s)")
    command.add_argument("--count", type=int, default=10, metavar="N", help="windows to print (default: %(default)s)")
    add_common_flags(command)
    command.set_defaults(run=_inspect)


def _inspect(arguments: argparse.Namespace) -> int:
    from components.vectorize.inspect import as_lines, first_windows

    found = first_windows(arguments.dataset, split=arguments.split, count=arguments.count)
    return _print(arguments, found, as_lines(found))


def _add_recipes(commands: Any) -> None:
    text = "List the recipes, or print one."
    command = commands.add_parser("recipes", help=text, description=text)
    command.add_argument("name", nargs="?", metavar="NAME", help="the recipe to print, as YAML")
    add_common_flags(command)
    command.set_defaults(run=_recipes)


def _recipes(arguments: argparse.Namespace) -> int:
    if arguments.name:
        chosen = recipe(arguments.name)
        if arguments.json:
            print_json(
                {
                    "name": chosen.name,
                    "description": chosen.description,
                    "source": chosen.source,
                    **chosen.stages,
                }
            )
        else:
            sys.stdout.write(as_yaml(chosen))
        return 0
    found = {name: recipe(name).description for name in recipe_names()}
    return _print(arguments, found, [f"{name:<16} {text}" for name, text in found.items()])


def _add_artifacts(commands: Any) -> None:
    text = "List, show, fetch and verify artifacts, on disk or in a bucket."
    actions = commands.add_parser("artifacts", help=text, description=text).add_subparsers(
        metavar="ACTION", required=True
    )
    for name, run, text in (
        ("ls", _artifacts_ls, "List all artifacts below a root, newest first."),
        ("show", _artifacts_show, "Show manifest, metrics and lineage of an artifact, or of all of a run."),
        ("pull", _artifacts_pull, "Fetch an artifact or a whole run, going on where a fetch broke off."),
        (
            "verify",
            _artifacts_verify,
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


def _artifacts_ls(arguments: argparse.Namespace) -> int:
    from pipelines import artifacts

    found = artifacts.find(arguments.root)
    return _print(arguments, {"artifacts": [one.as_dict() for one in found]}, artifacts.as_table(found))


def _artifacts_show(arguments: argparse.Namespace) -> int:
    from pipelines import artifacts

    shown = [artifacts.show(one, arguments.root) for one in artifacts.resolve(arguments.name, arguments.root)]
    return _print(arguments, {"artifacts": shown}, [line for one in shown for line in artifacts.as_lines(one)])


def _artifacts_pull(arguments: argparse.Namespace) -> int:
    from pipelines import artifacts

    paths = artifacts.pull(artifacts.resolve(arguments.name, arguments.root), arguments.directory)
    return _print(arguments, {"pulled": paths}, paths)


def _artifacts_verify(arguments: argparse.Namespace) -> int:
    from pipelines import artifacts

    verdicts = artifacts.verify_all(artifacts.resolve(arguments.name, arguments.root))
    _print(arguments, {"verdicts": verdicts}, [f"whole  {uri}" for uri, verdict in verdicts.items() if not verdict])
    for verdict in filter(None, verdicts.values()):
        log.error(verdict)
    return 1 if any(verdicts.values()) else 0


def _print(arguments: argparse.Namespace, values: Mapping[str, Any], lines: Sequence[str]) -> int:
    if arguments.json:
        print_json(values)
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _add_compile(commands: Any) -> None:
    text = "Write the pipelines as KFP YAML: the whole one, and one a stage."
    command = commands.add_parser("compile", help=text, description=text)
    command.add_argument("directory", type=Path, metavar="DIR", help="where the files go")
    add_common_flags(command)
    command.set_defaults(run=_compile)


def _compile(arguments: argparse.Namespace) -> int:
    from pipelines.compile import compile_all

    paths = [str(path) for path in compile_all(arguments.directory)]
    return _print(arguments, {"pipelines": paths}, paths)


if __name__ == "__main__":
    sys.exit(main())
