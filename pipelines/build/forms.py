"""The forms in which an environment's file writes names, amounts and addresses."""

import re
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from components.artifacts import storage
from components.artifacts.errors import UsageError
from components.artifacts.storage.buckets import KIND_OF, schemes_in_words
from components.command.settings import NOT_SHOWN


def _written(pattern: str, what: str, *, shown: bool = True) -> AfterValidator:
    """Text that is empty or of this form; no error shows a value that may hold a credential."""

    def check(value: str) -> str:
        if value and not re.fullmatch(pattern, value):
            raise PydanticCustomError("value_error" if shown else NOT_SHOWN, "{text}", {"text": f"must be {what}"})
        return value

    return AfterValidator(check)


def _kept_at(value: str) -> str:
    """A place for artifacts, whose name may have any character; no error shows it."""
    try:
        is_refused = storage.is_web(value) or storage.has_secrets(value) or "{{" in value  # Kubeflow would replace it
        storage.local_path(value)
    except UsageError:
        is_refused = True
    if is_refused:
        text = f"must be a path, or {schemes_in_words()} without user or signature"
        raise PydanticCustomError(NOT_SHOWN, "{text}", {"text": text})
    return value


_NAME = r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
_ROOT = rf"(({'|'.join(KIND_OF)}|file)://)?((?!\{{\{{)[^@?#:])+"  # Kubeflow would interpret {{ and a query
Cores = Annotated[str, _written(r"(\d*\.)?\d+|\d+m", "a number of cores such as 2 or 500m")]
Memory = Annotated[str, _written(r"\d+([KMGT]i|[MGT])", "whole Mi, Gi or the like, such as 512Mi or 4Gi")]
Tag = Annotated[str, _written(r"(?!latest$)\w[\w.-]{0,127}", "a tag that says which version it is, as latest does not")]
Registry = Annotated[str, _written(r"[a-z0-9][a-z0-9.:/_-]*[a-z0-9]", "host[:port][/path] without scheme", shown=False)]
Name = Annotated[str, _written(_NAME, "a Kubernetes name: a-z, 0-9, - and .", shown=False)]
Address = Annotated[
    str, _written(r"(?i:https?)://[^@?#\s]+", "http(s)://host[:port] without user or query", shown=False)
]
Root = Annotated[str, _written(_ROOT, f"a path, or {schemes_in_words()} without user or query", shown=False)]
StoreUri = Annotated[str, AfterValidator(_kept_at)]
