"""The kinds of buckets, a row each: everything that differs between them, except their stores.

Nothing here imports a cloud's library: a store's module is imported when a bucket is opened.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from components.artifacts.storage.store import Store


@dataclass(frozen=True, kw_only=True)
class BucketKind:
    """A kind of bucket.

    Attributes:
        schemes: of its URIs; those after the first are other names for the same buckets.
        opened: the store of a bucket, by scheme and name.
        variables: a pattern of the environment variables that its clients read.
        files: the default places, below the home directory, of the files that these variables name, credentials' first.
        given_by: variables any of which provides credentials.
        needless: a variable that makes credentials unnecessary if it is set.
        directory: a variable that moves the directory of the credentials' file; empty for none.
        must_exist: whether clients fail if a credentials' file is named but missing.
        advice: how to get credentials.
        server: the server's address, if it is not the cloud's own.
        settings: the variables that an environment's `store` sets, each with the name of its setting.
    """

    schemes: tuple[str, ...]
    opened: Callable[[str, str], Store]
    variables: str
    files: Mapping[str, str]
    advice: str
    given_by: tuple[str, ...] = ()
    needless: str = ""
    directory: str = ""
    must_exist: bool = False
    server: Callable[[], str | None] = lambda: None
    settings: Mapping[str, str] = field(default_factory=dict)


def _google(_: str, name: str) -> Store:
    from components.artifacts.storage.gcs import GcsStore

    return GcsStore(name)


def _amazon(scheme: str, name: str) -> Store:
    from components.artifacts.storage.s3 import S3Store

    return S3Store(name, scheme=scheme)


def _amazons_server() -> str | None:
    from components.artifacts.storage.s3_client import server_address

    return server_address()


KINDS = (
    BucketKind(
        schemes=("gs",),
        opened=_google,
        variables="(GOOGLE|GS|CLOUDSDK)_.*|STORAGE_EMULATOR_HOST|NO_GCE_CHECK",
        files={"GOOGLE_APPLICATION_CREDENTIALS": ".config/gcloud/application_default_credentials.json"},
        needless="STORAGE_EMULATOR_HOST",
        directory="CLOUDSDK_CONFIG",
        must_exist=True,
        advice="for gs:// run gcloud auth application-default login; on Google's machines a service account is enough",
        settings={"GS_USER_PROJECT": "user_project"},
    ),
    BucketKind(
        schemes=("s3", "minio"),
        opened=_amazon,
        variables="AWS_.*",
        files={"AWS_SHARED_CREDENTIALS_FILE": ".aws/credentials", "AWS_CONFIG_FILE": ".aws/config"},
        given_by=("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        advice="for s3:// set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; on Amazon's machines a role is enough",
        server=_amazons_server,
        settings={
            "AWS_ENDPOINT_URL_S3": "endpoint",
            "AWS_REGION": "region",
            "AWS_REQUEST_PAYER": "request_payer",
        },
    ),
)
KIND_OF = {scheme: kind for kind in KINDS for scheme in kind.schemes}


def schemes_in_words() -> str:
    """The schemes of buckets, for people: gs://, s3:// or minio://."""
    *others, last = (f"{scheme}://" for scheme in KIND_OF)
    return f"{', '.join(others)} or {last}"
