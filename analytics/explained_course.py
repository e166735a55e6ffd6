"""A patient's course as an explanation tells it: adequacy, symptoms, and each decision point."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from analytics.course_findings import Course, TrialVerdict, nearest_day
from analytics.definitions import Rules, SymptomState


class Unread(StrEnum):
    """Why a decision point has no reading that a rating could have given."""

    TO_COME = "to come"
    DUE = "due"
    ENDED = "trial ended before"


@dataclass(frozen=True, slots=True)
class DecisionPoint:
    """One critical decision point of the latest trial, and what was found at it.

    ``opens_on`` and ``closes_on`` are the days whose latest rating counts for it; ``improvement``
    is the share of the trial's baseline gained. What was not rated is no zero.
    """

    week: int
    opens_on: date
    closes_on: date
    found: SymptomState | Unread
    rated_on: date | None
    total: float | None
    improvement: float | None


@dataclass(frozen=True, slots=True)
class ExplainedCourse:
    """Where a patient stands by trials and ratings; the days are those of the site.

    ``trial`` and ``drug`` are the latest trial's, to which the decision points belong.
    """

    first_adequate_on: date | None
    failed_trials: int
    symptoms: SymptomState
    instrument: str
    baseline_total: float | None
    latest_total: float | None
    latest_on: date | None
    improvement: float | None
    trial: int | None
    drug: str
    decision_points: tuple[DecisionPoint, ...]


def explained_course(
    course: Course | None, rules: Rules, *, made_at: datetime, zone: tzinfo
) -> ExplainedCourse | None:
    """Tell a course by the calendar of its site.

    Parameters
    ----------
    course : Course or None
        As assessed, or as read back from a record.
    rules : Rules
        Those by which it was assessed.
    made_at : datetime
        When.
    zone : tzinfo
        The zone of the site.

    Returns
    -------
    ExplainedCourse or None
        None where there is no course.
    """
    if course is None:
        return None
    latest = course.trials[-1] if course.trials else None
    reached = course.first_adequate_at
    return ExplainedCourse(
        first_adequate_on=None if reached is None else nearest_day(reached, zone),
        failed_trials=course.failed_trials,
        symptoms=course.symptoms,
        instrument=course.instrument,
        baseline_total=course.baseline_total,
        latest_total=course.latest_total,
        latest_on=None if course.latest_at is None else course.latest_at.astimezone(zone).date(),
        improvement=course.improvement,
        trial=None if latest is None else latest.number,
        drug="" if latest is None else latest.drug,
        decision_points=()
        if latest is None
        else tuple(_points(course, latest, rules, made_at=made_at, zone=zone)),
    )


def _points(
    course: Course, trial: TrialVerdict, rules: Rules, *, made_at: datetime, zone: tzinfo
) -> Iterator[DecisionPoint]:
    read = {each.week: each for each in course.decisions}
    begun, today = nearest_day(trial.started_at, zone), made_at.astimezone(zone).date()
    ended = None
    if trial.stopped_at is not None:
        ended = nearest_day(trial.stopped_at, zone) + timedelta(days=rules.grace_days)
    for week, first, last in rules.decision_days:
        opens, closes = begun + timedelta(days=first), begun + timedelta(days=last)
        if (one := read.get(week)) is not None:
            rated = one.rated_at.astimezone(zone).date()
            base = trial.baseline_total
            gained = 1 - one.total / base if base else None
            yield DecisionPoint(week, opens, closes, one.reading, rated, one.total, gained)
            continue
        found: SymptomState | Unread = SymptomState.NOT_RATED
        if ended is not None and ended < opens:
            found = Unread.ENDED
        elif today < opens:
            found = Unread.TO_COME
        elif today <= closes and ended is None:
            found = Unread.DUE
        yield DecisionPoint(week, opens, closes, found, None, None, None)
