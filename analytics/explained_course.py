"""A patient's course as an explanation tells it: adequacy, symptoms, and each decision point."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from analytics.counting import NotCounted, counting_words, why_not_counted
from analytics.course_findings import Course, TrialVerdict, current_trial, nearest_day
from analytics.definitions import Adequacy, Rules, SymptomState


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
class ExplainedDose:
    """A daily dose and the day from which it was given."""

    started_on: date
    dose_mg: float


@dataclass(frozen=True, slots=True)
class ExplainedTrial:
    """What one trial was worth, and whether it counts as a failed treatment, in words.

    ``not_counted`` is the code of why it does not, None where it counts; ``counting`` says either
    in a sentence. ``weeks_at_dose`` is the longest stretch at ``least_mg`` a day or more;
    ``improvement`` is the share of ``baseline_total`` gained by ``judged_total``.
    """

    number: int
    drug: str
    atc: str
    started_on: date
    stopped_on: date | None
    stop_reason: str
    adherence: str
    doses: tuple[ExplainedDose, ...]
    words: str
    adequacy: Adequacy
    is_overridden: bool
    weeks_at_dose: float
    least_mg: float | None
    is_least_of_site: bool
    adequate_on: date | None
    baseline_total: float | None
    baseline_on: date | None
    judged_total: float | None
    judged_on: date | None
    improvement: float | None
    is_failed: bool
    not_counted: NotCounted | None
    counting: str


@dataclass(frozen=True, slots=True)
class ExplainedCourse:
    """Where a patient stands by trials and ratings; the days are those of the site.

    ``failed_trials`` are failed treatments, of which ``failed_before`` are stated of the episode
    before its first dose on record; ``failed_wanted`` meet the rule. ``trial`` and ``drug`` are
    the latest trial's, to which the decision points belong.
    """

    first_adequate_on: date | None
    failed_trials: int
    failed_before: int
    failed_wanted: int
    symptoms: SymptomState
    instrument: str
    baseline_total: float | None
    baseline_on: date | None
    latest_total: float | None
    latest_on: date | None
    improvement: float | None
    trial: int | None
    drug: str
    decision_points: tuple[DecisionPoint, ...]
    trials: tuple[ExplainedTrial, ...]


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
    latest = current_trial(course.trials)
    reached = course.first_adequate_at
    trials = tuple(_trial(each, course, rules, zone=zone) for each in course.trials)
    return ExplainedCourse(
        first_adequate_on=None if reached is None else nearest_day(reached, zone),
        failed_trials=course.failed_trials,
        failed_before=max(course.failed_trials - sum(one.not_counted is None for one in trials), 0),
        failed_wanted=rules.failed_trials,
        symptoms=course.symptoms,
        instrument=course.instrument,
        baseline_total=course.baseline_total,
        baseline_on=_day(course.baseline_at, zone),
        latest_total=course.latest_total,
        latest_on=_day(course.latest_at, zone),
        improvement=course.improvement,
        trial=None if latest is None else latest.number,
        drug="" if latest is None else latest.drug,
        decision_points=()
        if latest is None
        else tuple(_points(course, latest, rules, made_at=made_at, zone=zone)),
        trials=trials,
    )


def _day(at: datetime | None, zone: tzinfo) -> date | None:
    return None if at is None else at.astimezone(zone).date()


def _trial(trial: TrialVerdict, course: Course, rules: Rules, *, zone: tzinfo) -> ExplainedTrial:
    stopped, reached = trial.stopped_at, trial.adequate_at
    return ExplainedTrial(
        number=trial.number,
        drug=trial.drug,
        atc=trial.atc,
        started_on=nearest_day(trial.started_at, zone),
        stopped_on=None if stopped is None else nearest_day(stopped, zone),
        stop_reason=trial.stop_reason,
        adherence=trial.adherence,
        doses=tuple(
            ExplainedDose(nearest_day(each.started_at, zone), each.dose_mg) for each in trial.doses
        ),
        words=trial.words,
        adequacy=trial.adequacy,
        is_overridden=trial.is_overridden,
        weeks_at_dose=round(trial.weeks_at_dose, 1),
        least_mg=trial.least_mg,
        is_least_of_site=trial.is_least_of_site,
        adequate_on=None if reached is None else nearest_day(reached, zone),
        baseline_total=trial.baseline_total,
        baseline_on=_day(trial.baseline_at, zone),
        judged_total=trial.judged_total,
        judged_on=_day(trial.judged_at, zone),
        improvement=trial.improvement,
        is_failed=trial.is_failed,
        not_counted=why_not_counted(trial, rules),
        counting=counting_words(trial, course, rules),
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
