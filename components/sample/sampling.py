"""The work of sample: model in, samples out."""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import UsageError
from components.artifacts.manifest import MANIFEST_NAME, digest, write_manifest
from components.artifacts.tensorflow import one_thread_an_operation, use_device
from components.artifacts.typed import WrittenText
from components.artifacts.vocabulary import Vocabulary, code_points
from components.command import log
from components.command.settings import recorded
from components.generator.ending import Ending
from components.generator.model import Model
from components.generator.network import stepper_of
from components.generator.passages import Passages
from components.generator.refused import Copies, Refusal, Repeats
from components.generator.refusing import RefusingWriter
from components.generator.rows import Request, Text
from components.generator.writing import Writer
from components.sample.config import SampleConfig
from components.sample.prompts import Prompt, are_given, prompts_of, replaced_in
from components.sample.report import write_report
from components.sample.texts import Totals, how_ended, texts_shown, write_texts

_WAITING = 16  # batches handed over at once where texts may end early, so that a row that is done begins another


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
    prompts = prompts_of(config, generator)
    replaced = replaced_in(prompts, generator) if are_given(config) else ""
    for uri, named in digests.items():
        storage.check_unchanged(uri, named)
    ids = _ids_of_shard(config, len(prompts) * len(config.temperatures) * _repeats(config, generator))
    ending = _ending(config, generator.vocabulary)
    counts = {"texts": len(ids), "tokens": 0, **({"ended": 0} if ending.is_possible else {})}
    began = time.monotonic()
    totals = Totals()
    rows = totals.counting(
        _counting(_rows(config, generator, prompts, ids, _writer(config, generator, prompts, passages, ending)), counts)
    )
    first = write_texts(directory, rows, len(ids), texts_shown(config.length, len(config.temperatures)))
    speed = counts["tokens"] / (time.monotonic() - began)
    written_by = f"Model {model_digest[:16]}, {generator.description}; seed {config.seed}"
    written_by += f"; shard {config.shard} of {config.shards}" if config.shards > 1 else ""
    written_by += f"; {replaced}" if replaced else ""
    written_by += how_ended(counts)
    shown = [(row, _shaded(generator, text, row["text"])) for row, text in first]
    write_report(directory / "report.html", shown, len(ids), written_by=written_by, means=totals.means)
    write_manifest(
        directory,
        kind="samples",
        stage="sample",
        config=recorded(config),
        counts=counts,
        made_from=made_from,
    )
    size = f"{counts['tokens']:,} tokens in all" if ending.is_possible else f"{config.length:,} tokens"
    log.info(f"{len(ids):,} texts of {size}, {speed:,.0f} tokens/s{how_ended(counts)}")
    return {
        "counts": counts,
        "nats_per_token": totals.by_temperature(),
        "first": [row for row, _ in first[: len(config.temperatures)]],
    }


def _counting(rows: Iterator[_Row], counts: dict[str, int]) -> Iterator[_Row]:
    """Pass the rows on, counting their tokens, and those that ended before their full length."""
    for row, text in rows:
        counts["tokens"] += len(text.ids)
        if "ended" in counts:
            counts["ended"] += text.ended != "length"
        yield row, text


def _repeats(config: SampleConfig, model: Model) -> int:
    """How many texts a prompt has at each temperature."""
    return config.count if are_given(config) or model.vocabulary.has_end else 1


def _ids_of_shard(config: SampleConfig, total: int) -> range:
    """The ids of this shard's texts: shards are consecutive and as equal as possible."""
    return range(total * config.shard // config.shards, total * (config.shard + 1) // config.shards)


def _shaded(model: Model, text: Text, shown: str) -> list[tuple[str, float]]:
    """The parts of a text, each with its nats: a token, or the character that bytes make together.

    What is `shown` may lack the beginning of the first token, which is in the prompt.
    """
    parts, nats = [], 0.0
    for piece, more in zip(model.vocabulary.text_of_each(text.ids), text.nats.tolist(), strict=True):
        nats += more
        if piece:
            parts.append((piece, nats))
            nats = 0.0
    begun = sum(len(part) for part, _ in parts) - len(shown)
    return [(parts[0][0][begun:], parts[0][1]), *parts[1:]] if begun else parts


def _passages(config: SampleConfig) -> tuple[Passages, str]:
    """The passages of the corpus that must not be written, and the corpus's digest."""
    with storage.incoming(config.corpus, "corpus", log.transferred) as directory:
        text = (directory / "text.txt").read_bytes().decode()
        log.info(f"indexing the passages of {len(text):,} characters that must not be copied")
        return Passages([code_points(text)], config.no_copy + 1), digest(directory)


def _ending(config: SampleConfig, vocabulary: Vocabulary) -> Ending:
    """What ends a text before its full length.

    Raises:
        UsageError: a string to stop at can't be written: it is too long, or has characters that the model lacks.
    """
    stop = tuple(map(vocabulary.prepared, config.stop))
    for string in stop:
        if len(tokens := vocabulary.cut(string)) > config.length:
            raise UsageError(
                f"sample.stop: {string!r} has {len(tokens):,} {vocabulary.unit}, more than sample.length, "
                f"{config.length:,}, so it can't end a text; raise that"
            )
        if unknown := vocabulary.unknown_in(string) if vocabulary.kind != "words" else []:
            raise UsageError(
                f"sample.stop: {string!r} has {unknown[0]!r}, which the model never writes, so it can't end a text"
                f"{vocabulary.advice_on(unknown)}"
            )
    in_tokens = tuple("".join(vocabulary.cut(string)) for string in stop)
    return Ending(end=vocabulary.end_id, stop=in_tokens, tokens=vocabulary.tokens)


def _writer(
    config: SampleConfig, model: Model, prompts: Sequence[Prompt], passages: Passages | None, ending: Ending
) -> Writer:
    vocabulary = model.vocabulary
    options: dict[str, Any] = {
        "context": model.context if config.context == "auto" else config.context,
        "window": model.window,
        "strategy": config,
        "forbidden": [vocabulary.unknown_id] if vocabulary.has_unknown else [],
        "ending": ending,
    }
    stepper = stepper_of(model.architecture, model.network)
    refusals: list[Refusal] = [partial(Copies, passages)] if passages else []
    refusals += [partial(Repeats, config.no_repeat)] if config.no_repeat else []
    if not refusals and not any(prompt.begun for prompt in prompts):
        return Writer(stepper, **options)
    return RefusingWriter(stepper, refusals=refusals, vocabulary=vocabulary, **options)


def _rows(config: SampleConfig, model: Model, prompts: list[Prompt], ids: range, writer: Writer) -> Iterator[_Row]:
    """The texts of these ids in order, each as a row with everything that it depends on."""
    vocabulary = model.vocabulary
    wanted = enumerate(itertools.product(prompts, range(_repeats(config, model)), config.temperatures))
    size = config.batch * (_WAITING if writer.ending.is_possible else 1)
    done = 0
    for batch in _batches(itertools.islice(wanted, ids.start, ids.stop), size):
        requests = [
            Request(id=number, prompt=prompt.ids, temperature=temperature, begun=prompt.begun)
            for number, (prompt, _, temperature) in batch
        ]
        texts = writer.write(requests, length=config.length, seed=config.seed)
        for request, text, (_, (prompt, _, temperature)) in zip(requests, texts, batch, strict=True):
            row: WrittenText = {
                "id": request.id,
                "prompt": prompt.text,
                "temperature": temperature,
                "strategy": config.strategy_at(temperature),
                "seed": config.seed,
                "text": "".join(vocabulary.text_of_each(text.ids)).removeprefix(prompt.begun),
                "nats_per_token": round(text.nats_per_token, 6),
            }
            if writer.ending.is_possible:
                row["ended"] = text.ended
            yield row, text
        done += len(batch)
        log.progress(f"{done:,}/{len(ids):,} texts")


def _batches(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while batch := list(itertools.islice(items, size)):
        yield batch
