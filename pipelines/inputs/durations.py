"""Times as people write them on a command line."""

import re
from datetime import timedelta

from components.artifacts.errors import UsageError

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str, flag: str) -> timedelta:
    """A time such as `26h`, given with `flag`.

    Raises:
        UsageError: it is none.
    """
    match = re.fullmatch(r"(\d{1,4})([mhd])", text)
    if not match or not int(match[1]):
        raise UsageError(f"{flag} {text}: write a number with m, h or d, such as 26h")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
