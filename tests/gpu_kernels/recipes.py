"""What is traced: of each recipe the settings that a graph depends on."""

from typing import Any

from components.generator.strategies import RULES
from pipelines.inputs.settings import recipe, recipe_names, settings_of

CHARACTERS, WORDS = 96, 20_000
"""The size of a vocabulary where the recipe leaves it to the text; what counts is the width of an id."""


def settings_by_recipe() -> dict[str, dict[str, Any]]:
    """For each recipe its settings for training, its windows, and about how many tokens its vocabulary has."""
    found = {}
    for name in recipe_names():
        stages = {stage: settings.model_dump(mode="json") for stage, settings in settings_of(recipe(name), []).items()}
        cut = stages["vectorize"]
        vocabulary = CHARACTERS if cut["tokens"] == "characters" else cut["vocabulary_size"] or WORDS
        found[name] = {
            "train": stages["train"],
            "length": cut["length"],
            "step": cut["step"],
            "vocabulary": vocabulary,
            "sample": {key: stages["sample"][key] for key in RULES},
        }
    return found
