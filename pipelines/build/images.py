"""The names of the stages' images, and the tag of those built from this checkout."""

import hashlib
import subprocess
from pathlib import Path

from components.artifacts.version import VERSION
from components.command.printing import write

_CHECKOUT = Path(__file__).parents[2]
_INPUTS = ("components", "images", "requirements", ".dockerignore")
"""The files that images are built from."""


def image(stage: str, *, registry: str = "", tag: str = VERSION, gpu: bool = False) -> str:
    """The image a stage runs in, such as registry.example/quillflow/train-gpu:0.1.0-3f2a91c."""
    name = f"quillflow/{stage}{'-gpu' if gpu else ''}:{tag}"
    return f"{registry}/{name}" if registry else name


def checkout_tag(checkout: Path = _CHECKOUT) -> str:
    """The tag of the images built from a checkout: version and commit, such as 0.1.0-3f2a91c.

    If the images' files differ from the commit, a digest of them follows, so that a tag is unambiguous. Without a
    checkout, as in an installed package, it is the version alone.
    """
    if not (checkout / ".git").exists():
        return VERSION
    tag = f"{VERSION}-{_git(checkout, 'rev-parse', 'HEAD')[:7]}"
    if not _git(checkout, "status", "--porcelain", "--", *_INPUTS):
        return tag
    digest = hashlib.sha256()
    for name in _git(checkout, "ls-files", "-coz", "--exclude-standard", "--", *_INPUTS).split("\0")[:-1]:
        path = checkout / name
        digest.update(f"{name}\n".encode() + (path.read_bytes() if path.is_file() else b""))
    return f"{tag}-{digest.hexdigest()[:8]}"


def _git(checkout: Path, *arguments: str) -> str:
    # The checkout may be another user's: its code is being executed, so it is trusted.
    command = ["git", "-C", str(checkout), "-c", f"safe.directory={checkout}", "--no-optional-locks", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 -- fixed


if __name__ == "__main__":
    write(f"{checkout_tag()}\n")
