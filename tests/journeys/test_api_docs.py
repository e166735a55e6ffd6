"""The machines' document, drawn for people by Swagger UI, under the site's own rules of content."""

from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browser_console import complaints_of
from tests.journeys.site import RunningSite

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_document_of_the_door_loads_and_breaks_no_rule_of_content(
    running_site: RunningSite, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(base_url=running_site.url, color_scheme=scheme) as context:
        page = context.new_page()
        complaints = complaints_of(page)

        page.goto("/api/docs/")
        page.get_by_text("Push one draw, up to 500, or a table of results").click()

        expect(page.get_by_text("A draw is one blood sample")).to_be_visible()
        page.get_by_role("button", name="Try it out").click()
        expect(page.get_by_role("button", name="Execute")).to_be_visible()
        page.get_by_role("button", name="Authorize").first.click()
        expect(page.get_by_role("heading", name="Available authorizations")).to_be_visible()
        assert complaints == []
