"""Whether the site is well, for machines that watch it.

Pulses are written to the real broker of the tests. The database is asked by a thread of its own,
which sees only what is committed.
"""

import re
import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from celery import Celery
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone

from monitoring import pulse, redis, vital_signs
from monitoring.models import Attempt, Escalation, EscalationStep, FlagKind, FlagLevel
from patients.models import Patient
from tests.conftest import MONDAY
from tests.factories import ClinicianFactory, FlagFactory, PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_pulses() -> Iterator[None]:
    redis.ask(lambda line: line.delete(pulse.WORKER, pulse.BEAT))
    yield
    redis.ask(lambda line: line.delete(pulse.WORKER, pulse.BEAT))


@pytest.fixture
def _pulses() -> None:
    pulse.renew(pulse.WORKER)
    pulse.renew(pulse.BEAT)


def _has_waited(patient: Patient, wait: timedelta, *, until: datetime) -> None:
    Patient.objects.filter(pk=patient.pk).update(stale_since=until - wait)


@pytest.mark.usefixtures("_pulses")
def test_a_site_whose_every_part_is_well_says_so_to_anybody(client: Client) -> None:
    answer = client.get("/health/")

    assert answer.status_code == 200
    assert answer.json() == dict.fromkeys(["web", "database", "broker", "worker", "beat"], "ok")
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(("living", "away"), [("BEAT", "worker"), ("WORKER", "beat")])
def test_a_part_without_a_pulse_is_away(client: Client, living: str, away: str) -> None:
    pulse.renew(getattr(pulse, living))

    answer = client.get("/health/")

    assert answer.status_code == 503
    assert answer.json()[away] == "away: no pulse for 30 s"
    assert [name for name, state in answer.json().items() if state != "ok"] == [away]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.usefixtures("_pulses")
def test_a_worker_that_lives_and_does_nothing_is_stalled(client: Client, patient: Patient) -> None:
    _has_waited(patient, timedelta(seconds=75), until=timezone.now())

    answer = client.get("/health/")

    assert answer.status_code == 503
    assert re.fullmatch(
        "stalled: somebody has waited [0-9]+ s to be assessed", answer.json()["worker"]
    )


def test_nobody_waits_when_everybody_is_assessed(patient: Patient) -> None:
    Patient.objects.update(stale_since=None)

    assert vital_signs.longest_wait(at=MONDAY) == timedelta(0)


def test_the_longest_wait_is_the_one_that_counts(patient: Patient) -> None:
    _has_waited(PatientFactory.create(), timedelta(seconds=45), until=MONDAY)
    _has_waited(patient, timedelta(seconds=20), until=MONDAY)

    assert vital_signs.longest_wait(at=MONDAY) == timedelta(seconds=45)


def test_a_patient_who_rests_after_a_failure_waits_for_no_worker(patient: Patient) -> None:
    _has_waited(patient, timedelta(minutes=10), until=MONDAY)
    Attempt.objects.create(
        patient=patient,
        history_version=1,
        tries=3,
        retry_at=MONDAY + timedelta(seconds=20),
        fault="ValueError",
    )

    assert vital_signs.longest_wait(at=MONDAY) == timedelta(0)
    assert vital_signs.longest_wait(at=MONDAY + timedelta(seconds=25)) == timedelta(seconds=5)


def test_a_step_of_the_safety_timer_that_nobody_does_is_a_wait(patient: Patient) -> None:
    flag = FlagFactory.create(
        patient=patient, kind=FlagKind.SAFETY, level=FlagLevel.SAFETY, urgency="urgent"
    )
    Escalation.objects.create(flag=flag, step=EscalationStep.COVER, due_at=MONDAY)

    assert vital_signs.longest_alert(at=MONDAY - timedelta(minutes=1)) == timedelta(0)
    assert vital_signs.longest_alert(at=MONDAY + timedelta(hours=1)) == timedelta(hours=1)


def test_a_safety_flag_that_nobody_can_see_is_no_good_health(patient: Patient) -> None:
    FlagFactory.create(
        patient=patient, kind=FlagKind.SAFETY, level=FlagLevel.SAFETY, urgency="urgent"
    )
    signs = vital_signs.VitalSigns("ok", "ok", "ok", "ok", "", vital_signs.say_unattended())
    assert signs.unattended_safety.startswith("1, in teams without an active member")
    assert not signs.are_well

    ClinicianFactory.create(teams=[patient.team])

    assert vital_signs.say_unattended() == ""


def test_without_the_broker_the_answer_says_so(
    client: Client, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = client.get("/health/")

    assert answer.status_code == 503
    assert not caplog.records  # whoever watches asks every second
    assert answer.json()["broker"] == "away: ConnectionError"
    assert answer.json()["database"] == "ok"


@pytest.mark.usefixtures("_pulses")
def test_without_the_database_the_answer_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", 1)

    answer = client.get("/health/")

    assert answer.status_code == 503
    assert answer.json()["database"] == "away: OperationalError"


@pytest.mark.usefixtures("_pulses")
def test_a_database_that_never_answers_is_not_waited_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setitem(connection.settings_dict, "PORT", silent.getsockname()[1])
        began_s = time.monotonic()

        answers = [client.get("/health/") for _ in range(2)]

        took_s = time.monotonic() - began_s
        silent.accept()[0].close()

    assert {answer.status_code for answer in answers} == {503}
    assert answers[0].json()["database"] == "away: no answer within 2 s"
    assert took_s < 3 * vital_signs.ANSWERS_WITHIN_S


def test_the_web_is_alive_whatever_else_is_away(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setitem(connection.settings_dict, "PORT", 1)

    answer = client.get("/health/live")

    assert (answer.status_code, answer.json()) == (200, {"web": "ok"})


def test_health_is_only_asked_for(client: Client) -> None:
    assert client.post("/health/").status_code == 405


def test_a_tick_of_the_timetable_is_a_pulse_that_lapses(tmp_path: Path) -> None:
    app = Celery("for-a-test", broker="memory://", set_as_current=False)
    timetable = pulse.Scheduler(app, schedule_filename=str(tmp_path / "timetable"))

    pause_s = timetable.tick()

    lives_s = redis.ask(lambda line: line.ttl(pulse.BEAT))
    timetable.close()
    assert pause_s <= pulse.RENEWED_EVERY_S
    assert lives_s is not None
    assert 0 < lives_s <= pulse.LASTS_S
