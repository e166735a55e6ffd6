"""A sign-in from its beginning to its ends: in a browser, with a real worker and a mail server."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.browser_console import complaints_of
from tests.journeys.clinic import EMAIL, PASSWORD, set_up
from tests.journeys.site import RunningSite, wait_for

pytestmark = pytest.mark.journey

A_POLL_LATER = 61_000


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def let_sign_ins_end_in(site: RunningSite, seconds: int) -> None:
    """Put the end of every sign-in where it would be if nothing had been asked for a while."""
    done = site.manage(
        *("shell", "-v0", "-c"),
        "from datetime import timedelta as t\n"
        "from django.contrib.sessions.models import Session as S\n"
        "from django.utils.timezone import now\n"
        f"S.objects.update(expire_date=now() + t(seconds={seconds}))",
    )
    assert done.returncode == 0, done.stderr


def test_a_sign_in_lasts_by_typing_warns_ends_and_leads_back(
    running_site: RunningSite, page: Page, tmp_path: Path
) -> None:
    set_up(running_site, tmp_path)
    complaints = complaints_of(page)
    page.clock.install()
    page.goto(f"{running_site.url}/preferences/")
    sign_in(page, PASSWORD)
    expect(page.locator("h1")).to_contain_text("Preferences")
    zone = page.get_by_label("Time zone")

    with page.expect_response("**/stay/") as stayed:
        zone.press_sequentially("Asia")
    assert stayed.value.status == 200

    let_sign_ins_end_in(running_site, 200)
    page.clock.fast_forward(A_POLL_LATER)
    warning = page.get_by_text("You will be signed out at")
    expect(warning).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("button", name="Stay signed in").click()
    expect(warning).to_be_hidden()

    let_sign_ins_end_in(running_site, -1)
    page.clock.fast_forward(A_POLL_LATER)
    expect(page.get_by_text("You were signed out after 30 minutes without use.")).to_be_visible()
    sign_in(page, PASSWORD)
    expect(page).to_have_url(f"{running_site.url}/preferences/")
    assert complaints == []


def test_a_forgotten_password_comes_by_mail_and_a_closed_account_is_out_at_once(
    running_site: RunningSite, page: Page
) -> None:
    page.goto(f"{running_site.url}/account/password/reset/")
    page.get_by_label("Email").fill(EMAIL.upper())
    page.get_by_role("button", name="Send the link").click()
    expect(page.locator("h1")).to_have_text("Look into your mail")

    wait_for(lambda: bool(running_site.mails), within_s=60, what=lambda: running_site.log)
    [mail] = running_site.mails
    text = mail.get_body(("plain",))
    assert text is not None
    [link] = re.findall(r"http://\S+", text.get_content())
    assert link.startswith(running_site.url)
    page.goto(link)
    for label in ("New Password", "New Password (again)"):
        page.get_by_label(label, exact=True).fill("sixteen brown foxes jump")
    page.get_by_role("button").last.click()
    page.goto(running_site.url)
    sign_in(page, "sixteen brown foxes jump")
    expect(page.locator("h1")).to_contain_text("My patients")

    refused = running_site.manage("close_clinician", EMAIL)
    assert "would reach nobody" in refused.stderr
    closed = running_site.manage("close_clinician", EMAIL, "--leave-nobody-to-alert")
    assert "Sign-ins ended: " in closed.stdout
    page.goto(f"{running_site.url}/preferences/")
    expect(page.get_by_text("Your sign-in had ended.")).to_be_visible()
