"""Which word of a laboratory counts, through each door and in whatever order the words come."""

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from django.test import Client

from monitoring import redis
from patients.intake.fhir import exact_json
from patients.models import Laboratory, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY, draw
from tests.patients.fhir_messages import named, observation, quantity
from tests.patients.hl7v2_messages import message
from tests.patients.tables import table_of

pytestmark = pytest.mark.django_db
DRAWN_AT = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
ZONE = "+0900"  # that of the laboratory, in which a day is read
_LETTERS = {"final": "F", "corrected": "C", "entered-in-error": "D"}


class Said(NamedTuple):
    """What is said, and at which hour of the day after the draw; None is the day alone."""

    hour: int | None
    value: str
    status: str = "final"

    @property
    def issued(self) -> str:
        day = "2026-11-03"
        return day if self.hour is None else f"{day}T{self.hour:02}:00:00+09:00"


class Pushed(NamedTuple):
    """Bytes for a door; the run keeps the results of one order apart from those of another."""

    method: str
    address: str
    content_type: str
    body: bytes


def by_fhir(said: Said, *, run: int, number: int) -> Pushed:
    resource = observation(
        identifier=named(f"r-{run}"),
        effectiveDateTime=_drawn_at(run).isoformat(),
        issued=said.issued,
        status=said.status,
        valueQuantity=quantity(said.value),
    )
    address = f"/fhir/Observation?identifier=urn:north:result|r-{run}"
    return Pushed("PUT", address, "application/fhir+json", exact_json.write(resource))


def by_hl7v2(said: Said, *, run: int, number: int) -> Pushed:
    compact = said.issued.replace("-", "").replace(":", "").replace("T", "")
    stamp = compact if said.hour is None else compact[:14] + ZONE
    change = {
        "MSH-7": f"20261103{20 + number}0000{ZONE}",
        "MSH-10": f"M-{run}-{number}",
        "ORC-3": f"A-{run}",
        "OBR-3": f"A-{run}",
        "OBR-22": stamp,
        "OBX-3": "sIL-6R^sIL-6R^L",
        "OBX-5": said.value,
        "OBX-11": _LETTERS[said.status],
        "OBX-14": f"{_drawn_at(run):%Y%m%d%H%M%S}+0000",
    }
    return Pushed("POST", "/hl7v2", "application/hl7-v2", message(change=change))


def by_table(said: Said, *, run: int, number: int) -> Pushed:
    row = {
        "accession": f"A-{run}",
        "collected_at": _drawn_at(run).isoformat(),
        "value": said.value,
        "status": said.status,
        "issued_at": said.issued,
    }
    return Pushed("POST", "/api/v1/results", "text/csv", table_of(row).encode())


def by_json(said: Said, *, run: int, number: int) -> Pushed:
    result = {
        "analyte": "sIL-6R",
        "value": said.value,
        "unit": "ng/mL",
        "status": said.status,
        "issued_at": said.issued,
    }
    return in_json(run, **result)


def in_json(run: int = 0, /, **result: str) -> Pushed:
    body = draw(accession=f"A-{run}", collected_at=_drawn_at(run).isoformat(), results=[result])
    return Pushed("POST", "/api/v1/results", "application/json", exact_json.write(body))


def _drawn_at(run: int) -> datetime:
    return DRAWN_AT - timedelta(minutes=run)


Door = Callable[..., Pushed]


@pytest.fixture
def key(laboratory: Laboratory) -> str:
    redis.ask(lambda line: line.flushdb())
    return issue_key(laboratory=laboratory, by="operator", at=MONDAY)


def push(pushed: Pushed, *, key: str) -> Any:
    answer = Client().generic(
        pushed.method,
        pushed.address,
        pushed.body,
        content_type=pushed.content_type,
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code in {200, 201}, answer.content
    return answer


def ends_of(said: Sequence[Said], *, door: Door, key: str) -> set[tuple[str, str]]:
    """Say these words in every order, and give what is current at the end of any."""
    for run, order in enumerate(itertools.permutations(said)):
        for number, each in enumerate(order):
            push(door(each, run=run, number=number), key=key)
    current = Result.objects.filter(superseded_at=None)
    return {(each.status, "" if each.value is None else each.sent_value) for each in current}


FINAL_AGAIN = [Said(10, "37.50"), Said(11, "39.00"), Said(12, "37.50")]
RETRACTED_AGAIN = [
    Said(10, "37.50"),
    Said(11, "37.50", "entered-in-error"),
    Said(13, "37.50", "entered-in-error"),
    Said(12, "38.00"),
]
CORRECTED_ON_THE_DAY = [Said(10, "37.50"), Said(None, "39.00", "corrected")]
RETRACTED_ON_THE_DAY = [Said(10, "37.50"), Said(None, "37.50", "entered-in-error")]
REPEATED_TO_THE_HOUR = [Said(None, "37.50"), Said(14, "37.50"), Said(12, "40.00")]


@pytest.mark.parametrize("door", [by_fhir, by_hl7v2, by_table, by_json])
def test_a_value_said_again_after_another_one_counts(
    door: Door, key: str, patient: Patient
) -> None:
    ends = ends_of(FINAL_AGAIN, door=door, key=key)

    assert {value for _status, value in ends} == {"37.50"}


@pytest.mark.parametrize("door", [by_fhir, by_hl7v2, by_table, by_json])
def test_a_retraction_said_again_after_another_value_counts(
    door: Door, key: str, patient: Patient
) -> None:
    assert ends_of(RETRACTED_AGAIN, door=door, key=key) == {("entered-in-error", "")}


@pytest.mark.parametrize("door", [by_hl7v2, by_table])
def test_on_the_same_day_the_status_decides(door: Door, key: str, patient: Patient) -> None:
    assert ends_of(CORRECTED_ON_THE_DAY, door=door, key=key) == {("corrected", "39.00")}


@pytest.mark.parametrize("door", [by_hl7v2, by_table])
def test_a_retraction_of_which_only_the_day_is_known_is_not_lost(
    door: Door, key: str, patient: Patient
) -> None:
    assert ends_of(RETRACTED_ON_THE_DAY, door=door, key=key) == {("entered-in-error", "")}


@pytest.mark.parametrize("door", [by_hl7v2, by_table])
def test_an_hour_said_later_of_the_same_value_is_remembered(
    door: Door, key: str, patient: Patient
) -> None:
    for number, said in enumerate(REPEATED_TO_THE_HOUR):
        push(door(said, run=0, number=number), key=key)

    assert Result.objects.get(superseded_at=None).sent_value == "37.50"


@pytest.mark.parametrize("obr_22", ['""', "soon", "00010101"])
def test_the_time_of_the_message_stands_in_for_a_time_of_issue_that_is_none(
    key: str, patient: Patient, obr_22: str
) -> None:
    for number, (hour, value) in enumerate([("13", "39"), ("12", "38")]):
        change = {
            "MSH-7": f"20261103{hour}3000+0900",
            "MSH-10": f"M-{number}",
            "OBR-22": obr_22,
            "OBX-3": "sIL-6R^sIL-6R^L",
            "OBX-5": value,
        }
        push(Pushed("POST", "/hl7v2", "application/hl7-v2", message(change=change)), key=key)

    assert Result.objects.get(superseded_at=None).sent_value == "39"


# JSON without times of issue

VALUE = {"analyte": "sIL-6R", "unit": "ng/mL"}
TAKEN_BACK = {"analyte": "sIL-6R", "status": "cancelled"}


def test_what_is_taken_for_late_is_not_answered_as_if_it_were_known(
    key: str, patient: Patient
) -> None:
    push(in_json(**VALUE, value="37.50"), key=key)
    push(in_json(**VALUE, value="39", status="corrected"), key=key)

    late = push(in_json(**VALUE, value="40"), key=key)
    again = push(in_json(**VALUE, value="39", status="corrected", method="ELISA"), key=key)

    assert (late.json()["state"], late.json()["reasons"]) == ("known", ["late: sIL-6R"])
    assert again.json()["reasons"] == []
    assert Result.objects.get(superseded_at=None).sent_value == "39"


def test_a_cancellation_is_undone_by_what_was_issued_after_it_came(
    key: str, patient: Patient
) -> None:
    push(in_json(**VALUE, value="37.50"), key=key)
    push(in_json(**TAKEN_BACK), key=key)
    late = push(in_json(**VALUE, value="38"), key=key)

    now = datetime.now(UTC).isoformat()
    undone = push(in_json(**VALUE, value="38", issued_at=now), key=key)

    assert late.json()["reasons"] == ["late: sIL-6R"]
    assert (undone.json()["state"], undone.json()["reasons"]) == ("corrected", [])
    assert Result.objects.get(superseded_at=None).sent_value == "38"


def test_a_cancellation_without_a_time_of_issue_is_not_undone_by_its_original(
    key: str, patient: Patient
) -> None:
    push(in_json(**TAKEN_BACK), key=key)

    before = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    late = push(in_json(**VALUE, value="38", issued_at=before), key=key)

    assert late.json()["reasons"] == ["late: sIL-6R"]
    assert Result.objects.get(superseded_at=None).status == "cancelled"


def test_a_late_result_is_acknowledged_as_late_in_hl7_v2(key: str, patient: Patient) -> None:
    push(by_hl7v2(Said(12, "39"), run=0, number=0), key=key)

    answer = push(by_hl7v2(Said(11, "38"), run=0, number=1), key=key)

    assert b"|1 known, 1 results late" in answer.content


def test_an_outcome_of_fhir_names_what_came_late(key: str, patient: Patient) -> None:
    push(by_fhir(Said(12, "39"), run=0, number=0), key=key)

    pushed = by_fhir(Said(11, "38"), run=0, number=1)
    answer = Client().generic(
        pushed.method,
        pushed.address,
        pushed.body,
        content_type=pushed.content_type,
        headers={"Authorization": f"Bearer {key}", "Prefer": "return=OperationOutcome"},
    )

    assert b"late: " in answer.content


def test_the_same_in_later_messages_is_known_and_yet_the_newest_word(
    key: str, patient: Patient
) -> None:
    def send(hour: int, value: str, **change: str) -> str:
        said = {
            "MSH-7": f"20261102{hour:02}3000+0900",
            "MSH-10": f"M-{hour}",
            "OBR-22": "",
            "OBX-3": "sIL-6R^sIL-6R^L",
            "OBX-5": value,
        } | change
        told = Pushed("POST", "/hl7v2", "application/hl7-v2", message(change=said))
        answer: str = push(told, key=key).content.decode()
        return answer

    send(11, "37.50")
    again = [send(hour, "37.50") for hour in (12, 13, 16)]

    assert all("1 known" in each for each in again)
    assert Result.objects.count() == 1
    assert "results late" in send(14, "39.00", **{"OBX-11": "C"})
    assert "1 corrected" in send(17, "40.00")
    current = Result.objects.get(superseded_at=None)
    assert (current.sent_value, current.status) == ("40.00", "corrected")
