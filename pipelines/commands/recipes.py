"""`quillflow recipes`: the named settings."""

import argparse
from typing import Any

from components.command.printing import write
from components.command.stage import add_common_flags, print_json
from pipelines.commands.output import print_result
from pipelines.inputs.settings import as_dict, as_yaml, recipe, recipe_names


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "List the recipes, or print one."
    command = commands.add_parser("recipes", help=text, description=text)
    command.add_argument("name", nargs="?", metavar="RECIPE", help="the recipe to print, as YAML")
    add_common_flags(command)
    command.set_defaults(run=_recipes)


def _recipes(arguments: argparse.Namespace) -> int:
    if arguments.name:
        chosen = recipe(arguments.name)
        if arguments.json:
            print_json({"name": chosen.name, **as_dict(chosen)})
        else:
            write(as_yaml(chosen))
        return 0
    found = {name: recipe(name).description for name in recipe_names()}
    return print_result(arguments, found, [f"{name:<16} {text}" for name, text in found.items()])
