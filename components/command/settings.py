"""Settings as frozen classes whose fields carry their meaning, unit and default.

A stage's settings are one class; its command-line flags, the recipes' keys, `--set` and the manifest's
config are all derived from that class.
"""

import argparse
import difflib
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from components.artifacts import storage
from components.artifacts.errors import UsageError

_WHATEVER_COUNTS: dict[str, Any] = {}
"""Validation's context, by identity, in which settings that have no part in what is done pass."""

NOT_SHOWN = "not_shown"
"""The type of a validator's PydanticCustomError whose value may be secret, so that no message repeats it."""


@dataclass(frozen=True, kw_only=True)
class NamedPlace:
    """What a setting names that is a path or URI.

    `of` is what lies there: only a `file` may be fetched over http(s). `digest` is the parameter by which a task is
    told what was there when its run began, so that the cache notices a change.
    """

    of: Literal["file", "artifact", "checkpoints"]
    digest: str


def setting(default: Any, description: str, *, unit: str = "", place: NamedPlace | None = None, **limits: Any) -> Any:
    """A field of a settings class; `place` says that it is a path or URI, `limits` are pydantic's (`ge`, `lt`, ...)."""
    extra: Any = {"unit": unit, "place": place}
    return Field(default, description=description, json_schema_extra=extra, **limits)


@dataclass(frozen=True, kw_only=True)
class Only:
    """Settings that have a part in what is done only where others have certain values.

    `names` are those settings, `decided_by` the others, `where` says in words what they have to be, and `holds` of a
    whole config whether they are. A recipe's value is let go where the user's own choice of `decided_by` leaves it
    without a part, unless it `binds`: what keeps somebody's text out is never let go.
    """

    names: tuple[str, ...]
    decided_by: tuple[str, ...]
    where: str
    holds: Callable[[Any], bool]
    binds: bool = False


class Settings(BaseModel):
    """The base of every stage's settings: immutable, checked on construction, no unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False, validate_default=True
    )

    either: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Settings that say the same in several ways: who sets one lets go of the others' defaults."""

    only: ClassVar[tuple[Only, ...]] = ()
    """Which settings count only with which others: elsewhere anything but their default is an error."""

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: Any) -> Any:
        """Let a list be written on one line: `0.2,0.5` for numbers, `["a", "b"]` or a single item for text."""
        if not isinstance(values, dict):
            return values
        return {name: _as_list(cls, name, value) for name, value in values.items()}

    @field_validator("*")
    @classmethod
    def _is_unicode(cls, value: Any) -> Any:
        """Refuse text that can't be written: a command line's bytes that are no UTF-8 become lone surrogates."""
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, str) and any("\ud800" <= character <= "\udfff" for character in item):
                raise ValueError("must be Unicode text")
        return value

    @model_validator(mode="after")
    def _all_have_a_part(self, info: ValidationInfo) -> Self:
        for rule in self.only if info.context is not _WHATEVER_COUNTS else ():
            if not rule.holds(self) and (given := self.set_among(rule.names)):
                raise ValueError(
                    f"{_and(given)} {_count(given)} only with {rule.where}; set that, or {_left_out(given)}"
                )
        return self

    def set_among(self, names: Iterable[str]) -> dict[str, str]:
        """Those of the settings `names` that differ from their defaults, each with its default for people."""
        fields = type(self).model_fields
        differ = [name for name in names if getattr(self, name) != fields[name].default]
        return {name: _shown(fields[name].default) for name in differ}

    @classmethod
    def parse(cls, values: Mapping[str, Any], stage: str, defaults: Mapping[str, Any] = MappingProxyType({})) -> Self:
        """Check `values`, which may be text as from a command line, on top of `defaults`, which are a recipe's.

        Raises:
            UsageError: a value or name is wrong; one line that names stage, field, value and what is allowed.
        """
        try:
            return cls.model_validate(cls._on_top(defaults, values))
        except ValidationError as error:
            raise UsageError(explain(cls, stage, error)) from None

    @classmethod
    def _on_top(cls, defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` on top of a recipe's, without those of the recipe that they leave without a meaning or a part."""
        let_go = {name for ways in cls.either if not values.keys().isdisjoint(ways) for name in ways}
        merged = {**{name: value for name, value in defaults.items() if name not in let_go}, **values}
        decided = set(values)
        for rule in cls.only:
            whole = cls.model_validate(merged, context=_WHATEVER_COUNTS)
            if rule.binds or rule.holds(whole) or decided.isdisjoint(rule.decided_by):
                continue
            gone = set(rule.names) - set(values)
            merged = {name: value for name, value in merged.items() if name not in gone}
            decided |= gone
        return merged

    @classmethod
    def places(cls) -> dict[str, NamedPlace]:
        """The settings that are paths or URIs: what lies there, by the setting's name."""
        extras: dict[str, Any] = {name: field.json_schema_extra or {} for name, field in cls.model_fields.items()}
        return {name: extra["place"] for name, extra in extras.items() if extra.get("place")}

    @classmethod
    def redacted(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values by the settings' names, without the secrets in URIs."""
        hidden = {name: storage.redacted(str(values[name])) for name in cls.places() if name in values}
        return {**values, **hidden}


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the known word nearest to `name`, or lists them all."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {shown(close[0])}?" if close else f"known are {', '.join(map(shown, names))}"


def shown(name: str) -> str:
    """A name from somebody's data, in quotes where it has blanks at an end, or characters that don't show."""
    if unicodedata.normalize("NFC", name) != name:
        return ascii(name)
    return name if name.isprintable() and name == name.strip() != "" else repr(name)


def explain(cls: type[Settings], place: str, invalid: ValidationError) -> str:
    """One line on the first thing wrong with `cls`'s values: where (below `place`), what, and what is allowed."""
    error = invalid.errors()[0]
    path = [str(part) for part in error["loc"]]
    where = ".".join([place, *path] if place else path)
    if error["type"] == "extra_forbidden":
        above = where.removesuffix(path[-1])
        known = [f"{above}{name}" for name in _class_at(cls, error["loc"]).model_fields]
        return f"unknown setting {where}; {nearest(where, known)}"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "model_type":
        message = "must be settings by name"
    if not path:
        return f"{place}: {message}" if place else message
    shown = error["type"] != NOT_SHOWN and not isinstance(error["input"], dict)
    given = f", not {error['input']!r}" if shown else ""
    return f"{where}: {message[0].lower()}{message[1:]}{given}"


def places_in(settings: Settings) -> dict[str, str]:
    """The settings that name a path or URI, and do; by name."""
    return {name: getattr(settings, name) for name in settings.places() if getattr(settings, name)}


def recorded(settings: Settings) -> dict[str, Any]:
    """The settings as manifests hold them: plain values, no secret in a URI."""
    return settings.redacted(settings.model_dump(mode="json"))


class _OneChoice(argparse.BooleanOptionalAction):
    """Yes or no, and not both."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        chosen = getattr(namespace, self.dest, None)
        super().__call__(parser, namespace, values, option_string)
        if chosen is not None and chosen != getattr(namespace, self.dest):
            parser.error(f"--{self.dest.replace('_', '-')} and its opposite are both given")


def add_flags(parser: argparse.ArgumentParser, settings: type[Settings], defaults: Mapping[str, Any]) -> None:
    """Give `parser` a flag for each field; a flag that is not used leaves no trace in the namespace."""
    group = parser.add_argument_group("settings")
    for name, field in settings.model_fields.items():
        extra = field.json_schema_extra
        unit = f" [{extra['unit']}]" if isinstance(extra, dict) and extra.get("unit") else ""
        default = _shown(defaults.get(name, field.default))
        text = f"{field.description}{unit} (default: {default})".replace("%", "%%")
        options: dict[str, Any] = {"help": text, "default": argparse.SUPPRESS, "dest": name}
        flag = "--" + name.replace("_", "-")
        if field.annotation is bool:
            group.add_argument(flag, action=_OneChoice, **options)
        elif get_origin(field.annotation) is tuple:
            group.add_argument(flag, nargs="+", action="extend", metavar="VALUE", **options)
        else:
            group.add_argument(flag, metavar=_metavar(field.annotation), **options)


def _as_list(cls: type[Settings], name: str, value: Any) -> Any:
    """A list field's value as a list, where it came as text: from `--set` whole, from a flag in pieces."""
    field = cls.model_fields.get(name)
    if field is None or get_origin(field.annotation) is not tuple or not isinstance(value, str | list | tuple):
        return value
    holds_text = get_args(field.annotation)[0] is str
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            try:
                return json.loads(value)
            except ValueError:
                return [value]
        value = [value] if value else []
    if holds_text or not all(isinstance(item, str) for item in value):
        return value
    return [number for item in value for number in item.replace(",", " ").split()]


def _class_at(cls: type[Settings], location: Sequence[int | str]) -> type[Settings]:
    """The class of the settings, nested in one another or in lists, that hold what is at `location`."""
    for name in location[:-1]:
        annotation = cls.model_fields[name].annotation if isinstance(name, str) else None
        for part in (annotation, *get_args(annotation)):
            if isinstance(part, type) and issubclass(part, Settings):
                cls = part
    return cls


def _and(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _count(names: Mapping[str, str]) -> str:
    return "counts" if len(names) == 1 else "count"


def _left_out(defaults: Mapping[str, str]) -> str:
    return "leave " + _and(f"{name} at {default}" for name, default in defaults.items())


def _metavar(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "{" + ",".join(map(str, get_args(annotation))) + "}"
    return {int: "N", float: "X"}.get(annotation, "TEXT")


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return " ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value != "" else "none"
