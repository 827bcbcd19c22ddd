"""Messages from any format: the ones to keep, in order, and a check of the users named in the settings."""

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from components.artifacts.errors import SourceError
from components.command.settings import shown
from components.ingest.config import IngestConfig

LOOKED_AT = 5_000
"""How many of the most active users are compared with a mistyped one."""
LISTED = 10


def messages(
    records: Iterable[Sequence[str]], config: IngestConfig, users: Counter[str] | None = None
) -> Iterator[str]:
    """The kept messages in order; empty ones are left out.

    Args:
        records: each message's text and, if known, its user.
        config: which users.
        users: if given, every user's messages are counted here, kept or not.
    """
    keep, drop = frozenset(config.keep_users), frozenset(config.drop_users)
    for text, *user in records:
        if user:
            if users is not None:
                users[user[0]] += 1
            if (keep and user[0] not in keep) or user[0] in drop:
                continue
        if text.strip():
            yield text


def hold_users_against(users: Counter[str], config: IngestConfig, name: str) -> None:
    """Reject names in keep_users and drop_users that are in no message.

    Raises:
        SourceError: there are such names; the error suggests the nearest.
    """
    missing = [user for user in dict.fromkeys([*config.keep_users, *config.drop_users]) if user not in users]
    if missing:
        reported = [f"{user!r} ({_near(user, users)})" for user in missing[:LISTED]]
        raise SourceError(f"{name}: no message is by {', '.join(reported)}; correct ingest.keep_users and drop_users")


def _near(name: str, users: Counter[str]) -> str:
    """A hint at the intended user: one that looks the same, or else one with a similar spelling."""
    alike = next((user for user in users if _folded(user) == _folded(name)), None)
    active = [user for user, _ in users.most_common(LOOKED_AT)]
    close = [alike] if alike is not None else difflib.get_close_matches(name, active, n=1, cutoff=0.6)
    if close:
        return f"did you mean {shown(close[0])}?"
    return f"the most active are {', '.join(map(shown, active[:LISTED]))}" if active else "there are none"


def _folded(name: str) -> str:
    """A name without invisible differences: case, forms of a character, surrounding blanks, invisible marks."""
    seen = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", seen).strip().casefold()
