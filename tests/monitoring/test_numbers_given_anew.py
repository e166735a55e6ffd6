"""A number of long ago is not moved to the draw that bears it now, unless a person says so."""

import json
from typing import Any

import pytest

from monitoring import ingest
from patients.intake.finding import IfDuplicate
from patients.models import Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY, draw
from tests.factories import ClinicianFactory
from tests.monitoring.fhir_door import FhirDoor
from tests.monitoring.test_retractions_at_the_doors import push
from tests.monitoring.test_samples_of_one_number import v2
from tests.patients.fhir_messages import named, observation
from tests.patients.tables import table_of

pytestmark = pytest.mark.django_db
REASON = "number_of_a_draw_long_before_or_after"
DIALECTS = ["fhir", "hl7v2", "json", "csv"]


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


def send(door: FhirDoor, dialect: str, day: str, value: str, **change: Any) -> Any:
    """Send one result of one number, taken at eight of a day like 2026-01-05."""
    if dialect == "fhir":
        sent = observation(
            identifier=named("T-1"),
            effectiveDateTime=f"{day}T08:00:00Z",
            valueQuantity={
                "value": int(value) if value.isdigit() else float(value),
                "unit": "ng/mL",
                "code": "ng/mL",
            },
            **change,
        )
        return door.post(sent)
    if dialect == "hl7v2":
        at = f"{day.replace('-', '')}080000+0000"
        body = v2((at, "sIL-6R", value), number=f"M-{day}-{value}")
        return push(door, body, address="/hl7v2", kind="application/hl7-v2")
    if dialect == "csv":
        cells = {"accession": "T-1", "collected_at": f"{day}T08:00:00Z", "value": value}
        return push(door, table_of(cells), address="/api/v1/results", kind="text/csv")
    sent = draw(accession="T-1", collected_at=f"{day}T08:00:00Z", value=value)
    body = json.dumps(sent).encode()
    return push(door, body, address="/api/v1/results", kind="application/json")


def on_record() -> dict[str, str]:
    current = Result.objects.filter(superseded_at=None).select_related("draw")
    return {f"{each.draw.collected_at:%Y-%m-%d}": each.sent_value for each in current}


def decide(patient: Patient, said: IfDuplicate) -> None:
    parked = Parked.objects.get(state="waiting")
    member = ClinicianFactory.create(teams=[patient.team])
    ingest.match_parked(parked=parked, patient=patient, by=member, at=MONDAY, if_duplicate=said)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_number_of_last_year_asks_a_person(
    door: FhirDoor, patient: Patient, dialect: str
) -> None:
    send(door, dialect, "2025-01-05", "30")

    send(door, dialect, "2026-01-05", "55")

    assert on_record() == {"2025-01-05": "30"}
    assert Parked.objects.get().reasons == [REASON]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_number_means_the_new_draw_once_a_person_says_that_it_is_another(
    door: FhirDoor, patient: Patient, dialect: str
) -> None:
    send(door, dialect, "2025-01-05", "30")
    send(door, dialect, "2026-01-05", "55")
    decide(patient, IfDuplicate.OTHER)
    assert on_record() == {"2025-01-05": "30", "2026-01-05": "55"}

    send(door, dialect, "2026-01-05", "56")
    if Parked.objects.filter(state="waiting").exists():  # without a name of its own it asks again
        assert dialect in {"json", "csv"}
        decide(patient, IfDuplicate.SAME)

    assert on_record() == {"2025-01-05": "30", "2026-01-05": "56"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_person_may_say_that_the_time_is_put_right(
    door: FhirDoor, patient: Patient, dialect: str
) -> None:
    send(door, dialect, "2025-01-05", "30")
    send(door, dialect, "2026-01-05", "30.5")

    decide(patient, IfDuplicate.SAME)

    assert on_record() == {"2026-01-05": "30.5"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_time_within_a_week_is_put_right_unasked(
    door: FhirDoor, patient: Patient, dialect: str
) -> None:
    send(door, dialect, "2026-01-05", "30")

    send(door, dialect, "2026-01-12", "30")

    assert on_record() == {"2026-01-12": "30"}
    assert not Parked.objects.exists()


def test_the_id_of_a_result_is_believed(door: FhirDoor, patient: Patient) -> None:
    sent = observation(id="o-1", effectiveDateTime="2025-01-05T08:00:00Z")
    door.put("/o-1", sent)

    door.put("/o-1", sent | {"effectiveDateTime": "2026-01-05T08:00:00Z"})

    assert list(on_record()) == ["2026-01-05"]


def test_what_is_cancelled_under_a_number_of_last_year_takes_nothing_back(
    door: FhirDoor, patient: Patient
) -> None:
    send(door, "fhir", "2025-01-05", "30")

    answer = send(door, "fhir", "2026-01-05", "30", status="cancelled")

    assert answer.status_code == 201
    assert on_record() == {"2025-01-05": "30"}
    assert Parked.objects.get().reasons == [REASON]


@pytest.mark.parametrize(
    ("day", "value", "asks"),
    [
        ("2026-01-08", "55", True),  # given anew within the week
        ("2026-01-08", "30", False),  # the time is put right
        ("2026-01-05", "55", False),  # the value is
        ("2026-01-06", "55", False),  # a day is a slip of the pen, or another zone
        ("2026-01-13", "30", True),
    ],
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_time_and_value_are_not_both_put_right_unasked(
    door: FhirDoor, patient: Patient, dialect: str, day: str, value: str, *, asks: bool
) -> None:
    send(door, dialect, "2026-01-05", "30")

    send(door, dialect, day, value)

    assert on_record() == ({"2026-01-05": "30"} if asks else {day: value})
    assert [each.reasons for each in Parked.objects.all()] == ([[REASON]] if asks else [])


def test_what_calls_itself_a_correction_may_put_both_right(
    door: FhirDoor, patient: Patient
) -> None:
    send(door, "fhir", "2026-01-05", "30")

    send(door, "fhir", "2026-01-08", "55", status="corrected")

    assert on_record() == {"2026-01-08": "55"}
    assert not Parked.objects.exists()
