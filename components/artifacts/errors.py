"""The errors a user meets; each message is one line that says what is wrong, where, and what to do."""


class QuillflowError(Exception):
    """Anything that stops the work for a reason that the user can act on."""

    exit_code = 1
    may_pass = False
    """Whether the same work may succeed later with nothing changed."""


class UsageError(QuillflowError):
    """The command or a setting is wrong; nothing was started."""

    exit_code = 2


class SourceError(QuillflowError):
    """A source text can't be fetched, decoded or parsed."""


class ArtifactError(QuillflowError):
    """An artifact is missing, incomplete, altered, of another kind, or newer than this version reads."""


class NewerArtifactError(ArtifactError):
    """An artifact was written by a newer version of Quillflow, so this one does not know what it was made from."""


class DivergedError(QuillflowError):
    """Training's loss or weights are no longer finite; earlier checkpoints stay."""


class CheckpointsInUseError(QuillflowError):
    """Another trainer owns the checkpoints."""

    exit_code = 75
    may_pass = True
