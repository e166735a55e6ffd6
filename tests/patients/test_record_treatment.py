"""Trials and events: what is done, and what happens besides."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from patients.models import Audit, Event, EventKind, Patient, StopReason, Trial
from patients.record.events import record_event
from patients.record.treatment import (
    DoseBeforeTrial,
    TrialFault,
    TrialReplaced,
    record_trial,
    stop_trial,
)
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db

BY = "clinician:7"
FIRST_DAY = date(2026, 9, 1)
DOSES = ((FIRST_DAY, Decimal("10")), (date(2026, 9, 15), Decimal("20")))


def _prescribe(patient: Patient, **changed: Any) -> Trial:
    given: dict[str, Any] = {
        "drug": "escitalopram",
        "atc": "N06AB10",
        "started_on": FIRST_DAY,
        "doses": DOSES,
    }
    return record_trial(patient=patient, **given | changed, by=BY, at=MONDAY)


def _version(patient: Patient) -> int:
    return Patient.objects.get(pk=patient.pk).history_version


def test_a_trial_carries_its_doses_from_day_to_day(patient: Patient) -> None:
    before = _version(patient)

    trial = _prescribe(patient)

    steps = list(trial.dose_steps.order_by("started_on").values_list("started_on", "dose_mg"))
    assert steps == list(DOSES)
    assert (trial.recorded_by, trial.recorded_at) == (BY, MONDAY)
    assert _version(patient) == before + 1


def test_a_dose_before_its_trial_is_refused(patient: Patient) -> None:
    with pytest.raises(DoseBeforeTrial):
        _prescribe(patient, doses=[(date(2026, 8, 31), Decimal("10"))])

    assert not Trial.objects.exists()


@pytest.mark.parametrize("atc", ["N06AB1", "n06ab10", "escital", ""])
def test_an_atc_code_that_cannot_be_one_is_refused(patient: Patient, atc: str) -> None:
    refused = "an_atc_code_has_seven_characters|is no code of an antidepressant"
    with pytest.raises((IntegrityError, TrialFault), match=refused):
        _prescribe(patient, atc=atc)


def test_a_dose_of_nothing_is_refused(patient: Patient) -> None:
    with pytest.raises(IntegrityError, match="a_dose_is_above_zero"):
        _prescribe(patient, doses=[(FIRST_DAY, Decimal("0"))])


def test_a_stopped_trial_replaces_the_running_one_and_keeps_its_doses(patient: Patient) -> None:
    running = _prescribe(patient)

    stopped = stop_trial(
        trial=running,
        stopped_on=date(2026, 10, 30),
        stop_reason=StopReason.INEFFECTIVE,
        by=BY,
        at=MONDAY,
    )

    running.refresh_from_db()
    assert list(Trial.objects.filter(superseded_at=None)) == [stopped]
    assert (running.superseded_by, running.stopped_on) == (stopped, None)
    assert (stopped.stopped_on, stopped.stop_reason) == (date(2026, 10, 30), "ineffective")
    assert stopped.dose_steps.count() == 2


def test_a_trial_is_stopped_once(patient: Patient) -> None:
    running = _prescribe(patient)
    ending: dict[str, Any] = {"stop_reason": StopReason.OTHER, "by": BY, "at": MONDAY}
    stop_trial(trial=running, stopped_on=date(2026, 10, 1), **ending)

    with pytest.raises(TrialReplaced):
        stop_trial(trial=running, stopped_on=date(2026, 10, 2), **ending)

    assert Trial.objects.count() == 2


def test_a_trial_cannot_stop_before_it_starts(patient: Patient) -> None:
    with pytest.raises(TrialFault, match="The last day comes before the first"):
        _prescribe(patient, stopped_on=date(2026, 8, 1), stop_reason=StopReason.OTHER.value)


def test_a_stop_needs_a_reason(patient: Patient) -> None:
    with pytest.raises(IntegrityError, match="a_stopped_trial_has_a_day_and_a_reason"):
        _prescribe(patient, stopped_on=date(2026, 10, 1), stop_reason="")


def test_an_event_is_a_change_of_the_record(patient: Patient) -> None:
    before = _version(patient)

    event = record_event(
        patient=patient,
        kind=EventKind.INFECTION,
        started_on=date(2026, 10, 5),
        stopped_on=date(2026, 10, 12),
        by=BY,
        at=MONDAY,
    )

    assert Event.objects.get() == event
    assert _version(patient) == before + 1


def test_the_trail_carries_no_drug(patient: Patient) -> None:
    _prescribe(patient)

    written = str(list(Audit.objects.values()))

    assert "escitalopram" not in written
    assert "N06AB10" not in written
