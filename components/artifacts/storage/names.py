"""The names of temporary files and directories next to an artifact's own."""

import re

from components.artifacts.manifest import MANIFEST_NAME

WAITING_NAME = f".{MANIFEST_NAME}.partial"
"""The manifest while its files are being fetched."""
UNDERWAY_NAME = f".{MANIFEST_NAME}.underway"
"""A copy of the manifest in a bucket while its files are being written."""
REMOVAL_NAME = f".{MANIFEST_NAME}.removal.underway"
"""A copy of the manifest while its files are being removed."""
_STAGED = re.compile(r"\.(?P<artifact>.+)\.\d+-[0-9a-f]{8}\.(?:partial|old)")


def staged_artifact(name: str) -> str:
    """The name of the artifact whose temporary or former directory has this name; "" for none."""
    match = _STAGED.fullmatch(name)
    return match["artifact"] if match else ""
