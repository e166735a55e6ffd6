"""What a laboratory's message does to the record."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from patients.intake.parking import StillUnplaceable, match
from patients.intake.reception import Receipt, Sender
from patients.intake.setting_aside import ReasonMissing, reject
from patients.models import (
    Analyte,
    AnalyteAlias,
    Audit,
    CareTeam,
    Clinician,
    Draw,
    Inbound,
    Laboratory,
    Parked,
    Patient,
    Result,
    Role,
    Sex,
)
from patients.record.parking import NoLongerWaiting
from patients.record.patients import enrol
from patients.record.people import add_clinician
from tests.conftest import MONDAY, Push, draw

pytestmark = pytest.mark.django_db


def message(*draws: dict[str, Any]) -> bytes:
    return json.dumps(draws[0] if len(draws) == 1 else {"draws": list(draws)}).encode()


def current_results() -> list[Result]:
    return list(Result.objects.filter(superseded_at=None).order_by("draw_id", "analyte_id"))


def states(receipt: Receipt) -> list[str]:
    return [answer.state for answer in receipt.answers]


@pytest.fixture
def clinician(team: CareTeam) -> Clinician:
    return add_clinician(
        email="reader@example.org",
        full_name="Reader",
        password="a long enough password",
        team=team,
        role=Role.NURSE,
        by="operator",
        at=MONDAY,
    )


def test_a_draw_is_recorded_with_its_digits_and_its_audit_line(
    push: Push, patient: Patient
) -> None:
    version = patient.history_version

    receipt = push(message(draw(method="ELISA", lot="P-1")))

    [result] = current_results()
    assert states(receipt) == ["recorded"]
    assert str(result.value) == "37.50"
    assert (result.sent_value, result.sent_unit, result.lot) == ("37.50", "ng/mL", "P-1")
    assert result.draw.public_id == receipt.answers[0].id
    patient.refresh_from_db()
    assert patient.history_version == version + 1
    assert patient.stale_since is not None
    assert Audit.objects.filter(verb="record_draws", patient_id=patient.pk).count() == 1


def test_a_value_in_another_unit_is_converted_and_kept_as_sent(
    push: Push, patient: Patient
) -> None:
    push(message(draw(value="37500", unit="pg/mL")))

    [result] = current_results()
    assert result.value == Decimal("37.5")
    assert (result.sent_value, result.sent_unit) == ("37500", "pg/mL")


def test_a_value_below_the_limit_is_kept_as_censored(push: Push, patient: Patient) -> None:
    push(message(draw(analyte="IL-6", value="0.50", unit="pg/mL", comparator="<")))

    [result] = current_results()
    assert (result.comparator, str(result.value)) == ("<", "0.50")


def test_the_raw_message_is_kept_byte_for_byte(push: Push, patient: Patient) -> None:
    body = message(draw()) + b"\n\n"

    push(body)

    assert bytes(Inbound.objects.get().body) == body


def test_the_same_message_again_changes_nothing(push: Push, patient: Patient) -> None:
    first = push(message(draw()))
    patient.refresh_from_db()

    again = push(message(draw()))

    assert states(again) == ["known"]
    assert not again.is_new
    assert again.answers[0].id == first.answers[0].id
    assert Result.objects.count() == Inbound.objects.count() == 1
    assert Patient.objects.get().history_version == patient.history_version


@pytest.mark.parametrize(
    "same",
    [
        {"value": "37.5"},
        {"value": "37500", "unit": "pg/mL"},
        {"value": "37.50", "unit": "ug/L"},
        {"status": "corrected"},
    ],
)
def test_the_same_reading_in_other_words_is_known(
    push: Push, patient: Patient, same: dict[str, Any]
) -> None:
    push(message(draw()))
    before = Patient.objects.get().history_version

    receipt = push(message(draw(**same)))

    assert states(receipt) == ["known"]
    assert Result.objects.get(superseded_at=None).version == 1
    assert Patient.objects.get().history_version == before


def test_another_value_is_a_correction_and_the_earlier_one_stays(
    push: Push, patient: Patient
) -> None:
    push(message(draw(value="37.50")))

    receipt = push(message(draw(value="38.10")), at=MONDAY + timedelta(hours=1))

    [before, after] = Result.objects.order_by("version")
    assert states(receipt) == ["corrected"]
    assert (before.version, before.sent_value, before.superseded_by) == (1, "37.50", after)
    assert before.superseded_at == MONDAY + timedelta(hours=1)
    assert before.superseded_reason
    assert (after.version, after.sent_value, after.superseded_at) == (2, "38.10", None)


def test_a_corrected_value_is_not_undone_by_its_first_message_coming_again(
    push: Push, patient: Patient
) -> None:
    push(message(draw(value="37.50")))
    push(message(draw(value="38.10")))

    receipt = push(message(draw(value="37.50")))

    assert states(receipt) == ["known"]
    assert [result.sent_value for result in current_results()] == ["38.10"]


def test_a_preliminary_value_becomes_final(push: Push, patient: Patient) -> None:
    push(message(draw(status="preliminary")))

    receipt = push(message(draw(status="final")))

    assert states(receipt) == ["recorded"]
    assert [result.status for result in current_results()] == ["final"]
    assert Result.objects.count() == 2


def test_a_preliminary_value_that_comes_late_does_not_replace_the_final_one(
    push: Push, patient: Patient
) -> None:
    push(message(draw(value="38.10", status="final")))

    receipt = push(message(draw(value="37.50", status="preliminary")))

    assert states(receipt) == ["known"]
    assert [result.sent_value for result in current_results()] == ["38.10"]


@pytest.mark.parametrize(
    "sent", [{"value": None, "unit": None}, {"value": "37.50", "unit": "ng/mL"}, {"unit": None}]
)
def test_a_cancelled_result_has_no_value_and_keeps_its_past(
    sent: dict[str, Any], push: Push, patient: Patient
) -> None:
    push(message(draw()))

    receipt = push(message(draw(**sent, status="cancelled")))

    [current] = current_results()
    assert states(receipt) == ["corrected"]
    assert (current.status, current.value) == ("cancelled", None)
    assert Result.objects.filter(sent_value="37.50").exists()


def test_what_was_corrected_stays_so_when_its_time_is_put_right(
    push: Push, patient: Patient
) -> None:
    push(message(draw(value="30.0")))
    push(message(draw(value="31.0")))

    push(message(draw(value="31.0", collected_at="2026-11-01T08:10:00+09:00")))

    [current] = current_results()
    assert (current.status, current.sent_status) == ("corrected", "final")


def test_an_analyte_reported_later_joins_its_draw(push: Push, patient: Patient) -> None:
    push(message(draw()))

    receipt = push(message(draw(analyte="hs-CRP", value="4.8", unit="mg/L")))

    assert states(receipt) == ["recorded"]
    assert len(current_results()) == 2
    assert Draw.objects.count() == 1


def test_another_time_of_collection_moves_the_draw_and_takes_its_results_along(
    push: Push, patient: Patient
) -> None:
    first = push(message(draw(collected_at="2026-11-02T08:10:00+09:00")))

    receipt = push(message(draw(collected_at="2026-11-01T08:10:00+09:00", value="38.10")))

    [current] = current_results()
    assert states(receipt) == ["corrected"]
    assert receipt.answers[0].id == first.answers[0].id
    assert current.draw.collected_at.isoformat() == "2026-10-31T23:10:00+00:00"
    assert current.sent_value == "38.10"
    assert Draw.objects.count() == 2


def test_a_time_without_an_offset_is_read_in_the_laboratorys_zone(
    push: Push, patient: Patient
) -> None:
    push(message(draw(collected_at="2026-11-02T08:10:00")))

    assert Draw.objects.get().collected_at.isoformat() == "2026-11-01T23:10:00+00:00"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mrn": "9999"}, "unknown_patient"),
        ({"analyte": "Ferritin"}, "unknown_analyte: Ferritin"),
        ({"unit": "IU/mL"}, "unknown_unit: IU/mL"),
        ({"collected_at": "2026-12-24T08:00:00+09:00"}, "collected_in_the_future"),
    ],
)
def test_what_cannot_be_placed_is_parked_whole(
    push: Push, patient: Patient, changes: dict[str, Any], reason: str
) -> None:
    receipt = push(message(draw(**changes)))

    parked = Parked.objects.get()
    assert states(receipt) == ["parked"]
    assert receipt.answers[0].id == parked.public_id
    assert receipt.answers[0].reasons == (reason,)
    assert not Draw.objects.exists()


def test_an_accession_never_moves_to_another_patient(
    push: Push, patient: Patient, team: CareTeam
) -> None:
    enrol(
        team=team,
        identifiers=[("urn:clinic:mrn", "0043")],
        family_name="Invented",
        given_name="Otto",
        birth_date=None,
        sex=Sex.MALE,
        started_on=None,
        by="operator",
        at=MONDAY,
    )
    push(message(draw(mrn="0042")))

    receipt = push(message(draw(mrn="0043")))

    assert states(receipt) == ["parked"]
    assert Draw.objects.get().patient == patient


def test_one_laboratory_never_touches_anothers_draw(push: Push, patient: Patient) -> None:
    other = Laboratory.objects.create(name="South laboratory")
    push(message(draw(value="37.50")))

    receipt = push(
        message(draw(value="99.00")),
        sender=Sender(laboratory_id=other.pk, key_id=None, zone=ZoneInfo("UTC")),
    )

    assert states(receipt) == ["recorded"]
    assert sorted(result.sent_value for result in current_results()) == ["37.50", "99.00"]


def test_the_same_parked_draw_keeps_its_place_in_the_queue(push: Push) -> None:
    first = push(message(draw()))

    again = push(message(draw()))
    in_other_bytes = push(message(draw()) + b" ")

    assert Parked.objects.count() == 1
    assert {each.answers[0].id for each in (first, again, in_other_bytes)} == {
        Parked.objects.get().public_id
    }


def test_a_parked_message_is_known_again_though_its_zone_is_read_otherwise_now(
    push: Push, laboratory: Laboratory
) -> None:
    body = message(draw(collected_at="2026-11-02T08:10:00"))
    first = push(body)
    moved = Sender(laboratory_id=laboratory.pk, key_id=None, zone=ZoneInfo("UTC"))

    again = push(body, sender=moved)

    assert again.answers == first.answers
    assert not again.is_new


def test_a_list_answers_draw_by_draw_in_its_order(push: Push, patient: Patient) -> None:
    push(message(draw(accession="A-2")))

    receipt = push(
        message(
            draw(accession="A-1", collected_at="2026-11-01T08:10:00+09:00"),
            draw(accession="A-2"),
            draw(accession="A-3", mrn="9999"),
            draw(accession="A-4", collected_at="2026-11-01T18:10:00+09:00"),
            draw(accession="A-2b", analyte="Ferritin"),
        )
    )

    assert states(receipt) == ["recorded", "known", "parked", "recorded", "parked"]
    assert [answer.accession for answer in receipt.answers] == [
        "A-1",
        "A-2",
        "A-3",
        "A-4",
        "A-2b",
    ]
    assert Draw.objects.count() == 3


def test_a_laboratorys_own_code_means_what_it_says_for_that_laboratory_only(
    push: Push, patient: Patient, laboratory: Laboratory
) -> None:
    crp = Analyte.objects.get(code="hs-CRP")
    AnalyteAlias.objects.create(laboratory=laboratory, code="X1", analyte=crp)
    other = Laboratory.objects.create(name="South laboratory")

    ours = push(message(draw(analyte="X1", value="4.8", unit="mg/L")))
    theirs = push(
        message(draw(analyte="X1", value="4.8", unit="mg/L")),
        sender=Sender(laboratory_id=other.pk, key_id=None, zone=ZoneInfo("UTC")),
    )

    assert (states(ours), states(theirs)) == (["recorded"], ["parked"])


def test_a_parked_draw_is_matched_by_a_person(
    push: Push, patient: Patient, clinician: Clinician
) -> None:
    push(message(draw(mrn="9999")))

    placed = match(parked=Parked.objects.get(), patient=patient, by=clinician, at=MONDAY)

    parked = Parked.objects.get()
    assert placed.patient == patient
    assert (parked.state, parked.draw, parked.ended_by) == (
        "matched",
        placed,
        f"clinician:{clinician.pk}",
    )
    assert states(push(message(draw(mrn="9999")))) == ["known"]


def test_a_draw_whose_unit_nobody_knows_cannot_be_matched_yet(
    push: Push, patient: Patient, clinician: Clinician
) -> None:
    push(message(draw(unit="IU/mL")))

    with pytest.raises(StillUnplaceable, match="unknown_unit: IU/mL"):
        match(parked=Parked.objects.get(), patient=patient, by=clinician, at=MONDAY)

    assert Parked.objects.get().state == "waiting"


def test_a_parked_draw_is_rejected_with_a_reason_and_stays_readable(
    push: Push, patient: Patient, clinician: Clinician
) -> None:
    push(message(draw(mrn="9999")))
    parked = Parked.objects.get()

    with pytest.raises(ReasonMissing):
        reject(parked=parked, reason=" ", by=clinician, at=MONDAY)
    reject(parked=parked, reason="not our patient", by=clinician, at=MONDAY)

    parked.refresh_from_db()
    assert (parked.state, parked.ended_reason) == ("rejected", "not our patient")
    assert parked.report["accession"] == "A-17"
    with pytest.raises(NoLongerWaiting):
        match(parked=parked, patient=patient, by=clinician, at=MONDAY)


def at_once(times: int, deed: Callable[[int], object]) -> list[Exception]:
    """Do something from several connections at the same moment."""
    gate, faults = threading.Barrier(times), []

    def run(number: int) -> None:
        try:
            gate.wait()
            deed(number)
        except Exception as fault:  # handed to the test, which expects none
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_sixteen_identical_pushes_at_once_make_one_result(push: Push, patient: Patient) -> None:
    receipts: list[Receipt] = []

    faults = at_once(16, lambda _: receipts.append(push(message(draw()))))

    assert faults == []
    assert Result.objects.count() == Draw.objects.count() == Inbound.objects.count() == 1
    assert sorted(state for receipt in receipts for state in states(receipt)) == [
        *["known"] * 15,
        "recorded",
    ]
    assert len({receipt.answers[0].id for receipt in receipts}) == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_sixteen_pushes_of_one_draw_in_other_bytes_make_one_result(
    push: Push, patient: Patient
) -> None:
    faults = at_once(16, lambda number: push(message(draw()) + b" " * number))

    assert faults == []
    assert Result.objects.count() == Draw.objects.count() == 1
    patient.refresh_from_db()
    assert Audit.objects.filter(verb="record_draws").count() == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_sixteen_values_at_once_for_one_draw_are_sixteen_numbered_versions(
    push: Push, patient: Patient
) -> None:
    faults = at_once(16, lambda number: push(message(draw(value=f"{30 + number}.00"))))

    assert faults == []
    versions = Result.objects.order_by("version").values_list("version", flat=True)
    assert list(versions) == list(range(1, 17))
    assert len(current_results()) == 1
    patient.refresh_from_db()
    assert patient.history_version == 1 + 1 + 16
