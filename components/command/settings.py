"""Settings as frozen classes whose fields have a meaning, a unit and a default.

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
"""The validation context, by identity, in which settings without effect are accepted."""

NOT_SHOWN = "not_shown"
"""The type of a validator's PydanticCustomError whose value may be secret, so that no message shows it."""


@dataclass(frozen=True, kw_only=True)
class NamedPlace:
    """What a setting names that is a path or URI.

    `of` is what lies there: only a `file` may be fetched over http(s), and a `model` may be a champion's pointer.
    `digest` is the parameter by which a task is given what was there when its run began, so that the cache notices a
    change.
    """

    of: Literal["file", "artifact", "model", "checkpoints"]
    digest: str


def setting(default: Any, description: str, *, unit: str = "", place: NamedPlace | None = None, **limits: Any) -> Any:
    """A field of a settings class; `place` says that it is a path or URI, `limits` are pydantic's (`ge`, `lt`, ...)."""
    extra: Any = {"unit": unit, "place": place}
    return Field(default, description=description, json_schema_extra=extra, **limits)


@dataclass(frozen=True, kw_only=True)
class Only:
    """Settings that have an effect only if others have certain values.

    `names` are those settings and `decided_by` the others; `where` describes the values that these must have, and
    `holds` tests them in a whole config. If the user's choice of `decided_by` leaves a recipe's value without effect,
    the value is dropped, unless it `binds`: a setting that keeps somebody's text out is never dropped.
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
    """Settings that say the same thing in different ways: setting one drops a recipe's value of the others."""

    only: ClassVar[tuple[Only, ...]] = ()
    """Settings that have an effect only with others: otherwise any value but their default is an error."""

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: Any) -> Any:
        """Read a list from one line: `0.2,0.5` for numbers, `["a", "b"]` or a single item for text."""
        if not isinstance(values, dict):
            return values
        return {name: _as_list(cls, name, value) for name, value in values.items()}

    @field_validator("*")
    @classmethod
    def _is_unicode(cls, value: Any) -> Any:
        """Reject text that can't be written: bytes of a command line that are not UTF-8 become lone surrogates."""
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, str) and any("\ud800" <= character <= "\udfff" for character in item):
                raise ValueError("must be Unicode text")
        return value

    @model_validator(mode="after")
    def _all_have_a_part(self, info: ValidationInfo) -> Self:
        for rule in self.only if info.context is not _WHATEVER_COUNTS else ():
            if not rule.holds(self) and (given := self.set_among(rule.names)):
                raise ValueError(
                    f"{_and(given)} {_have(given)} an effect only with {rule.where}; set that, or {_left_out(given)}"
                )
        return self

    def set_among(self, names: Iterable[str]) -> dict[str, str]:
        """The settings among `names` that differ from their defaults, each with its default as text."""
        fields = type(self).model_fields
        differ = [name for name in names if getattr(self, name) != fields[name].default]
        return {name: _shown(fields[name].default) for name in differ}

    @classmethod
    def parse(cls, values: Mapping[str, Any], stage: str, defaults: Mapping[str, Any] = MappingProxyType({})) -> Self:
        """Check `values`, which may be text as from a command line, on top of a recipe's `defaults`.

        Raises:
            UsageError: a value or name is wrong; one line that names stage, field, value and what is allowed.
        """
        try:
            return cls.model_validate(cls._on_top(defaults, values))
        except ValidationError as error:
            raise UsageError(explain(cls, stage, error)) from None

    @classmethod
    def _on_top(cls, defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` on top of a recipe's, without those of the recipe that they leave without effect."""
        dropped = {name for ways in cls.either if not values.keys().isdisjoint(ways) for name in ways}
        merged = {**{name: value for name, value in defaults.items() if name not in dropped}, **values}
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
        """Values by setting, without the secrets in URIs."""
        hidden = {name: storage.redacted(str(values[name])) for name in cls.places() if name in values}
        return {**values, **hidden}


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the known word nearest to `name`, or lists them all."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {shown(close[0])}?" if close else f"known are {', '.join(map(shown, names))}"


def shown(name: str) -> str:
    """A name from data, in quotes if it has blanks at an end or invisible characters."""
    if unicodedata.normalize("NFC", name) != name:
        return ascii(name)
    return name if name.isprintable() and name == name.strip() != "" else repr(name)


def explain(cls: type[Settings], place: str, invalid: ValidationError) -> str:
    """One line about the first error in `cls`'s values: where (below `place`), what, and what is allowed."""
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
    """The paths and URIs among the settings, by name; without empty ones."""
    return {name: getattr(settings, name) for name in settings.places() if getattr(settings, name)}


def recorded(settings: Settings) -> dict[str, Any]:
    """The settings for a manifest: plain values, without secrets in URIs."""
    return settings.redacted(settings.model_dump(mode="json"))


class _OneChoice(argparse.BooleanOptionalAction):
    """A flag for yes or no that can't be given both ways."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        chosen = getattr(namespace, self.dest, None)
        super().__call__(parser, namespace, values, option_string)
        if chosen is not None and chosen != getattr(namespace, self.dest):
            parser.error(f"--{self.dest.replace('_', '-')} and its opposite are both given")


def add_flags(parser: argparse.ArgumentParser, settings: type[Settings], defaults: Mapping[str, Any]) -> None:
    """Add a flag to `parser` for each field; an unused flag is not in the namespace."""
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
    """A list field's value as a list, if it is text: from `--set` as a whole, from a flag in pieces."""
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
    """The settings class, possibly nested in others or in lists, that holds the field at `location`."""
    for name in location[:-1]:
        annotation = cls.model_fields[name].annotation if isinstance(name, str) else None
        for part in (annotation, *get_args(annotation)):
            if isinstance(part, type) and issubclass(part, Settings):
                cls = part
    return cls


def _and(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _have(names: Mapping[str, str]) -> str:
    return "has" if len(names) == 1 else "have"


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
