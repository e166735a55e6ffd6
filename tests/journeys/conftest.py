"""A whole copy of its own for each module of journeys: `manage.py up` and a mail server."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window.

    For one module, as Playwright keeps a loop running in which Django would refuse to touch the
    database: the tests of that module see the site from outside only.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        reason = f"No browser here: none of {', '.join(names)} was found. Install chromium."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of its own for each test, with nobody signed in."""
    with browser.new_context() as context:
        yield context.new_page()
