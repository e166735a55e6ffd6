"""The whole road: a push, an assessment, a flag, a mail, and a person who takes it on."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.clinic import (
    EMAIL,
    PASSWORD,
    Clinic,
    draw,
    import_ratings,
    set_up,
    without_improvement,
)
from tests.journeys.site import RunningSite, wait_for

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def clinic(running_site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return set_up(running_site, tmp_path_factory.mktemp("clinic"))


def test_from_the_laboratory_to_the_clinician_and_back(
    clinic: Clinic, page: Page, tmp_path: Path
) -> None:
    given_a_trial_on_record(clinic, page)

    answer = clinic.push(draw(17, "0000", value="44.10"))
    import_ratings(clinic, tmp_path, without_improvement("0000"))
    clinic.wait_until(stale_patients=0)
    wait_for(lambda: len(clinic.site.mails) > 0, within_s=60, what=lambda: clinic.site.log)
    link = then_the_mail_names_nobody_and_leads_to_the_flag(clinic)
    before = clinic.status()["flags_open"]
    when_the_clinician_follows_it_signed_out(page, link)

    assert answer.json()["state"] == "recorded"
    assert before
    assert clinic.status()["flags_open"] == before  # looking changes nothing

    page.get_by_label("I am reviewing this patient").check()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("main")).to_contain_text("Acknowledged by")


def sign_in(page: Page) -> None:
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def given_a_trial_on_record(clinic: Clinic, page: Page) -> None:
    page.goto(clinic.site.url)
    sign_in(page)
    page.get_by_role("link", name="INVENTED, Ida").first.click()
    page.get_by_role("link", name="Add a trial").click()
    first_dose = datetime.now(UTC) - timedelta(weeks=8)
    page.get_by_label("Drug").fill("sertraline")
    page.get_by_label("First day").fill(first_dose.date().isoformat())
    page.get_by_label("Daily dose", exact=False).first.fill("100 mg")
    page.get_by_role("button", name="Save the trial").click()
    expect(page.locator("main")).to_contain_text("sertraline")


def then_the_mail_names_nobody_and_leads_to_the_flag(clinic: Clinic) -> str:
    mail = clinic.site.mails[0]
    body = mail.get_body(("plain",))
    assert body is not None
    text = f"{mail['Subject']}\n{body.get_content()}"
    for secret in ("Invented", "Ida", "0000", "44.10", "sIL-6R", "QIDS", "sertraline", "Kita"):
        assert secret not in text
    links: list[str] = re.findall(r"http://\S+", text)
    return links[0]


def when_the_clinician_follows_it_signed_out(page: Page, link: str) -> None:
    page.context.clear_cookies()
    page.goto(link)
    sign_in(page)
    page.wait_for_url(link)
