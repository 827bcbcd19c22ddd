"""The user's home directory; a user without a name, such as OpenShift gives a container, has none, or one that is /."""

import os
import tempfile
from pathlib import Path


def home() -> Path:
    """The home directory, or what stands for it where there is none: a place of the user's own for temporary files."""
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and no entry in the list of users
        return Path(tempfile.gettempdir()) / f"quillflow-home-{os.getuid()}"


def cache_directory() -> Path:
    """Where this user's caches are kept; it can be written to, though it may not be there yet."""
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named)
    found = home()
    if found.exists() and not os.access(found, os.W_OK):
        found = Path(tempfile.gettempdir()) / f"quillflow-home-{os.getuid()}"
    return found / ".cache"
