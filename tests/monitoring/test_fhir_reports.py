"""Reports that come in by the FHIR door: their results, and the version of the whole."""

from typing import Any

import pytest

from patients.models import Draw, Laboratory, Parked, ParkedResult, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY
from tests.factories import LaboratoryFactory
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


# Reports that take back what stands elsewhere


def cancelled(*results: Tree, status: str = "cancelled", **more: Any) -> Tree:
    return {
        "resourceType": "DiagnosticReport",
        "status": status,
        "code": {"text": "cytokines"},
        "result": list(results),
    } | more


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Observation/rx1"},
        {"reference": "https://lab.example/fhir/Observation/rx1/_history/1"},
        {"identifier": {"system": "urn:north:result", "value": "r-1"}},
    ],
)
def test_a_report_takes_back_the_results_that_it_refers_to(
    door: FhirDoor, patient: Patient, status: str, reference: Tree
) -> None:
    identifier = [{"system": "urn:north:result", "value": "r-1"}]
    door.put("/rx1", observation(id="rx1", identifier=identifier))

    answer = door.ask("POST", "/DiagnosticReport", cancelled(reference, status=status))

    assert answer.status_code in {200, 201}
    assert answer.json()["status"] == status
    assert answer.json()["result"] == [{"reference": "Observation/rx1"}]
    result = Result.objects.get(superseded_at=None)
    assert (result.status, result.value) == (status, None)
    assert door.get("/Observation/rx1").json()["status"] == status
    assert not Parked.objects.exists()


def test_a_report_that_takes_back_what_is_not_known_waits_for_it(
    door: FhirDoor, patient: Patient
) -> None:
    answer = door.ask("POST", "/DiagnosticReport", cancelled({"reference": "Observation/rx1"}))

    assert answer.status_code == 201
    assert answer.json()["meta"]["tag"][0]["code"] == "parked"
    door.put("/rx1", observation(id="rx1"))
    assert Result.objects.get(superseded_at=None).status == "cancelled"


def test_a_report_takes_back_nothing_of_another_laboratory(
    door: FhirDoor, patient: Patient
) -> None:
    door.put("/rx1", observation(id="rx1"))
    other = FhirDoor(issue_key(laboratory=LaboratoryFactory.create(), by="operator", at=MONDAY))

    other.ask("POST", "/DiagnosticReport", cancelled({"reference": "Observation/rx1"}))

    assert Result.objects.get(superseded_at=None).status == "final"


def test_a_report_without_results_takes_back_all_of_its_own(
    door: FhirDoor, patient: Patient
) -> None:
    put_report(door, report_of("5", "6"))

    answer = put_report(door, cancelled(id="rep-1") | {"result": None})
    assert answer.status_code == 400  # FHIR knows no null
    gone = {name: part for name, part in cancelled(id="rep-1").items() if name != "result"}
    answer = put_report(door, gone)

    assert answer.status_code == 200
    assert [each.status for each in Result.objects.current()] == ["cancelled", "cancelled"]
    assert door.get("/DiagnosticReport/rep-1").status_code == 200


def test_one_that_nobody_knows_waits(door: FhirDoor, patient: Patient) -> None:
    gone = {name: part for name, part in cancelled(id="rep-1").items() if name != "result"}

    answer = put_report(door, gone)

    assert answer.status_code == 201
    assert Parked.objects.count() == 1


# Reports under the id that we gave


@pytest.mark.parametrize("mrn", ["0042", "9999"])
def test_a_report_is_put_right_under_the_id_that_we_gave(
    door: FhirDoor, patient: Patient, mrn: str
) -> None:
    sent = {name: part for name, part in report_of("5", "6").items() if name != "identifier"}
    sent["subject"] = {"identifier": {"system": "urn:clinic:mrn", "value": mrn}}
    del sent["id"]
    first = door.ask("POST", "/DiagnosticReport", sent)
    given = first.json()["id"]

    contained = report_of("5", "7")["contained"]
    put_right = sent | {"id": given, "contained": contained}
    answer = door.ask("PUT", f"/DiagnosticReport/{given}", put_right, If_Match=first["ETag"])

    assert (first.status_code, answer.status_code) == (201, 200)
    assert answer.json()["id"] == given
    found = door.get(f"/DiagnosticReport/{given}")
    assert len(found.json()["result"]) == 2
    if mrn == "0042":
        assert {str(each.sent_value) for each in Result.objects.current()} == {"5", "7"}
        assert not Parked.objects.exists()
    else:
        assert {each.results.get().line for each in Parked.objects.all()} == {
            each.line for each in ParkedResult.objects.all()
        }
        assert ParkedResult.objects.values("line").distinct().count() == 2
