"""Sources whose URIs hold secrets: user information, or a query, which may be signed.

Such a URI stays out of command lines, logs, manifests and pages. What is handed about is the bare one; the whole one
stands in the environment, in SECRETS_VARIABLE, which only the process's owner can read, and is looked up there when
the source is opened. A run puts it there for its stages, a person or a cluster's secret for anything else.
"""

import os
from urllib.parse import urlsplit

from components.artifacts.storage.uris import has_secrets, is_web, redacted

SECRETS_VARIABLE = "QUILLFLOW_SECRET_URIS"
"""The environment variable that holds whole URIs, with white space between them."""


def bare(uri: str, known: list[str]) -> str:
    """The URI without its secrets; the whole one is put into `known`, whose order tells apart what is bare the same."""
    if not (is_web(uri) and has_secrets(uri)):
        return uri
    if uri not in known:
        known.append(uri)
    alike = [whole for whole in known if redacted(whole) == redacted(uri)]
    number = alike.index(uri) + 1
    return redacted(uri) if number == 1 else f"{redacted(uri)}#{number}"


def whole(uri: str) -> str:
    """The URI that a bare one stands for, where SECRETS_VARIABLE has it; any other as it is."""
    if not is_web(uri) or has_secrets(uri):
        return uri
    alike = [known for known in known_secrets() if redacted(known) == redacted(uri)]
    number = urlsplit(uri).fragment or "1"
    return alike[int(number) - 1] if number.isdecimal() and 1 <= int(number) <= len(alike) else uri


def known_secrets() -> list[str]:
    """The whole URIs in SECRETS_VARIABLE."""
    return os.environ.get(SECRETS_VARIABLE, "").split()
