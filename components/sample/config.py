"""What sample can be told."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from components.command.settings import NamedPlace, Only, Settings, setting
from components.generator.strategies import RULES, Strategy
from components.generator.temperature import Temperature


class SampleConfig(Strategy, Settings):
    """What is written, after which prompts, and by which strategy."""

    only: ClassVar[tuple[Only, ...]] = (
        Only(
            names=tuple(RULES),
            decided_by=("temperatures",),
            where="a temperature above 0 in temperatures",
            holds=lambda config: any(temperature > 0 for temperature in config.temperatures),
        ),
        Only(
            names=("prompt_length",),
            decided_by=("prompts", "prompts_file"),
            where="random windows for prompts, so without prompts and prompts_file",
            holds=lambda config: not (config.prompts or config.prompts_file),
        ),
        Only(
            names=("replace_unknown",),
            decided_by=("prompts", "prompts_file"),
            where="prompts or prompts_file",
            holds=lambda config: bool(config.prompts or config.prompts_file),
        ),
        Only(
            names=("corpus",),
            decided_by=("no_copy",),
            where="no_copy above 0",
            holds=lambda config: config.no_copy > 0,
        ),
    )

    temperatures: tuple[Temperature, ...] = setting(
        (0.5, 1.0),
        "temperatures, each of which writes every text; 0 is greedy: always the likeliest token",
        min_length=1,
    )
    length: int = setting(400, "length of each text, its prompt not counted", unit="tokens", ge=1)
    count: int = setting(
        4, "texts for each temperature, and for each prompt where prompts are given", unit="texts", ge=1
    )
    prompts: tuple[str, ...] = setting((), "prompts to continue; without any, random windows of the training text")
    prompts_file: str = setting(
        "",
        "a path or URI of a UTF-8 file with one prompt a line, after those in prompts",
        place=NamedPlace(of="file", digest="prompts_digest"),
    )
    prompt_length: int = setting(
        0,
        "how much of a random window is the prompt, from its end back; 0 for all of it",
        unit="tokens",
        ge=0,
    )
    replace_unknown: bool = setting(False, "put a space for what is in a prompt but not in the vocabulary")
    seed: int = setting(1, "seed of the choice of random windows and of every text's chance", ge=0, lt=2**53)
    context: Literal["auto", "carry", "window"] = setting(
        "auto",
        "what a token is chosen from: all the text before it, the window before it, or as the model was trained",
    )
    no_copy: int = setting(
        0,
        "write no passage longer than this that stands in the corpus, counted from the prompt's end; 0 lets it",
        unit="characters",
        ge=0,
    )
    corpus: str = setting(
        "", "the URI of the corpus that no_copy is about", place=NamedPlace(of="artifact", digest="corpus_digest")
    )
    batch: int = setting(64, "texts written side by side; what is written does not depend on it", unit="texts", ge=1)
    shards: int = setting(1, "how many processes share the work, each writing one shard of the texts", ge=1)
    shard: int = setting(0, "which of the shards this one writes, counted from 0; the texts are the same", ge=0)
    device: Literal["auto", "cpu", "gpu"] = setting("auto", "where to compute; auto is the GPU where there is one")

    @model_validator(mode="after")
    def _values_make_sense(self) -> Self:
        if any(not prompt for prompt in self.prompts):
            raise ValueError("a prompt must not be empty")
        if self.no_copy and not self.corpus:
            raise ValueError("no_copy needs corpus, the URI of the corpus that is not to be copied")
        if self.shard >= self.shards:
            raise ValueError(f"shard {self.shard} is not one of {self.shards}, which are counted from 0")
        return self
