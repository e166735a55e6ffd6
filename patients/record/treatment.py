"""Trials and events: what is done, and what happens besides."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from patients import audit
from patients.models import DoseStep, Event, EventKind, Patient, StopReason, Trial
from patients.record.versions import count_up


class DoseBeforeTrial(Exception):
    """A dose is given from the first day of its trial on, or later."""


class TrialReplaced(Exception):
    """This trial is no longer the current one; somebody has changed it in the meantime."""


@transaction.atomic
def record_trial(
    *,
    patient: Patient,
    drug: str,
    atc: str,
    started_on: date,
    doses: Sequence[tuple[date, Decimal]],
    stopped_on: date | None = None,
    stop_reason: str = "",
    by: str,
    at: datetime,
) -> Trial:
    """Record one course of one antidepressant, with the daily dose from each day on."""
    if any(day < started_on for day, _ in doses):
        raise DoseBeforeTrial
    trial = Trial.objects.create(
        patient=patient,
        drug=drug,
        atc=atc,
        started_on=started_on,
        stopped_on=stopped_on,
        stop_reason=stop_reason,
        recorded_at=at,
        recorded_by=by,
    )
    DoseStep.objects.bulk_create(
        [DoseStep(trial=trial, started_on=day, dose_mg=dose) for day, dose in doses]
    )
    audit.write(
        verb="record_trial", subject=f"trial:{trial.pk}", by=by, at=at, patient_id=patient.pk
    )
    count_up([patient.pk], at=at)
    return trial


@transaction.atomic
def stop_trial(
    *, trial: Trial, stopped_on: date, stop_reason: StopReason, by: str, at: datetime
) -> Trial:
    """Say when and why a trial ended; the running one stays on record as it was known."""
    replaced = Trial.objects.select_for_update().get(pk=trial.pk)
    if replaced.superseded_at is not None:
        raise TrialReplaced(str(trial))
    doses = [(step.started_on, step.dose_mg) for step in replaced.dose_steps.all()]
    stopped = record_trial(
        patient=replaced.patient,
        drug=replaced.drug,
        atc=replaced.atc,
        started_on=replaced.started_on,
        doses=doses,
        stopped_on=stopped_on,
        stop_reason=stop_reason,
        by=by,
        at=at,
    )
    replaced.superseded_at, replaced.superseded_by = at, stopped
    replaced.superseded_reason = "the trial was stopped"
    replaced.save()
    return stopped


@transaction.atomic
def record_event(
    *,
    patient: Patient,
    kind: EventKind,
    started_on: date,
    stopped_on: date | None = None,
    atc: str = "",
    note: str = "",
    by: str,
    at: datetime,
) -> Event:
    """Record something that disturbs a reading."""
    event = Event.objects.create(
        patient=patient,
        kind=kind,
        atc=atc,
        started_on=started_on,
        stopped_on=stopped_on,
        note=note,
        recorded_at=at,
        recorded_by=by,
    )
    audit.write(
        verb="record_event", subject=f"event:{event.pk}", by=by, at=at, patient_id=patient.pk
    )
    count_up([patient.pk], at=at)
    return event
