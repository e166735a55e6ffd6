"""The whole road: a push, an assessment, a flag, a mail, and a person who takes it on."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.clinic import EMAIL, PASSWORD, Clinic, draw, import_non_improvement, set_up
from tests.journeys.site import RunningSite, wait_for

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def clinic(running_site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return set_up(running_site, tmp_path_factory.mktemp("clinic"))


def test_from_the_laboratory_to_the_clinician_and_back(
    clinic: Clinic, page: Page, tmp_path: Path
) -> None:
    answer = clinic.push(draw(17, "0000", value="44.10"))
    import_non_improvement(clinic, tmp_path)

    assert answer.json()["state"] == "recorded"
    clinic.wait_until(stale_patients=0)
    wait_for(lambda: len(clinic.site.mails) > 0, within_s=60, what=lambda: clinic.site.log)

    link = then_the_mail_names_nobody_and_has_one_link(clinic)
    before = clinic.status()["flags_open"]
    when_the_clinician_follows_it_and_signs_in(page, link)
    assert clinic.status()["flags_open"] == before  # looking changes nothing

    when_they_acknowledge_with_a_reason(page)

    expect(page.locator("main")).to_contain_text("acknowledged")
    page.goto(clinic.site.url)
    expect(page.locator("main")).to_contain_text("INVENTED, Ida")


def then_the_mail_names_nobody_and_has_one_link(clinic: Clinic) -> str:
    [mail] = clinic.site.mails
    text = mail.as_string()
    for secret in ("Invented", "Ida", "0000", "44.10", "sIL-6R", "QIDS", "Kita"):
        assert secret not in text.partition("\n\n")[2].replace("=\n", "")
    body = mail.get_body(("plain",))
    assert body is not None
    [link] = re.findall(r"http://\S+", body.get_content())
    return str(link)


def when_the_clinician_follows_it_and_signs_in(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(link)


def when_they_acknowledge_with_a_reason(page: Page) -> None:
    page.get_by_label("I am reviewing this patient").check()
    page.get_by_role("button", name="Acknowledge").click()
