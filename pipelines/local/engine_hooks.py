"""Hooks into Kubeflow's local engine: the name of a run, and how a stage's process ended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def named(run: str) -> Iterator[None]:
    """Set the engine's name for its run, which is also its directory's; its own names are times of day."""
    from kfp.local import executor_input_utils

    theirs = executor_input_utils.get_local_pipeline_resource_name
    executor_input_utils.get_local_pipeline_resource_name = lambda _: run
    try:
        yield
    finally:
        executor_input_utils.get_local_pipeline_resource_name = theirs


@contextmanager
def exit_codes_reported(note: Callable[[int], None]) -> Iterator[None]:
    """Pass the exit code of each stage's process to `note`, negative for a signal; the engine does not report it."""
    from kfp.local import subprocess_task_handler

    theirs = subprocess_task_handler.run_local_subprocess

    def run(**options: Any) -> int:
        code: int = theirs(**options)
        note(code)
        return code

    subprocess_task_handler.run_local_subprocess = run
    try:
        yield
    finally:
        subprocess_task_handler.run_local_subprocess = theirs
