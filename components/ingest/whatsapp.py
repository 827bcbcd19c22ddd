"""Messages from WhatsApp's export of a chat, whichever phone and language it is from.

A message begins with a date and a time, between brackets or before a dash, in the phone's own order and form; no date
is interpreted, so none can be misread. WhatsApp writes U+200E before words of its own.
"""

import re
from collections.abc import Iterator

from components.artifacts.errors import SourceError
from components.ingest.text import Decoder, lines

LONGEST_MESSAGE = 1 << 24
"""The most characters of a message."""
_MARK = "[\u200e\u200f]*"
_DATE = rf"\d{{1,4}}{_MARK}[./\-년年]{_MARK}\s?\d{{1,2}}{_MARK}[./\-월月]{_MARK}\s?\d{{1,4}}[.일日]?"
_TIME = r"\d{1,2}[:.h]\d{2}(?:[:.]\d{2})?"
_WORD = r"[^\d\[\]:\-\n]"  # of such as "p. m.", "klo" or a comma
_WHEN = rf"(?:{_DATE}{_WORD}{{1,16}}?{_TIME}|{_TIME}{_WORD}{{1,16}}?{_DATE}){_WORD}{{0,16}}?"
_STYLES = [
    re.compile(rf"{_MARK}{begin}{_WHEN}{end}(?P<rest>.*)")
    for begin, end in ((r"\[", r"\]\s?"), ("", r"\s-\s"), ("", r",\s"), ("", r":\s"))
]
"""How messages begin: on an iPhone, on Android, on Android in Korean, on an old iPhone."""
EXPORTED = re.compile(r"(^|/)([^/]*whatsapp[^/]*\.txt|_chat\.txt)$", re.IGNORECASE)
"""The names of exports, alone or in an archive with photos."""
_QUOTES = '"“”„«»'
_HIDDEN = dict.fromkeys([0x200E, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Marks of direction around numbers and names. U+200F stays, which people write, and so do those that join emoji."""
_ATTACHED = (
    "file attached|Datei angehängt|archivo adjunto|fichier joint|arquivo anexado|file allegato|bestand bijgevoegd|"
    "файл добавлен|file terlampir"
)
_OWN = re.compile(
    # A line of WhatsApp's own; the name of an attached file.
    "^\u200e.*$|\\s?\u200e<[^<>\n]*>"
    rf"|\A(?:[A-Z]{{3}}-\d{{8}}-WA\d+\.\w+ \([^()\n]+\)|[^\n]+\.\w{{2,5}} \((?:{_ATTACHED})\))$"
    # In place of a photo: two words, or one of a script without spaces.
    r"|\A<(?=[^<>\n]*(?: |[^\x00-\x7f]))[^<>=/\"\n]+>$"
    # After a message that was edited.
    r"|\s?<[^<>\n]{0,40}(?:edit|bearbeitet|modifi|bewerkt|измен|düzenlen|redig|muokat|edytow|编辑|編輯|編集|수정)"
    r"[^<>\n]{0,40}>\s?\Z",
    re.MULTILINE | re.IGNORECASE,
)
_IN_PLACE = frozenset({
    "this message was deleted", "you deleted this message", "waiting for this message. this may take a while",
    "missed voice call", "missed video call", "missed group voice call", "missed group video call",
    "diese nachricht wurde gelöscht", "du hast diese nachricht gelöscht",
    "se eliminó este mensaje", "eliminaste este mensaje",
    "ce message a été supprimé", "vous avez supprimé ce message",
    "questo messaggio è stato eliminato", "hai eliminato questo messaggio",
    "mensagem apagada", "esta mensagem foi apagada", "você apagou esta mensagem",
    "dit bericht is verwijderd", "u hebt dit bericht verwijderd",
    "сообщение удалено", "данное сообщение удалено", "вы удалили данное сообщение",
})  # fmt: skip
"""What replaces a message where no U+200E says that it is WhatsApp's, in lowercase, without a full stop."""


def is_whatsapp(name: str, head: str) -> bool:
    """Whether a file is WhatsApp's export, by its name and how it begins."""
    return bool(EXPORTED.search(name)) and _style(head.lstrip().partition("\n")[0]) is not None


def looks_like_whatsapp(head: str) -> bool:
    """Whether a text begins as WhatsApp's exports on today's phones do, and few others."""
    style = _style(head.lstrip().partition("\n")[0])
    return style in _STYLES[:2] and len([line for line in head.split("\n") if style and style.match(line)]) > 1


def records(text: Decoder, _name: str) -> Iterator[list[str]]:
    """The text and user of each message, without WhatsApp's own; what it alone says is left out.

    Raises:
        SourceError: the text does not begin with a message, or a message is too long.
    """
    style, user, length, begins = None, "", 0, 1
    said: list[str] = []
    for number, whole in enumerate(lines(text, LONGEST_MESSAGE), start=1):
        line = whole.removesuffix("\n")
        style = style or _style(line)
        if match := style and style.match(line):
            yield from _message(user, said)
            user, first = _user_and_text(match["rest"])
            said, length, begins = [first], 0, number
        elif style:
            said.append(line)
        elif line.strip():
            raise SourceError(
                f"{text.name}: line {number:,} does not begin a message of a WhatsApp export: {line[:40]!r}; for plain "
                "text set ingest.format=text"
            )
        if (length := length + len(line)) > LONGEST_MESSAGE:
            raise SourceError(
                f"{text.name}: line {begins:,} begins a message of more than {LONGEST_MESSAGE:,} characters; is it a "
                "WhatsApp export?"
            )
    yield from _message(user, said)


def _style(line: str) -> re.Pattern[str] | None:
    """How messages begin in an export, by its first line; None if it is none."""
    return next((style for style in _STYLES if style.match(line)), None)


def _user_and_text(rest: str) -> tuple[str, str]:
    """The user, empty where WhatsApp speaks itself, and the first line of the message."""
    user, colon, text = rest.partition(": ")
    if not colon:
        user, colon, text = rest[:-1], rest[-1:], ""
    # A colon inside quotation marks is part of a group's name.
    if colon[:1] != ":" or sum(map(user.count, _QUOTES)) % 2:
        return "", ""
    return " ".join(user.translate(_HIDDEN).split()), text


def _message(user: str, said: list[str]) -> Iterator[list[str]]:
    """A message as a record, if there is one."""
    text = _OWN.sub("", "\n".join(said)).translate(_HIDDEN).strip() if user else ""
    if text and text.rstrip(".").lower() not in _IN_PLACE:
        yield [text, user]
