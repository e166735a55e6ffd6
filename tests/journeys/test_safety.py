"""A positive answer on self-harm while broker, worker and beat are really stopped."""

import os
import re
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.clinic import EMAIL, PASSWORD, Clinic, days_ago, set_up, with_self_harm
from tests.journeys.conftest import StartSite
from tests.journeys.site import wait_for

pytestmark = pytest.mark.journey
AWAY = ("valkey", "worker", "beat")


@pytest.fixture
def clinic(start_site: StartSite, tmp_path: Path) -> Clinic:
    site = start_site("--no-demo")
    site.wait_until_healthy()
    return set_up(site, tmp_path, patients=3)


def stop_the_others(clinic: Clinic) -> list[int]:
    """Stop everything but web and database; stopped processes answer nobody."""
    stopped = [pid for name in AWAY for pid in clinic.site.processes()[name]]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    return stopped


def sign_in(page: Page, clinic: Clinic) -> None:
    page.goto(f"{clinic.site.url}/account/login/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def enter_a_positive_answer(page: Page) -> None:
    page.get_by_role("link", name="INVENTED").first.click()
    page.get_by_role("link", name="Add a rating").click()
    for number in range(1, 17):
        answer = "3" if number == 12 else "1"
        page.get_by_role("radiogroup", name=re.compile(f"^Item {number}:")).get_by_label(
            answer
        ).check()
    page.get_by_role("button", name="Save the rating").click()


def ask(clinic: Clinic, statement: str) -> str:
    """Run one statement in the copy's own shell."""
    prelude = "from monitoring.models import *; from datetime import *; "
    done = clinic.site.manage("shell", "--no-imports", "-c", prelude + statement)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_by_the_api_and_by_a_list_it_interrupts_in_the_same_breath(
    clinic: Clinic, tmp_path: Path
) -> None:
    issued = clinic.site.manage("issue_team_key", "Tablet", "--team", "Ward 3")
    key = issued.stdout.strip().splitlines()[-1]
    stopped = stop_the_others(clinic)

    answer = httpx.post(
        f"{clinic.site.url}/api/v1/ratings",
        json={
            "patient": {"system": "urn:clinic:mrn", "value": "0001"},
            "instrument": "PHQ-9",
            "rated_at": days_ago(1),
            "items": [1, 1, 1, 1, 1, 1, 1, 1, 3],
        },
        headers={"Authorization": f"Bearer {key}"},
        timeout=20,
    )
    file = tmp_path / "positive.csv"
    file.write_text(with_self_harm("0002"))
    listed = clinic.site.manage("import_ratings", str(file))

    assert answer.status_code == 201
    assert "do not leave the person alone" in answer.json()["self_harm"]["show_at_once"][0]
    assert "ATTENTION: 1 of them" in listed.stdout
    assert ask(clinic, "print(Flag.objects.up().filter(kind='safety').count())") == "2"
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: len(clinic.site.mails) >= 1, within_s=90, what=lambda: clinic.site.log)


def test_it_interrupts_alarms_and_escalates_without_broker_worker_and_beat(
    clinic: Clinic, page: Page
) -> None:
    sign_in(page, clinic)
    stopped = stop_the_others(clinic)

    enter_a_positive_answer(page)
    expect(page.locator("h1")).to_contain_text("Before you go on")
    expect(page.locator("main")).to_contain_text("do not leave the person alone")
    page.goto(clinic.site.url)
    expect(page.get_by_role("alert")).to_contain_text("waits for you")
    assert clinic.site.mails == []

    # The hour, and the five minutes of a mail, have gone by while nobody worked
    late = datetime.now(UTC) - timedelta(hours=1)
    ask(
        clinic,
        f"at = datetime.fromisoformat('{late.isoformat()}'); "
        "Escalation.objects.filter(step='cover').update(due_at=at); "
        "Alert.objects.update(owed_at=at, due_at=at)",
    )
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("The mail about it has not gone out")
    page.get_by_role("link", name="All open safety flags").click()
    expect(page.locator("main")).to_contain_text("is not told yet: tell them yourself")

    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: len(clinic.site.mails) >= 1, within_s=90, what=lambda: clinic.site.log)
    told = "print(Escalation.objects.filter(step='cover', done_at__isnull=False).count())"
    wait_for(lambda: ask(clinic, told) == "1", within_s=60, what=lambda: clinic.site.log)
