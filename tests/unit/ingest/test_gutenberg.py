"""What Project Gutenberg puts around a book is recognized in all its forms, and taken off."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest.gutenberg import Book, has_header

NOW = "*** START OF THE PROJECT GUTENBERG EBOOK THE MILL ***\n"
END = "*** END OF THE PROJECT GUTENBERG EBOOK THE MILL ***\n"
ABOUT = "\ufeffThe Project Gutenberg eBook of The Mill\n\nTitle: The Mill\n\n"
LICENCE = "\nUpdated editions will replace the previous one.\n"
BOOK = "THE MILL\n\n\nOnce upon a time.\n\n*** \n\nThe mill ground on."
HEADERS = [
    NOW,
    "*** START OF THIS PROJECT GUTENBERG EBOOK THE MILL\nAND MORE ***\n\n\nProduced by Ada L. and\nthe Proofreaders\n",
    "***START OF THE PROJECT GUTENBERG EBOOK THE MILL***\n\n\nE-text prepared by Ada L.\n",
    "**The Small Print**\n*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n",
    "*END THE SMALL PRINT! FOR PUBLIC DOMAIN EBOOKS*Ver.02/11/02*END*\n",
]
ENDS = [
    END,
    "***END OF THE PROJECT GUTENBERG EBOOK THE MILL***\n",
    "End of the Project Gutenberg EBook of The Mill\n\n*** END OF THIS PROJECT GUTENBERG EBOOK THE MILL ***\n",
    "End of Project Gutenberg's The Mill, by Nobody\n",
]


def stripped(text: str, size: int = 1 << 20) -> tuple[str, int]:
    book = Book()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return "".join(book.pieces(pieces)), book.removed


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("end", ENDS)
def test_header_and_licence_of_any_year_are_taken_off(header: str, end: str) -> None:
    text = f"{ABOUT}{header}\n\n{BOOK}\n\n\n{end}{LICENCE}"
    assert has_header(text)
    assert stripped(text) == (f"{BOOK}\n", len(text) - len(BOOK) - 1)


@pytest.mark.parametrize(
    "text", ["", "one", f"{BOOK}\n", f"{BOOK}\n \n\n", "In the end of Project Gutenberg we trust\n"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert not has_header(text)
    assert stripped(text) == (text, 0)


def test_a_header_alone_or_a_licence_alone_is_taken_off() -> None:
    assert stripped(f"{ABOUT}{NOW}{BOOK}\n")[0] == f"{BOOK}\n"
    assert stripped(f"{BOOK}\n{END}{LICENCE}")[0] == f"{BOOK}\n"


def test_a_header_is_looked_for_at_the_beginning_only() -> None:
    text = "word " * 20_000 + f"\n{NOW}{BOOK}\n"
    assert not has_header(text)
    assert stripped(text, 100) == (text, 0)


@settings(deadline=None, max_examples=60)
@given(st.text("a \n*", max_size=300), st.integers(1, 100), st.booleans())
def test_the_text_is_the_same_wherever_it_is_cut(book: str, size: int, is_gutenbergs: bool) -> None:
    text = f"{ABOUT}{NOW}{book}\n{END}{LICENCE}" if is_gutenbergs else book
    assert stripped(text, size) == stripped(text)
    if not is_gutenbergs:
        assert stripped(text, size) == (text, 0)


def test_memory_does_not_grow_with_white_space() -> None:
    book = Book()
    pieces = book.pieces(["a" * (1 << 16), *["\n" * 1000] * 200])
    assert max(map(len, pieces)) < 1 << 18
