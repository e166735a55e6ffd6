"""A message that comes again, byte for byte, is answered as it was: by its own results."""

from collections.abc import Callable
from typing import Any

import pytest

from monitoring import ingest, redis
from patients.intake.fhir import exact_json
from patients.intake.finding import IfDuplicate
from patients.models import CareTeam, Inbound, Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY, draw
from tests.factories import ClinicianFactory, IdentifierFactory
from tests.monitoring.fhir_door import FhirDoor, entry
from tests.monitoring.test_retractions_at_the_doors import push
from tests.patients.fhir_messages import Tree, named, observation, quantity
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db
AT_TEN = "2026-11-02T10:00:00+01:00"


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    redis.ask(lambda line: line.flushdb())
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


def of_sample(name: str = "", *, code: str = "sIL-6R", value: str = "30", **more: Any) -> Tree:
    return observation(
        identifier=named(name) if name else None,
        code={"coding": [{"code": code}]},
        valueQuantity=quantity(value),
        specimen={"identifier": {"value": "S-1"}},
        **more,
    )


def said(answer: Any) -> tuple[str, Any, Any]:
    told = answer.json()
    return told["id"], told["valueQuantity"]["value"], told.get("identifier")


@pytest.mark.parametrize("are_named", [True, False])
@pytest.mark.parametrize("change", [{}, {"effectiveDateTime": AT_TEN}], ids=["moment", "number"])
def test_each_of_one_sample_is_answered_with_itself(
    door: FhirDoor, patient: Patient, change: dict[str, str], *, are_named: bool
) -> None:
    first = of_sample("a" if are_named else "", code="IL-6")
    second = of_sample("b" if are_named else "", value="50", **change)
    answers = [door.post(each) for each in (first, second)]

    again = [door.post(each) for each in (first, second)]

    assert [said(each)[:2] for each in again] == [said(each)[:2] for each in answers]
    assert [each.status_code for each in (*answers, *again)] == [201, 201, 200, 200]
    assert not Parked.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("PUT", "/Observation?identifier=urn:north:result|a", {}),
        ("POST", "/Observation", {"If-None-Exist": "identifier=urn:north:result|a"}),
        ("POST", "/Observation?identifier=urn:north:result|a", {}),
    ],
)
def test_also_under_a_condition(
    door: FhirDoor, patient: Patient, method: str, path: str, headers: dict[str, str]
) -> None:
    door.post(of_sample("b", code="IL-6"))
    answers = [door.ask(method, path, of_sample("a"), **headers) for _ in range(4)]

    assert [each.status_code for each in answers] == [201, 200, 200, 200]
    assert len({said(each)[0] for each in answers}) == 1


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_also_in_a_bundle(door: FhirDoor, patient: Patient, kind: str) -> None:
    entries = [
        {
            "fullUrl": "urn:uuid:6f0c0000-0000-4000-8000-000000000001",
            **entry({"resourceType": "Specimen", "identifier": [{"value": "S-1"}]}),
        },
        entry(of_sample("a")),
        entry(of_sample("b", code="IL-6", value="2")),
    ]
    first, again = (door.bundle(*entries, kind=kind) for _ in range(2))

    assert again.status_code == 200
    where = [
        [each["response"].get("location") for each in answer.json()["entry"]]
        for answer in (first, again)
    ]
    assert where[0] == where[1]
    assert len({*where[0]}) == 3


def test_a_report_is_answered_with_its_own_results(door: FhirDoor, patient: Patient) -> None:
    def report(code: str) -> Tree:
        return {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "identifier": named(f"report of {code}"),
            "code": {"text": "panel"},
            "contained": [of_sample(code=code) | {"id": "o"}],
            "result": [{"reference": "#o"}],
        }

    told = [
        door.ask("POST", "/DiagnosticReport", report(code)).json()["result"]
        for code in ("sIL-6R", "IL-6", "sIL-6R", "IL-6")
    ]

    assert told[:2] == told[2:]
    assert told[0] != told[1]


def test_what_was_put_right_since_stays_so(door: FhirDoor, patient: Patient) -> None:
    bare = observation(identifier=None)
    first = door.post(bare).json()["id"]
    put_right = observation(identifier=None, id=first, valueQuantity=quantity("41"))
    door.put(f"/{first}", put_right)

    again = door.post(bare)

    assert said(again)[:2] == (first, 41)
    assert Result.objects.get(superseded_at=None).value == 41
    assert not Parked.objects.exists()


def test_what_a_person_has_called_the_same_is_answered_with_that(
    door: FhirDoor, patient: Patient, team: CareTeam
) -> None:
    kept = door.post(observation(identifier=named("a"))).json()["id"]
    other = observation(identifier=named("b"))
    door.post(other)
    ingest.match_parked(
        parked=Parked.objects.get(),
        patient=patient,
        by=ClinicianFactory.create(teams=[team]),
        at=MONDAY,
        if_duplicate=IfDuplicate.SAME,
    )

    again = door.post(other)

    assert again.status_code == 200
    assert Result.objects.get().public_id == Result.objects.get(public_id=kept).public_id
    assert again.json()["valueQuantity"] == observation()["valueQuantity"]


def json_of(**said: Any) -> bytes:
    return exact_json.write(draw(**said))


@pytest.mark.parametrize(
    ("address", "kind", "body"),
    [
        ("/api/v1/results", "application/json", json_of),
        ("/hl7v2", "application/hl7-v2", lambda: message(change={"OBX-3": "sIL-6R^sIL-6R^L"})),
    ],
)
def test_the_other_doors_answer_as_before(
    door: FhirDoor, patient: Patient, address: str, kind: str, body: Callable[[], bytes]
) -> None:
    answers = [push(door, body(), address=address, kind=kind) for _ in range(3)]

    assert {each.status_code for each in answers} <= {200, 201}
    assert Inbound.objects.count() == Result.objects.count() == 1


@pytest.mark.parametrize("values", [("30", "31", "32"), ("32", "31", "30")])
def test_what_one_message_says_of_a_result_is_placed_in_its_order_once_the_patient_is_known(
    door: FhirDoor, values: tuple[str, ...]
) -> None:
    entries = [
        entry(
            observation(identifier=named("a"), valueQuantity=quantity(value)),
            method="PUT",
            url="Observation?identifier=urn:north:result|a",
        )
        for value in values
    ]
    door.bundle(*entries, kind="batch")
    assert Parked.objects.count() == 3

    IdentifierFactory.create(system="urn:clinic:mrn", value="0042")
    ingest.replay_parked(at=MONDAY)

    assert str(Result.objects.get(superseded_at=None).sent_value) == values[-1]
