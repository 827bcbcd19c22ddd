"""The mirror: a local folder that has the newest models' logs, a folder a model, for TensorBoard to read."""

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
_PARTIAL = ".partial"  # TensorBoard reads what has "tfevents" in its name


def mirror(config: TensorboardConfig, *, roots: Sequence[str], directory: Path) -> NoReturn:
    """Keep `directory` as the logs below the roots are, until a signal stops it.

    Raises:
        SystemExit: 143, on SIGTERM.
        UsageError: a root is no store's URI, or the directory holds files that are no mirror's.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the first process of a container has no default
    claim(directory)
    told = ""
    while True:
        try:
            state = refresh(roots, directory, config.megabytes * 1_000_000)
        except StorageError as error:
            told = ""
            log.warning(f"{error}; next look in {config.every:g} s")
        else:
            if state != told:
                log.info(state)
            told = state
        time.sleep(config.every)


def claim(directory: Path) -> None:
    """Make the directory a mirror: what is in one and in no bucket is removed, so it must be nobody else's.

    Raises:
        UsageError: it holds other files.
    """
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory}: is a file; the logs need a directory")
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()) and not (directory / MARK).exists():
        raise UsageError(f"{directory}: holds files that are no mirror of logs; choose another place or empty it")
    (directory / MARK).touch()


def refresh(roots: Sequence[str], directory: Path, most_bytes: int) -> str:
    """Make `directory` hold what the roots hold, the newest first; what is there already is not fetched again.

    Args:
        roots: URIs below which models lie, at any depth.
        directory: the mirror, which `claim` has made one.
        most_bytes: size of all logs together; a model whose logs would go over it is left out.

    Returns:
        What there is now, as a line for people.

    Raises:
        StorageError: a store fails for good; what was fetched until then stays.
    """
    found = {logs.name: logs for root in roots for logs in logs_below(root)}
    kept = _fitting([found[name] for name in sorted(found, reverse=True)], most_bytes)  # a name begins with its time
    _remove_all_but({MARK, *(f"{logs.name}/{file}" for logs in kept for file in logs.files)}, directory)
    for logs in kept:
        _fetch(logs, directory)
    left_out = len(found) - len(kept)
    more = f"; {left_out} more would go over --megabytes" if left_out else ""
    return f"models shown: {len(kept)}, {log.size(sum(logs.bytes for logs in kept))} of logs{more}"


def _fitting(found: Sequence[Logs], most_bytes: int) -> list[Logs]:
    kept, total = [], 0
    for logs in found:
        if total + logs.bytes <= most_bytes:
            kept.append(logs)
            total += logs.bytes
    return kept


def _remove_all_but(wanted: set[str], directory: Path) -> None:
    """Remove event files, and beginnings of them, that are not wanted; what others put there stays."""
    for path in sorted(directory.rglob("*"), reverse=True):  # what is in a directory comes before it
        name = path.relative_to(directory).as_posix()
        if not is_name(name.partition("/")[0]):
            continue
        if path.is_dir():
            with suppress(OSError):  # there is something in it
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
