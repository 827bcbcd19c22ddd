"""The names of what is kept beside an artifact's own files while it is on its way."""

import re

from components.artifacts.manifest import MANIFEST_NAME

WAITING_NAME = f".{MANIFEST_NAME}.partial"
"""The manifest while the files that it lists are fetched."""
UNDERWAY_NAME = f".{MANIFEST_NAME}.underway"
"""A copy of the manifest, in a bucket, while the files that it lists are written."""
_STAGED = re.compile(r"\.(?P<artifact>.+)\.\d+-[0-9a-f]{8}\.(?:partial|old)")


def staged_artifact(name: str) -> str:
    """The name of the artifact that a directory of this name is a beginning or a former version of; "" for none."""
    match = _STAGED.fullmatch(name)
    return match["artifact"] if match else ""
