"""What stopped a store, in words of our own: other people's messages may hold URLs, and those secrets."""

from components.artifacts.storage.store import StorageError


def is_of_this_machine(error: BaseException) -> bool:
    """Whether a local file failed, not the network: libraries raise OSError for both."""
    network = isinstance(error, ConnectionError | TimeoutError)
    return isinstance(error, OSError) and error.errno is not None and not network


def of_file(name: object, error: OSError) -> StorageError:
    """The error for a local file that can't be read or written."""
    return StorageError(f"{name}: {error.strerror or type(error).__name__}; see to the disk or choose another place")


def network_cause(error: BaseException) -> str:
    """Why a connection failed, as the innermost error has it."""
    kind, cause = type(error).__name__, None
    step: BaseException | None = error
    while step is not None:
        if isinstance(step, OSError) and step.strerror:
            cause = step.strerror.lower()
        step = step.__cause__ or step.__context__
    return cause or ("no answer in time" if "Timeout" in kind else "the connection broke off")


def one_line(text: object, *, limit: int = 200) -> str:
    """A server's message, fit for a line."""
    return " ".join(str(text).split())[:limit].rstrip(".")
