"""WhatsApp's export of a chat: every phone's dates, messages over several lines, and what is WhatsApp's own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.artifacts.errors import SourceError
from components.ingest import whatsapp
from components.ingest.whatsapp import is_whatsapp, looks_like_whatsapp, records
from tests.unit.ingest.chats import read

BEGINNINGS = {
    "US, Android": "12/31/20, 9:15 PM - ",
    "US, Android 14": "12/31/20, 9:15\u202fPM - ",
    "US, iPhone": "[12/31/20, 9:15:30\u202fPM] ",
    "UK": "31/12/2020, 21:15 - ",
    "Germany, Android": "31.12.20, 21:15 - ",
    "Germany, iPhone": "[31.12.20, 21:15:30] ",
    "France, once": "31/12/2020 à 21:15 - ",
    "Spain": "31/12/20 21:15 - ",
    "Colombia": "31/12/2020 9:15 p.\u00a0m. - ",
    "Brazil, iPhone": "[31/12/2020 21:15:30] ",
    "Netherlands": "31-12-2020 21:15 - ",
    "Sweden": "2020-12-31 21:15 - ",
    "Canada": "2020-12-31, 9:15 p.m. - ",
    "South Africa": "2020/12/31, 21:15 - ",
    "Finland, iPhone": "[31.12.2020 klo 21.15.30] ",
    "Croatia": "31. 12. 2020. 21:15 - ",
    "Hungary": "2020. 12. 31. 21:15 - ",
    "Bulgaria": "31.12.20 г., 21:15 ч. - ",  # noqa: RUF001 -- as it is there
    "Greece": "31/12/20, 9:15 μ.μ. - ",
    "Egypt": "٢٩\u200f/٨\u200f/٢٠٢٠، ٩:٣٢ م - ",
    "India": "31/12/20, 9:15 अपराह्न - ",
    "China": "2020/12/31 下午9:15 - ",
    "Korea": "2020년 12월 31일 오후 9:15, ",
    "Korea, iPhone": "[2020. 12. 31. 오후 9:15:30] ",
    "Vietnam": "21:15, 31/12/2020 - ",
    "an old iPhone": "31/12/2020 21:15:30: ",
}
LINES = st.text(st.characters(exclude_characters="\r\n\u200e\0", exclude_categories=["Cs", "Cf", "Cc"]), max_size=12)


@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS)
def test_a_message_begins_with_the_date_and_time_of_any_phone(beginning: str) -> None:
    text = f"{beginning}Ada L.: one: two\nand three\n\n{beginning}Bob: 12:30 - four\n"
    assert read(records, text) == [["one: two\nand three", "Ada L."], ["12:30 - four", "Bob"]]


@pytest.mark.parametrize("beginning", ["31.12.20, 21:15 - ", "[31.12.20, 21:15:30] "])
@pytest.mark.parametrize(
    "line",
    [
        "Messages and calls are end-to-end encrypted. Tap to learn more.",
        "Ada created this group",
        'Ada changed the subject from "Trip" to "Trip: the plan"',
        "Ada änderte den Betreff von „Fahrt“ zu „Fahrt: der Plan“",
        "Ada",
    ],
)
def test_a_line_without_a_user_ends_a_message_and_is_left_out(beginning: str, line: str) -> None:
    text = f"{beginning}{line}\n{beginning}Ada: one\n{beginning}{line}\nof several lines\n{beginning}Bob: two\n"
    assert read(records, text) == [["one", "Ada"], ["two", "Bob"]]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("<Media omitted>", ""),
        ("<Medien ausgeschlossen>\nlook!", "look!"),
        ("<省略多媒体文件>", ""),
        ("IMG-20201231-WA0001.jpg (file attached)\nlook!", "look!"),
        ("\u200eIMG-20201231-WA0001.jpg (ملف مرفق)", ""),
        ("The plan.pdf (Datei angehängt)", ""),
        ("\u200eimage omitted", ""),
        ("\u200eplan.pdf • \u200e2 pages \u200edocument omitted", ""),
        ("look! \u200e<attached: 00000012-PHOTO-2020-12-31-21-15-30.jpg>", "look!"),
        ("one \u200e<This message was edited>", "one"),
        ("one <This message was edited>", "one"),
        ("one\ntwo <Diese Nachricht wurde bearbeitet.>", "one\ntwo"),
        ("This message was deleted", ""),
        ("Du hast diese Nachricht gelöscht.", ""),
        ("\u200eMissed voice call", ""),
        ("\u200ePOLL:\nWhere to?\n\u200eOPTION: Rome (2 votes)", "Where to?"),
        ("call \u2066@\u2069\u2068Bob\u2069 at \u202a+49 170 123\u202c", "call @Bob at +49 170 123"),
        ("<3", "<3"),
        ("<div> or <br/>?", "<div> or <br/>?"),
        ("1 < 2, edited > 1", "1 < 2, edited > 1"),
        ("see notes.txt (the old one)", "see notes.txt (the old one)"),
        ("This message was deleted by me", "This message was deleted by me"),
        ("👩\u200d🚀 \u200fאבא", "👩\u200d🚀 \u200fאבא"),
    ],
)
def test_what_whatsapp_writes_itself_is_left_out_and_what_people_write_stays(said: str, kept: str) -> None:
    for beginning in ("12/31/20, 9:15 PM - ", "\u200e[31.12.20, 21:15:30] "):
        text = f"{beginning}Ada: {said}\n{beginning}Bob: next\n"
        assert read(records, text) == [[kept, "Ada"], ["next", "Bob"]][not kept :]


def test_a_user_is_named_without_marks() -> None:
    text = "[31.12.20, 21:15:30] \u200e~\u202f\u202a+49 170 1\u202c: one\n[31.12.20, 21:15:30] Ada\u00a0L.: two\n"
    assert read(records, text) == [["one", "~ +49 170 1"], ["two", "Ada L."]]


def test_a_message_quotes_an_export_of_another_phone() -> None:
    text = "31.12.20, 21:15 - Ada: he wrote:\n[31.12.20, 21:15:30] Bob: hi\n"
    assert read(records, text) == [["he wrote:\n[31.12.20, 21:15:30] Bob: hi", "Ada"]]


def test_a_text_that_is_no_export_is_refused_with_its_line() -> None:
    message = r"^chat: line 3 does not begin a message of a WhatsApp export: 'Once upon a time'; for plain text set ing"
    with pytest.raises(SourceError, match=message):
        read(records, "\n \nOnce upon a time\n")


@pytest.mark.parametrize("break_", ["", "\n"])
def test_an_endless_message_is_refused_with_its_line(break_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatsapp, "LONGEST_MESSAGE", 100)
    text = f"31.12.20, 21:15 - Ada: one\n31.12.20, 21:15 - Ada: {f'word{break_}' * 50}"
    with pytest.raises(SourceError, match=r"^chat: line 2 begins a message of more than 100 characters; is it a What"):
        read(records, text, size=10)


@pytest.mark.parametrize("name", ["_chat.txt", "a/whatsapp chat with ada.txt", "whatsapp-chat mit ada.txt"])
def test_an_export_is_known_by_its_name_and_how_it_begins(name: str) -> None:
    assert is_whatsapp(name, "\u200e[31.12.20, 21:15:30] Ada: one\n")
    assert not is_whatsapp(name, "My essay about WhatsApp\n")
    assert not is_whatsapp("notes.txt", "[31.12.20, 21:15:30] Ada: one\n")


def test_a_text_looks_like_an_export_if_two_of_its_lines_do() -> None:
    line = "31.12.20, 21:15 - Ada: one\n"
    assert looks_like_whatsapp(line + line)
    assert not looks_like_whatsapp(line + "Dear diary\n")
    assert not looks_like_whatsapp("2020-12-31 21:15:30,123 - app - INFO - started\n" * 2)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=4), st.sampled_from(list(BEGINNINGS.values())), st.data()
)
def test_messages_are_read_as_they_were_written_wherever_the_text_is_cut(
    messages: list[list[str]], beginning: str, data: st.DataObject
) -> None:
    texts = ["\n".join(message).strip() for message in messages]
    texts = [text for text in texts if "<" not in text]
    exported = "".join(f"{beginning}Ada: {text}\n" for text in texts)
    size = data.draw(st.integers(1, 1 + len(exported.encode())))
    expected = [[text, "Ada"] for text in texts if text]
    assert read(records, exported, size=size) == expected
