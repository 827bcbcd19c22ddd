"""Shards of samples put together, as one process would have written them."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import Manifest, read_manifest, write_manifest
from components.command import log
from components.sample.report import write_report
from components.sample.texts import read_texts, write_texts


def gather(shards: Sequence[str], *, samples: str) -> None:
    """Write the samples artifact at a URI from all its shards' URIs, in whatever order these come.

    Raises:
        ArtifactError: a shard is missing, damaged, there twice, or made from another model or with other settings.
    """
    with ExitStack() as stack:
        directories = [stack.enter_context(storage.incoming(uri, "samples", log.transferred)) for uri in shards]
        manifests = [read_manifest(directory) for directory in directories]
        _check(manifests)
        config = {**manifests[0].config, "shard": 0, "shards": 1}
        made_from = manifests[0].made_from
        counts = {name: sum(one.counts[name] for one in manifests) for name in manifests[0].counts}
        ordered = sorted(zip(manifests, directories, strict=True), key=lambda pair: pair[0].config["shard"])
        with storage.outgoing(samples, log.transferred) as directory:
            first = write_texts(directory, _rows([path for _, path in ordered]), counts["texts"])
            written_by = f"Model {made_from['model'][:16]}; seed {config['seed']}; gathered from {len(shards)} shards"
            write_report(directory / "report.html", first, counts["texts"], written_by=written_by)
            write_manifest(directory, kind="samples", stage="sample", config=config, counts=counts, made_from=made_from)
    log.info(f"{counts['texts']:,} texts gathered from {len(shards)} shards")


def _rows(directories: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for directory in directories:
        yield from read_texts(directory)


def _check(manifests: Sequence[Manifest]) -> None:
    """Hold the shards to one another."""
    first = manifests[0]
    for one in manifests:
        if (one.made_from, {**one.config, "shard": 0}) != (first.made_from, {**first.config, "shard": 0}):
            raise ArtifactError(
                f"shards {first.config['shard']} and {one.config['shard']} were made from another model or with other "
                "settings; sample all shards again"
            )
    there, wanted = sorted(one.config["shard"] for one in manifests), list(range(first.config["shards"]))
    if there != wanted:
        raise ArtifactError(f"the samples' shards are {wanted}, but {there} came; sample all shards again")
