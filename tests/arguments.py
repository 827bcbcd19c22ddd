"""Arguments of commands, changed for a test."""

from collections.abc import Sequence


def without(arguments: Sequence[str], setting: str) -> list[str]:
    """The arguments but for a --set of this setting, which may be given once."""
    return [argument for argument in arguments if not argument.startswith(f"--set={setting}=")]
