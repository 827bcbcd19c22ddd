"""How a run that failed or was stopped ends: what went wrong, and how to resume."""

import re
import signal

from components.artifacts import storage
from components.artifacts.errors import QuillflowError
from components.artifacts.manifest import MANIFEST_NAME
from components.steps import STEPS
from components.train.committed import newest_step
from pipelines.local.engine import Relay

INTERRUPTED, TERMINATED = 130, 143


class RunError(QuillflowError):
    """A stage of a run failed; the exit code is the stage's."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def killed(stage: str) -> str:
    """The message about a stage that the kernel killed."""
    return f"{stage}: killed by SIGKILL, probably because this machine ran out of memory; {STEPS[stage].less_memory}"


def ending(error: RunError | KeyboardInterrupt, signals: list[int], relay: Relay, root: str, name: str) -> RunError:
    """The error that ends a run, with how to resume its training if it is unfinished."""
    message, code = (str(error), error.exit_code) if isinstance(error, RunError) else ("interrupted", INTERRUPTED)
    if signals:
        message, code = (f"stopped by {signal.Signals(signals[0]).name}", TERMINATED)
        if signal.SIGINT in signals:
            message, code = "interrupted", INTERRUPTED
        if relay.last_error and relay.exit_code not in (INTERRUPTED, TERMINATED):
            message += f"; {relay.last_error}"
    damaged = re.search(rf"{re.escape(root)}/(?P<run>[^/\s]+)/(?:{'|'.join(STEPS)})\b", message)
    if damaged and damaged["run"] != name:
        message += f"; remove {damaged[0]} and run again to make it again"
    where = _how_to_resume(f"{root}/{name}") if "train" in relay.executed else ""
    if not where and code in (INTERRUPTED, TERMINATED) and not {"sample", "report"} & {*relay.executed}:
        where = (
            "; no train step was saved"
            if "train" in relay.executed
            else "; training had not started, so nothing is saved"
        )
    return RunError(message + where, code)


def _how_to_resume(run: str) -> str:
    """How to resume the unfinished training of the run at this URI; empty if there is none."""
    checkpoints = f"{run}/train/checkpoints"
    try:
        step = newest_step(checkpoints)
        if step is None or storage.read_file(f"{run}/train/model/{MANIFEST_NAME}"):
            return ""
    except storage.StorageError:  # what ended the run says more
        return ""
    return f"; resume training from train step {step:,} with --set train.init_from={checkpoints}"
