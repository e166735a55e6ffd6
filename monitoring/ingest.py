"""The one way in for facts: API, file import and form alike come by here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import TypedDict, Unpack

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Q
from psycopg.errors import DeadlockDetected, UniqueViolation

from monitoring import safety, wake
from monitoring.gathering import Arrived, gathering
from patients import audit
from patients.intake import parking, reception
from patients.intake.finding import IfDuplicate
from patients.intake.receipts import ALWAYS
from patients.intake.reception import Arrival, Condition, Receipt, Sender, take_in
from patients.intake.reports import DrawReport
from patients.models import (
    Clinician,
    Draw,
    Episode,
    Event,
    EventKind,
    Laboratory,
    Parked,
    Patient,
    Rating,
    StopReason,
    Trial,
    TrialKind,
)
from patients.record.events import record_event
from patients.record.patients import add_identifier, start_episode
from patients.record.profile_document import ProfileDocument
from patients.record.profiles import load_profile
from patients.record.ratings import correct_rating, record_rating
from patients.record.treatment import Course, correct_trial, record_course, stop_trial
from patients.record.verdicts import EpisodeFacts, state_episode

# Two laboratories' clerks cannot type faster than this; a third collision is a fault of ours
TRIES = 3


class Asked(TypedDict, total=False):
    """What a door may ask of a message, beyond its reports."""

    asked: str
    conditions: Sequence[Condition]
    refuse_overlaps: bool


def receive(
    reports: Sequence[DrawReport],
    *,
    body: bytes,
    dialect: str,
    sender: Sender,
    at: datetime,
    **asked: Unpack[Asked],
) -> Receipt:
    """Take in a laboratory's message, and wake the workers once it is committed.

    Every door comes by here; what it may ask beside the reports is said at
    `patients.intake.reception.take_in`, and so is what is refused. Single draws that arrive at one
    moment share a transaction.

    Two messages that bring the same new accession for two patients at the same moment collide in
    the database, and two long lists can wait for each other; the one that gives way is taken in
    again and then sees the other.
    """
    # Who names no patient locks one before the others do, and so cannot go with them
    is_plain = len(reports) == 1 and bool(reports[0].patients)
    is_plain = is_plain and set(asked.get("conditions", ())) <= {ALWAYS}
    if is_plain and not connection.in_atomic_block:
        arrival = Arrival(reports[0], body, dialect, asked.get("asked", ""))
        gathered = gathering.do(Arrived(arrival, sender, at))
        if gathered is not None:
            return gathered
    receipt = _try(
        partial(take_in, reports, body=body, dialect=dialect, sender=sender, at=at, **asked)
    )
    if receipt.changes_record:
        transaction.on_commit(wake.wake_workers)
    return receipt


def rehearse(
    reports: Sequence[DrawReport],
    *,
    body: bytes,
    dialect: str,
    sender: Sender,
    at: datetime,
    asked: str = "",
) -> Receipt:
    """Say what would become of a message; nothing is stored and nobody is woken."""
    return _try(
        partial(
            reception.rehearse,
            reports,
            body=body,
            dialect=dialect,
            sender=sender,
            at=at,
            asked=asked,
        )
    )


def _try(verb: Callable[[], Receipt]) -> Receipt:
    for remaining in reversed(range(TRIES)):
        try:
            return verb()
        except (IntegrityError, OperationalError) as fault:
            is_collision = isinstance(fault.__cause__, UniqueViolation | DeadlockDetected)
            if not (is_collision and remaining):
                raise
    raise AssertionError  # the last try has returned or raised


@transaction.atomic
def match_parked(
    *,
    parked: Parked,
    patient: Patient,
    by: Clinician,
    at: datetime,
    if_duplicate: IfDuplicate = IfDuplicate.ASK,
    remember: Sequence[tuple[str, str]] = (),
) -> Draw:
    """Put a parked draw where a person says it belongs.

    The numbers that are to be remembered are the patient's from then on, for this laboratory alone,
    and what else waits for them is placed too.
    """
    for system, value in remember:
        add_identifier(
            patient=patient,
            system=system,
            value=value,
            by=audit.name_of(by),
            at=at,
            laboratory=parked.laboratory,
        )
    draw = parking.match(parked=parked, patient=patient, by=by, at=at, if_duplicate=if_duplicate)
    if remember:
        parking.replay_named(at=at)
    transaction.on_commit(wake.wake_workers)
    return draw


def replay_parked(*, at: datetime) -> int:
    """Place what waited for a patient who is known by now; say how many draws."""
    placed = parking.replay_named(at=at)
    if placed:
        transaction.on_commit(wake.wake_workers)
    return len(placed)


def replay_in_turn(*, at: datetime) -> int:
    """Place what stood too often in its message to be placed at once; say how many draws."""
    placed = parking.replay_in_turn(at=at)
    if placed:
        transaction.on_commit(wake.wake_workers)
    return len(placed)


def replay_samples(*, at: datetime) -> int:
    """Lay what was seen of samples beside draws that have come since; say of how many."""
    placed = parking.replay_samples(at=at)
    if placed:
        transaction.on_commit(wake.wake_workers)
    return len(placed)


@dataclass(frozen=True)
class Changed:
    """What became of a change of a profile.

    Attributes
    ----------
    placed
        How many draws are on record now that waited.
    waiting
        How many the workers will try as well, in the next seconds.
    """

    laboratory: Laboratory
    words: list[str]
    placed: int
    waiting: int


def change_laboratory(document: ProfileDocument, *, by: str, at: datetime) -> Changed:
    """Change the profile of a laboratory, and try again what waits of it.

    The first of it at once, so that whoever changes the profile sees what comes of it; workers do
    the rest, however much it is.
    """
    laboratory, changed = load_profile(document, by=by, at=at)
    if not changed:
        return Changed(laboratory, [], 0, 0)
    placed = parking.replay_of_older_profiles(at=at, laboratory_id=laboratory.pk)
    if placed:
        transaction.on_commit(wake.wake_workers)
    left = parking.of_older_profiles().filter(laboratory=laboratory).count()
    return Changed(laboratory, changed, len(placed), left)


def replay_of_older_profiles(*, at: datetime) -> int:
    """Try again a batch of what waits since before a profile changed; say how much is left."""
    if parking.replay_of_older_profiles(at=at):
        transaction.on_commit(wake.wake_workers)
    return parking.of_older_profiles().count()


@transaction.atomic
def receive_rating(
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
    """Record a rating; a positive self-harm item raises its flag here and now.

    That path takes no part in anything that follows: no queue, no model, no threshold.
    """
    rating, is_new = record_rating(
        patient=patient,
        instrument=instrument,
        rated_at=rated_at,
        items=items,
        total=total,
        self_harm_answer=self_harm_answer,
        by=by,
        at=at,
    )
    if is_new:
        safety.look_at(rating, at=at)
        transaction.on_commit(wake.wake_workers)
    return rating, is_new


@transaction.atomic
def receive_course(*, patient: Patient, course: Course, by: str, at: datetime) -> Trial:
    """Record a course; the first antidepressant of a patient without an episode starts it.

    One that began before an ended episode was over belongs to that one, and starts none.
    """
    trial = record_course(patient=patient, course=course, by=by, at=at)
    is_of_another = patient.episodes.filter(
        Q(ended_on=None) | Q(ended_on__gt=course.started_on), superseded_at=None
    ).exists()
    if not is_of_another and course.kind == TrialKind.ANTIDEPRESSANT:
        start_episode(patient=patient, started_on=course.started_on, by=by, at=at)
    transaction.on_commit(wake.wake_workers)
    return trial


@transaction.atomic
def receive_course_correction(
    *, trial: Trial, course: Course, reason: str, moves_first_dose: bool, by: str, at: datetime
) -> Trial:
    """Correct a course; an episode that it had opened moves with it where that is asked for."""
    opened = opened_by(trial)
    corrected = correct_trial(trial=trial, course=course, reason=reason, by=by, at=at)
    if opened is not None and moves_first_dose:
        # Another trial that began before the corrected day is then the first
        following = Trial.objects.filter(
            patient=trial.patient,
            kind=TrialKind.ANTIDEPRESSANT,
            superseded_at=None,
            started_on__gte=opened.started_on,
        )
        first = min([course.started_on, *following.values_list("started_on", flat=True)])
        if first != opened.started_on:
            state_episode(
                patient=trial.patient,
                facts=replace(EpisodeFacts.of(opened), started_on=first),
                reason="the first day of its first trial was corrected",
                by=by,
                at=at,
            )
    transaction.on_commit(wake.wake_workers)
    return corrected


def opened_by(trial: Trial) -> Episode | None:
    """Give the open episode that is counted from the first day of a trial."""
    if trial.kind != TrialKind.ANTIDEPRESSANT:
        return None
    found: Episode | None = trial.patient.episodes.filter(
        started_on=trial.started_on, ended_on=None, superseded_at=None
    ).first()
    return found


@transaction.atomic
def receive_rating_correction(
    *,
    rating: Rating,
    rated_at: datetime,
    items: Sequence[int | None] | None,
    total: int | None,
    self_harm_answer: int | None,
    reason: str,
    by: str,
    at: datetime,
) -> Rating:
    """Correct a rating; a positive answer that comes to light by it counts like any other."""
    corrected = correct_rating(
        rating=rating,
        rated_at=rated_at,
        items=items,
        total=total,
        self_harm_answer=self_harm_answer,
        reason=reason,
        by=by,
        at=at,
    )
    safety.look_again(corrected, rating, at=at)
    transaction.on_commit(wake.wake_workers)
    return corrected


@transaction.atomic
def receive_trial_stop(
    *, trial: Trial, stopped_on: date, stop_reason: StopReason, by: str, at: datetime
) -> Trial:
    """Record when and why a trial ended."""
    stopped = stop_trial(trial=trial, stopped_on=stopped_on, stop_reason=stop_reason, by=by, at=at)
    transaction.on_commit(wake.wake_workers)
    return stopped


@transaction.atomic
def receive_event(
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
    event = record_event(
        patient=patient,
        kind=kind,
        started_on=started_on,
        stopped_on=stopped_on,
        atc=atc,
        note=note,
        by=by,
        at=at,
    )
    transaction.on_commit(wake.wake_workers)
    return event


def actor(clinician: Clinician) -> str:
    """Name a clinician as the record does."""
    return audit.name_of(clinician)
