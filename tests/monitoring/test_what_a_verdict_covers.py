"""A person's word on a draw holds for what the person has looked at, and no longer."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from monitoring.held import held_draws
from monitoring.history import estimate_of
from monitoring.models import RiskAssessment
from monitoring.recompute import recompute
from patients.models import Clinician, Draw, EventKind, Patient, Result, ResultStatus
from patients.record.versions import count_up
from tests.factories import (
    MONDAY,
    ClinicianFactory,
    DrawFactory,
    EpisodeFactory,
    EventFactory,
    LaboratoryFactory,
    PatientFactory,
    ResultFactory,
)

pytestmark = pytest.mark.django_db
CORRECTED = ResultStatus.CORRECTED
HAEMOLYSED = {"haemolysis": "moderate"}


@pytest.fixture
def patient() -> Patient:
    found = PatientFactory.create()
    EpisodeFactory.create(patient=found)
    return found


@pytest.fixture
def reader(client: Client, patient: Patient) -> Clinician:
    somebody = ClinicianFactory.create(teams=[patient.team])
    client.force_login(somebody)
    return somebody


def drawn(patient: Patient, *values: float, specimen: dict[str, str] | None = None) -> Draw:
    """Record one draw a fortnight, the last one today; give the last."""
    laboratory = LaboratoryFactory.create()
    for place, value in enumerate(values):
        at = MONDAY - timedelta(weeks=2 * (len(values) - 1 - place), hours=2)
        draw = DrawFactory.create(patient=patient, collected_at=at, laboratory=laboratory)
        ResultFactory.create(draw=draw, value=Decimal(str(value)))
    if specimen:
        draw.specimen = specimen
        draw.save()
    return draw


def page_of(draw: Draw) -> str:
    return reverse("portal:judge_draw", args=[draw.patient.public_id, draw.public_id])


def decide(client: Client, draw: Draw, verdict: str) -> str:
    """Decide by the form as it is shown; give the page that it stood on."""
    text = client.get(page_of(draw)).content.decode()
    found = re.search(r'name="seen" value="([^"]*)"', text)
    assert found is not None
    said = {"verdict": verdict, "reason": "looked into", "seen": found[1]}
    assert client.post(page_of(draw), said).status_code == 302
    return text


def assess(patient: Patient, minutes: int = 0) -> dict[str, tuple[str, ...]]:
    """Assess anew; give what keeps each draw out, by its day."""
    at = MONDAY + timedelta(minutes=minutes)
    count_up([patient.pk], at=at)
    recompute([patient.pk], at=at)
    found = estimate_of(RiskAssessment.objects.filter(patient=patient).latest("pk"))
    assert found is not None
    return {f"{part.drawn_at:%Y-%m-%d}": part.reasons for part in found.left_out}


def send_another_value(draw: Draw, value: str) -> None:
    """Put a corrected report in the place of the result on record."""
    [old] = Result.objects.filter(draw=draw, superseded_at=None)
    Result.objects.filter(pk=old.pk).update(superseded_at=MONDAY, superseded_reason="corrected")
    new = ResultFactory.create(
        draw=draw, public_id=old.public_id, version=2, value=Decimal(value), status=CORRECTED
    )
    Result.objects.filter(pk=old.pk).update(superseded_by=new)


def test_a_corrected_report_does_not_check_itself(reader: Clinician, patient: Patient) -> None:
    draw = drawn(patient, 30, 32, 31, 30)
    assert assess(patient) == {}

    send_another_value(draw, "31000")

    assert assess(patient, 1) == {"2026-11-23": ("implausible",)}
    assert [each.draw for each in held_draws(reader)] == [draw]


def test_who_waives_a_caution_has_not_released_a_jump_that_nobody_told_of(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    draw = drawn(patient, 30, 32, 31, 300, specimen=HAEMOLYSED)
    assert assess(patient) == {"2026-11-23": ("haemolysis",)}

    decide(client, draw, "score")

    assert assess(patient, 1) == {"2026-11-23": ("implausible",)}
    assert [each.draw for each in held_draws(reader)] == [draw]

    decide(client, draw, "release")  # of the haemolysis too, which the page says was waived

    assert assess(patient, 2) == {}


def test_a_caution_that_comes_to_light_later_is_waived_by_nobody(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    draw = drawn(patient, 30, 32, 31, 33, specimen=HAEMOLYSED)
    assess(patient)
    decide(client, draw, "score")
    assert assess(patient, 1) == {}

    EventFactory.create(
        patient=patient, kind=EventKind.STEROID, started_on=draw.collected_at.date()
    )

    assert assess(patient, 2) == {"2026-11-23": ("steroid",)}
    text = client.get(reverse("portal:patient", args=[patient.public_id])).content.decode()
    assert "said before this was known: steroid at the time or in the two weeks before" in text


def test_a_release_holds_for_the_value_that_was_checked(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    draw = drawn(patient, 30, 32, 31, 90)
    assert assess(patient) == {"2026-11-23": ("implausible",)}
    decide(client, draw, "release")
    assert assess(patient, 1) == {}

    send_another_value(draw, "900")

    assert assess(patient, 2) == {"2026-11-23": ("implausible",)}
    text = client.get(reverse("portal:patient", args=[patient.public_id])).content.decode()
    assert "said of the value 90, and holds for no other" in text


def test_nobody_decides_about_a_draw_that_changed_behind_the_page(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    draw = drawn(patient, 30, 32, 31, 90)
    assess(patient)
    seen = "90 implausible"
    send_another_value(draw, "900")

    answer = client.post(page_of(draw), {"verdict": "release", "reason": "rung up", "seen": seen})

    assert answer.status_code == 422
    assert "the value has changed" in answer.content.decode()
    assert not patient.draw_verdicts.exists()
