"""What every test starts from: a log without handlers."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Each test begins and ends without the log's handler: it holds the standard error of the test that set it up."""
    yield
    logging.getLogger("quillflow").handlers.clear()
