"""The work of sample: model in, samples out."""

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts import storage
from components.artifacts.errors import SourceError, UsageError
from components.artifacts.manifest import MANIFEST_NAME, digest, write_manifest
from components.artifacts.plaintext import decoded
from components.artifacts.scratch import scratch_directory
from components.artifacts.tensorflow import one_thread_an_operation, use_device
from components.artifacts.typed import WrittenText
from components.artifacts.vocabulary import code_points
from components.command import log
from components.command.settings import recorded
from components.generator.model import Model
from components.generator.network import stepper_of
from components.generator.passages import Passages
from components.generator.refused import Copies, Refusal, Repeats
from components.generator.refusing import RefusingWriter
from components.generator.rows import Request, Text
from components.generator.writing import Writer
from components.sample.config import SampleConfig
from components.sample.report import write_report
from components.sample.texts import Totals, texts_shown, write_texts

MAXIMUM_PROMPTS_BYTES = 1 << 30
REPLACED_SHOWN = 5
_PROMPT_CHOICE = 1 << 63  # separates the random choice of prompts from the texts' random numbers


@dataclass(frozen=True, kw_only=True)
class _Prompt:
    text: str
    ids: NDArray[np.int64]


_Row = tuple[WrittenText, Text]


def sample(
    config: SampleConfig, *, model: str, samples: str, prompts_digest: str = "", corpus_digest: str = ""
) -> dict[str, Any]:
    """Write texts with the model at a URI, and the samples artifact at a URI.

    The digests are those of the prompts file and of the corpus's manifest when the run began; empty ones are not
    checked.

    Returns:
        The samples' URI, their counts and the first texts.

    Raises:
        ArtifactError: the model, or the corpus where one is needed, is missing, damaged or foreign.
        SourceError: the prompts file can't be fetched, or what a digest names has changed.
        UsageError: a prompt is empty or outside the vocabulary, no_copy or no_repeat excludes every continuation of a
            text, or the samples' place overlaps an input.
    """
    inputs = {"--model": model, "sample.corpus": config.corpus, "sample.prompts_file": config.prompts_file}
    storage.check_outputs({"--samples": samples}, inputs)
    try:
        use_device(config.device)
    except RuntimeError as error:
        raise UsageError(f"sample.device: {error}") from None
    one_thread_an_operation()
    with storage.incoming(model, "model", log.transferred) as source:
        generator, model_digest = Model.read(source), digest(source)
    digests = {config.prompts_file: prompts_digest, f"{config.corpus.rstrip('/')}/{MANIFEST_NAME}": corpus_digest}
    with storage.outgoing(samples, "samples", log.transferred) as directory:
        return {"samples": samples, **_write(directory, config, generator, model_digest, digests)}


def _write(
    directory: Path, config: SampleConfig, generator: Model, model_digest: str, digests: Mapping[str, str]
) -> dict[str, Any]:
    """Write the artifact's files; return counts, mean nats per token at each temperature, and the first texts.

    `digests` are those of the other inputs, by URI.
    """
    made_from = {"model": model_digest}
    passages = None
    if config.no_copy:
        passages, made_from["corpus"] = _passages(config)
    prompts = _prompts(config, generator)
    replaced = _replaced(prompts, generator) if _are_given(config) else ""
    for uri, named in digests.items():
        storage.check_unchanged(uri, named)
    ids = _ids_of_shard(config, len(prompts) * len(config.temperatures) * _repeats(config))
    counts = {"texts": len(ids), "tokens": len(ids) * config.length}
    began = time.monotonic()
    totals = Totals()
    rows = totals.counting(_rows(config, generator, prompts, ids, passages))
    first = write_texts(directory, rows, len(ids), texts_shown(config.length, len(config.temperatures)))
    speed = counts["tokens"] / (time.monotonic() - began)
    written_by = f"Model {model_digest[:16]}, {generator.description}; seed {config.seed}"
    written_by += f"; shard {config.shard} of {config.shards}" if config.shards > 1 else ""
    written_by += f"; {replaced}" if replaced else ""
    shown = [(row, _tokens(generator, text)) for row, text in first]
    write_report(directory / "report.html", shown, len(ids), written_by=written_by, means=totals.means)
    write_manifest(
        directory,
        kind="samples",
        stage="sample",
        config=recorded(config),
        counts=counts,
        made_from=made_from,
    )
    log.info(f"{len(ids):,} texts of {config.length:,} tokens, {speed:,.0f} tokens/s")
    return {
        "counts": counts,
        "nats_per_token": totals.by_temperature(),
        "first": [row for row, _ in first[: len(config.temperatures)]],
    }


def _repeats(config: SampleConfig) -> int:
    """How many texts a prompt has at each temperature."""
    return config.count if _are_given(config) else 1


def _ids_of_shard(config: SampleConfig, total: int) -> range:
    """The ids of this shard's texts: shards are consecutive and as equal as possible."""
    return range(total * config.shard // config.shards, total * (config.shard + 1) // config.shards)


def _tokens(model: Model, text: Text) -> list[tuple[str, float]]:
    """A text's tokens, each with its nats."""
    tokens = model.vocabulary.tokens
    return [(tokens[index], nats) for index, nats in zip(text.ids.tolist(), text.nats.tolist(), strict=True)]


def _passages(config: SampleConfig) -> tuple[Passages, str]:
    """The passages of the corpus that must not be written, and the corpus's digest."""
    with storage.incoming(config.corpus, "corpus", log.transferred) as directory:
        text = (directory / "text.txt").read_bytes().decode()
        log.info(f"indexing the passages of {len(text):,} characters that must not be copied")
        return Passages([code_points(text)], config.no_copy + 1), digest(directory)


def _writer(config: SampleConfig, model: Model, passages: Passages | None) -> Writer:
    vocabulary = model.vocabulary
    options: dict[str, Any] = {
        "context": model.context if config.context == "auto" else config.context,
        "window": model.window,
        "strategy": config,
        "forbidden": [vocabulary.unknown_id] if vocabulary.has_unknown else [],
    }
    stepper = stepper_of(model.architecture, model.network)
    refusals: list[Refusal] = [partial(Copies, passages)] if passages else []
    refusals += [partial(Repeats, config.no_repeat)] if config.no_repeat else []
    if not refusals:
        return Writer(stepper, **options)
    return RefusingWriter(stepper, refusals=refusals, vocabulary=vocabulary, **options)


def _rows(
    config: SampleConfig, model: Model, prompts: list[_Prompt], ids: range, passages: Passages | None
) -> Iterator[_Row]:
    """The texts of these ids in order, each as a row with everything that it depends on."""
    vocabulary, writer = model.vocabulary, _writer(config, model, passages)
    wanted = enumerate(itertools.product(prompts, range(_repeats(config)), config.temperatures))
    done = 0
    for batch in _batches(itertools.islice(wanted, ids.start, ids.stop), config.batch):
        requests = [
            Request(id=number, prompt=prompt.ids, temperature=temperature) for number, (prompt, _, temperature) in batch
        ]
        texts = writer.write(requests, length=config.length, seed=config.seed)
        for request, text, (_, (prompt, _, temperature)) in zip(requests, texts, batch, strict=True):
            row: WrittenText = {
                "id": request.id,
                "prompt": prompt.text,
                "temperature": temperature,
                "strategy": config.strategy_at(temperature),
                "seed": config.seed,
                "text": vocabulary.decode(text.ids),
                "nats_per_token": round(text.nats_per_token, 6),
            }
            yield row, text
        done += len(batch)
        log.progress(f"{done:,}/{len(ids):,} texts")


def _batches(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while batch := list(itertools.islice(items, size)):
        yield batch


def _are_given(config: SampleConfig) -> bool:
    return bool(config.prompts or config.prompts_file)


def _prompts(config: SampleConfig, model: Model) -> list[_Prompt]:
    """The prompts to continue: the given ones, or else `count` random windows."""
    if not _are_given(config):
        return _random_windows(config, model)
    texts = [*config.prompts, *(_lines(config.prompts_file) if config.prompts_file else [])]
    if not texts:
        raise SourceError(f"{storage.redacted(config.prompts_file)}: contains no prompt, only empty lines")
    encode = model.vocabulary.encode_prompt
    return [_Prompt(text=text, ids=encode(text, replace_unknown=config.replace_unknown)) for text in texts]


def _replaced(prompts: list[_Prompt], model: Model) -> str:
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


def _random_windows(config: SampleConfig, model: Model) -> list[_Prompt]:
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
        prompts.append(_Prompt(text=model.vocabulary.decode(ids), ids=ids))
    return prompts


def _lines(uri: str) -> list[str]:
    """The lines of a prompts file that are not empty."""
    with (
        scratch_directory() as scratch,
        storage.source_file(uri, scratch, maximum_bytes=MAXIMUM_PROMPTS_BYTES) as path,
    ):
        return [line for line in decoded(path.read_bytes(), storage.redacted(uri)).split("\n") if line]
