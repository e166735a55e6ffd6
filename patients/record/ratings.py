"""Symptom ratings on the record."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from instruments import INSTRUMENTS
from patients import audit
from patients.models import Patient, Rating
from patients.record.versions import count_up


class RatingFault(Exception):
    """A rating that the scale cannot have; says what would be right."""


class RatingExists(Exception):
    """This scale is on record for this moment, with other answers: correct that one instead."""


@transaction.atomic
def record_rating(
    *,
    patient: Patient,
    instrument: str,
    rated_at: datetime,
    items: Sequence[int | None] | None = None,
    total: int | None = None,
    by: str,
    at: datetime,
) -> tuple[Rating, bool]:
    """Record one scale by its items or by its total alone; say whether it is new.

    The same rating again changes nothing.
    """
    scale = INSTRUMENTS.get(instrument)
    if scale is None:
        message = f"“{instrument}” is not a scale we know; known: {', '.join(INSTRUMENTS)}"
        raise RatingFault(message)
    if rated_at > at:
        message = "the rating is dated in the future"
        raise RatingFault(message)
    if items is not None:
        counted = scale.total(items)
        if total is not None and total != counted:
            message = f"the items add up to {counted}, not to {total}"
            raise RatingFault(message)
        total = counted
    elif total is None or not 0 <= total <= scale.highest_total:
        message = f"the total must be a whole number from 0 to {scale.highest_total}"
        raise RatingFault(message)
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    known = Rating.objects.filter(
        patient=patient, instrument=instrument, rated_at=rated_at, superseded_at=None
    ).first()
    answers = None if items is None else list(items)
    if known is not None:
        if (known.total, known.items) == (total, answers):
            return known, False
        raise RatingExists(str(known))
    rating = Rating.objects.create(
        patient=patient,
        instrument=instrument,
        rated_at=rated_at,
        total=total,
        items=answers,
        recorded_at=at,
        recorded_by=by,
    )
    audit.write(
        verb="record_rating", subject=f"rating:{rating.pk}", by=by, at=at, patient_id=patient.pk
    )
    count_up([patient.pk], at=at)
    return rating, True
