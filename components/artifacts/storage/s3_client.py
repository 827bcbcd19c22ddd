"""The client for an S3 server: its address, checksums, who pays, and how long it retries."""

import os
import random
import re
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore import exceptions as boto
from botocore.config import Config
from botocore.session import Session

from components.artifacts.errors import UsageError
from components.artifacts.storage.contact import Contact
from components.artifacts.storage.failures import one_line
from components.artifacts.storage.s3_errors import is_away, is_transient

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
"""How long the server may be silent within one request."""
RETRY_SECONDS = 120.0
"""How long a request is retried in total."""
UNHEARD_SECONDS = 30.0
"""The same for a server that has never responded: its address may be wrong."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 20.0
PAYER_VARIABLE = "AWS_REQUEST_PAYER"

_ADDRESS = re.compile(r"https?://[^/?#\s]+(/[^?#\s]*)?")
_BEGAN = "quillflow-began"
_NEWER, _OLDER = "when_supported", "when_required"


def connect(scheme: str, bucket: str) -> Any:
    """A boto3 client for the server that the environment or the configuration file names, or for Amazon.

    Raises:
        UsageError: the address is invalid, a minio:// bucket has none, or a variable has an unknown value.
    """
    session = Session()
    address = server_address(session)
    if scheme == "minio" and not address:
        raise UsageError(f"minio://{bucket}: set AWS_ENDPOINT_URL_S3 to the server's address, http://localhost:9000")
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},  # Patience decides how often
        max_pool_connections=32,
        s3=_dialect(session, address),
        request_checksum_calculation=_checksums(session, "request_checksum_calculation", address),
        response_checksum_validation=_checksums(session, "response_checksum_validation", address),
    )
    region = os.environ.get("AWS_REGION")  # boto does not read it, unlike Amazon's other tools
    client: Any = boto3.Session(botocore_session=session, region_name=region).client(
        "s3", endpoint_url=address, config=config
    )
    contact = Contact(f"{scheme}://{bucket}", give_up_after, is_away)
    contact.watch(client._endpoint.http_session)  # noqa: SLF001 -- there is no other way
    patience = Patience(contact)
    client.meta.events.register("before-call.s3", patience.begin)
    client.meta.events.register("needs-retry.s3", patience.wait)
    if payer := _payer():
        client.meta.events.register("before-call.s3", payer)
    return client


class Patience:
    """How long to wait before a retry: boto counts attempts, but an outage has a duration."""

    def __init__(self, contact: Contact) -> None:
        self._contact = contact

    def begin(self, context: dict[str, Any], **_: Any) -> None:
        """Record when a request was first made."""
        context[_BEGAN] = time.monotonic()

    def wait(
        self, response: Any, caught_exception: Exception | None, request_dict: dict[str, Any], attempts: int, **_: Any
    ) -> float | None:
        """Seconds to wait; None if a retry does not help or time is up."""
        if response is not None:
            http, parsed = response
            if not is_transient(http.status_code, str(parsed.get("Error", {}).get("Code", ""))):
                return None
        elif caught_exception is None or not is_away(caught_exception):
            return None
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(attempts - 1, 10))
        seconds = random.uniform(longest / 2, longest)  # noqa: S311 -- so that many clients don't come at once
        spent = time.monotonic() - request_dict["context"][_BEGAN]
        return seconds if spent + seconds < give_up_after(self._contact.heard) else None


def give_up_after(heard: bool) -> float:
    """Seconds for which one request is made again, of a server that has answered before or never has."""
    return RETRY_SECONDS if heard else UNHEARD_SECONDS


def has_newer_checksums(client: Any) -> bool:
    """Whether the server is asked to check the newer checksums (x-amz-checksum-...) on arrival."""
    return bool(client.meta.config.request_checksum_calculation == _NEWER)


def server_address(session: Session | None = None) -> str | None:
    """The server's address from the environment or the AWS configuration file; None means Amazon's.

    Raises:
        UsageError: it is invalid or contains a password, or the file can't be read.
    """
    session = session or Session()
    try:
        profile = session.get_scoped_config()
    except boto.BotoCoreError as error:
        raise UsageError(f"{one_line(error)}; check AWS_PROFILE and the AWS configuration file") from None
    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return None
    services = session.full_config.get("services", {}).get(profile.get("services"), {})
    in_file = services.get("s3", {}).get("endpoint_url") or profile.get("endpoint_url")
    variables = [(name, os.environ.get(name)) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")]
    for name, value in (*variables, ("endpoint_url in the AWS configuration file", in_file)):
        if value:
            return _checked(name, value)
    return None


def _checked(name: str, address: str) -> str:
    if "@" in address:
        raise UsageError(f"{name}: put the user and password into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if not _ADDRESS.fullmatch(address):
        raise UsageError(f"{name}: not a server's address; write it as http(s)://host:port, or with a path")
    return address


def _dialect(session: Session, address: str | None) -> dict[str, Any] | None:
    """Where the bucket's name goes, and whether each body's SHA-256 is part of its request's signature.

    Servers other than Amazon's take the bucket in the path, unless the configuration file says otherwise. All of them
    check a body against the signature; over https, boto would leave the body out of it.
    """
    if not address:
        return None
    style = session.get_scoped_config().get("s3", {}).get("addressing_style", "path")
    return {"addressing_style": style, "payload_signing_enabled": True}


def _checksums(session: Session, name: str, address: str | None) -> str:
    """Newer checksums for Amazon, but not for servers that may not support them, unless the user says otherwise."""
    asked = os.environ.get(f"AWS_{name.upper()}") or session.get_scoped_config().get(name)
    return asked or (_OLDER if address else _NEWER)


def _payer() -> Callable[..., None] | None:
    """The parameter of each request that says the requester pays, if so."""
    value = os.environ.get(PAYER_VARIABLE)
    if not value:
        return None
    if value != "requester":
        raise UsageError(f"{PAYER_VARIABLE}={value}: the only value is requester, which means that you pay")

    def add(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["x-amz-request-payer"] = "requester"

    return add
