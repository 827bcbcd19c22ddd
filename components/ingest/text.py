"""From bytes to clean text, a chunk at a time: decoded, line ends as newline, NFC, lowercased when asked.

What comes out does not depend on how the bytes were cut into chunks.
"""

import codecs
import io
import unicodedata
from collections.abc import Iterable, Iterator

from components.artifacts.errors import SourceError
from components.artifacts.plaintext import wide_encoding
from components.ingest.config import IngestConfig

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
# A cut between two chunks of normalised text is looked for this far back before it is made anywhere.
_LONGEST_TAIL = 1 << 16
# How far a capital sigma is taken to look for letters, to learn whether it ends a word.
_SIGHT = 32


class Decoder:
    """Iterates over the decoded text of a source; `replaced` counts what was no text so far."""

    def __init__(self, chunks: Iterable[bytes], name: str, config: IngestConfig) -> None:
        self.replaced = 0
        self._chunks = chunks
        self._name = name
        self._config = config

    def __iter__(self) -> Iterator[str]:
        errors = "strict" if self._config.undecodable == "error" else f"quillflow-replace-{id(self)}"
        if errors != "strict":
            codecs.register_error(errors, self._replace)
        decoder = codecs.getincrementaldecoder(self._config.encoding)(errors)
        newlines = io.IncrementalNewlineDecoder(None, translate=True)
        self._offset = 0  # of the chunk at hand in the source, bytes
        bom = _BOM
        for chunk, last in _with_last(self._chunks):
            text = self._decode(decoder, chunk, last=last)
            text = self._without_nul(text, len(decoder.getstate()[0]), chunk)
            text = newlines.decode(text, final=last)
            if text:
                text, bom = text.removeprefix(bom), ""
            if text:
                yield text

    def _decode(self, decoder: codecs.IncrementalDecoder, chunk: bytes, *, last: bool) -> str:
        try:
            text = decoder.decode(chunk, last)
        except UnicodeDecodeError as error:
            # The decoder kept the end of the chunk before, so its input began that much earlier.
            offset = self._offset + len(chunk) - len(error.object) + error.start
            raise SourceError(
                f"{self._name}: not {self._config.encoding} at byte {offset:,} ({error.reason}){_looks(chunk)}; set "
                "ingest.encoding, or ingest.undecodable to replace"
            ) from None
        self._offset += len(chunk)
        return text

    def _without_nul(self, text: str, undecoded: int, chunk: bytes) -> str:
        count = text.count("\0")
        if count and self._config.undecodable == "error":
            after = len(text[text.index("\0") :].encode(self._config.encoding, "replace"))
            bom = len("".encode(self._config.encoding))  # encoding puts one before every text
            offset = self._offset - undecoded - (after - bom)
            raise SourceError(
                f"{self._name}: a NUL at byte {offset:,}, so this is no plain text{_looks(chunk)}; "
                "set ingest.encoding, or ingest.undecodable to replace"
            )
        self.replaced += count
        return text.replace("\0", REPLACEMENT) if count else text

    def _replace(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        self.replaced += 1
        return REPLACEMENT, error.end


def _looks(data: bytes) -> str:
    encoding = wide_encoding(data)
    return f"; it looks like {encoding}" if encoding else ""


def clean(text: str, *, lowercase: bool) -> str:
    """A whole text's NFC, lowercased first when asked."""
    return unicodedata.normalize("NFC", text.lower() if lowercase else text)


def cleaned(texts: Iterable[str], *, lowercase: bool) -> Iterator[str]:
    """As `clean`, of a text that comes in pieces: cuts are moved to where no character looks across."""
    tail = ""
    for text in texts:
        joined = tail + text
        cut = _safe_cut(joined)
        tail = joined[cut:]
        if cut:
            yield clean(joined[:cut], lowercase=lowercase)
    if tail:
        yield clean(tail, lowercase=lowercase)


def _safe_cut(text: str) -> int:
    """The last place to cut at: before white space; in a long text without any, before a base character."""
    earliest = max(len(text) - _LONGEST_TAIL, 0)
    for index in range(len(text) - 1, earliest, -1):
        if text[index].isspace():
            return index
    for index in range(len(text) - _SIGHT, earliest, -1) if earliest else ():
        if _starts_anew(text[index]) and _lowers_apart(text, index):
            return index
    return earliest


def _starts_anew(character: str) -> bool:
    """Whether no character before it can compose with it: no mark, and no Hangul vowel or final."""
    return not unicodedata.category(character).startswith("M") and not "\u1160" <= character <= "\u11ff"


def _lowers_apart(text: str, index: int) -> bool:
    """Whether what lies left and right of `index` lowers as it does joined: a capital sigma looks around."""
    left, right = text[max(index - _SIGHT, 0) : index], text[index : index + _SIGHT]
    return left.lower() + right.lower() == (left + right).lower()


def _with_last(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Every chunk with whether it is the last; an empty last one follows, to flush decoders."""
    for chunk in chunks:
        yield chunk, False
    yield b"", True
