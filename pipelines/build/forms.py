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


def _labels(labels: dict[str, str]) -> dict[str, str]:
    """Labels as Kubernetes takes them."""
    for key, value in labels.items():
        _check_key(key)
        if not re.fullmatch(rf"({_WORD})?", value):
            raise ValueError(f"{key}: its value {value!r} must be empty or {_WORD_IN_WORDS}")
    return labels


def _annotations(annotations: dict[str, str]) -> dict[str, str]:
    """Annotations as Kubernetes takes them."""
    for key, value in annotations.items():
        _check_key(key)
        if "{{" in value:
            raise ValueError(f"{key}: must not contain {{{{, which Kubeflow would replace")
    if sum(len(part.encode()) for pair in annotations.items() for part in pair) > _MOST_ANNOTATED_BYTES:
        raise ValueError(f"must have at most {_MOST_ANNOTATED_BYTES:,} bytes together")
    return annotations


def _check_key(key: str) -> None:
    if not re.fullmatch(_KEY, key):
        raise ValueError(
            f"the key {key!r} must be {_WORD_IN_WORDS}, alone or after a domain and /, as in example.com/team"
        )


def _not_theirs(metadata: dict[str, str]) -> dict[str, str]:
    """Labels or annotations except those by which Quillflow, Kubeflow and Argo find pods."""
    for key in metadata:
        if key == COMPONENT_LABEL or re.match(_THEIRS, key):
            raise ValueError(f"{key}: is set by Quillflow, Kubeflow or Argo, which find pods by it; leave it out")
    return metadata


COMPONENT_LABEL = "app.kubernetes.io/component"
"""The label with a pod's step, by which network policies and logs choose pods."""
_THEIRS = r"([a-z0-9.-]+\.)?(kubeflow\.org|argoproj\.io)/|pipeline/"
_WORD = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_WORD_IN_WORDS = "at most 63 letters, digits, -, _ and ., a letter or digit first and last"
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_KEY = rf"((?=[^/]{{1,253}}/){_LABEL}(\.{_LABEL})*/)?{_WORD}"
_MOST_ANNOTATED_BYTES = 262_144
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
NodeLabels = Annotated[dict[str, str], AfterValidator(_labels)]
Labels = Annotated[dict[str, str], AfterValidator(_labels), AfterValidator(_not_theirs)]
Annotations = Annotated[dict[str, str], AfterValidator(_annotations), AfterValidator(_not_theirs)]
StoreUri = Annotated[str, AfterValidator(_kept_at)]
