"""Reports that come in by the FHIR door: their results, and the version of the whole."""

from typing import Any

import pytest

from patients.models import Draw, Laboratory, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY
from tests.monitoring.fhir_door import FhirDoor
from tests.patients.fhir_messages import Tree, observation, quantity

pytestmark = pytest.mark.django_db


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


def test_a_report_is_taken_with_its_results(door: FhirDoor, patient: Patient) -> None:
    answer = door.ask("POST", "/DiagnosticReport", observation("report"))

    resource = answer.json()
    assert answer.status_code == 201
    assert {result.analyte.code for result in Result.objects.all()} == {"sIL-6R", "IL-6"}
    assert Draw.objects.get().accession == ""
    assert [each["reference"] for each in resource["result"]] == [
        f"Observation/{result.public_id}" for result in Result.objects.order_by("pk")
    ]


def test_a_report_sent_again_is_the_same_results(door: FhirDoor, patient: Patient) -> None:
    door.ask("POST", "/DiagnosticReport", observation("report"))

    again = door.ask(
        "POST",
        "/DiagnosticReport",
        observation("report", conclusion="as before"),
        If_None_Exist="identifier=urn:north:report|A-17",
    )

    assert again.status_code == 200
    assert Result.objects.count() == 2


def report_of(*values: str, **more: Any) -> Tree:
    """Make a report of these values: of sIL-6R, then of IL-6."""
    base = observation("report", id="rep-1", **more)
    contained = [
        {**each, "valueQuantity": each["valueQuantity"] | {"value": quantity(value)["value"]}}
        for each, value in zip(base["contained"], values, strict=False)
    ]
    return base | {"contained": contained, "result": base["result"][: len(values)]}


def put_report(door: FhirDoor, report: Tree, **headers: Any) -> Any:
    return door.ask("PUT", "/DiagnosticReport/rep-1", report, **headers)


def test_a_report_has_another_version_whichever_result_changes(
    door: FhirDoor, patient: Patient
) -> None:
    first = put_report(door, report_of("5"))
    added = put_report(door, report_of("5", "6"))
    changed = put_report(door, report_of("9", "6"), If_Match=added["ETag"])
    seen = door.get("/DiagnosticReport/rep-1")
    other = put_report(door, report_of("9", "7"), If_Match=changed["ETag"])
    one_only = put_report(door, report_of("10"), If_Match=other["ETag"])
    stale = put_report(door, report_of("9", "8"), If_Match=other["ETag"])

    answers = [first, added, changed, other, one_only]
    assert [each["ETag"] for each in answers] == [f'W/"{n}"' for n in range(1, 6)]
    assert (seen["ETag"], seen.json()["meta"]["versionId"]) == ('W/"3"', "3")
    assert stale.status_code == 412
    assert {str(each.sent_value) for each in Result.objects.current()} == {"10", "7"}


def test_a_report_of_several_results_begins_with_version_1(
    door: FhirDoor, patient: Patient
) -> None:
    made = put_report(door, report_of("5", "6"))

    assert made["ETag"] == door.get("/DiagnosticReport/rep-1")["ETag"] == 'W/"1"'
    assert put_report(door, report_of("5", "7"), If_Match="*")["ETag"] == 'W/"2"'


def test_a_report_is_told_after_a_write_as_it_is_read_back(
    door: FhirDoor, patient: Patient
) -> None:
    put_report(door, report_of("5", "6"))
    corrected = put_report(
        door, report_of("9", "6", status="corrected", issued="2026-11-03T08:00:00+09:00")
    )
    told = door.get("/DiagnosticReport/rep-1")
    renamed = put_report(
        door,
        report_of(
            "9", "6", status="corrected", issued="2026-11-03T08:00:00+09:00", code={"text": "Other"}
        ),
    )

    assert corrected.json()["status"] == "corrected"
    assert told.json() == corrected.json() == renamed.json()
