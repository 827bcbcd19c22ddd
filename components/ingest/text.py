"""From bytes to clean text, in chunks: decoded, with newlines as line ends, NFC, and lowercased if asked.

The result does not depend on how the bytes were cut into chunks.
"""

import codecs
import io
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator

from components.artifacts.errors import SourceError
from components.artifacts.plaintext import with_newlines
from components.ingest.config import IngestConfig
from components.ingest.kinds import encodings_by_mark, probable_encoding

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
MOST_REPLACED = 0.01
"""The largest share of characters that may be replaced; beyond it the text is in another encoding, or not text."""
_LONGEST_MARK = 4  # bytes, of UTF-32
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
# How far back a safe cut between two chunks of normalized text is looked for.
_LONGEST_TAIL = 1 << 16
# How far around a capital sigma letters are looked for, to know whether it ends a word.
_SIGHT = 32
# What an escape may stand for though no encoding has it: NUL and the halves of surrogate pairs.
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


class Decoder:
    """Iterates over the decoded text of the source `name`; `replaced` of its `characters` so far were not text.

    A byte order mark decides the encoding if none was set. At the end, `is_utf_8_too` says whether text read in another
    encoding is valid UTF-8 as well, so that the encoding is probably wrong.
    """

    def __init__(self, chunks: Iterable[bytes], name: str, config: IngestConfig) -> None:
        self.replaced = 0
        self.characters = 0
        self.is_utf_8_too = False
        self.name = name
        self.config = config
        self._chunks = chunks
        self._encoding = config.encoding

    def __iter__(self) -> Iterator[str]:
        errors = "strict" if self.config.undecodable == "error" else f"quillflow-replace-{id(self)}"
        if errors != "strict":
            codecs.register_error(errors, self._replace)
        chunks = _with_beginning(self._chunks)
        self._encoding = self._by_mark(beginning := next(chunks))
        decoder = codecs.getincrementaldecoder(self._encoding)(errors)
        newlines = io.IncrementalNewlineDecoder(None, translate=True)
        self._offset = 0  # the current chunk's, in the source, in bytes
        bom, doubt = _BOM, _Doubt(self._encoding)
        for chunk, last in _with_last(itertools.chain([beginning], chunks)):
            doubt.look_at(chunk)
            text = self._decode(decoder, chunk, last=last)
            self.characters += len(text)
            text = newlines.decode(self._without_nul(text, chunk, len(decoder.getstate()[0])), final=last)
            if text:
                text, bom = text.removeprefix(bom), ""
            if text:
                yield text
        self.is_utf_8_too = doubt.is_utf_8

    def unescaped(self, text: str, place: str) -> str:
        """A text that was written with escapes, with newlines as line ends and without what is no text.

        Raises:
            SourceError: it has a NUL or half a surrogate pair, and such are not replaced; errors name its `place`.
        """
        if found := _NO_TEXT.search(text):
            if self.config.undecodable == "error":
                what = "a NUL" if found[0] == "\0" else f"half a surrogate pair, \\u{ord(found[0]):04x}"
                raise SourceError(
                    f"{self.name}: {what} at {place}, which is no text; set ingest.undecodable to replace up to 1 %"
                )
            text, count = _NO_TEXT.subn(REPLACEMENT, text)
            self.replaced += count
        return with_newlines(text)

    def _by_mark(self, beginning: bytes) -> str:
        """The encoding of a byte order mark, or else the one set."""
        marked, set_ = encodings_by_mark(beginning), self.config.encoding
        if marked and codecs.lookup(set_).name == "utf-8":
            return marked[0]
        if marked and not set_.lower().replace("_", "-").startswith(tuple(marked)):
            raise SourceError(
                f"{self.name}: begins with the byte order mark of {marked[0]}, but ingest.encoding is {set_}; leave "
                "that at utf-8"
            )
        return set_

    def _decode(self, decoder: codecs.IncrementalDecoder, chunk: bytes, *, last: bool) -> str:
        try:
            text = decoder.decode(chunk, last)
        except UnicodeDecodeError as error:
            # The decoder kept the end of the previous chunk, so its input began that much earlier.
            offset = self._offset + len(chunk) - len(error.object) + error.start
            way_out = self._way_out(error.object)
            raise SourceError(
                f"{self.name}: not {self._encoding} at byte {offset:,} ({error.reason}){way_out}"
            ) from None
        self._offset += len(chunk)
        return text

    def _without_nul(self, text: str, chunk: bytes, undecoded: int) -> str:
        count = text.count("\0")
        if count and self.config.undecodable == "error":
            after = len(text[text.index("\0") :].encode(self._encoding, "replace"))
            bom = len("".encode(self._encoding))  # encoding puts one before every text
            offset = self._offset - undecoded - (after - bom)
            way_out = self._way_out(chunk)
            raise SourceError(f"{self.name}: a NUL at byte {offset:,}, so this is no plain text{way_out}")
        self.replaced += count
        return text.replace("\0", REPLACEMENT) if count else text

    def _way_out(self, data: bytes) -> str:
        probable = probable_encoding(data)
        if probable and probable != self._encoding:
            return f", probably {probable}; set ingest.encoding={probable}"
        return "; set ingest.encoding, or ingest.undecodable to replace up to 1 %"

    def _replace(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        self.replaced += 1
        return REPLACEMENT, error.end


class _Doubt:
    """Whether bytes read in another encoding are valid UTF-8 with characters beyond ASCII: `is_utf_8`, so far."""

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._can_be = not codecs.lookup(encoding).name.startswith("utf")
        self._is_ascii = True

    @property
    def is_utf_8(self) -> bool:
        return self._can_be and not self._is_ascii

    def look_at(self, chunk: bytes) -> None:
        if self._can_be:
            self._is_ascii = self._is_ascii and chunk.isascii()
            try:
                self._decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError:
                self._can_be = False


def beginning(chunk: bytes, config: IngestConfig) -> str:
    """The text of a source's first bytes, without what is no text."""
    encoding = next(iter(encodings_by_mark(chunk)), config.encoding)
    return chunk.decode(encoding, "ignore").removeprefix(_BOM)


def clean(text: str, *, lowercase: bool) -> str:
    """A whole text's NFC, lowercased first if asked."""
    return unicodedata.normalize("NFC", text.lower() if lowercase else text)


def cleaned(texts: Iterable[str], *, lowercase: bool) -> Iterator[str]:
    """As `clean`, for a text in pieces: cuts are moved to places that no character depends across."""
    tail = ""
    for text in texts:
        joined = tail + text
        cut = _safe_cut(joined)
        tail = joined[cut:]
        if cut:
            yield clean(joined[:cut], lowercase=lowercase)
    if tail:
        yield clean(tail, lowercase=lowercase)


def lines(pieces: Iterable[str], most: int) -> Iterator[str]:
    """The lines of a text in pieces, each with its newline; one longer than `most` characters may be cut off."""
    rest = ""
    for piece in pieces:
        *ended, rest = (rest + piece).split("\n")
        for line in ended:
            yield line + "\n"
        if len(rest) > most:
            yield rest
            rest = ""
    if rest:
        yield rest


def _safe_cut(text: str) -> int:
    """The last safe place to cut: before white space or, in a long text without any, before a base character."""
    earliest = max(len(text) - _LONGEST_TAIL, 0)
    for index in range(len(text) - 1, earliest, -1):
        if text[index].isspace():
            return index
    for index in range(len(text) - _SIGHT, earliest, -1) if earliest else ():
        if _starts_a_piece(text[index]) and _lowers_apart(text, index):
            return index
    return earliest


def _starts_a_piece(character: str) -> bool:
    """Whether it never composes with a character before it: it is not a mark, nor a Hangul vowel or final."""
    return not unicodedata.category(character).startswith("M") and not "\u1160" <= character <= "\u11ff"


def _lowers_apart(text: str, index: int) -> bool:
    """Whether the text lowercases the same when cut at `index`: a capital sigma depends on its neighbours."""
    left, right = text[max(index - _SIGHT, 0) : index], text[index : index + _SIGHT]
    return left.lower() + right.lower() == (left + right).lower()


def _with_beginning(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, the first at least as long as the longest byte order mark, if there are enough bytes."""
    rest = iter(chunks)
    beginning = b""
    while len(beginning) < _LONGEST_MARK and (chunk := next(rest, b"")):
        beginning += chunk
    yield beginning
    yield from rest


def _with_last(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Every chunk, and whether it is the last; the last one is empty, to flush decoders."""
    for chunk in chunks:
        yield chunk, False
    yield b"", True
