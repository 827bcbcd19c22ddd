"""Ingest draws a page only for tests that look at it."""

from collections.abc import Iterator

import pytest

from tests.shorter import without_page


@pytest.fixture
def page() -> None:
    """For a test that looks at the corpus's page."""


@pytest.fixture(autouse=True)
def no_other_page(request: pytest.FixtureRequest) -> Iterator[None]:
    if "page" in request.fixturenames:
        yield
    else:
        with without_page("components.ingest.ingesting"):
            yield
