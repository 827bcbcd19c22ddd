"""Gathers shards of samples into what one process would have written."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import Manifest, read_manifest, write_manifest
from components.artifacts.typed import WrittenText
from components.command import log
from components.sample.report import write_report
from components.sample.texts import Totals, how_ended, read_texts, texts_shown, write_texts


def gather(shards: Sequence[str], *, samples: str) -> dict[str, Any]:
    """Write the samples artifact at a URI from the URIs of all its shards, in any order.

    Returns:
        The samples' URI and counts, and their mean nats per token by temperature.

    Raises:
        ArtifactError: a shard is missing, damaged, given twice, or made from another model or with other settings.
    """
    storage.check_outputs({"samples": samples}, {f"shard {number}": uri for number, uri in enumerate(shards)})
    with ExitStack() as stack:
        directory = stack.enter_context(storage.outgoing(samples, "samples", log.transferred))
        directories = [stack.enter_context(storage.incoming(uri, "samples", log.transferred)) for uri in shards]
        manifests = [read_manifest(directory) for directory in directories]
        _check(manifests)
        config = {**manifests[0].config, "shard": 0, "shards": 1}
        made_from = manifests[0].made_from
        counts = {name: sum(one.counts[name] for one in manifests) for name in manifests[0].counts}
        ordered = sorted(zip(manifests, directories, strict=True), key=lambda pair: pair[0].config["shard"])
        totals, shown = Totals(), texts_shown(config["length"], len(config["temperatures"]))
        rows = totals.counting(_rows([path for _, path in ordered]))
        first = write_texts(directory, rows, counts["texts"], shown)
        written_by = f"Model {made_from['model'][:16]}; seed {config['seed']}; gathered from {len(shards)} shards"
        written_by += how_ended(counts)
        write_report(directory / "report.html", first, counts["texts"], written_by=written_by, means=totals.means)
        write_manifest(directory, kind="samples", stage="sample", config=config, counts=counts, made_from=made_from)
    log.info(f"{counts['texts']:,} texts gathered from {len(shards)} shards")
    return {"samples": samples, "counts": counts, "nats_per_token": totals.by_temperature()}


def _rows(directories: Sequence[Path]) -> Iterator[tuple[WrittenText, list[tuple[str, float]]]]:
    """The texts, each shaded as a whole: only its shard knows the nats of its tokens."""
    for directory in directories:
        for row in read_texts(directory):
            yield row, [(row["text"], row["nats_per_token"])]


def _check(manifests: Sequence[Manifest]) -> None:
    """Check that the shards belong together."""
    first = manifests[0]
    for one in manifests:
        if (one.made_from, {**one.config, "shard": 0}) != (first.made_from, {**first.config, "shard": 0}):
            raise ArtifactError(
                f"shards {first.config['shard']} and {one.config['shard']} were made from another model or with other "
                "settings; sample all shards again"
            )
    there, wanted = sorted(one.config["shard"] for one in manifests), list(range(first.config["shards"]))
    if there != wanted:
        raise ArtifactError(f"the samples' shards are {wanted}, but {there} were given; sample all shards again")
