"""JSON as this suite writes it: never NaN or Infinity, which are not JSON and which most readers reject."""

import json
import math
from typing import Any

from components.artifacts.errors import ArtifactError


def as_json(values: Any, *, indent: int | None = None, sort_keys: bool = False, ensure_ascii: bool = True) -> str:
    """The values as JSON; the arguments are json.dumps'.

    Raises:
        ArtifactError: one of the numbers is not finite; the error names its place.
    """
    try:
        return json.dumps(values, indent=indent, sort_keys=sort_keys, ensure_ascii=ensure_ascii, allow_nan=False)
    except ValueError:
        place = _not_finite(values)
        if place is None:
            raise
        raise ArtifactError(f"{place} is not a finite number, so nothing that holds it is written") from None


def _not_finite(values: Any, place: str = "") -> str | None:
    """The place of the first number that is not finite, as `name.name.0`, with the number."""
    if isinstance(values, float):
        return None if math.isfinite(values) else f"{place or 'a value'} ({values})"
    if not isinstance(values, dict | list | tuple):
        return None
    items = values.items() if isinstance(values, dict) else enumerate(values)
    found = (_not_finite(value, f"{place}.{name}" if place else str(name)) for name, value in items)
    return next((where for where in found if where), None)
