"""An order, or a report, that is taken back as a whole takes back the results that it has."""

from typing import Any

import pytest

from monitoring import redis
from patients.models import Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY
from tests.monitoring.fhir_door import FhirDoor, entry
from tests.monitoring.test_retractions_at_the_doors import push
from tests.patients.fhir_messages import Tree, named, observation
from tests.patients.hl7v2_messages import BASE

pytestmark = pytest.mark.django_db
PANEL = "CYT^Cytokines^L"
RESULTS = {"sIL-6R": "OBX|1|NM|sIL-6R||30|ng/mL|||||F", "IL-6": "OBX|2|NM|IL-6||3|pg/mL|||||F"}


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    redis.ask(lambda line: line.flushdb())
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


def statuses() -> dict[str, str]:
    current = Result.objects.filter(superseded_at=None)
    return dict(current.order_by("pk").values_list("analyte__code", "status"))


def send(door: FhirDoor, *segments: str, number: str) -> Any:
    lines = [BASE[0].replace("M-1", number), BASE[1], *segments]
    body = "".join(f"{line}\r" for line in lines).encode()
    return push(door, body, address="/hl7v2", kind="application/hl7-v2")


def order(
    letter: str, *, at: str = "20261001080000+0100", code: str = PANEL, hour: int = 11
) -> str:
    return f"OBR|1||T-1|{code}|||{at}|||||||||||||||20261102{hour}1000+0100|||{letter}"


def test_a_panel_that_is_cancelled_takes_its_results_back(door: FhirDoor, patient: Patient) -> None:
    send(door, order("F", hour=10), *RESULTS.values(), number="M-1")

    answer = send(door, order("X"), number="M-2")

    assert b"MSA|AA|M-2|2 corrected" in answer.content
    assert {*statuses().values()} == {"cancelled"}
    assert b"2 known" in send(door, order("X"), number="M-2").content
    assert not Parked.objects.exists()


def test_also_before_they_come(door: FhirDoor, patient: Patient) -> None:
    assert b"1 parked" in send(door, order("X"), number="M-2").content

    send(door, order("F", hour=10), *RESULTS.values(), number="M-1")

    assert {*statuses().values()} == {"cancelled"}
    assert not Parked.objects.filter(state="waiting").exists()


def test_each_sample_of_a_series_keeps_its_time(door: FhirDoor, patient: Patient) -> None:
    hours = ["20261001080000+0100", "20261001100000+0100"]
    segments = [part for at in hours for part in (order("F", at=at, hour=10), RESULTS["sIL-6R"])]
    send(door, *segments, number="M-1")
    before = {*Result.objects.values_list("draw__collected_at", flat=True)}

    send(door, order("X"), number="M-2")

    current = Result.objects.filter(superseded_at=None)
    assert {*current.values_list("status", flat=True)} == {"cancelled"}
    assert {*current.values_list("draw__collected_at", flat=True)} == before
    assert len(before) == 2


def test_what_came_long_before_by_the_same_number_stays(door: FhirDoor, patient: Patient) -> None:
    send(door, order("F", at="20250901080000+0100", hour=10), *RESULTS.values(), number="M-1")

    answer = send(door, order("X"), number="M-2")

    assert b"1 parked" in answer.content
    assert {*statuses().values()} == {"final"}


def test_another_patient_keeps_the_results_of_the_same_number(
    door: FhirDoor, patient: Patient
) -> None:
    send(door, order("F", hour=10), *RESULTS.values(), number="M-1")
    patient.identifiers.all().delete()

    send(door, order("X"), number="M-2")  # of nobody by now: the order's number says whose it is

    assert {*statuses().values()} == {"cancelled"}


def result(code: str, **more: Any) -> Tree:
    return observation(identifier=named(f"r-{code}"), code={"coding": [{"code": code}]}, **more)


def bundle(door: FhirDoor, *, method: str = "POST") -> Any:
    urns = {
        code: f"urn:uuid:6f0c0000-0000-4000-8000-00000000000{n}" for n, code in enumerate(RESULTS)
    }
    report = bare() | {
        "status": "final",
        "result": [{"reference": urn} for urn in urns.values()],
    }
    url = "DiagnosticReport/d1" if method == "PUT" else "DiagnosticReport"
    return door.bundle(
        *({"fullUrl": urn, **entry(result(code))} for code, urn in urns.items()),
        entry(report, method=method, url=url),
    )


def bare() -> Tree:
    return {
        "resourceType": "DiagnosticReport",
        "id": "d1",
        "identifier": named("DR2"),
        "status": "entered-in-error",
        "code": {"text": "cytokines"},
    }


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("is_first", [False, True])
def test_a_report_takes_back_what_it_listed_in_its_bundle(
    door: FhirDoor, patient: Patient, method: str, *, is_first: bool
) -> None:
    address = "/DiagnosticReport/d1" if method == "PUT" else "/DiagnosticReport"

    def take_back() -> None:
        assert door.ask(method, address, bare()).status_code in {200, 201}

    if is_first:
        take_back()
    assert bundle(door, method=method).status_code == 200
    if not is_first:
        take_back()

    assert statuses() == {"sIL-6R": "entered-in-error", "IL-6": "entered-in-error"}
    assert not Parked.objects.filter(state="waiting").exists()


def test_its_results_are_known_by_their_own_names_alone(door: FhirDoor, patient: Patient) -> None:
    bundle(door)

    other = door.post(result("IL-6", status="corrected") | {"identifier": named("r-9")})

    assert other.json()["meta"]["tag"][0]["code"] == "parked"
    assert Parked.objects.get().reasons == ["possible_duplicate"]
