"""Why an S3 server or the connection to it failed, in our own words, and what to do about it."""

import re

from botocore import exceptions as boto

from components.artifacts.storage.failures import in_brackets, network_cause, one_line, passes

CONDITIONS_NEEDED = (
    "artifacts and checkpoints need a store with conditional writes; use a newer version of the server, another "
    "server, or a disk"
)
_BAD_REQUEST, _NOT_IMPLEMENTED = 400, 501
_HINTS = {
    401: "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role in use",
    403: "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the role in use s3:GetObject, s3:PutObject, "
    "s3:DeleteObject and s3:ListBucket (without which a missing object gives this error too)",
    404: "create the bucket or correct its name",
}
_WRONG_REGION = "set AWS_REGION to the bucket's region"
_HINTS_BY_CODE = {
    "PermanentRedirect": _WRONG_REGION,
    "AuthorizationHeaderMalformed": _WRONG_REGION,
    "RequestTimeTooSkewed": "set this machine's clock",
}
_NEWER_HEADER = re.compile("x-amz-(checksum|sdk-checksum|trailer)")
_CONDITION = re.compile("if-(none-)?match", re.IGNORECASE)
_OLDER_SERVER = (
    "the server does not support newer checksums: set AWS_REQUEST_CHECKSUM_CALCULATION and "
    "AWS_RESPONSE_CHECKSUM_VALIDATION to when_required, or unset them"
)


def explained(error: BaseException, hint: str = "") -> str:
    """What went wrong and what to do about it: `hint`, or a hint for the response's status."""
    if isinstance(error, boto.NoCredentialsError | boto.PartialCredentialsError):
        return "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a role or a profile"
    if isinstance(error, boto.ClientError):
        said = one_line(error.response["Error"].get("Message", ""))
        return f"the server answered {_answered(error)}" + in_brackets(said, hint or _hint(error))
    if _is_distrust(error):
        return (
            "its certificate is not trusted; fix it, or set AWS_CA_BUNDLE to the file of the authority that signed it"
        )
    if isinstance(error, boto.HTTPClientError | boto.ConnectionError | OSError):
        return f"can't be reached ({network_cause(error)}); check the network and AWS_ENDPOINT_URL, then try again"
    return f"boto3 failed ({type(error).__name__}); check the AWS_ variables and the files in ~/.aws"


def is_away(error: BaseException) -> bool:
    """Whether the server can't be reached or fails temporarily, so that a later request may succeed."""
    if isinstance(error, boto.ClientError):
        return is_transient(status_of(error), _code(error))
    return isinstance(error, boto.HTTPClientError | boto.ConnectionError | OSError) and not _is_distrust(error)


def is_transient(status: int, code: str) -> bool:
    """Whether an error is temporary."""
    return passes(status) or code == "RequestTimeout"  # which S3 answers with 400


def status_of(error: boto.ClientError) -> int:
    """The answer's HTTP status."""
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def refuses_conditions(error: boto.ClientError) -> bool:
    """Whether a server's response to a conditional write says that it does not support them."""
    said = error.response["Error"]
    if status_of(error) == _NOT_IMPLEMENTED:
        return bool(_CONDITION.fullmatch(said.get("Header", "If-Match")))
    return status_of(error) == _BAD_REQUEST and bool(_CONDITION.search(said.get("Message", "")))


def _is_distrust(error: BaseException) -> bool:
    """Whether the connection failed because of a certificate, where a retry does not help."""
    return isinstance(error, boto.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error)


def _hint(error: boto.ClientError) -> str:
    if _NEWER_HEADER.search(error.response["Error"].get("Message", "")):
        return _OLDER_SERVER
    if is_away(error):
        return "try again later"
    return _HINTS_BY_CODE.get(_code(error)) or _HINTS.get(status_of(error), "")


def _code(error: boto.ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _answered(error: boto.ClientError) -> str:
    code = _code(error)
    return str(status_of(error)) if code.isdigit() else f"{status_of(error)} {code}"
