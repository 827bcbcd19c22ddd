"""The user's home directory; a user without a name, as in OpenShift's containers, has none, or /."""

import os
import tempfile
from pathlib import Path


def home() -> Path:
    """The home directory or, if there is none, a directory of the user's own for temporary files."""
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and no entry in the list of users
        return Path(tempfile.gettempdir()) / f"quillflow-home-{os.getuid()}"


def cache_directory() -> Path:
    """The directory of this user's caches; it can be written to, but may not exist yet."""
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named)
    found = home()
    if found.exists() and not os.access(found, os.W_OK):
        found = Path(tempfile.gettempdir()) / f"quillflow-home-{os.getuid()}"
    return found / ".cache"
