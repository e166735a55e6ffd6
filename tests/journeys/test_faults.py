"""What fails in real life: afterwards, by itself, everything accepted is assessed and sent."""

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from socket import create_connection

import httpx
import pytest

from tests.journeys.clinic import (
    EMAIL,
    PASSWORD,
    Clinic,
    draw,
    import_ratings,
    set_up,
    with_self_harm,
)
from tests.journeys.conftest import StartSite
from tests.journeys.site import wait_for

pytestmark = pytest.mark.journey

PATIENTS = 40


@pytest.fixture
def clinic(start_site: StartSite, tmp_path: Path) -> Clinic:
    site = start_site("--no-demo")
    site.wait_until_healthy()
    clinic = set_up(site, tmp_path, patients=PATIENTS)
    clinic.wait_until(stale_patients=0)
    return clinic


def push_many(clinic: Clinic, numbers: range) -> int:
    """Push draws one by one; count the ones that were accepted."""
    answers = [clinic.push(draw(number, f"{number % PATIENTS:04}")) for number in numbers]
    assert {answer.status_code for answer in answers} <= {201, 503}
    return sum(answer.status_code == 201 for answer in answers)


def everything_is_assessed(clinic: Clinic, accepted: int) -> None:
    clinic.wait_until(results=accepted, stale_patients=0, within_s=60)


def test_a_worker_killed_in_the_middle_loses_nothing(clinic: Clinic) -> None:
    accepted = push_many(clinic, range(40))
    killed = clinic.site.processes()["worker"]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    accepted += push_many(clinic, range(40, 80))

    everything_is_assessed(clinic, accepted)

    assert accepted == 80
    assert set(killed).isdisjoint(clinic.site.processes()["worker"])
    clinic.site.wait_until_healthy()


def test_a_broker_restarted_empty_loses_nothing(clinic: Clinic) -> None:
    accepted = push_many(clinic, range(20))
    clinic.site.kill("valkey", signal.SIGSTOP)  # it answers nobody from here on
    accepted += push_many(clinic, range(20, 40))
    for kept in (clinic.site.var / "valkey").rglob("*.aof*"):
        kept.unlink()
    clinic.site.kill("valkey", signal.SIGKILL)
    accepted += push_many(clinic, range(40, 60))

    everything_is_assessed(clinic, accepted)

    assert accepted == 60
    clinic.site.wait_until_healthy()


def test_a_database_that_is_killed_loses_nothing_that_was_accepted(clinic: Clinic) -> None:
    accepted = push_many(clinic, range(20))
    clinic.site.kill("postgres", signal.SIGKILL)
    accepted += push_many(clinic, range(20, 40))
    clinic.site.wait_until_healthy()
    accepted += push_many(clinic, range(40, 60))

    everything_is_assessed(clinic, accepted)

    assert accepted >= 40
    again = [clinic.push(draw(number, f"{number % PATIENTS:04}")) for number in range(20, 40)]
    assert {answer.status_code for answer in again} <= {200, 201}
    everything_is_assessed(clinic, 60)


def test_mails_wait_for_a_mail_server_that_is_away(clinic: Clinic, tmp_path: Path) -> None:
    clinic.site.mail_server.stop()
    import_ratings(clinic, tmp_path, with_self_harm("0000"))
    wait_for(lambda: clinic.status()["alerts_owed"] > 0, within_s=30, what=lambda: clinic.site.log)

    clinic.site.mail_server.start()
    clinic.wait_until(alerts_sent=1, within_s=90)  # what is overdue waits for the digest

    assert len(clinic.site.mails) == 1


def test_a_mail_server_that_never_answers_holds_up_no_assessment(
    clinic: Clinic, tmp_path: Path
) -> None:
    people = [f"reader{number}@example.org" for number in range(3)]
    for email in people:
        arguments = ("add_clinician", email, "--team", "Ward 3", "--password-stdin")
        assert clinic.site.manage(*arguments, input=PASSWORD).returncode == 0
    clinic.site.mail_server.hang()
    import_ratings(clinic, tmp_path, with_self_harm("0000"))

    for number in range(8):  # for as long as four mails would each be waited for
        assert clinic.push(draw(number, f"{number:04}")).status_code == 201
        clinic.wait_until(stale_patients=0, within_s=10)
        assert clinic.site.status_of("/health/") == 200
        time.sleep(4)
    assert clinic.status()["alerts_sent"] == 0

    clinic.site.mail_server.stop()
    clinic.site.mail_server.start()
    clinic.wait_until(alerts_sent=4, within_s=120)  # what is overdue waits for the digest
    assert sorted(mail["To"] for mail in clinic.site.mails) == sorted([EMAIL, *people])


def test_bodies_that_never_come_stop_neither_pages_nor_for_long_the_door(clinic: Clinic) -> None:
    head = "POST /api/v1/results HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
    with ExitStack() as open_:
        for _ in range(64):
            line = open_.enter_context(create_connection(("127.0.0.1", clinic.site.port)))
            line.sendall(head.encode())

        page = httpx.get(f"{clinic.site.url}/account/login/", timeout=30)
        pushed = clinic.push(draw(1, "0001"))

        assert page.status_code == 200
        assert (pushed.status_code, pushed.headers.get("Retry-After")) == (503, "5")
    wait_for(lambda: clinic.push(draw(1, "0001")).status_code == 201, within_s=10)
