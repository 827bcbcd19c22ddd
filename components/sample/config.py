"""The settings of sample."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from components.command.settings import NamedPlace, Only, Settings, setting
from components.generator.strategies import RULES, Strategy
from components.generator.temperature import Temperature


class SampleConfig(Strategy, Settings):
    """What to write, after which prompts, and by which strategy."""

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
            where="random windows as prompts, so without prompts and prompts_file",
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
        "temperatures; every text is written at each; 0 is greedy: always the likeliest token",
        min_length=1,
    )
    length: int = setting(
        400,
        "length of each text, without its prompt; the longest, if documents or strings in stop end texts",
        unit="tokens",
        ge=1,
    )
    stop: tuple[str, ...] = setting((), "strings that end a text: its last characters are the first one to be written")
    count: int = setting(4, "number of texts per temperature, and per prompt if prompts are given", unit="texts", ge=1)
    prompts: tuple[str, ...] = setting(
        (),
        "prompts to continue, with which documents begin if the model writes documents; without any, random windows of "
        "the training text are used, or the model begins documents itself",
    )
    prompts_file: str = setting(
        "",
        "a path or URI of a UTF-8 file with one prompt per line, used after those in prompts",
        place=NamedPlace(of="file", digest="prompts_digest"),
    )
    prompt_length: int = setting(
        0,
        "use only the last N tokens of a random window as the prompt; 0 uses the whole window",
        unit="tokens",
        ge=0,
    )
    replace_unknown: bool = setting(False, "replace what is in a prompt but not in the vocabulary by a space")
    seed: int = setting(1, "seed of the random numbers: the same seed gives the same texts", ge=0, lt=2**53)
    context: Literal["auto", "carry", "window"] = setting(
        "auto",
        "what a token is predicted from: all the text before it, the window before it, or as the model was trained",
    )
    no_copy: int = setting(
        0,
        "write no passage of the corpus longer than this, counted from the prompt's end; 0 allows copies",
        unit="characters",
        ge=0,
    )
    corpus: str = setting(
        "", "the URI of the corpus that no_copy must not copy", place=NamedPlace(of="artifact", digest="corpus_digest")
    )
    no_repeat: int = setting(
        0,
        "write no run of this many characters that the text or its prompt has already; 0 allows repeats",
        unit="characters",
        ge=0,
    )
    batch: int = setting(64, "number of texts written side by side; the texts do not depend on it", unit="texts", ge=1)
    shards: int = setting(1, "number of shards that the texts are divided into, one for each process", ge=1)
    shard: int = setting(0, "the shard to write, counted from 0; the texts are the same as without shards", ge=0)
    device: Literal["auto", "cpu", "gpu"] = setting("auto", "where to compute; auto uses a GPU if there is one")

    @model_validator(mode="after")
    def _values_make_sense(self) -> Self:
        if any(not prompt for prompt in self.prompts):
            raise ValueError("a prompt must not be empty")
        if any(not string for string in self.stop):
            raise ValueError("a string in stop must not be empty")
        if self.no_copy and not self.corpus:
            raise ValueError("no_copy needs corpus, the URI of the corpus that must not be copied")
        if self.shard >= self.shards:
            raise ValueError(f"shard {self.shard} is not one of {self.shards}, which are counted from 0")
        return self
