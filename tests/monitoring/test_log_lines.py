"""What the log tells of a fault: its kind and place, and nothing of the record."""

import logging
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from psycopg import OperationalError

from monitoring.log_lines import WithoutValues
from patients.models import Patient
from tests.factories import ClinicianFactory


def said_of(fault: BaseException, **record: Any) -> str:
    told = {"name": "canary", "levelname": "ERROR", "msg": "It failed"} | record
    line = logging.makeLogRecord(told | {"exc_info": (type(fault), fault, fault.__traceback__)})
    return WithoutValues("{levelname} {name}: {message}", style="{").format(line)


@pytest.mark.django_db
def test_a_broken_constraint_is_named_and_the_row_that_broke_it_is_not(patient: Patient) -> None:
    patient.family_name, patient.status = "Canary-4711", "no such status"

    with pytest.raises(IntegrityError) as broken, transaction.atomic():
        patient.save()

    said = said_of(broken.value)
    assert "Canary-4711" in str(broken.value)
    assert "Canary-4711" not in said
    assert "a_patient_has_a_status_we_know" in said
    assert "django.db.utils.IntegrityError" in said


def test_a_value_that_could_not_be_read_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="4711") as broken:
        float("canary-4711".upper())

    said = said_of(broken.value)
    assert said.startswith("ERROR canary: It failed\nTraceback")
    assert said.endswith("builtins.ValueError")
    assert "4711" not in said.replace('float("canary-4711".upper())', "")


def test_a_task_that_failed_is_named_without_what_it_choked_on() -> None:
    said = said_of(
        ValueError("canary-4711"),
        name="celery.app.trace",
        msg="Task %(name)s[%(id)s] %(description)s: %(exc)s\n%(traceback)s",
        args={
            "name": "sweep",
            "id": "1",
            "description": "raised unexpected",
            "exc": "ValueError('canary-4711')",
            "traceback": "ValueError: canary-4711",
        },
    )

    assert "Task sweep[1] raised unexpected" in said
    assert "4711" not in said


def test_why_the_database_is_away_is_told() -> None:
    said = said_of(OperationalError("connection refused"))

    assert "connection refused" in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/patients/canary-4711/", "Not Found: …"),
        ("/f/canary-4711", "Not Found: f/<slug:reference>"),
        ("/fhir/Canary/canary-4711", "Not Found"),
        ("/f/canary-4711/take-on", "Method Not Allowed (GET): f/<slug:reference>/take-on"),
    ],
)
def test_an_address_that_was_mistaken_is_not_repeated(
    client: Client, caplog: pytest.LogCaptureFixture, path: str, said: str
) -> None:
    client.force_login(ClinicianFactory.create())

    client.get(path)

    form = WithoutValues("{levelname} {name}: {message}", style="{")
    lines = [form.format(each) for each in caplog.records if each.name == "django.request"]
    assert lines
    assert said in " ".join(lines)
    assert "4711" not in " ".join(lines)
