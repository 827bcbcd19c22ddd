"""The vocabulary: tokens in sorted order, their ids, and how text becomes ids and ids become text.

Joining the tokens of a text gives the text back. A token is a character, or of words: a word or a punctuation mark
with the space before it, or a single white-space character; or a subword, or a byte. `words.py`, `subwords.py` and
`utf8.py` define them; vocabularies older than the first cut words as runs of letters, and are read by that rule.

If the text consists of documents, the first token is the empty one, with the id 0: a document's end. A text in memory
has the character END there (components.artifacts.documents).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise, repeat
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from components.artifacts import utf8
from components.artifacts.as_json import as_json
from components.artifacts.documents import END
from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.plaintext import with_newlines
from components.artifacts.subwords import Merges, Subwords
from components.artifacts.words import CHUNK, Chunks, Cutter

TokenKind = Literal["characters", "words", "bpe", "bytes"]
UNITS: dict[TokenKind, str] = {"characters": "characters", "words": "words", "bpe": "subwords", "bytes": "bytes"}
"""What tokens of each kind are called."""
WordRule = Literal["runs", "unicode"]
MAXIMUM_BYTES = 1 << 28
VOCABULARY_NAME = "vocabulary.json"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
# The rule `runs`. A bound on a word's length keeps memory bounded on a text without spaces.
_RUNS = re.compile(r" ?[\w']{1,64}| ?[^\w\s']|\s")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Tokens and their ids; a token's id is its index.

    `word_rule` says how words were cut: `unicode`, or `runs` of letters in older vocabularies. `lowercase` says that
    the corpus was lowercased, so prompts are too. `has_unknown` says that rare words were replaced by the token
    UNKNOWN, which stands for every word that is not in the vocabulary. `merges` are those of subwords.
    """

    kind: TokenKind
    tokens: tuple[str, ...]
    lowercase: bool = False
    has_unknown: bool = False
    word_rule: WordRule = "runs"
    merges: Merges = ()

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def id_dtype(self) -> np.dtype[np.unsignedinteger]:
        """The narrowest of uint8, uint16 and uint32 that holds every id."""
        return np.min_scalar_type(max(len(self.tokens) - 1, 0)).newbyteorder("<")

    @cached_property
    def ids(self) -> dict[str, int]:
        """Every token's id; a document's end is END here."""
        return {token or END: index for index, token in enumerate(self.tokens)}

    @property
    def has_end(self) -> bool:
        """Whether there is a token for a document's end."""
        return self.tokens[:1] == ("",)

    @property
    def end_id(self) -> int:
        """The id of a document's end, or -1 if there is none."""
        return 0 if self.has_end else -1

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """How many characters of text.txt each token is, [V]: one for a document's end, which is a newline there."""
        return np.array([self.length(token or END) for token in self.tokens], np.int64)

    def length(self, token: str) -> int:
        """How many characters a token is; the first byte of a character counts as that character."""
        return int(utf8.begins_character(token)) if self.kind == "bytes" else len(token)

    @property
    def unit(self) -> str:
        """What its tokens are called."""
        return UNITS[self.kind]

    @cached_property
    def cutter(self) -> Cutter:
        """The tokens of each chunk of white space or of what is between, for words and subwords."""
        return Subwords(self.ids, self.merges) if self.kind == "bpe" else Cutter()

    @cached_property
    def _ids_of_chunks(self) -> "Chunks[tuple[int, ...]]":
        unknown = self.unknown_id
        return Chunks(lambda chunk: tuple(map(self.ids.get, self.cutter[chunk], repeat(unknown))))

    @cached_property
    def _id_of_code_point(self) -> NDArray[np.unsignedinteger]:
        table = np.zeros(0x110000, self.id_dtype)
        table[[ord(token) for token in self.ids]] = np.arange(len(self.tokens))
        return table

    @cached_property
    def _id_of_ascii(self) -> bytes:
        # Sorted, ASCII comes first (after a document's end), so its ids fit a byte; so do those of all bytes.
        return self._id_of_code_point[:256].astype(np.uint8).tobytes()

    @property
    def unknown_id(self) -> int:
        """The id of the token for unknown words, or -1 if there is none."""
        return self.ids[UNKNOWN] if self.has_unknown else -1

    def prepared(self, prompt: str) -> str:
        """A prompt in the corpus's form: its line ends, its case, NFC."""
        text = with_newlines(prompt)
        return unicodedata.normalize("NFC", text.lower() if self.lowercase else text)

    @property
    def replacement(self) -> str:
        """The token read in place of one that is missing here: the one for unknown words, a space, or the first."""
        return UNKNOWN if self.has_unknown else self.tokens[self.ids.get(" ", self.end_id + 1)]

    def unknown_in(self, prompt: str) -> list[str]:
        """The tokens of a prompt that are missing here, each once."""
        return list(dict.fromkeys(token for token in self.cut(self.prepared(prompt)) if token not in self.ids))

    def advice_on(self, unknown: Sequence[str]) -> str:
        """What to do about missing tokens if somebody typed an escape for a character; else empty."""
        if not any("\\" in token for token in unknown):
            return ""
        return (
            r"; a typed \n is a backslash and an n: write a newline as $'\n' in the shell, "
            r'or as "\n" in a JSON list or in YAML'
        )

    def cut(self, text: str) -> Sequence[str]:
        """The text's tokens, also those missing here."""
        if self.kind == "characters":
            return text
        if self.kind == "bytes":
            return utf8.as_bytes(text)
        is_old = self.kind == "words" and self.word_rule == "runs"
        return _RUNS.findall(text) if is_old else self.cutter.cut(text)

    def encode(self, text: str) -> NDArray[np.int64]:
        """The ids of the text's tokens, int64 [tokens]; -1 for a token that is missing here and has no replacement."""
        if self.kind == "bpe" or (self.kind == "words" and self.word_rule == "unicode"):  # many times as fast
            chunks = CHUNK.findall(text)
            return np.fromiter(chain.from_iterable(map(self._ids_of_chunks.__getitem__, chunks)), np.int64)
        tokens = self.cut(text)
        return np.fromiter(map(self.ids.get, tokens, repeat(self.unknown_id)), np.int64, len(tokens))

    def encode_corpus(self, text: str) -> NDArray[np.integer]:
        """As `encode`, [tokens], but fast: only for the text of this vocabulary, so that no token is missing."""
        if self.kind in {"words", "bpe"}:
            return self.encode(text)
        if text.isascii() or self.kind == "bytes":
            return np.frombuffer(text.encode().translate(self._id_of_ascii), np.uint8)
        return self._id_of_code_point[code_points(text)]

    def encode_prompt(self, prompt: str, *, replace_unknown: bool) -> NDArray[np.int64]:
        """As `encode`, for a prompt in the form of `prepared`.

        Raises:
            UsageError: a token is not in the vocabulary and `replacement` must not replace it.
        """
        text = self.prepared(prompt)
        ids = self.encode(text)
        unknown = np.flatnonzero(ids < 0)
        if unknown.size and not replace_unknown:
            tokens, place = self.cut(text), int(unknown[0])
            where = f"word {place + 1}" if self.kind == "words" else f"character {sum(map(len, tokens[:place])) + 1}"
            raise UsageError(
                f"prompt {_shortened(prompt)}: {tokens[place]!r} at {where} is not in the "
                f"model's vocabulary; change it, or set sample.replace_unknown{self.advice_on([tokens[place]])}"
            )
        ids[unknown] = self.ids[self.replacement]
        return ids

    def open_end(self, ids: NDArray[np.integer]) -> str:
        """The last token of a prompt's ids if the text may continue within it, as with subwords; else empty.

        In the middle of a word the training text has other tokens than at its end, so what is written after a prompt
        that ends there begins with a token that begins with this one.
        """
        if self.kind != "bpe" or len(ids) <= 1:
            return ""
        last, *following = self.tokens[ids[-1] : ids[-1] + 2]  # tokens that begin alike are neighbours
        return last if last and following and following[0].startswith(last) else ""

    def decode(self, ids: Sequence[int] | NDArray[np.integer], end: str = "") -> str:
        """The text of the ids' tokens, joined, with `end` for a document's end."""
        joined = "".join(self.tokens[index] or end for index in ids)
        return utf8.as_text(joined) if self.kind == "bytes" else joined

    def text_of_each(self, ids: NDArray[np.integer], before: NDArray[np.integer] | Sequence[int] = ()) -> list[str]:
        """What each of ids [T] adds to a text after the ids `before`, [T]: its token, or the character it completes.

        Joined they are the text, except for the beginning of a character that the last bytes leave incomplete.
        """
        tokens = list(map(self.tokens.__getitem__, ids.tolist()))
        return utf8.completed([self.tokens[index] for index in before[-3:]], tokens) if self.kind == "bytes" else tokens

    def write(self, directory: Path) -> None:
        """Write vocabulary.json into `directory`."""
        values = {
            "kind": self.kind,
            "lowercase": self.lowercase,
            "has_unknown": self.has_unknown,
            **({"word_rule": self.word_rule} if self.kind == "words" else {}),
            "tokens": self.tokens,
            **({"merges": self.merges} if self.kind == "bpe" else {}),
        }
        text = as_json(values, ensure_ascii=False, indent=0)
        (directory / VOCABULARY_NAME).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> "Vocabulary":
        """Read vocabulary.json from `directory`.

        Raises:
            ArtifactError: it is missing or not a vocabulary.
        """
        path = directory / VOCABULARY_NAME
        try:
            if path.stat().st_size > MAXIMUM_BYTES:
                raise ArtifactError(f"{path}: more than {MAXIMUM_BYTES:,} bytes is too large for a vocabulary; refused")
            vocabulary = TypeAdapter(cls).validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            reason = "missing" if isinstance(error, OSError) else "not a vocabulary"
            raise ArtifactError(f"{path}: {reason}; re-run the stage that made it") from None
        if not vocabulary.is_sound():
            raise ArtifactError(f"{path}: not a vocabulary; re-run the stage that made it")
        return vocabulary

    def is_sound(self) -> bool:
        """Whether tokens are sorted, distinct, and of their kind; only the first one may be empty."""
        return (
            all(one < other for one, other in pairwise(self.tokens))
            and len(self.ids) == len(self.tokens)
            and (self.kind in {"words", "bpe"} or all(len(token) == 1 for token in self.ids))
            and (self.kind != "bytes" or self.ids.keys() <= {*utf8.BYTES, END})
            and all({left, right, left + right} <= self.ids.keys() for left, right in self.merges)
            and (not self.has_unknown or UNKNOWN in self.ids)
        )


def code_points(text: str) -> NDArray[np.uint32]:
    """The text's Unicode code points, uint32 [characters]."""
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


def _shortened(text: str, limit: int = 40) -> str:
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")
