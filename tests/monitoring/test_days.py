"""What the passing of days changes by itself is assessed, though nobody records anything."""

from datetime import datetime, timedelta

import pytest

from monitoring.days import look_at_today
from monitoring.models import Flag, FlagKind, RiskAssessment
from monitoring.recompute import assess_stale_patients, recompute
from patients.models import EventKind, Patient
from tests.factories import (
    MONDAY,
    DoseStepFactory,
    DrawFactory,
    EpisodeFactory,
    EventFactory,
    PatientFactory,
    RatingFactory,
    ResultFactory,
    TrialFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    """Follow somebody on sertraline 100 mg for forty days, without any gain, rated yesterday."""
    found = PatientFactory.create()
    first = MONDAY.date() - timedelta(days=40)
    EpisodeFactory.create(patient=found, started_on=first)
    trial = TrialFactory.create(patient=found, drug="sertraline", atc="N06AB06", started_on=first)
    DoseStepFactory.create(trial=trial, started_on=first, dose_mg=100)
    for days in (40, 1):
        RatingFactory.create(patient=found, rated_at=MONDAY - timedelta(days=days), total=20)
    recompute([found.pk], at=MONDAY)
    return found


def newest(patient: Patient) -> RiskAssessment:
    return RiskAssessment.objects.filter(patient=patient).latest("pk")


def look(at: datetime) -> int:
    look_at_today(at=at)
    return assess_stale_patients(at=at, at_most=10)


def test_six_full_weeks_are_seen_though_nobody_records_anything(patient: Patient) -> None:
    assert newest(patient).state == "on trial 1"

    assert look(MONDAY + timedelta(days=1)) == 0
    assert look(MONDAY + timedelta(days=2)) == 1

    assert newest(patient).content["course"]["status"] == "trial 1 failed (adequate)"
    assert Flag.objects.up().filter(patient=patient, kind=FlagKind.TRENDING).exists()
    assert newest(patient).made_at == MONDAY + timedelta(days=2)


def test_a_day_that_changes_nothing_counts_nothing_up(patient: Patient) -> None:
    look(MONDAY + timedelta(days=2))
    patient.refresh_from_db()
    version, made = patient.history_version, newest(patient)

    for days in (2, 3, 4):
        assert look(MONDAY + timedelta(days=days)) == 0

    patient.refresh_from_db()
    assert (patient.history_version, newest(patient)) == (version, made)


def test_the_end_of_a_wash_out_is_seen() -> None:
    patient = PatientFactory.create()
    EpisodeFactory.create(patient=patient)
    blocked = MONDAY.date() - timedelta(days=89)
    EventFactory.create(
        patient=patient,
        kind=EventKind.IL6R_BLOCKER,
        atc="L04AC07",
        started_on=blocked,
        stopped_on=blocked,
    )
    ResultFactory.create(draw=DrawFactory.create(patient=patient))
    recompute([patient.pk], at=MONDAY)
    assert newest(patient).outcome == "not_assessable"

    assert look(MONDAY + timedelta(days=3)) == 1

    assert newest(patient).outcome != "not_assessable"
