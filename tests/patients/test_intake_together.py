"""Messages that are taken in together end as they would one after the other, or not at all."""

import json
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from patients.intake.json_dialect import read_json
from patients.intake.reception import Arrival, NotTogether, Receipt, Sender, take_in_together
from patients.models import Audit, Draw, Inbound, Laboratory, Parked, Patient, Result
from tests.conftest import MONDAY, Push, draw

pytestmark = pytest.mark.django_db


def arrival(**changes: Any) -> Arrival:
    body = json.dumps(draw(**changes)).encode()
    [report], _is_list = read_json(body)
    return Arrival(report, body, "json")


@pytest.fixture
def sender(laboratory: Laboratory) -> Sender:
    return Sender(laboratory_id=laboratory.pk, key_id=None, zone=ZoneInfo("Asia/Tokyo"))


def states(receipts: list[Receipt]) -> list[tuple[str, bool, bool]]:
    return [
        (receipt.answers[0].state, receipt.is_new, receipt.changes_record) for receipt in receipts
    ]


def nothing_is_stored() -> bool:
    return not any(each.objects.exists() for each in (Inbound, Draw, Result, Parked))


def hours(number: int) -> list[Arrival]:
    return [
        arrival(accession=f"A-{hour}", collected_at=f"2026-11-02T0{hour}:10:00+09:00")
        for hour in range(number)
    ]


def test_each_draw_stands_beside_its_own_message(sender: Sender, patient: Patient) -> None:
    arrivals = hours(5)

    receipts = take_in_together(arrivals, sender=sender, at=MONDAY)

    assert states(receipts) == [("recorded", True, True)] * 5
    for each, receipt in zip(arrivals, receipts, strict=True):
        found = Draw.objects.get(public_id=receipt.answers[0].id)
        assert found.accession == each.report.accession
        assert found.inbound is not None
        assert bytes(found.inbound.body) == each.body
    trail = Audit.objects.filter(verb="record_draws")
    assert {line.subject for line in trail} == {
        f"message:{pk}" for pk in Inbound.objects.values_list("pk", flat=True)
    }
    assert {(line.patient_id, line.detail["draws"]) for line in trail} == {(patient.pk, 1)}


def test_a_correction_and_an_unknown_patient_come_out_as_alone(
    push: Push, sender: Sender, patient: Patient
) -> None:
    push(arrival().body)

    receipts = take_in_together(
        [
            arrival(value="41.00"),
            arrival(accession="A-18", mrn="nobody"),
            arrival(accession="A-19", collected_at="2026-11-02T09:10:00+09:00"),
        ],
        sender=sender,
        at=MONDAY,
    )

    assert states(receipts) == [
        ("corrected", True, True),
        ("parked", True, False),
        ("recorded", True, True),
    ]
    parked = Parked.objects.get()
    assert (parked.accession, parked.reasons) == ("A-18", ["unknown_patient"])
    assert json.loads(bytes(parked.inbound.body))["accession"] == "A-18"
    current = Result.objects.get(draw__accession="A-17", superseded_at=None)
    assert (current.sent_value, current.version, current.status) == ("41.00", 2, "corrected")


def test_one_draw_that_is_parked_twice_is_new_once(sender: Sender) -> None:
    one = arrival(mrn="nobody")
    same_in_other_bytes = replace(one, body=one.body + b" ")

    receipts = take_in_together([one, same_in_other_bytes], sender=sender, at=MONDAY)

    assert states(receipts) == [("parked", True, False), ("parked", False, False)]
    assert receipts[0].answers[0].id == receipts[1].answers[0].id == Parked.objects.get().public_id


def test_a_result_and_its_correction_come_out_in_their_order(
    sender: Sender, patient: Patient
) -> None:
    receipts = take_in_together([arrival(), arrival(value="41.00")], sender=sender, at=MONDAY)

    assert states(receipts) == [("recorded", True, True), ("corrected", True, True)]
    current = Result.objects.get(superseded_at=None)
    assert (current.sent_value, current.version) == ("41.00", 2)
    assert current.inbound is not None
    assert json.loads(bytes(current.inbound.body))["results"][0]["value"] == "41.00"


def test_the_same_message_twice_is_not_taken_in_together(sender: Sender, patient: Patient) -> None:
    with pytest.raises(NotTogether):
        take_in_together([arrival(), arrival()], sender=sender, at=MONDAY)

    assert nothing_is_stored()


def test_what_was_stored_before_is_not_taken_in_together(
    push: Push, sender: Sender, patient: Patient
) -> None:
    known, new = hours(2)
    push(known.body)

    with pytest.raises(NotTogether):
        take_in_together([new, known], sender=sender, at=MONDAY)

    assert Draw.objects.get().accession == known.report.accession


def test_a_correction_that_is_not_allowed_keeps_all_out(
    push: Push, sender: Sender, patient: Patient
) -> None:
    push(arrival().body)
    reader = replace(sender, scopes="cr")

    with pytest.raises(NotTogether):
        take_in_together(
            [
                arrival(accession="A-18", collected_at="2026-11-02T09:10:00+09:00"),
                arrival(value="41.00"),
            ],
            sender=reader,
            at=MONDAY,
        )

    assert Draw.objects.get().accession == "A-17"


def test_a_correction_by_a_key_that_only_creates_waits_for_a_person_and_is_not_told_apart(
    push: Push, sender: Sender, patient: Patient
) -> None:
    push(arrival().body)
    other = arrival(accession="A-18", collected_at="2026-11-02T09:10:00+09:00")

    receipts = take_in_together(
        [other, arrival(value="41.00")], sender=replace(sender, scopes="c"), at=MONDAY
    )

    assert [each.answers[0].state for each in receipts] == ["received", "received"]
    assert Parked.objects.get().reasons == ["correction_by_a_key_that_only_creates"]
    assert Result.objects.get(draw__accession="A-17").sent_value == "37.50"
