"""The prompts that texts are written after: given ones, random windows of the training text, or none in documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from components.artifacts import storage
from components.artifacts.errors import SourceError, UsageError
from components.artifacts.plaintext import decoded
from components.artifacts.scratch import scratch_directory
from components.artifacts.vocabulary import Vocabulary
from components.command import log
from components.generator.model import Model
from components.sample.config import SampleConfig

MAXIMUM_PROMPTS_BYTES = 1 << 30
REPLACED_SHOWN = 5
_PROMPT_CHOICE = 1 << 63  # separates the random choice of prompts from the texts' random numbers


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt, and the ids that are read: int64 [tokens]. In documents the end of another one comes first.

    `begun` is the end of the prompt if a token may continue it: the first one that is written begins with it.
    """

    text: str
    ids: NDArray[np.int64]
    begun: str = ""

    @classmethod
    def of(cls, text: str, ids: NDArray[np.int64], vocabulary: Vocabulary, stop: Sequence[str]) -> "Prompt":
        """A prompt that a text continues; what would end the text is never its beginning."""
        begun = vocabulary.open_end(ids)
        if not begun or any(string in begun for string in stop):
            return cls(text=text, ids=ids)
        return cls(text=text, ids=ids[:-1], begun=begun)


def are_given(config: SampleConfig) -> bool:
    """Whether the settings name prompts."""
    return bool(config.prompts or config.prompts_file)


def prompts_of(config: SampleConfig, model: Model) -> list[Prompt]:
    """The prompts to continue: the given ones, or else `count` random windows, or the beginning of a document."""
    beginning = np.full(int(model.vocabulary.has_end), model.vocabulary.end_id)
    if not are_given(config) and model.vocabulary.has_end:
        if config.prompt_length:
            raise UsageError(
                "sample.prompt_length has an effect only with random windows as prompts, and this model begins "
                "documents; leave it at 0"
            )
        return [Prompt(text="", ids=beginning)]
    if not are_given(config):
        return _random_windows(config, model)
    texts = [*config.prompts, *(_lines(config.prompts_file) if config.prompts_file else [])]
    if not texts:
        raise SourceError(f"{storage.redacted(config.prompts_file)}: contains no prompt, only empty lines")
    encode = partial(model.vocabulary.encode_prompt, replace_unknown=config.replace_unknown)
    ids = (np.concatenate([beginning, encode(text)]) for text in texts)
    stop = list(map(model.vocabulary.prepared, config.stop))
    return [Prompt.of(text, each, model.vocabulary, stop) for text, each in zip(texts, ids, strict=True)]


def replaced_in(prompts: list[Prompt], model: Model) -> str:
    """A warning about prompts in which tokens unknown to the model were replaced; empty if none were."""
    unknown = [model.vocabulary.unknown_in(prompt.text) for prompt in prompts]
    names = list(dict.fromkeys(token for tokens in unknown for token in tokens))
    if not names:
        return ""
    shown = ", ".join(map(repr, names[:REPLACED_SHOWN])) + (", ..." if len(names) > REPLACED_SHOWN else "")
    put_in = (
        f"{sum(map(bool, unknown)):,} of {len(prompts):,} prompts have tokens that the model does not know ({shown}); "
    )
    put_in += f"it reads {model.vocabulary.replacement!r} instead"
    log.warning(put_in)
    return put_in


def _random_windows(config: SampleConfig, model: Model) -> list[Prompt]:
    """Random windows; the n-th depends on (seed, n) alone."""
    if config.prompt_length > model.window:
        raise UsageError(
            f"sample.prompt_length {config.prompt_length}: a random window has {model.window} tokens; set it to at "
            "most that, or give prompts"
        )
    prompts = []
    for number in range(config.count):
        key = np.array([config.seed, _PROMPT_CHOICE + number], np.uint64)
        window = model.prompts[int(np.random.Philox(key=key).random_raw() % len(model.prompts))]
        ids = model.vocabulary.encode(window)
        ids = ids[-config.prompt_length :] if config.prompt_length else ids
        prompts.append(Prompt(text=model.vocabulary.decode(ids), ids=ids))
    return prompts


def _lines(uri: str) -> list[str]:
    """The lines of a prompts file that are not empty."""
    with (
        scratch_directory() as scratch,
        storage.source_file(uri, scratch, maximum_bytes=MAXIMUM_PROMPTS_BYTES) as path,
    ):
        return [line for line in decoded(path.read_bytes(), storage.redacted(uri)).split("\n") if line]
