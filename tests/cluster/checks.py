"""What the API on loopback holds requests to: the published models, and the pipeline's own declarations."""

import json
import re
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import kfp_server_api as kfp

_TYPES: dict[str, type | tuple[type, ...]] = {
    "STRING": str,
    "STRUCT": dict,
    "LIST": list,
    "BOOLEAN": bool,
    "NUMBER_INTEGER": int,
    "NUMBER_DOUBLE": (int, float),
}


class Plain(str):
    """An answer that is text, not JSON."""

    __slots__ = ()


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def parsed(body: Any, model: Any) -> Any:
    """A request's body as the model for it, which has to have all the fields that came, of the right types."""
    _check(body, model.__name__, "the body")
    return kfp.ApiClient().deserialize(SimpleNamespace(data=json.dumps(body)), model)


def check_name(name: str | None) -> None:
    """Pipelines and versions may be kept as Kubernetes resources, and so are named."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", name or ""):
        raise RefusedError(400, f"Invalid input error: {name!r} is no valid Kubernetes name")


def check_cron(cron: str | None) -> None:
    """Six fields, seconds first."""
    if len((cron or "").split()) != 6:
        raise RefusedError(400, f"Invalid input error: schedule cron is not a valid cron expression: {cron}")


def check_arguments(spec: dict[str, Any], given: dict[str, Any] | None) -> None:
    """All that the pipeline needs, nothing it does not know, each of its type."""
    declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    for name, value in (given or {}).items():
        if name not in declared:
            raise RefusedError(400, f"Invalid input error: the pipeline has no parameter {name}")
        if not isinstance(value, _TYPES[declared[name]["parameterType"]]):
            raise RefusedError(400, f"Invalid input error: parameter {name} is of another type")
    for name, parameter in declared.items():
        if name not in (given or {}) and not parameter.get("isOptional") and "defaultValue" not in parameter:
            raise RefusedError(400, f"Invalid input error: parameter {name} is not given")


def _check(value: Any, kind: str, where: str) -> None:
    """Hold a JSON value to a type of the published models."""
    if kind.startswith("list["):
        for item in value:
            _check(item, kind[5:-1], where)
    elif kind.startswith("dict(") or kind == "object":
        _expect(isinstance(value, dict), where)
    elif kind == "datetime":
        datetime.fromisoformat(value)
    elif kind in {"str", "int", "bool"}:
        _expect(type(value).__name__ == kind, where)
    else:
        _check_model(value, getattr(kfp, kind), where)


def _check_model(value: Any, model: Any, where: str) -> None:
    if not model.openapi_types:  # an enumeration
        _expect(value in model.allowable_values, where)
        return
    _expect(isinstance(value, dict), where)
    fields = {json_name: name for name, json_name in model.attribute_map.items()}
    for name, item in value.items():
        _expect(name in fields, f"{where}: unknown field {name}")
        _check(item, model.openapi_types[fields[name]], f"{where}.{name}")


def _expect(right: bool, where: str) -> None:
    if not right:
        raise RefusedError(400, f"Invalid input error: {where}")
