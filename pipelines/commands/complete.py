"""`quillflow complete`: completes a text on the terminal, as it is written."""

import argparse
from typing import TYPE_CHECKING, Any

from components.command import log
from components.command.printing import write
from components.command.settings import add_flags
from components.command.stage import add_common_flags, print_json
from pipelines.commands.output import shortest

if TYPE_CHECKING:
    from components.generator.light.generator import TextGenerator
    from pipelines.results.completing import CompleteConfig


def add(commands: Any) -> None:
    """Add the command to the parser."""
    from pipelines.results.completing import CompleteConfig

    text = "Complete a text with a model on the terminal, as it is written."
    command = commands.add_parser("complete", help=text, description=text)
    command.add_argument("prompt", metavar="TEXT", help="the beginning of the text")
    command.add_argument(
        "--model", default="", metavar="URI|RUN", help="a model or a run (default: the newest below the root)"
    )
    command.add_argument("--root", default="runs", metavar="URI", help="where runs are stored (default: %(default)s)")
    add_common_flags(command)
    add_flags(command, CompleteConfig, {})
    command.set_defaults(run=_complete)


def _complete(arguments: argparse.Namespace) -> int:
    from pipelines.results.completing import CompleteConfig, load
    from pipelines.results.finding import find_model

    given = {name: value for name, value in vars(arguments).items() if name in CompleteConfig.model_fields}
    config = CompleteConfig.parse(given, "complete")
    uri = str(find_model(arguments.model, arguments.root).place)
    generator = load(uri)
    generator.encode(arguments.prompt)
    if unknown := generator.vocabulary.unknown_in(arguments.prompt):
        names = ", ".join(map(repr, unknown))
        log.warning(f"the model does not know {names} and reads {generator.vocabulary.replacement!r} instead")
    if arguments.json:
        print_json({"model": uri, **_written(generator, arguments.prompt, config)})
        return 0
    log.info(f"{shortest(uri)}: {generator.description}")
    for number in range(config.n):
        if config.n > 1:
            write(f"--- {number + 1} of {config.n}", colour="soft")
            write("\n")
        _stream(generator, arguments.prompt, config, number)
    return 0


def _stream(generator: "TextGenerator", prompt: str, config: "CompleteConfig", number: int) -> None:
    """Write one text to standard output token by token; always end its line."""
    write(prompt, colour="soft")
    try:
        for token in generator.stream(prompt, config, number):
            write(token.text)
    finally:
        write("\n")


def _written(generator: "TextGenerator", prompt: str, config: "CompleteConfig") -> dict[str, Any]:
    texts: list[dict[str, Any]] = []
    for number in range(config.n):
        tokens = list(generator.stream(prompt, config, number))
        nats = sum(token.nats for token in tokens) / len(tokens)
        row = {"text": "".join(token.text for token in tokens), "nats_per_token": round(nats, 6)}
        if generator.vocabulary.has_end:
            row["ended"] = "length" if tokens[-1].text else "end"
        texts.append(row)
    return {"prompt": prompt, "settings": config.model_dump(mode="json"), "texts": texts}
