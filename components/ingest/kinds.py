"""Recognizes files that are not text by their first bytes, and says what to do about them."""

import codecs
import json
import re

from components.artifacts.errors import SourceError
from components.artifacts.plaintext import wide_encoding

HEAD_BYTES = 512
HIGH_SHARE = 0.5
"""Less than this share of bytes is beyond ASCII in cp1252; in other scripts' encodings most bytes are."""
_UNPACK = "unpack it and name the directory with its files"
_AS_TEXT = "save it as plain text first"
_NO_WORDS = "it contains no text"
_AS_CSV = "export its text as CSV first"
_KINDS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"%PDF-", "a PDF document", "convert it to text first, for example with pdftotext"),
    (0, b"%!PS", "a PostScript document", "convert it to text first, for example with ps2ascii"),
    (0, b"{\\rtf", "a rich text document (RTF)", _AS_TEXT),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a Microsoft Office document", f"{_AS_TEXT}, a table as CSV"),
    (0, b"AT&TFORM", "a DjVu document", "convert it to text first, for example with djvutxt"),
    (60, b"BOOKMOBI", "a Mobipocket book", _AS_TEXT),
    (
        0,
        b"SQLite format 3\0",
        "an SQLite database",
        "export a table as CSV first: sqlite3 -header -csv FILE 'SELECT ...'",
    ),
    (0, b"PAR1\x15", "a Parquet file", _AS_CSV),
    (0, b"ARROW1\0\0", "an Arrow file", _AS_CSV),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", _AS_CSV),
    (0, b"\x93NUMPY", "a NumPy array", _NO_WORDS),
    (0, b"\x80\x04\x95", "a Python pickle", _AS_CSV),
    (0, b"\x80\x05\x95", "a Python pickle", _AS_CSV),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it first: zstd -d FILE"),
    (0, b"\x04\x22\x4d\x18", "compressed with lz4", "unpack it first: lz4 -d FILE"),
    (0, b"LZIP\x01", "compressed with lzip", "unpack it first: lzip -d FILE"),
    (0, b"\x1f\x9d", "compressed with compress", "unpack it first: uncompress FILE"),
    (0, b"\x1f\x8b", "compressed with gzip twice", "unpack it first: gunzip FILE"),
    (0, b"BZh91AY&SY", "compressed with bzip2 twice", "unpack it first: bunzip2 FILE"),
    (0, b"\xfd7zXZ\0", "compressed with xz twice", "unpack it first: unxz FILE"),
    (0, b"PK\x03\x04", "a zip archive", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image", _NO_WORDS),
    (0, b"\xff\xd8\xff", "a JPEG image", _NO_WORDS),
    (0, b"GIF87a", "a GIF image", _NO_WORDS),
    (0, b"GIF89a", "a GIF image", _NO_WORDS),
    (0, b"II*\0", "a TIFF image", _NO_WORDS),
    (0, b"MM\0*", "a TIFF image", _NO_WORDS),
    (0, b"8BPS\0", "a Photoshop image", _NO_WORDS),
    (8, b"WEBP", "a WebP image", _NO_WORDS),
    (8, b"WAVE", "a WAV recording", _NO_WORDS),
    (8, b"AVI ", "an AVI film", _NO_WORDS),
    (4, b"ftyp", "a film or image (MP4, HEIC)", _NO_WORDS),
    (0, b"\x1aE\xdf\xa3", "a Matroska film", _NO_WORDS),
    (0, b"OggS\0", "an Ogg recording", _NO_WORDS),
    (0, b"fLaC\0", "a FLAC recording", _NO_WORDS),
    (0, b"ID3\x02", "an MP3 recording", _NO_WORDS),
    (0, b"ID3\x03", "an MP3 recording", _NO_WORDS),
    (0, b"ID3\x04", "an MP3 recording", _NO_WORDS),
    (0, b"\x7fELF", "a program", _NO_WORDS),
    (0, b"\0asm", "a program", _NO_WORDS),
    (0, b"\xca\xfe\xba\xbe", "a program", _NO_WORDS),
    (0, b"\xcf\xfa\xed\xfe", "a program", _NO_WORDS),
    (
        0,
        b"version https://git-lfs.github.com/spec/",
        "a Git LFS pointer, not the file itself",
        "fetch it first: git lfs pull",
    ),
)
"""The offset and bytes that identify a kind of file (as published), its name, and what to do."""
_CONTROLS = frozenset(range(0x20)) - frozenset(b"\t\n\v\f\r")
_HIGH = bytes(range(0x80, 0x100))
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HTML = re.compile(
    r"\s*(<!--.*?-->\s*)*<(!doctype html|html|head|body|div|p|table|ul|h1)[\s>]", re.IGNORECASE | re.DOTALL
)
_XML = re.compile(r"\s*<\?xml\s")
_JSON_BEGINS = re.compile(r'\s*(\[\s*)?\{\s*"[^"\n]*"\s*:|\s*\[\s*"[^"\n]*"\s*,')


def refuse_what_is_no_text(head: bytes, name: str) -> None:
    """Reject a file that is not plain text, by its first HEAD_BYTES.

    Raises:
        SourceError: they identify another kind of file; the error says which, and what to do.
    """
    for offset, magic, kind, advice in _KINDS:
        # RIFF and the length of what follows precede the names of three kinds.
        if head.startswith(magic, offset) and (offset != 8 or head.startswith(b"RIFF")):  # noqa: PLR2004 -- as above
            raise SourceError(f"{name}: is {kind}, not plain text; {advice}")


def encodings_by_mark(head: bytes) -> list[str]:
    """The encodings whose byte order mark a text may begin with, the most likely first."""
    return [encoding for mark, encoding in _BOMS if head.startswith(mark)]


def probable_encoding(data: bytes) -> str:
    """The probable encoding of bytes that are not UTF-8; empty if nothing suggests one."""
    if wide := wide_encoding(data):
        return wide
    if not _CONTROLS.isdisjoint(data):
        return ""
    high = len(data) - len(data.translate(None, _HIGH))
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return ""
    return "cp1252" if high < HIGH_SHARE * len(data) else ""


def markup_of(text: str) -> str:
    """HTML, XML or JSON if a text begins like one of them; otherwise empty."""
    if _HTML.match(text):
        return "HTML"
    if _XML.match(text):
        return "XML"
    return "JSON" if _JSON_BEGINS.match(text) or _is_json_line(text) else ""


def _is_json_line(text: str) -> bool:
    line = text.lstrip().partition("\n")[0]
    if not line.startswith(("{", "[{", "[[")):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
