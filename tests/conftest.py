"""What every test starts from: a log without handlers, and call stacks that are quick to look at."""

import inspect
import logging
from collections.abc import Iterator
from unittest.mock import patch

import pytest


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Each test begins and ends without the log's handler: it holds the standard error of the test that set it up."""
    yield
    logging.getLogger("quillflow").handlers.clear()


@pytest.fixture(autouse=True, scope="session")
def stacks_without_source() -> Iterator[None]:
    """kfp looks at the call stack for each thing a task is given: reading the source of pytest's takes seconds."""
    stack = inspect.stack
    with patch("inspect.stack", lambda *_: stack(0)):
        yield
