"""Messages from JSON: lines of objects, or a list of them, with a field's path such as `message.text`."""

from collections.abc import Iterator
from typing import Any

from components.artifacts.errors import SourceError
from components.command.settings import nearest
from components.ingest.json_reader import JsonReader, kind_of
from components.ingest.text import Decoder

_DEEPEST = 4
_MOST_NAMED = 20


def is_json(name: str, _head: str) -> bool:
    """Whether a file's name, without a compression's ending, is that of JSON."""
    return name.endswith((".json", ".jsonl", ".ndjson"))


def records(text: Decoder, _name: str) -> Iterator[list[str]]:
    """The text of each record and, if the settings name its field, the user; empty where a record lacks the field.

    A record is an object, or a text itself.

    Raises:
        SourceError: the JSON is malformed, a field is of the wrong type, or all records lack one.
    """
    json, columns = JsonReader(text), text.config.columns
    is_list = json.peek() == "["
    number, first, missing = 0, None, set(columns)
    for number in json.items() if is_list else json.values():
        record = json.value()
        if isinstance(record, str):
            record = {columns[0]: record}
        if not isinstance(record, dict):
            json.refuse(f"record {number:,} is {kind_of(record)}; it must be an object with fields, or a text")
        first = first or record
        fields = [_field(record, column) for column in columns]
        missing -= {column for column, field in zip(columns, fields, strict=True) if field is not None}
        yield [
            json.text(_as_text(field, is_text=place == 0, column=columns[place], number=number, json=json))
            for place, field in enumerate(fields)
        ]
    if is_list:
        json.end()
    if number and missing:
        column = min(missing, key=columns.index)
        raise SourceError(
            f"{text.name}: no record has the field {column!r}; {_known(column, first)}, or set ingest.format=text to "
            "read it as it is"
        )


def _field(value: Any, path: str) -> Any:
    """What an object has at a path; None if nothing. A name in it may contain dots itself."""
    while isinstance(value, dict):
        if path in value:
            return value[path]
        name, _, path = path.partition(".")
        value = value.get(name)
    return None


def _as_text(field: Any, *, is_text: bool, column: str, number: int, json: JsonReader) -> str:
    if isinstance(field, int) and not isinstance(field, bool) and not is_text:
        return str(field)
    if not isinstance(field, str | None):
        wanted = "a text" if is_text else "a text or a whole number"
        json.refuse(f"in record {number:,} the field {column} is {kind_of(field)}, not {wanted}")
    return field or ""


def _known(column: str, record: Any) -> str:
    return nearest(column, [path for path, _ in zip(_paths(record), range(_MOST_NAMED), strict=False)])


def _paths(value: Any, above: str = "", depth: int = _DEEPEST) -> Iterator[str]:
    """The paths of an object's fields that are no objects."""
    for name, inside in value.items():
        if isinstance(inside, dict) and depth:
            yield from _paths(inside, f"{above}{name}.", depth - 1)
        else:
            yield f"{above}{name}"
