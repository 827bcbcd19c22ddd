"""The texts that come with Quillflow, or with Python, by the names that `builtin:` URIs have."""

from collections.abc import Callable, Mapping

from components.artifacts.errors import UsageError

SCHEME = "builtin:"


def python_docs() -> str:
    """The reference topics that every CPython carries (pydoc_data), in the order of their names."""
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


TEXTS: Mapping[str, Callable[[], str]] = {"python-docs": python_docs}


def builtin_text(uri: str) -> bytes:
    """The UTF-8 text that a `builtin:` URI names.

    Raises:
        UsageError: there is none of that name.
    """
    text = TEXTS.get(uri.removeprefix(SCHEME))
    if text is None:
        known = ", ".join(f"{SCHEME}{name}" for name in TEXTS)
        raise UsageError(f"{uri}: no such built-in corpus; there is {known}")
    return text().encode()
