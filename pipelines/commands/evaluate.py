"""`quillflow evaluate`: the quality of a model."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.artifacts.errors import UsageError
from components.command.stage import add_common_flags
from pipelines.commands.output import print_result

if TYPE_CHECKING:
    from pipelines.results.finding import Artifact


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "Judge a model: compare its loss with plain models', and its samples with people's text."
    command = commands.add_parser("evaluate", help=text, description=text)
    command.add_argument(
        "model",
        nargs="?",
        default="",
        metavar="MODEL|RUN",
        help="a model or a run (default: the newest below the root)",
    )
    command.add_argument("--text", default="", metavar="URI", help="a text to score (default: the held-out text)")
    command.add_argument(
        "--dataset", default="", metavar="URI", help="the dataset it was trained on (default: looked up)"
    )
    command.add_argument(
        "--samples", default="", metavar="URI", help="samples that it wrote (default: the newest found)"
    )
    command.add_argument("--root", default="runs", metavar="URI", help="where runs are stored (default: %(default)s)")
    add_common_flags(command)
    command.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    from pipelines.results.finding import find_model

    model = find_model(arguments.model, arguments.root)
    dataset, samples = _dataset_and_samples(model, arguments.root)
    if not (arguments.dataset or dataset):
        raise UsageError(
            f"{model.place}: the dataset it was made from is neither below {arguments.root} nor near it; "
            "name it with --dataset"
        )
    from components.judging.evaluating import evaluate
    from components.judging.table import as_lines

    found = evaluate(
        model=str(model.place),
        dataset=arguments.dataset or dataset,
        text=arguments.text,
        samples=arguments.samples or samples,
    )
    # A path below the current directory reads best as a relative one.
    return print_result(arguments, found, [line.replace(f"{Path.cwd()}/", "") for line in as_lines(found)])


def _dataset_and_samples(model: "Artifact", root: str) -> tuple[str, str]:
    """The URIs of the model's dataset and of its newest samples, empty if they are not found.

    They are looked for below `root`, in the model's run, and next to it.
    """
    from pipelines.results import finding

    known = sorted(finding.around(model.place, model.run, root), key=lambda found: found.updated)
    datasets = [found for found in known if found.digest == model.manifest.made_from.get("dataset")]
    samples = [found for found in known if found.manifest.made_from.get("model") == model.digest]
    return _last_uri(datasets), _last_uri(samples)


def _last_uri(found: "list[Artifact]") -> str:
    return str(found[-1].place) if found else ""
