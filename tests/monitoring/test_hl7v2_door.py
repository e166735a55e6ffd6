"""HL7 v2 over HTTP: what is acknowledged, what is refused, and what is on record afterwards."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from monitoring import redis
from monitoring.portal.presenters.raw_messages import part_of_message
from patients.intake.parking import replay_named
from patients.intake.reports import DrawReport
from patients.models import Inbound, Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY
from tests.factories import IdentifierFactory
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db
# The laboratory's code is ours, so that a case needs no profile
OURS = {"OBX-3": "sIL-6R^sIL-6R^L"}


class Door:
    def __init__(self, key: str) -> None:
        self.key = key

    def push(self, body: bytes, kind: str = "application/hl7-v2", **headers: str) -> Any:
        return Client().generic(  # post() would write the bytes anew in the charset it is told
            "POST",
            "/hl7v2",
            body,
            content_type=kind,
            headers={"Authorization": f"Bearer {self.key}"} | headers,
        )


@pytest.fixture
def door(laboratory: Laboratory) -> Door:
    redis.ask(lambda line: line.flushdb())
    return Door(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


def acknowledged(answer: Any) -> list[str]:
    assert answer.status_code == 200
    [line] = [each for each in answer.content.decode().split("\r") if each.startswith("MSA")]
    parts: list[str] = line.split("|")
    return parts[1:]


def test_a_result_is_recorded_exactly_and_acknowledged(door: Door, patient: Patient) -> None:
    answer = door.push(message(change=OURS))

    assert acknowledged(answer) == ["AA", "M-1", "1 recorded"]
    assert answer["Content-Type"] == "application/hl7-v2; charset=utf-8"
    result = Result.objects.get()
    assert (result.sent_value, result.sent_unit, result.status) == ("37.50", "ng/mL", "final")
    assert result.draw.patient == patient
    assert bytes(Inbound.objects.get().body) == message(change=OURS)


def test_a_comparator_in_a_number_is_never_the_number(door: Door, patient: Patient) -> None:
    door.push(message(change=OURS | {"OBX-5": "<0.5"}))

    assert Result.objects.get().comparator == "<"


def test_the_same_message_again_changes_nothing(door: Door, patient: Patient) -> None:
    door.push(message(change=OURS))

    assert acknowledged(door.push(message(change=OURS))) == ["AA", "M-1", "1 known"]
    assert Result.objects.count() == 1


def test_a_changed_value_is_a_correction_even_when_it_says_final(
    door: Door, patient: Patient
) -> None:
    door.push(message(change=OURS))
    later = {"MSH-10": "M-2", "OBX-5": "39.1", "OBR-22": "20261103080000+0100"}

    answer = door.push(message(change=OURS | later))

    assert acknowledged(answer) == ["AA", "M-2", "1 corrected"]
    assert Result.objects.current().get().sent_value == "39.1"


def test_what_cannot_be_placed_is_parked_and_acknowledged(door: Door) -> None:
    answer = door.push(message(change=OURS))

    assert acknowledged(answer) == ["AA", "M-1", "1 parked"]
    assert Parked.objects.get().reasons == ["unknown_patient"]


@pytest.mark.parametrize("flag", ["", ">", ">^Above scale^HL70078"])
def test_a_power_of_ten_is_for_a_person_whatever_its_flag(
    door: Door, patient: Patient, flag: str
) -> None:
    answer = door.push(message(change=OURS | {"OBX-5": "1e3", "OBX-8": flag}))

    assert acknowledged(answer) == ["AA", "M-1", "1 parked"]
    assert Parked.objects.get().reasons == ["unusable_value: 1e3"]


def test_a_faulty_message_is_in_error_and_leaves_nothing(door: Door, patient: Patient) -> None:
    answer = door.push(message(change=OURS | {"OBX-11": "Z"}))

    assert acknowledged(answer)[:2] == ["AE", "M-1"]
    assert not Result.objects.exists()
    assert not Inbound.objects.exists()


def test_another_kind_of_message_is_rejected(door: Door) -> None:
    answer = door.push(message(change={"MSH-9": "ADT^A01"}))

    assert acknowledged(answer)[:2] == ["AR", "M-1"]


@pytest.mark.parametrize(
    "kind",
    [
        "application/hl7-v2",
        "application/hl7-v2; charset=utf-8",
        "x-application/hl7-v2+er7",
        "text/plain; charset=UTF-8",
    ],
)
def test_every_name_of_er7_is_read(door: Door, patient: Patient, kind: str) -> None:
    assert acknowledged(door.push(message(change=OURS), kind))[0] == "AA"


def test_the_content_type_may_name_the_character_set(door: Door, patient: Patient) -> None:
    body = message(change=OURS | {"OBX-5": "37.5", "PID-5": "MÜLLER^Kim"}, encoding="latin-1")

    assert acknowledged(door.push(body, "text/plain; charset=ISO-8859-1"))[0] == "AA"
    assert acknowledged(door.push(body, "text/plain"))[0] == "AE"


@pytest.mark.parametrize(
    "kind", ["application/json", "application/hl7-v2+xml", "text/plain; charset=klingon"]
)
def test_another_type_is_refused(door: Door, kind: str) -> None:
    answer = door.push(message(), kind)

    assert answer.status_code == 415
    assert answer["Content-Type"] == "application/problem+json"


def test_a_wrong_key_gets_no_acknowledgement(door: Door) -> None:
    answer = Client().post(
        "/hl7v2",
        message(),
        content_type="application/hl7-v2",
        headers={"Authorization": "Bearer snd_wrong"},
    )

    assert answer.status_code == 401
    assert b"MSA" not in answer.content


def test_only_posting_is_offered(door: Door) -> None:
    answer = Client().get("/hl7v2", headers={"Authorization": f"Bearer {door.key}"})

    assert answer.status_code == 405


def test_the_address_may_end_with_a_slash(door: Door, patient: Patient) -> None:
    answer = Client().post(
        "/hl7v2/",
        message(change=OURS),
        content_type="application/hl7-v2",
        headers={"Authorization": f"Bearer {door.key}"},
    )

    assert acknowledged(answer)[0] == "AA"


PRELIMINARY = message(change=OURS | {"OBX-11": "P"})
FINAL_BY_ITS_LETTER = message(
    change=OURS
    | {"MSH-10": "M-2", "OBX-11": "U", "OBX-5": "", "OBX-6": "", "OBR-22": "20261102120000+0100"}
)


def test_u_makes_the_preliminary_value_final_without_sending_it_again(
    door: Door, patient: Patient
) -> None:
    door.push(PRELIMINARY)

    answer = door.push(FINAL_BY_ITS_LETTER)

    assert acknowledged(answer) == ["AA", "M-2", "1 recorded"]
    current = Result.objects.get(superseded_at=None)
    assert (current.version, current.status, current.sent_value) == (2, "final", "37.50")
    assert current.value == Decimal("37.50")
    assert current.sent_unit == "ng/mL"


def test_u_gives_the_value_that_waited_for_the_final_one(
    door: Door, patient: Patient, laboratory: Laboratory
) -> None:
    Laboratory.objects.filter(pk=laboratory.pk).update(if_preliminary="wait")
    door.push(PRELIMINARY)
    assert Result.objects.get().value is None

    door.push(FINAL_BY_ITS_LETTER)

    current = Result.objects.get(superseded_at=None)
    assert (current.status, current.value) == ("final", Decimal("37.50"))


@pytest.mark.parametrize("before", ["", "D", "X"])
def test_u_without_a_value_before_it_is_for_a_person(
    door: Door, patient: Patient, before: str
) -> None:
    if before:
        door.push(message(change=OURS | {"OBX-11": before}))

    answer = door.push(FINAL_BY_ITS_LETTER)

    assert acknowledged(answer) == ["AA", "M-2", "1 parked"]
    assert Parked.objects.get().reasons == ["value_missing"]


def test_u_for_what_is_final_already_changes_nothing(door: Door, patient: Patient) -> None:
    door.push(message(change=OURS))

    assert acknowledged(door.push(FINAL_BY_ITS_LETTER)) == ["AA", "M-2", "1 known"]
    assert Result.objects.get(superseded_at=None).status == "final"


def test_u_places_with_its_preliminary_once_the_patient_is_known(
    door: Door, laboratory: Laboratory
) -> None:
    door.push(PRELIMINARY)
    door.push(FINAL_BY_ITS_LETTER)
    IdentifierFactory.create(system="urn:clinic:mrn", value="0042")

    replay_named(at=MONDAY)

    current = Result.objects.get(superseded_at=None)
    assert (current.status, current.sent_value) == ("final", "37.50")
    assert not Parked.objects.filter(state="waiting").exists()


# What a person sees of it


def test_of_a_message_with_two_patients_only_the_group_of_the_one_that_waits_is_shown(
    door: Door, patient: Patient
) -> None:
    first, *group = message(change=OURS | {"OBX-6": "µg/L"}, encoding="latin-1").split(b"\r")[:-1]
    other = [line.replace(b"0042^", b"9999^").replace(b"A-17", b"B-18") for line in group]
    header = first + b"||||||8859/1"
    door.push(b"\r".join([header, *group, *other, b""]))

    waiting = Parked.objects.select_related("inbound__laboratory").get()
    report = DrawReport.model_validate(waiting.report)
    text, is_part = part_of_message(waiting.inbound, report)

    assert is_part
    assert "9999^" in text
    assert "B-18" in text
    assert "µg/L" in text
    assert "0042^" not in text
