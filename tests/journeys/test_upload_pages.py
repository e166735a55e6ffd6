"""A file of results in a real browser: chosen, looked at and taken in, with and without scripts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.browser_console import complaints_of
from tests.journeys.clinic import EMAIL, PASSWORD, set_up
from tests.journeys.site import RunningSite
from tests.journeys.test_portal_pages import WCAG
from tests.patients.tables import table_of

pytestmark = pytest.mark.journey

MIXED = table_of(
    {},
    {"analyte": "IL-6", "value": "<0.50", "unit": "pg/mL"},
    {"accession": "A-18", "patient": "9999", "unit": "furlong"},
    {"accession": "A-19", "value": "37,50", "collected_at": "02.11.2026"},
)


@pytest.fixture(scope="module")
def lead(running_site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> RunningSite:
    """A clinic whose one clinician leads the team."""
    set_up(running_site, tmp_path_factory.mktemp("clinic"))
    added = running_site.manage("add_team", "Upload clinic", "Leads", "--zone", "UTC")
    assert added.returncode == 0, added.stderr
    joined = running_site.manage("add_clinician", EMAIL, "--team", "Leads", "--role", "lead")
    assert joined.returncode == 0, joined.stderr
    return running_site


@pytest.fixture(params=["light", "dark"])
def page(lead: RunningSite, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    with browser.new_context(base_url=lead.url, color_scheme=request.param) as context:
        yield signed_in(context)


def signed_in(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/account/login/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_contain_text("My patients")
    return page


def choose(page: Page, folder: Path, table: str) -> None:
    file = folder / "results.csv"
    file.write_bytes(table.encode())
    page.goto("/parked/")
    page.get_by_role("link", name="Upload a file of results").click()
    page.get_by_label("Laboratory", exact=True).select_option(index=1)
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Look at the rows").click()


def assert_readable(page: Page) -> None:
    found = Axe().run(page, options={"runOnly": WCAG})
    assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1280, "height": 900})


def test_every_step_keeps_wcag_2_2_aa_and_fits_a_narrow_window(page: Page, tmp_path: Path) -> None:
    complaints = complaints_of(page)

    page.goto("/upload/")
    assert_readable(page)
    choose(page, tmp_path, MIXED)
    expect(page.locator("h1")).to_contain_text("1 row cannot be read")
    expect(page.locator("tbody tr").first).to_contain_text("has a decimal comma")
    assert_readable(page)
    choose(page, tmp_path, "accession,colour\r\nA-17,red\r\n")
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    assert_readable(page)

    # a 422 is told to the console by the browser itself
    assert [each for each in complaints if "422" not in each] == []


def test_a_file_is_taken_in_without_a_script(
    lead: RunningSite, browser: Browser, tmp_path: Path
) -> None:
    with browser.new_context(base_url=lead.url, java_script_enabled=False) as context:
        page = signed_in(context)
        choose(page, tmp_path, table_of({"accession": "J-1", "patient": "9999"}))
        expect(page.locator("h1")).to_contain_text("1 row can be taken in")

        page.get_by_role("button", name="Take the file in").click()

        expect(page.get_by_role("status")).to_contain_text("The file is taken in (parked: 1).")
        page.goto("/parked/")
        expect(page.locator("main")).to_contain_text("J-1")
