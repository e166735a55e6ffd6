"""Requests at the FHIR door as some clients write them, and lists that hold no value."""

import pytest

from patients.models import Inbound, Laboratory, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY
from tests.monitoring.fhir_door import FhirDoor
from tests.patients.fhir_messages import Tree, observation

pytestmark = pytest.mark.django_db


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


@pytest.mark.parametrize(
    "condition",
    [
        "identifier=urn:north:result|R-1",
        "?identifier=urn:north:result%7CR-1",
        "Observation?identifier=urn:north:result|R-1",
        "https://here.example/fhir/Observation?identifier=urn:north:result|R-1",  # HAPI's client
        "https://here.example/r4/?identifier=urn:north:result|R-1",
    ],
)
def test_a_condition_may_come_with_the_address_before_it(
    door: FhirDoor, patient: Patient, condition: str
) -> None:
    first = door.post(observation(), If_None_Exist=condition)
    again = door.post(observation(status="amended"), If_None_Exist=condition)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert Result.objects.count() == 1


def test_a_condition_on_another_type_is_refused(door: FhirDoor) -> None:
    answer = door.post(observation(), If_None_Exist="Patient?identifier=urn:clinic:mrn|0042")

    assert answer.status_code == 400
    assert not Inbound.objects.exists()


LISTED: Tree = {
    "resourceType": "DiagnosticReport",
    "status": "final",
    "code": {"text": "Cytokines"},
    "result": [{"reference": "Observation/1"}],
}


@pytest.mark.parametrize(
    "resource",
    [
        observation(valueQuantity=None, hasMember=[{"reference": "Observation/1"}]),
        LISTED,
    ],
)
def test_what_only_lists_other_results_holds_no_feed_back(door: FhirDoor, resource: Tree) -> None:
    answer = door.ask("POST", f"/{resource['resourceType']}", resource)

    assert answer.status_code == 200
    assert answer.json()["issue"][0]["severity"] == "information"
    assert not Inbound.objects.exists()


def test_a_report_that_should_say_something_of_results_must_have_them(door: FhirDoor) -> None:
    report = LISTED | {"result": []}
    answer = door.ask("POST", "/DiagnosticReport", {k: v for k, v in report.items() if v})

    assert answer.status_code == 422


def test_a_packed_message_is_refused_by_its_name(door: FhirDoor) -> None:
    answer = door.post(observation(), Content_Encoding="gzip")

    assert answer.status_code == 415
    assert "Content-Encoding" in answer.json()["issue"][0]["details"]["text"]


def test_options_are_no_method_here(door: FhirDoor) -> None:
    answer = door.ask("OPTIONS", "/Observation")

    assert answer.status_code == 405
    assert "POST" in answer["Allow"]


@pytest.mark.parametrize("path", ["/Observation", "/Observation/A-1", "/metadata", ""])
def test_what_an_address_allows_is_what_it_does(door: FhirDoor, path: str) -> None:
    for method in ("OPTIONS", "PATCH", "DELETE"):
        answer = door.ask(method, path)

        assert answer.status_code == 405
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert {"OPTIONS", "PATCH", "DELETE"}.isdisjoint(answer["Allow"].split(", "))


@pytest.mark.parametrize("name", ["own_1", "x" * 65, "a b"])
def test_an_id_that_is_none_is_named(door: FhirDoor, name: str) -> None:
    answer = door.put(f"/{name}", observation(id=name))

    assert answer.status_code == 400
    assert "64 letters" in answer.json()["issue"][0]["details"]["text"]
