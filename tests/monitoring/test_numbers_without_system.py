"""Whom a laboratory names by a reference, or by a number of no numbering, is remembered."""

from typing import Any

import pytest

from monitoring import ingest, redis
from monitoring.suggestions import numbers_to_remember
from patients.intake.reports import DrawReport
from patients.models import CareTeam, Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from patients.record.profile_document import ProfileDocument
from tests.conftest import MONDAY
from tests.factories import ClinicianFactory
from tests.monitoring.fhir_door import FhirDoor
from tests.monitoring.test_retractions_at_the_doors import push
from tests.patients.fhir_messages import named, observation
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db
REFERENCES = [
    {"reference": "Patient/abc-1"},
    {"reference": "https://hapi.example/fhir/Patient/77"},
]
NUMBERS = [{"identifier": {"value": "77"}}]


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    redis.ask(lambda line: line.flushdb())
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


def send(door: FhirDoor, subject: dict[str, Any], day: int) -> Any:
    at = f"2026-10-{day:02}T08:00:00Z"
    resource = observation(identifier=named(f"r-{day}"), effectiveDateTime=at) | {
        "subject": subject
    }
    return door.post(resource)


def send_v2(door: FhirDoor, day: int) -> None:
    change = {"PID-3": "77", "OBR-3": f"T-{day}", "MSH-10": f"M-{day}", "OBX-3": "sIL-6R^sIL-6R^L"}
    times = dict.fromkeys(("OBR-7", "OBX-14"), f"202610{day:02}080000+0900")
    body = message(change=change | times)
    assert b"MSA|AA" in push(door, body, address="/hl7v2", kind="application/hl7-v2").content


def match_and_remember(patient: Patient, team: CareTeam) -> None:
    waits = Parked.objects.get()
    report = DrawReport.model_validate(waits.report)
    remember = numbers_to_remember(report, patient, laboratory_id=waits.laboratory_id)
    assert len(remember) == 1
    ingest.match_parked(
        parked=waits,
        patient=patient,
        by=ClinicianFactory.create(teams=[team]),
        at=MONDAY,
        remember=remember,
    )


@pytest.mark.parametrize("subject", [*REFERENCES, *NUMBERS])
def test_who_was_matched_once_is_found_from_then_on(
    door: FhirDoor, patient: Patient, team: CareTeam, subject: dict[str, Any]
) -> None:
    send(door, subject, 1)
    match_and_remember(patient, team)

    answer = send(door, subject, 2)

    assert "tag" not in answer.json()["meta"]
    assert Result.objects.count() == 2


def test_a_number_of_no_numbering_is_one_number_in_every_dialect(
    door: FhirDoor, patient: Patient, team: CareTeam
) -> None:
    send_v2(door, 1)
    match_and_remember(patient, team)

    send(door, NUMBERS[0], 2)

    assert Result.objects.count() == 2


def test_what_waited_since_before_it_was_read_so_is_placed_too(
    door: FhirDoor, patient: Patient, team: CareTeam
) -> None:
    send(door, NUMBERS[0], 1)
    send(door, NUMBERS[0], 2)
    older = Parked.objects.order_by("pk")[1]
    older.report["patients"][0]["system"] = ""
    older.save()
    Parked.objects.exclude(pk=older.pk).update(accession="now")

    waits = Parked.objects.get(accession="now")
    ingest.match_parked(
        parked=waits,
        patient=patient,
        by=ClinicianFactory.create(teams=[team]),
        at=MONDAY,
        remember=[("urn:unstated", "77")],
    )

    assert Result.objects.count() == 2


def test_a_profile_may_say_what_numbers_of_no_numbering_are(
    door: FhirDoor, laboratory: Laboratory, patient: Patient
) -> None:
    numbers = [{"sent": "", "means": "urn:clinic:mrn"}]
    document = ProfileDocument.model_validate({"name": laboratory.name, "patient_numbers": numbers})
    ingest.change_laboratory(document, by="operator:x", at=MONDAY)
    patient.identifiers.create(system="urn:clinic:mrn", value="77", since=MONDAY)

    send(door, NUMBERS[0], 1)
    send_v2(door, 2)
    send(door, {"reference": "77"}, 3)  # no number, though it looks like one

    assert Result.objects.count() == 2
    assert Parked.objects.get().report["patients"][0]["system"] == "urn:reference"
