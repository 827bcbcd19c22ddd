"""The settings of vectorize."""

from typing import ClassVar

from components.artifacts.subwords import DEFAULT_SIZE
from components.artifacts.vocabulary import TokenKind
from components.command.settings import Only, Settings, setting


class VectorizeConfig(Settings):
    """How text is cut into tokens, windows, splits and shards."""

    only: ClassVar[tuple[Only, ...]] = (
        Only(
            names=("vocabulary_size",),
            decided_by=("tokens",),
            where="tokens=words or bpe",
            holds=lambda config: config.tokens in {"words", "bpe"},
        ),
    )

    tokens: TokenKind = setting(
        "characters", "what a token is: a character, a word or punctuation mark, a subword (bpe), or a byte"
    )
    vocabulary_size: int = setting(
        0,
        "words: keep only this many, the most frequent; all others become one unknown token; 0 keeps all; "
        f"bpe: how many subwords and characters there are; 0 means {DEFAULT_SIZE:,}",
        unit="tokens",
        ge=0,
    )
    length: int = setting(64, "window length", unit="tokens", ge=1)
    step: int = setting(1, "distance from one window's start to the next", unit="tokens", ge=1)
    held_out: float = setting(
        0.1,
        "fraction at the end of the text that is held out of training; whole documents, if the text consists of them",
        unit="fraction",
        ge=0,
        lt=1,
    )
    shards: int = setting(1, "TFRecord files per split", unit="files", ge=1, le=99_999)
