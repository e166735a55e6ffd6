"""Events on the record: what happens besides and disturbs a reading; new, corrected, withdrawn."""

from datetime import date, datetime

from django.db import transaction

from patients import audit
from patients.models import Event, EventKind, Patient
from patients.record.treatment import TrialFault, check_days
from patients.record.versions import count_up, lock


class EventReplaced(Exception):
    """This event is no longer the current one; somebody has changed it in the meantime."""


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
    check_days(patient, started_on, stopped_on, at=at)
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


@transaction.atomic
def correct_event(
    *,
    event: Event,
    kind: EventKind,
    started_on: date,
    stopped_on: date | None,
    atc: str,
    note: str,
    reason: str,
    by: str,
    at: datetime,
) -> Event:
    """Replace an event by what is right, with a reason."""
    before = _lock_event(event, reason=reason)
    check_days(before.patient, started_on, stopped_on, at=at)
    after = Event(
        patient=before.patient,
        kind=kind,
        atc=atc,
        started_on=started_on,
        stopped_on=stopped_on,
        note=note,
        recorded_at=at,
        recorded_by=by,
    )
    after.save(force_insert=True)
    _end_event(before, after, reason=reason, by=by, at=at)
    return after


@transaction.atomic
def withdraw_event(*, event: Event, reason: str, by: str, at: datetime) -> None:
    """Say that an event should not be on this record at all."""
    _end_event(_lock_event(event, reason=reason), None, reason=reason, by=by, at=at)


def _lock_event(event: Event, *, reason: str) -> Event:
    if not reason.strip():
        message = "Say why the event is corrected."
        raise TrialFault(message)
    lock(event.patient_id)
    before: Event = Event.objects.select_related("patient").get(pk=event.pk)
    if before.superseded_at is not None:
        raise EventReplaced(str(event))
    return before


def _end_event(before: Event, after: Event | None, *, reason: str, by: str, at: datetime) -> None:
    before.superseded_at, before.superseded_by = at, after
    before.superseded_reason = reason.strip()
    before.save()
    audit.write(
        verb="withdraw_event" if after is None else "correct_event",
        subject=f"event:{before.pk}",
        by=by,
        at=at,
        patient_id=before.patient_id,
    )
    count_up([before.patient_id], at=at)
