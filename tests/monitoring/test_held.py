"""A draw that is too far off waits for a person, whatever flags are up or were resolved."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from monitoring import flags
from monitoring.held import held_draws
from monitoring.models import Alert, Flag, FlagKind, FlagLevel, ResolveReason
from monitoring.portal.presenters.flags import steps_of
from monitoring.recompute import recompute
from patients.models import Clinician, Patient, Verdict
from patients.record.verdicts import judge_draw
from tests.factories import (
    MONDAY,
    ClinicianFactory,
    DrawFactory,
    EpisodeFactory,
    PatientFactory,
    ResultFactory,
)

pytestmark = pytest.mark.django_db


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


def test_a_first_draw_that_is_implausible_waits_for_somebody(
    client: Client, reader: Clinician, patient: Patient
) -> None:
    ResultFactory.create(draw=DrawFactory.create(patient=patient), value=Decimal(3400))

    recompute([patient.pk], at=MONDAY)

    flag = Flag.objects.up().get(patient=patient, kind=FlagKind.DRIFTING)
    assert flag.reasons == ["implausible_result_waits_for_a_check"]
    text = client.get(reverse("portal:held")).content.decode()
    assert patient.family_name.upper() in text
    assert "3400" in text
    draw = patient.draws.get()
    assert reverse("portal:judge_draw", args=[patient.public_id, draw.public_id]) in text
    assert "No result is held" not in text


def test_it_waits_on_where_its_flag_was_resolved_and_until_it_is_decided_about(
    reader: Clinician, patient: Patient
) -> None:
    draw = DrawFactory.create(patient=patient)
    ResultFactory.create(draw=draw, value=Decimal(3400))
    recompute([patient.pk], at=MONDAY)
    flag = Flag.objects.up().get(patient=patient)
    flags.resolve(
        flag=flag, version=1, reason=ResolveReason.ASSESSED, plan="", by=reader, at=MONDAY
    )

    assert [each.patient for each in held_draws(reader)] == [patient]

    judge_draw(
        patient=patient,
        draw=draw.public_id,
        verdict=Verdict.KEEP_OUT,
        reason="another person's tube",
        against=["implausible"],
        value="3400",
        by="clinician:0",
        at=MONDAY,
    )
    recompute([patient.pk], at=MONDAY + timedelta(minutes=1))
    assert held_draws(reader) == []


def test_nobody_sees_what_is_held_of_another_team(patient: Patient) -> None:
    ResultFactory.create(draw=DrawFactory.create(patient=patient), value=Decimal(3400))
    recompute([patient.pk], at=MONDAY)
    stranger = ClinicianFactory.create(teams=[PatientFactory.create().team])

    assert held_draws(stranger) == []


def test_a_hold_joins_a_flag_that_is_up_for_another_reason_and_is_told(
    reader: Clinician, patient: Patient
) -> None:
    wanted = flags.Wanted(FlagKind.DRIFTING, FlagLevel.WATCH, ("real_rise",), is_raise=True)
    flags.reconcile([flags.Assessed(patient.pk, None, [wanted])], at=MONDAY - timedelta(days=1))
    ResultFactory.create(draw=DrawFactory.create(patient=patient), value=Decimal(3400))

    recompute([patient.pk], at=MONDAY)

    flag = Flag.objects.up().get(patient=patient)
    assert flag.reasons == ["implausible_result_waits_for_a_check"]
    assert Alert.objects.filter(flag=flag, clinician=reader).exists()
    steps = [step.text for step in steps_of(flag)]
    assert any(step.startswith("New evidence: ") for step in steps)
    assert any(step.startswith("No longer so: ") for step in steps)
