"""What is said of one patient's course: trials, decision points, symptoms; plain values."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from analytics.definitions import Adequacy, SymptomState
from analytics.staging import StagingFacts


def nearest_day(moment: datetime, zone: tzinfo) -> date:
    """Give the day on which a count of weeks since a midnight was full.

    Whole weeks after a midnight of the site end an hour before or after a midnight where the
    clock was changed in between; the nearest midnight is the one that is meant.

    Parameters
    ----------
    moment : datetime
        Midnight of a day of the site, plus whole days.
    zone : tzinfo
        The zone of the site.

    Returns
    -------
    date
    """
    return (moment + timedelta(hours=12)).astimezone(zone).date()


@dataclass(frozen=True, slots=True)
class DoseGiven:
    """A daily dose and since when it was given; it holds until the next."""

    started_at: datetime
    dose_mg: float


@dataclass(frozen=True, slots=True)
class TrialVerdict:
    """What one trial was worth, and in which words that is said.

    ``trial_id`` is None where the first dose stands in for a trial that is not on record.
    ``weeks_at_dose`` is the longest stretch at or above the least dose; ``adequate_at`` the day
    on which it was long enough; ``improvement`` the share of ``baseline_total`` gained by the last
    rating that can judge the trial, ``judged_total`` at ``judged_at``. ``is_counted`` tells of a
    failed trial whether its failure is that of a treatment of its own: not of the same drug, nor of
    a trial that ran together with it.
    """

    number: int
    trial_id: int | None
    drug: str
    atc: str
    started_at: datetime
    stopped_at: datetime | None
    words: str
    adequacy: Adequacy
    is_overridden: bool
    weeks_at_dose: float
    least_mg: float | None
    adequate_at: datetime | None
    baseline_total: float | None
    improvement: float | None
    is_failed: bool
    is_counted: bool = True  # an old record does not say; then a failure was one
    counted_with: int | None = None  # number of the trial whose failure counts instead
    is_same_drug: bool = False  # as that one; else it ran together with it
    stop_reason: str = ""
    adherence: str = ""
    doses: tuple[DoseGiven, ...] = ()
    is_least_of_site: bool = False  # the least dose is the site's own
    had_worked: bool = False  # response or remission since it could be judged, lost or not
    was_not_taken: bool = False  # adherence was poor, or the reason for its stop
    began_mild: bool = False  # under what its scale calls an episode: then nothing fails
    baseline_at: datetime | None = None  # an old record does not say
    judged_at: datetime | None = None
    judged_total: float | None = None

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "TrialVerdict":
        """Read it back from plain JSON values."""
        fields = dict(content)
        for name in _TRIAL_TIMES:
            text = fields.get(name)
            fields[name] = None if text is None else datetime.fromisoformat(text)
        fields["adequacy"] = Adequacy(content["adequacy"])
        fields["doses"] = tuple(
            DoseGiven(datetime.fromisoformat(each["started_at"]), each["dose_mg"])
            for each in content.get("doses", ())
        )
        return cls(**fields)


_TRIAL_TIMES = ("started_at", "stopped_at", "adequate_at", "baseline_at", "judged_at")


@dataclass(frozen=True, slots=True)
class DecisionReading:
    """One critical decision point of the latest trial, and how its rating reads."""

    week: int
    reading: SymptomState
    rated_at: datetime
    total: float

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "DecisionReading":
        """Read it back from plain JSON values."""
        return cls(
            week=content["week"],
            reading=SymptomState(content["reading"]),
            rated_at=datetime.fromisoformat(content["rated_at"]),
            total=content["total"],
        )


@dataclass(frozen=True, slots=True)
class Course:
    """Where one patient stands by trials and ratings, in the words of the rules.

    ``status`` is the words on the trials ("on trial 1", "trial 1 failed (adequate)");
    ``first_adequate_at`` the day on which the first adequate trial was reached; see
    :func:`nearest_day`. Totals are on ``instrument`` alone; a decision point that is not in
    ``decisions`` was not rated, which is no zero. ``staging`` is what the Maudsley staging counts;
    None without an episode, and in what was written down on 2026-11-28 and before.
    """

    status: str
    failed_trials: int
    first_adequate_at: datetime | None
    instrument: str
    baseline_total: float | None
    latest_total: float | None
    latest_at: datetime | None
    improvement: float | None
    symptoms: SymptomState
    trials: tuple[TrialVerdict, ...]
    decisions: tuple[DecisionReading, ...]
    staging: StagingFacts | None = None
    baseline_at: datetime | None = None  # an old record does not say
    dose_table: str = ""  # version of the least doses; not written down on 2026-11-28 and before

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Course":
        """Read it back from plain JSON values."""
        fields = dict(content)
        for name in _COURSE_TIMES:
            text = fields.get(name)
            fields[name] = None if text is None else datetime.fromisoformat(text)
        fields["symptoms"] = SymptomState(content["symptoms"])
        fields["trials"] = tuple(map(TrialVerdict.from_json, content["trials"]))
        fields["decisions"] = tuple(map(DecisionReading.from_json, content["decisions"]))
        if content.get("staging") is not None:
            fields["staging"] = StagingFacts(**content["staging"])
        return cls(**fields)


def current_trial(trials: tuple[TrialVerdict, ...]) -> TrialVerdict | None:
    """Give the trial that is spoken of: the latest that runs, else the latest.

    Parameters
    ----------
    trials : tuple of TrialVerdict
        Those of a course, in their order.

    Returns
    -------
    TrialVerdict or None
        None where there is none.
    """
    running = [each for each in trials if each.stopped_at is None]
    those = running or trials
    return those[-1] if those else None


_COURSE_TIMES = ("first_adequate_at", "latest_at", "baseline_at")
