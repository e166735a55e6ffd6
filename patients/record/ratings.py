"""Symptom ratings on the record: new ones, corrected ones, withdrawn ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db import transaction

from instruments import INSTRUMENTS, Instrument
from patients import audit
from patients.clocks import is_left_out
from patients.models import Patient, Rating
from patients.record.versions import count_up, lock

EARLIEST_RATING = date(1950, 1, 1)  # a year before that is a slip of the pen


class RatingFault(Exception):
    """A rating that the scale cannot have; says what would be right."""


class RatingExists(Exception):
    """This scale is on record for this moment, with other answers: correct that one instead."""


class RatingReplaced(Exception):
    """This rating is no longer the current one; somebody has corrected it in the meantime."""


@dataclass(frozen=True)
class Answers:
    """What one completed form says, checked against its scale."""

    instrument: str
    rated_at: datetime
    total: int | None
    items: list[int | None] | None
    self_harm_answer: int | None


@transaction.atomic
def record_rating(
    *,
    patient: Patient,
    instrument: str,
    rated_at: datetime,
    items: Sequence[int | None] | None = None,
    total: int | None = None,
    self_harm_answer: int | None = None,
    by: str,
    at: datetime,
) -> tuple[Rating, bool]:
    """Record one scale by its items or by its total alone; say whether it is new.

    Beside a total alone the answer to the item on self-harm may be given; where the other items
    together cannot reach the total, the least answer that makes it up stands. The same rating again
    changes nothing.
    """
    answers = _check(
        instrument=instrument,
        rated_at=rated_at,
        items=items,
        total=total,
        self_harm_answer=self_harm_answer,
        at=at,
    )
    _refuse_before_birth(patient, answers)
    lock(patient.pk)
    known = _of_that_moment(patient.pk, answers)
    if known is not None:
        if (known.total, known.items, known.self_harm_answer) == (
            answers.total,
            answers.items,
            answers.self_harm_answer,
        ):
            return known, False
        raise RatingExists(str(known))
    rating = _create(patient, answers, by=by, at=at)
    audit.write(
        verb="record_rating", subject=f"rating:{rating.pk}", by=by, at=at, patient_id=patient.pk
    )
    count_up([patient.pk], at=at)
    return rating, True


@transaction.atomic
def correct_rating(
    *,
    rating: Rating,
    rated_at: datetime,
    items: Sequence[int | None] | None = None,
    total: int | None = None,
    self_harm_answer: int | None = None,
    reason: str,
    by: str,
    at: datetime,
) -> Rating:
    """Replace a rating by what is right, with a reason; the one that was wrong stays readable."""
    answers = _check(
        instrument=rating.instrument,
        rated_at=rated_at,
        items=items,
        total=total,
        self_harm_answer=self_harm_answer,
        at=at,
    )
    before = _lock_current(rating, reason=reason)
    _refuse_before_birth(before.patient, answers)
    another = _of_that_moment(before.patient_id, answers)
    if another is not None and another.pk != before.pk:
        raise RatingExists(str(another))
    before.superseded_at, before.superseded_reason = at, reason.strip()
    before.save()
    corrected = _create(before.patient, answers, by=by, at=at)
    before.superseded_by = corrected
    before.save()
    _say("correct_rating", before, by=by, at=at)
    return corrected


@transaction.atomic
def withdraw_rating(*, rating: Rating, reason: str, by: str, at: datetime) -> None:
    """Say that a rating should not be on this record at all; it stays readable with the reason."""
    before = _lock_current(rating, reason=reason)
    before.superseded_at, before.superseded_reason = at, reason.strip()
    before.save()
    _say("withdraw_rating", before, by=by, at=at)


def _lock_current(rating: Rating, *, reason: str) -> Rating:
    if not reason.strip():
        message = "say why the rating is corrected"
        raise RatingFault(message)
    lock(rating.patient_id)
    before: Rating = Rating.objects.select_related("patient").get(pk=rating.pk)
    if before.superseded_at is not None:
        raise RatingReplaced(str(before))
    return before


def _say(verb: str, rating: Rating, *, by: str, at: datetime) -> None:
    audit.write(
        verb=verb, subject=f"rating:{rating.pk}", by=by, at=at, patient_id=rating.patient_id
    )
    count_up([rating.patient_id], at=at)


def _refuse_before_birth(patient: Patient, answers: Answers) -> None:
    if patient.birth_date is not None and answers.rated_at.date() < patient.birth_date:
        message = "the rating is dated before the patient was born; check the year"
        raise RatingFault(message)


def _of_that_moment(patient_id: int, answers: Answers) -> Rating | None:
    found: Rating | None = Rating.objects.filter(
        patient=patient_id,
        instrument=answers.instrument,
        rated_at=answers.rated_at,
        superseded_at=None,
    ).first()
    return found


def _create(patient: Patient, answers: Answers, *, by: str, at: datetime) -> Rating:
    rating = Rating(patient=patient, recorded_at=at, recorded_by=by, **vars(answers))
    rating.save(force_insert=True)
    return rating


def fault_of_time(rated_at: datetime, *, at: datetime) -> str:
    """Say what is wrong with the moment of a rating, if anything."""
    if rated_at > at:
        return "the rating is dated in the future"
    if rated_at.date() < EARLIEST_RATING:
        return f"the rating is dated before {EARLIEST_RATING}; check the year"
    if rated_at.time() != time() and is_left_out(
        rated_at
    ):  # midnight is what a day alone is read as
        return "the clocks were put forward over this hour; look at the form again"
    return ""


def _check(
    *,
    instrument: str,
    rated_at: datetime,
    items: Sequence[int | None] | None,
    total: int | None,
    self_harm_answer: int | None,
    at: datetime,
) -> Answers:
    """Refuse what the scale cannot have, or what contradicts itself."""
    scale = INSTRUMENTS.get(instrument)
    if scale is None:
        message = f"“{instrument}” is not a scale we know; known: {', '.join(INSTRUMENTS)}"
        raise RatingFault(message)
    if wrong := fault_of_time(rated_at, at=at):
        raise RatingFault(wrong)
    if items is not None:
        if all(answer is None for answer in items):
            message = "no item of the form is answered; an empty form is no rating"
            raise RatingFault(message)
        counted = scale.total(items)
        if total is not None and total != counted:
            message = f"the items add up to {counted}, not to {total}"
            raise RatingFault(message)
        total = counted
    elif total is None or not 0 <= total <= scale.highest_total:
        message = f"the total must be a whole number from 0 to {scale.highest_total}"
        raise RatingFault(message)
    return Answers(
        instrument=instrument,
        rated_at=rated_at,
        total=total,
        items=None if items is None else list(items),
        self_harm_answer=_self_harm_answer(scale, items, total, self_harm_answer),
    )


def _self_harm_answer(
    scale: Instrument, items: Sequence[int | None] | None, total: int | None, said: int | None
) -> int | None:
    """Take the answer from the items; beside a total alone, what is said, or what it proves."""
    number = scale.self_harm_item
    if items is not None:
        answered = scale.self_harm_answer(items)
        if said is not None and said != answered:
            message = f"item {number} says {answered}, and beside it stands {said}"
            raise RatingFault(message)
        return answered
    highest = scale.highest_answers[number - 1]
    if said is not None and not 0 <= said <= highest:
        message = f"item {number} must be a whole number from 0 to {highest}"
        raise RatingFault(message)
    if total is None:
        return said
    if said is not None and said > total:
        message = f"item {number} alone is {said}, more than the total of {total}"
        raise RatingFault(message)
    least = scale.least_self_harm(total)
    if said is not None and said < least:
        message = (
            f"a total of {total} cannot be without item {number} at {least} or more, "
            f"and beside it stands {said}; look at the form again"
        )
        raise RatingFault(message)
    return said if said is not None or not least else least
