"""Every page of the portal in a real browser: readable by all, in both schemes, wide and narrow."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.browser_console import complaints_of
from tests.journeys.site import RunningSite

pytestmark = pytest.mark.journey

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
KINDS_OF_FLAGS = ("Safety", "Trending", "Early", "Marker", "Cannot")


@pytest.fixture(scope="module")
def demo_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A copy with the synthetic demo cohort."""
    site = RunningSite(tmp_path_factory.mktemp("site"))
    try:
        site.start()
        yield site
    finally:
        site.end()
    site.assert_nothing_is_left()


@pytest.fixture(scope="module")
def signed_in(demo_site: RunningSite, browser: Browser) -> str:
    """Sign in once; give the cookies to whoever opens a window."""
    email, password = (demo_site.var / "demo_sign_in.txt").read_text().split()
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{demo_site.url}/account/login/")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("h1")).to_contain_text("My patients")
        state = demo_site.var / "cookies.json"
        context.storage_state(path=state)
    return str(state)


@pytest.fixture(scope="module")
def addresses(demo_site: RunningSite, browser: Browser, signed_in: str) -> dict[str, str]:
    """Find a page of every kind by following the links, as a reader would."""
    with browser.new_context(storage_state=signed_in, base_url=demo_site.url) as context:
        page = context.new_page()
        page.goto("/")
        found = {"worklist": "/"}
        for kind in KINDS_OF_FLAGS:
            found[f"flag: {kind}"] = address_of(page, f"a[href^='/f/']:text-matches('^{kind}')")
        found["safety"] = found["flag: Safety"] + "/safety"
        found["to review"] = "/?show=review"
        found["nobody listed"] = "/?show=closed"
        patient = found["patient"] = address_of(page, "a[href^='/patients/']")
        for name in ("ratings", "trials", "events"):
            found[f"add to {name}"] = f"{patient}{name}/add/"
        page.goto(patient)
        found["stop a trial"] = address_of(page, "a:text('Record the end')")
        found["parked"] = "/parked/"
        page.goto("/parked/")
        found["parked draw"] = address_of(page, "main a[href^='/parked/']")
        waiting = page.locator("main a[href^='/parked/']")
        found["another parked draw"] = str(waiting.last.get_attribute("href"))
        found["enrol for a parked draw"] = found["parked draw"] + "enrol/"
        page.goto("/laboratories/")
        found["laboratories"] = "/laboratories/"
        found["laboratory"] = address_of(page, "main a[href^='/laboratories/']")
        found["upload"] = "/upload/"
        found["preferences"] = "/preferences/"
    return found


def address_of(page: Page, selector: str) -> str:
    address = page.locator(selector).first.get_attribute("href")
    assert address, selector
    return address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_keeps_wcag_2_2_aa_and_breaks_no_rule_of_content(
    demo_site: RunningSite,
    browser: Browser,
    signed_in: str,
    addresses: dict[str, str],
    scheme: str,
) -> None:
    options = {"storage_state": signed_in, "base_url": demo_site.url, "color_scheme": scheme}
    with browser.new_context(**options) as context:  # type: ignore[arg-type]
        page = context.new_page()
        complaints = complaints_of(page)

        for name, address in addresses.items():
            page.goto(address)
            found = Axe().run(page, options={"runOnly": WCAG})

            assert found.response["passes"], name
            assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        assert complaints == []


def test_no_page_scrolls_sideways_in_a_window_of_320_pixels(
    demo_site: RunningSite, browser: Browser, signed_in: str, addresses: dict[str, str]
) -> None:
    with browser.new_context(
        storage_state=signed_in,
        base_url=demo_site.url,
        viewport={"width": 320, "height": 640},
    ) as context:
        page = context.new_page()

        for name, address in addresses.items():
            page.goto(address)

            assert page.evaluate("document.documentElement.scrollWidth") <= 320, name


def test_a_refused_form_keeps_wcag_too(
    demo_site: RunningSite, browser: Browser, signed_in: str, addresses: dict[str, str]
) -> None:
    with browser.new_context(storage_state=signed_in, base_url=demo_site.url) as context:
        page = context.new_page()
        for name in ("add to ratings", "add to trials", "add to events"):
            page.goto(addresses[name])
            page.get_by_role("button", name=re.compile("^Save the")).click()

            expect(page.get_by_role("alert", name="There is a problem")).to_be_visible()
            found = Axe().run(page, options={"runOnly": WCAG})
            assert found.violations_count == 0, f"{name}: {found.generate_report()}"


@pytest.fixture
def without_scripts(
    demo_site: RunningSite, browser: Browser, signed_in: str
) -> Iterator[BrowserContext]:
    with browser.new_context(
        storage_state=signed_in, base_url=demo_site.url, java_script_enabled=False
    ) as context:
        yield context


def test_the_day_can_be_done_without_a_script(
    without_scripts: BrowserContext, addresses: dict[str, str]
) -> None:
    page = without_scripts.new_page()
    page.goto("/")
    when_the_reader_filters_and_searches(page)
    # before the rating, which may take the flag down if it is of the same patient
    flags = [at for name, at in addresses.items() if name.startswith("flag: ")]
    when_the_reader_acknowledges(page, [at for at in flags if at != addresses["flag: Safety"]])
    expect(page.locator("main")).to_contain_text("The flag is acknowledged.")
    when_the_reader_records_a_rating(page, addresses["patient"])


def when_the_reader_filters_and_searches(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^To review")).click()
    expect(page.locator("h1")).to_contain_text("to review")
    page.get_by_label("Name or number").fill("synthetic")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("h1")).to_contain_text("found")
    assert "synthetic" not in page.url


def when_the_reader_records_a_rating(page: Page, patient: str) -> None:
    page.goto(patient)
    page.get_by_role("link", name="Add a rating").click()
    for number in range(1, 17):
        page.get_by_role("radiogroup", name=re.compile(f"^Item {number}:")).get_by_label(
            "0"
        ).check()
    page.get_by_role("button", name="Save the rating").click()
    expect(page.locator("main")).to_contain_text("Rating recorded: QIDS-SR16 0.")


def when_the_reader_acknowledges(page: Page, flags: list[str]) -> None:
    """Acknowledge the first of these flags that nobody has acknowledged yet."""
    reviewing = page.get_by_label("I am reviewing this patient")
    for flag in flags:
        page.goto(flag)
        if reviewing.count():
            break
    reviewing.check()
    page.get_by_role("button", name="Acknowledge").click()


def test_with_a_script_a_filter_redraws_the_list_and_keeps_an_address(
    demo_site: RunningSite, browser: Browser, signed_in: str
) -> None:
    with browser.new_context(storage_state=signed_in, base_url=demo_site.url) as context:
        page = context.new_page()
        page.goto("/")
        page.evaluate("document.body.dataset.same = 'page'")

        page.get_by_role("link", name=re.compile("^To review")).click()

        expect(page.locator("h1")).to_contain_text("to review")
        assert page.evaluate("document.body.dataset.same") == "page"
        assert page.url.endswith("/?show=review")
