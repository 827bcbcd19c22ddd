"""The mirror: a local folder with the newest models' logs, a folder per model, for TensorBoard to read."""

import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from components.artifacts.errors import UsageError
from components.artifacts.storage import StorageError
from components.command import log
from components.tensorboard.config import TensorboardConfig
from components.tensorboard.logs import Logs, is_name, logs_below

MARK = ".quillflow-mirror"
_PARTIAL = ".partial"  # TensorBoard reads files with "tfevents" in their names


def mirror(config: TensorboardConfig, *, roots: Sequence[str], directory: Path) -> NoReturn:
    """Keep `directory` in step with the logs below the roots until a signal stops it.

    Raises:
        SystemExit: 143, on SIGTERM.
        UsageError: a root is not a store's URI, or the directory holds files that are not a mirror's.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the first process of a container has no default handler
    claim(directory)
    reported = ""
    while True:
        try:
            state = refresh(roots, directory, config.megabytes * 1_000_000)
        except StorageError as error:
            reported = ""
            log.warning(f"{error}; trying again in {config.every:g} s")
        else:
            if state != reported:
                log.info(state)
            reported = state
        time.sleep(config.every)


def claim(directory: Path) -> None:
    """Make the directory a mirror: files in it that are in no bucket are removed, so it must hold nothing else.

    Raises:
        UsageError: it holds other files.
    """
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory}: is a file; the logs need a directory")
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()) and not (directory / MARK).exists():
        raise UsageError(f"{directory}: holds files that are not a mirror of logs; choose another place or empty it")
    (directory / MARK).touch()


def refresh(roots: Sequence[str], directory: Path, most_bytes: int) -> str:
    """Fetch the logs below the roots into `directory`, the newest first; files that are there are not fetched again.

    Args:
        roots: URIs below which models are, at any depth.
        directory: the mirror, made by `claim`.
        most_bytes: the size of all logs together; a model whose logs would exceed it is left out.

    Returns:
        The mirror's content, as a line for people.

    Raises:
        StorageError: a store fails after all retries; what was fetched before stays.
    """
    found = {logs.name: logs for root in roots for logs in logs_below(root)}
    kept = _fitting([found[name] for name in sorted(found, reverse=True)], most_bytes)  # a name begins with its time
    _remove_all_but({MARK, *(f"{logs.name}/{file}" for logs in kept for file in logs.files)}, directory)
    for logs in kept:
        _fetch(logs, directory)
    left_out = len(found) - len(kept)
    more = f"; {left_out} more would exceed --megabytes" if left_out else ""
    return f"models shown: {len(kept)}, {log.size(sum(logs.bytes for logs in kept))} of logs{more}"


def _fitting(found: Sequence[Logs], most_bytes: int) -> list[Logs]:
    kept, total = [], 0
    for logs in found:
        if total + logs.bytes <= most_bytes:
            kept.append(logs)
            total += logs.bytes
    return kept


def _remove_all_but(wanted: set[str], directory: Path) -> None:
    """Remove event files, also incomplete ones, that are not wanted; files of others stay."""
    for path in sorted(directory.rglob("*"), reverse=True):  # the content of a directory comes before it
        name = path.relative_to(directory).as_posix()
        if not is_name(name.partition("/")[0]):
            continue
        if path.is_dir():
            with suppress(OSError):  # it is not empty
                path.rmdir()
        elif name not in wanted and (path.name == _PARTIAL or "tfevents" in path.name):
            path.unlink()


def _fetch(logs: Logs, directory: Path) -> None:
    for name, listed in logs.files.items():
        target = directory / logs.name / name
        if target.is_file() and target.stat().st_size == listed.size:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(_PARTIAL)
        with suppress(FileNotFoundError):  # removed since it was listed
            logs.root.store.download(listed.key, partial)
            partial.replace(target)
