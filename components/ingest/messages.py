"""Messages from CSV: which rows count, in order, and the names of users held against those there are."""

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from components.artifacts.errors import SourceError
from components.command.settings import shown
from components.ingest.config import IngestConfig
from components.ingest.rows import rows

LOOKED_AT = 5_000
"""Among so many of the most active users a mistyped one is looked for."""
LISTED = 10


def messages(
    pieces: Iterable[str],
    name: str,
    config: IngestConfig,
    users: Counter[str] | None = None,
    *,
    by_tabs: bool = False,
) -> Iterator[str]:
    """The kept messages of a CSV text in order; empty messages are left out.

    Args:
        pieces: the decoded text.
        name: the source's name, for errors.
        config: which columns and users.
        users: where given, every user's messages are counted here, kept or not.
        by_tabs: whether a tab separates the columns where nothing else is said.

    Raises:
        SourceError: the header lacks a column, or a row is malformed.
    """
    columns = [config.text_column, *filter(None, [config.user_column])]
    keep, drop = frozenset(config.keep_users), frozenset(config.drop_users)
    for text, *user in rows(pieces, name, config, columns, by_tabs=by_tabs):
        if user:
            if users is not None:
                users[user[0]] += 1
            if (keep and user[0] not in keep) or user[0] in drop:
                continue
        if text.strip():
            yield text


def hold_users_against(users: Counter[str], config: IngestConfig, name: str) -> None:
    """Refuse names in keep_users and drop_users that no message has.

    Raises:
        SourceError: there are such names; it says which are near.
    """
    missing = [user for user in dict.fromkeys([*config.keep_users, *config.drop_users]) if user not in users]
    if missing:
        told = [f"{user!r} ({_near(user, users)})" for user in missing[:LISTED]]
        raise SourceError(f"{name}: no message is by {', '.join(told)}; correct ingest.keep_users and drop_users")


def _near(name: str, users: Counter[str]) -> str:
    """A hint at the user who may be meant: the one who is the same to the eye, else one spelled much alike."""
    alike = next((user for user in users if _folded(user) == _folded(name)), None)
    active = [user for user, _ in users.most_common(LOOKED_AT)]
    close = [alike] if alike is not None else difflib.get_close_matches(name, active, n=1, cutoff=0.6)
    if close:
        return f"did you mean {shown(close[0])}?"
    return f"the most active are {', '.join(map(shown, active[:LISTED]))}" if active else "there are none"


def _folded(name: str) -> str:
    """A name without what the eye passes over: case, forms of one character, blanks around, marks that don't show."""
    seen = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", seen).strip().casefold()
