"""A retraction counts by the laboratory's own name of the result, however little else it says."""

from typing import Any

import pytest
from django.test import Client

from monitoring import redis
from patients.models import Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY
from tests.factories import IdentifierFactory, LaboratoryFactory
from tests.monitoring.fhir_door import FhirDoor, entry
from tests.patients.fhir_messages import Tree, named, observation
from tests.patients.hl7v2_messages import message
from tests.patients.tables import table_of

pytestmark = pytest.mark.django_db
IN_V2 = {"OBX-3": "sIL-6R^sIL-6R^L"}


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    redis.ask(lambda line: line.flushdb())
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


def push(door: FhirDoor, body: bytes | str, *, address: str, kind: str) -> Any:
    headers = {"Authorization": f"Bearer {door.key}"}
    return Client().generic("POST", address, body, content_type=kind, headers=headers)


def current() -> tuple[str, Any]:
    result = Result.objects.get(superseded_at=None)
    return result.status, result.value


def bare(status: str, **more: Any) -> Tree:
    """Make an Observation that says its id, its code and that it is taken back."""
    return {
        "resourceType": "Observation",
        "id": "rx1",
        "status": status,
        "code": observation()["code"],
    } | more


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"subject": {"reference": "Patient/7e1f"}},
        {"effectiveDateTime": "2026"},
        {"effectiveDateTime": "2027-11-02"},
    ],
)
def test_an_observation_is_taken_back_by_its_id(
    door: FhirDoor, patient: Patient, status: str, more: Tree
) -> None:
    door.put("/rx1", observation(id="rx1"))
    drawn_at = Result.objects.get().draw.collected_at

    answer = door.put("/rx1", bare(status, **more))

    assert (answer.status_code, answer["ETag"]) == (200, 'W/"2"')
    assert current() == (status, None)
    assert Result.objects.get(superseded_at=None).draw.collected_at == drawn_at
    assert not Parked.objects.exists()


def test_an_observation_of_a_bundle_is_taken_back_without_its_patient_in_it(
    door: FhirDoor, patient: Patient
) -> None:
    subject = {"reference": "urn:uuid:6d5b8c1e-9a55-4d6e-8f0a-3f0b8a2b9c11"}
    person = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:clinic:mrn", "value": "0042"}],
    }
    result = observation(id="rx1", subject=None) | {"subject": subject}
    door.bundle(
        {**entry(person, url="Patient"), "fullUrl": subject["reference"]},
        entry(result, method="PUT", url="Observation/rx1"),
    )
    assert current()[0] == "final"

    door.put("/rx1", result | {"status": "cancelled"})

    assert current() == ("cancelled", None)


def test_a_result_of_hl7_v2_is_taken_back_by_its_order_and_code(
    door: FhirDoor, patient: Patient
) -> None:
    push(door, message(change=IN_V2), address="/hl7v2", kind="application/hl7-v2")

    later = {"MSH-10": "M-2", "OBX-11": "D", "PID-3": "", "OBR-22": "20261102111000+0100"}
    push(door, message(change=IN_V2 | later), address="/hl7v2", kind="application/hl7-v2")

    assert current() == ("entered-in-error", None)


def test_what_a_person_has_placed_is_taken_back_under_the_number_that_is_still_unknown(
    door: FhirDoor, patient: Patient
) -> None:
    number = IdentifierFactory.create(patient=patient, system="urn:clinic:mrn", value="77")
    push(door, table_of({"patient": "77"}), address="/api/v1/results", kind="text/csv")
    number.delete()

    row = {"patient": "77", "value": "", "unit": "", "status": "entered-in-error"}
    push(door, table_of(row), address="/api/v1/results", kind="text/csv")

    assert current() == ("entered-in-error", None)


def test_a_retraction_that_names_another_patient_goes_to_a_person(
    door: FhirDoor, patient: Patient
) -> None:
    IdentifierFactory.create(system="urn:clinic:mrn", value="0099")
    door.put("/rx1", observation(id="rx1"))

    other = {"identifier": {"system": "urn:clinic:mrn", "value": "0099"}}
    door.put("/rx1", bare("entered-in-error", subject=other))

    assert current()[0] == "final"
    assert "accession_belongs_to_another_patient" in Parked.objects.get().reasons


def test_a_retraction_of_what_is_not_known_waits(door: FhirDoor, patient: Patient) -> None:
    door.put("/rx1", observation(id="rx1", identifier=named("r-1")))

    door.put("/rx2", bare("entered-in-error", id="rx2"))

    assert current()[0] == "final"
    assert "unknown_patient" in Parked.objects.get().reasons


def test_another_value_without_a_patient_waits(door: FhirDoor, patient: Patient) -> None:
    door.put("/rx1", observation(id="rx1"))

    door.put("/rx1", observation(id="rx1", subject=None, status="corrected"))

    assert current()[0] == "final"
    assert "unknown_patient" in Parked.objects.get().reasons


def test_one_laboratory_takes_back_nothing_of_another(door: FhirDoor, patient: Patient) -> None:
    door.put("/rx1", observation(id="rx1"))
    other = FhirDoor(issue_key(laboratory=LaboratoryFactory.create(), by="operator", at=MONDAY))

    other.put("/rx1", bare("entered-in-error"))

    assert current()[0] == "final"
