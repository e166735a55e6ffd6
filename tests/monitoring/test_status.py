"""What `manage.py status` says, in words and as JSON, whatever is away."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from monitoring.models import Alert, Delivery, DeliveryState, FlagKind, FlagState, Urgency
from patients.models import Patient
from tests.conftest import MONDAY
from tests.factories import (
    AssessmentFactory,
    ClinicianFactory,
    FlagFactory,
    ParkedFactory,
    PatientFactory,
    ResultFactory,
)

KEYS = {
    *("results", "parked", "patients", "stale_patients", "oldest_stale_s", "assessments"),
    *("flags_open", "alerts_owed", "alerts_sent", "worker", "beat", "broker", "database"),
}


def _status() -> dict[str, Any]:
    out = StringIO()
    call_command("status", "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.mark.django_db
def test_an_empty_copy_has_every_key() -> None:
    found = _status()

    assert set(found) == KEYS
    assert (found["patients"], found["oldest_stale_s"], found["flags_open"]) == (0, 0, {})
    assert found["database"] == "ok"


@pytest.mark.django_db
def test_what_is_current_is_counted(settings: LazySettings) -> None:
    ResultFactory.create()
    ResultFactory.create(superseded_at=MONDAY, superseded_reason="the laboratory sent it again")
    ParkedFactory.create()
    AssessmentFactory.create_batch(2)

    found = _status()

    assert (found["results"], found["parked"], found["assessments"]) == (1, 1, 2)


@pytest.mark.django_db
def test_who_waits_is_counted_and_for_how_long() -> None:
    PatientFactory.create()
    PatientFactory.create(stale_since=timezone.now() - timedelta(seconds=90))
    PatientFactory.create(stale_since=timezone.now() - timedelta(seconds=30))

    found = _status()

    assert (found["patients"], found["stale_patients"]) == (3, 2)
    assert found["oldest_stale_s"] == pytest.approx(90, abs=20)


@pytest.mark.django_db
def test_open_flags_are_counted_by_kind() -> None:
    FlagFactory.create_batch(2)
    FlagFactory.create(kind=FlagKind.EARLY_NON_IMPROVEMENT, level="high")
    FlagFactory.create(state=FlagState.RESOLVED, resolved_at=MONDAY)

    assert _status()["flags_open"] == {"drifting": 2, "early_non_improvement": 1}


@pytest.mark.django_db
def test_an_alert_is_owed_until_its_mail_is_sent_or_it_is_dropped() -> None:
    reader = ClinicianFactory.create()

    def owe(**state: Any) -> None:
        flag = FlagFactory.create()
        Alert.objects.create(
            flag=flag,
            clinician=reader,
            urgency=Urgency.PROMPT,
            owed_at=MONDAY,
            due_at=MONDAY,
            **state,
        )

    def mail(state: DeliveryState) -> Delivery:
        return Delivery.objects.create(
            clinician=reader,
            urgency=Urgency.PROMPT,
            state=state,
            made_at=MONDAY,
            send_after=MONDAY,
            ended_at=None if state == DeliveryState.OWED else MONDAY,
        )

    owe()
    owe(delivery=mail(DeliveryState.OWED))
    owe(delivery=mail(DeliveryState.SENT))
    owe(dropped_at=MONDAY)

    found = _status()
    assert (found["alerts_owed"], found["alerts_sent"]) == (2, 1)


@pytest.mark.django_db
def test_the_counts_come_without_the_broker(patient: Patient, settings: LazySettings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    found = _status()

    assert found["broker"] == "away: ConnectionError"
    assert found["worker"] == found["beat"] == "away: not known without the broker"
    assert found["patients"] == 1


@pytest.mark.django_db
def test_without_the_database_the_counts_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", 1)

    found = _status()

    assert set(found) == KEYS
    assert found["database"] == "away: OperationalError"
    assert found["patients"] is None


@pytest.mark.django_db
def test_for_people_it_is_a_line_each() -> None:
    out = StringIO()

    call_command("status", stdout=out)

    lines = [line.split(maxsplit=1) for line in out.getvalue().splitlines()]
    assert ["patients", "0"] in lines
    assert ["database", "ok"] in lines
    assert len(lines) == len(KEYS)
