"""A whole copy of its own for each module of journeys: `manage.py up` and a mail server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.journeys.site import RunningSite

StartSite = Callable[..., RunningSite]


@contextmanager
def _started(folder: Path, *options: str) -> Iterator[RunningSite]:
    site = RunningSite(folder)
    try:
        site.start(*options)
        yield site
    finally:
        site.end()
    site.assert_nothing_is_left()


@pytest.fixture(scope="module")
def running_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """An empty copy (no demo cohort) that the tests of one module share."""
    with _started(tmp_path_factory.mktemp("site"), "--no-demo") as site:
        site.wait_until_healthy()
        yield site


@pytest.fixture
def start_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartSite]:
    """Start copies with the options of one's own choice; they end with the test."""
    with ExitStack() as stack:

        def start(*options: str) -> RunningSite:
            folder = tmp_path_factory.mktemp("site")
            return stack.enter_context(_started(folder, *options))

        yield start
