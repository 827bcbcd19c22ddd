"""Sources whose URIs hold secrets: user information, or a query, which may be signed.

Such a URI stays out of command lines, logs, manifests and pages, which have the URI without its secrets. The whole URI
is in the environment variable SECRETS_VARIABLE, which only the process's owner can read, and is looked up there when
the source is opened. A run sets the variable for its stages; elsewhere a person or a cluster's secret does.
"""

import os
from urllib.parse import urlsplit

from components.artifacts.storage.uris import has_secrets, is_web, redacted

SECRETS_VARIABLE = "QUILLFLOW_SECRET_URIS"
"""The environment variable that holds whole URIs, separated by white space."""


def bare(uri: str, known: list[str]) -> str:
    """The URI without its secrets; the whole one goes into `known`, numbered if the rest of the URI is the same."""
    if not (is_web(uri) and has_secrets(uri)):
        return uri
    if uri not in known:
        known.append(uri)
    alike = [whole for whole in known if redacted(whole) == redacted(uri)]
    number = alike.index(uri) + 1
    return redacted(uri) if number == 1 else f"{redacted(uri)}#{number}"


def whole(uri: str) -> str:
    """The whole URI for one without secrets, if SECRETS_VARIABLE has it; otherwise the URI itself."""
    if not is_web(uri) or has_secrets(uri):
        return uri
    alike = [known for known in known_secrets() if redacted(known) == redacted(uri)]
    number = urlsplit(uri).fragment or "1"
    return alike[int(number) - 1] if number.isdecimal() and 1 <= int(number) <= len(alike) else uri


def known_secrets() -> list[str]:
    """The whole URIs in SECRETS_VARIABLE."""
    return os.environ.get(SECRETS_VARIABLE, "").split()
