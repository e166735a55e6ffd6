"""What the page says of how flags fare, for the reader's own patients only."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.flag_figures import flag_figures
from monitoring.models import AcknowledgeReason, Flag, FlagKind, FlagLevel, FlagState
from patients.models import Clinician, Patient
from tests.factories import (
    MONDAY,
    ClinicianFactory,
    FlagEventFactory,
    FlagFactory,
    PatientFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return PatientFactory.create()


@pytest.fixture
def reader(patient: Patient) -> Clinician:
    return ClinicianFactory.create(teams=[patient.team])


def drifting(patient: Patient) -> Flag:
    return FlagFactory.create(patient=patient, raised_at=MONDAY - timedelta(hours=8))


def act(flag: Flag, by: Clinician, *, hours: float, reason: str) -> None:
    FlagEventFactory.create(
        flag=flag,
        by=by,
        at=flag.raised_at + timedelta(hours=hours),
        state=FlagState.ACKNOWLEDGED,
        reason=reason,
    )


def test_counts_times_and_overrides_are_of_people_not_of_the_system(
    patient: Patient, reader: Clinician
) -> None:
    one = drifting(patient)
    two = drifting(PatientFactory.create(team=patient.team))
    drifting(PatientFactory.create(team=patient.team))
    FlagEventFactory.create(flag=one, at=MONDAY, state=FlagState.RAISED)
    act(one, reader, hours=2, reason=AcknowledgeReason.REVIEWING)
    act(two, reader, hours=4, reason=AcknowledgeReason.DISAGREE)

    [found] = flag_figures(reader, at=MONDAY)

    assert (found.kind, found.raised, found.taken_on, found.overridden) == ("drifting", 3, 2, 1)
    assert found.median_h == 3.0
    assert (found.patients, found.borne_out) == (3, 0)


def test_whoever_has_only_seen_a_flag_has_not_taken_it_on(
    patient: Patient, reader: Clinician
) -> None:
    flag = drifting(patient)
    FlagEventFactory.create(flag=flag, by=reader, at=MONDAY, state=FlagState.SEEN)

    [found] = flag_figures(reader, at=MONDAY)

    assert (found.taken_on, found.median_h) == (0, None)


def test_flags_of_others_and_of_long_ago_do_not_count(patient: Patient, reader: Clinician) -> None:
    FlagFactory.create()
    FlagFactory.create(patient=patient, raised_at=MONDAY - timedelta(days=91))

    assert flag_figures(reader, at=MONDAY) == []


def test_a_kind_that_foresees_nothing_has_no_share_borne_out(
    patient: Patient, reader: Clinician
) -> None:
    FlagFactory.create(
        patient=patient,
        kind=FlagKind.OVERDUE,
        level=FlagLevel.WATCH,
        reasons=["draw_overdue"],
    )

    [found] = flag_figures(reader, at=MONDAY)

    assert (found.patients, found.borne_out) == (None, None)


def test_the_page_gives_counts_and_no_share_of_few(client: Client, patient: Patient) -> None:
    reader = ClinicianFactory.create(teams=[patient.team])
    now = timezone.now()
    FlagFactory.create(patient=patient, raised_at=now - timedelta(hours=2))
    client.force_login(reader)

    page = " ".join(client.get(reverse("portal:flag_figures")).content.decode().split())

    assert "0 of 1" in page
    assert "%)" not in page
    assert "Marker is drifting" in page
