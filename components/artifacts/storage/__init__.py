"""Where artifacts are kept: the only part of the suite that knows URI schemes.

A stage reads an artifact through `incoming` and writes one through `outgoing`; between them it sees
local directories only. What `outgoing` publishes appears under its final name complete or not at all.

`store.py` says what a store can do, `local.py`, `gcs.py` and `s3.py` do it, `buckets.py` is the table of the kinds of
buckets, `uris.py` takes URIs apart, `place.py` finds the store that one means, `fetch.py` and `transfer.py` move whole
artifacts, `steady.py` reads one that may be replaced meanwhile, `outputs.py` says what may be gone over, `removal.py`
removes what was written, `source.py` is a place of a text, `sources.py` several, `versions.py` checks whether they
changed, and `secrets.py` keeps what is secret in their URIs out of sight. `contact.py` reports whether a bucket can be
reached.
"""

from components.artifacts.storage.fetch import pull, refuse_others
from components.artifacts.storage.listing import glob_base
from components.artifacts.storage.local import taking_turns
from components.artifacts.storage.names import staged_artifact
from components.artifacts.storage.outputs import check_outputs, check_replaceable
from components.artifacts.storage.place import Place, parts_of, place_of
from components.artifacts.storage.removal import remove, remove_artifact, unfinished
from components.artifacts.storage.secrets import SECRETS_VARIABLE, bare, known_secrets, whole
from components.artifacts.storage.source import STANDARD_INPUT, Source, source_at, spool
from components.artifacts.storage.sources import files_of, places_of, redacted_source, source_file
from components.artifacts.storage.store import (
    ABSENT,
    ANY,
    ConflictError,
    Listed,
    NoConditionsError,
    StorageError,
    Store,
)
from components.artifacts.storage.transfer import (
    children,
    entries,
    incoming,
    outgoing,
    push,
    read_file,
    write_file,
)
from components.artifacts.storage.uris import (
    has_secrets,
    is_web,
    local_path,
    redacted,
    user_path,
    without_secrets,
)
from components.artifacts.storage.versions import (
    check_unchanged,
    digest_of_files,
    digest_of_source,
    is_comparable,
    refuse_changed,
    source_digest,
    unknown_digest,
)

__all__ = [
    "ABSENT",
    "ANY",
    "SECRETS_VARIABLE",
    "STANDARD_INPUT",
    "ConflictError",
    "Listed",
    "NoConditionsError",
    "Place",
    "Source",
    "StorageError",
    "Store",
    "bare",
    "check_outputs",
    "check_replaceable",
    "check_unchanged",
    "children",
    "digest_of_files",
    "digest_of_source",
    "entries",
    "files_of",
    "glob_base",
    "has_secrets",
    "incoming",
    "is_comparable",
    "is_web",
    "known_secrets",
    "local_path",
    "outgoing",
    "parts_of",
    "place_of",
    "places_of",
    "pull",
    "push",
    "read_file",
    "redacted",
    "redacted_source",
    "refuse_changed",
    "refuse_others",
    "remove",
    "remove_artifact",
    "source_at",
    "source_digest",
    "source_file",
    "spool",
    "staged_artifact",
    "taking_turns",
    "unfinished",
    "unknown_digest",
    "user_path",
    "whole",
    "without_secrets",
    "write_file",
]
