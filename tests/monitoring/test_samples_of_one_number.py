"""Several samples under one number are several draws; only what is put right moves a result."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from patients.models import Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY, draw
from tests.monitoring.fhir_door import FhirDoor
from tests.monitoring.test_retractions_at_the_doors import push
from tests.patients.fhir_messages import Tree, named, observation
from tests.patients.hl7v2_messages import BASE

pytestmark = pytest.mark.django_db
CODES = {"sIL-6R": "ng/mL", "IL-6": "pg/mL", "hs-CRP": "mg/L"}


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


def days() -> dict[str, int]:
    """Give the day of the draw of each result that counts, by its analyte."""
    current = Result.objects.filter(superseded_at=None).select_related("draw", "analyte")
    return {each.analyte.code: each.draw.collected_at.day for each in current}


def result(code: str, day: int, **change: Any) -> Tree:
    unit = CODES[code]
    return observation(
        code={"coding": [{"code": code}]},
        valueQuantity={"value": 5, "unit": unit, "code": unit},
        effectiveDateTime=f"2026-10-{day:02}T08:00:00Z",
        **change,
    )


def cumulative(*results: Tree) -> Tree:
    contained = [each | {"id": f"c{n}"} for n, each in enumerate(results)]
    for each in contained:
        each.pop("identifier", None)
    return {
        "resourceType": "DiagnosticReport",
        "identifier": named("cumulative"),
        "status": "final",
        "code": {"text": "cytokines"},
        "contained": contained,
        "result": [{"reference": f"#{each['id']}"} for each in contained],
    }


def v2(*orders: tuple[str, str, str], number: str = "M-1") -> bytes:
    """Make a message of orders under one number: each a time, a code and a value."""
    lines = [BASE[0].replace("M-1", number), BASE[1]]
    for at, code, value in orders:
        lines.append(f"OBR|1||T-1|CYT^Cytokines^L|||{at}|||||||||||||||20261102101000+0100|||F")
        lines.append(f"OBX|1|NM|{code}^{code}^L||{value}|{CODES[code]}|||||F")
    return "".join(f"{line}\r" for line in lines).encode()


def send_v2(door: FhirDoor, *orders: tuple[str, str, str], number: str = "M-1") -> Any:
    body = v2(*orders, number=number)
    return push(door, body, address="/hl7v2", kind="application/hl7-v2")


def test_a_cumulative_report_keeps_the_time_of_each_result(
    door: FhirDoor, patient: Patient
) -> None:
    report = cumulative(result("sIL-6R", 1), result("IL-6", 3), result("hs-CRP", 5))

    assert door.ask("POST", "/DiagnosticReport", report).status_code == 201

    assert days() == {"sIL-6R": 1, "IL-6": 3, "hs-CRP": 5}
    assert not Parked.objects.exists()


def test_a_cumulative_report_of_one_analyte_is_a_course(door: FhirDoor, patient: Patient) -> None:
    report = cumulative(*(result("sIL-6R", day) for day in (1, 3, 5)))

    door.ask("POST", "/DiagnosticReport", report)

    current = Result.objects.filter(superseded_at=None)
    assert sorted(each.draw.collected_at.day for each in current) == [1, 3, 5]
    assert not Parked.objects.exists()


def test_two_results_that_share_the_number_of_a_sample_keep_their_times(
    door: FhirDoor, patient: Patient
) -> None:
    sample = {"identifier": {"value": "SPX"}}
    for code, day in (("sIL-6R", 1), ("IL-6", 4)):
        sent = result(code, day, identifier=named(code), specimen=None) | {"specimen": sample}
        door.post(sent)

    assert days() == {"sIL-6R": 1, "IL-6": 4}


@pytest.mark.parametrize("is_one_message", [True, False])
def test_orders_of_one_number_keep_their_times(
    door: FhirDoor, patient: Patient, is_one_message: bool
) -> None:
    orders = [
        ("20261001080000+0100", "sIL-6R", "30"),
        ("20261003080000+0100", "IL-6", "2"),
        ("20261003080000+0100", "hs-CRP", "1"),
    ]
    if is_one_message:
        send_v2(door, *orders)
    else:
        for n, order in enumerate(orders):
            send_v2(door, order, number=f"M-{n}")

    assert days() == {"sIL-6R": 1, "IL-6": 3, "hs-CRP": 3}
    assert Result.objects.count() == 3


def test_one_code_at_several_times_under_one_order_number_is_a_course(
    door: FhirDoor, patient: Patient
) -> None:
    orders = [(f"2026100{day}080000+0100", "sIL-6R", f"3{day}") for day in (1, 3, 5)]
    send_v2(door, *orders)
    put_right = [*orders[:2], (orders[2][0], "sIL-6R", "39")]
    send_v2(door, *put_right, number="M-2")

    current = Result.objects.filter(superseded_at=None).order_by("draw__collected_at")
    assert [each.sent_value for each in current] == ["31", "33", "39"]
    assert not Parked.objects.exists()


def test_a_result_that_was_set_apart_is_put_right_by_its_name(
    door: FhirDoor, patient: Patient
) -> None:
    send_v2(door, ("20261001080000+0100", "sIL-6R", "30"))
    send_v2(door, ("20261003080000+0100", "IL-6", "2"), number="M-2")

    send_v2(door, ("20261003080000+0100", "IL-6", "2.5"), number="M-3")
    send_v2(door, ("20261002080000+0100", "sIL-6R", "30"), number="M-4")

    assert days() == {"sIL-6R": 2, "IL-6": 3}
    assert Result.objects.get(superseded_at=None, analyte__code="IL-6").sent_value == "2.5"
    assert not Parked.objects.exists()


def test_a_day_that_holds_the_hour_on_record_moves_nothing(
    door: FhirDoor, patient: Patient
) -> None:
    send_v2(door, ("20261001080000+0100", "sIL-6R", "30"))
    send_v2(door, ("20261001", "IL-6", "2"), number="M-2")

    moments = {
        (each.draw.collected_at, each.draw.collected_precision)
        for each in Result.objects.filter(superseded_at=None)
    }
    assert moments == {(datetime(2026, 10, 1, 7, tzinfo=UTC), "minute")}


@pytest.mark.parametrize("times", [("20261001", "20261001080000"), ("20261001080000", "20261001")])
def test_the_day_and_an_hour_of_it_under_another_name_go_to_a_person(
    door: FhirDoor, patient: Patient, times: tuple[str, str]
) -> None:
    for n, at in enumerate(times):
        body = v2((at, "sIL-6R", "30"), number=f"M-{n}").replace(b"T-1", f"T-{n}".encode())
        push(door, body, address="/hl7v2", kind="application/hl7-v2")

    assert Result.objects.count() == 1
    assert Parked.objects.get().reasons == ["possible_duplicate"]


def test_in_json_too_what_was_set_apart_is_put_right_and_taken_back(
    door: FhirDoor, patient: Patient
) -> None:
    def send(analyte: str, day: int, **said: Any) -> Any:
        sent = draw(
            collected_at=f"2026-10-{day:02}T08:00:00Z",
            results=[{"analyte": analyte, "unit": CODES[analyte], **said}],
        )
        body = json.dumps(sent)
        return push(door, body, address="/api/v1/results", kind="application/json").json()

    send("sIL-6R", 1, value="30")
    states = [
        send("IL-6", 3, value="2")["state"],
        send("IL-6", 3, value="2.5")["state"],
        send("IL-6", 3, value=None, status="entered-in-error")["state"],
    ]

    assert states == ["recorded", "corrected", "corrected"]
    assert days() == {"sIL-6R": 1, "IL-6": 3}
    assert Result.objects.get(superseded_at=None, analyte__code="IL-6").value is None


EIGHT, TEN = "20261101080000+0100", "20261101100000+0100"


def by_hour() -> dict[int, tuple[str, str]]:
    """Give value and status of what counts, by the hour of its draw in UTC."""
    current = Result.objects.filter(superseded_at=None).select_related("draw")
    return {each.draw.collected_at.hour: (each.sent_value, each.status) for each in current}


def one_of_series(
    door: FhirDoor, at: str, value: str, *, letter: str, number: str, issued: str = "20261102111000"
) -> Any:
    body = v2((at, "sIL-6R", value), number=number).replace(b"|||||F", f"|||||{letter}".encode())
    body = body.replace(b"20261102101000+0100", f"{issued}+0100".encode())
    return push(door, body, address="/hl7v2", kind="application/hl7-v2")


@pytest.mark.parametrize("at", [EIGHT, TEN])
@pytest.mark.parametrize("letter", ["C", "D"])
def test_a_member_of_a_series_is_put_right_or_retracted_by_itself(
    door: FhirDoor, patient: Patient, at: str, letter: str
) -> None:
    send_v2(door, (EIGHT, "sIL-6R", "30"), (TEN, "sIL-6R", "50"))

    answer = one_of_series(door, at, "31", letter=letter, number="M-2")

    assert b"1 corrected" in answer.content
    assert not Parked.objects.exists()
    hour, other = (7, 9) if at == EIGHT else (9, 7)
    assert by_hour()[hour] == ("31", "corrected" if letter == "C" else "entered-in-error")
    assert by_hour()[other][1] == "final"


def test_one_after_the_other_both_members_are_put_right(door: FhirDoor, patient: Patient) -> None:
    send_v2(door, (EIGHT, "sIL-6R", "30"), (TEN, "sIL-6R", "50"))

    one_of_series(door, TEN, "51", letter="C", number="M-2")
    one_of_series(door, EIGHT, "31", letter="C", number="M-3")
    one_of_series(door, TEN, "52", letter="C", number="M-4", issued="20261102121000")

    assert by_hour() == {7: ("31", "corrected"), 9: ("52", "corrected")}
    assert not Parked.objects.exists()


def test_a_sample_sent_alone_is_the_first_of_the_series_that_follows(
    door: FhirDoor, patient: Patient
) -> None:
    send_v2(door, (EIGHT, "sIL-6R", "30"))

    answer = send_v2(door, (EIGHT, "sIL-6R", "30"), (TEN, "sIL-6R", "50"), number="M-2")
    one_of_series(door, TEN, "51", letter="C", number="M-3")
    one_of_series(door, EIGHT, "31", letter="C", number="M-4")

    assert b"1 known, 1 recorded" in answer.content
    assert by_hour() == {7: ("31", "corrected"), 9: ("51", "corrected")}
    assert not Parked.objects.exists()


def order_of_times(door: FhirDoor, ordered: str, *times: str) -> bytes:
    lines = [BASE[0], BASE[1], f"OBR|1||T-1|CYT^Cytokines^L|||{ordered}"]
    for (code, unit), at in zip(CODES.items(), times, strict=False):
        lines.append(f"OBX|1|NM|{code}^{code}^L||5|{unit}|||||F|||{at}")
    body = "".join(f"{line}\r" for line in lines).encode()
    answer = push(door, body, address="/hl7v2", kind="application/hl7-v2")
    content: bytes = answer.content
    return content


def hours() -> dict[str, int]:
    current = Result.objects.filter(superseded_at=None).select_related("draw", "analyte")
    return {each.analyte.code: each.draw.collected_at.hour for each in current}


def test_results_of_one_order_that_were_taken_at_several_times_are_several_draws(
    door: FhirDoor, patient: Patient
) -> None:
    answer = order_of_times(door, EIGHT, EIGHT, TEN, "")

    assert b"MSA|AA" in answer
    assert hours() == {"sIL-6R": 7, "IL-6": 9, "hs-CRP": 7}
    assert not Parked.objects.exists()


def test_times_at_which_results_were_measured_make_no_draws(
    door: FhirDoor, patient: Patient
) -> None:
    order_of_times(door, EIGHT, "20261101103100+0100", "20261101104400+0100")

    assert hours() == {"sIL-6R": 7, "IL-6": 7}
