"""What the clinic's words mean: baseline, early improvement, adequate, failed, response, remission.

One versioned set of rules; no risk enters here, only ratings and trials.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analytics.evidence import EARLY_IMPROVEMENT_SHARE
from analytics.histories import US_PER_DAY, US_PER_WEEK, History, RatingColumns, TrialColumns
from analytics.tables import NEVER, Bools, Floats, Ints, Objects


class ClinicalState(StrEnum):
    """Where a patient stands in therapy, by :data:`RULES`."""

    NO_EPISODE = "no episode"
    NO_TRIAL = "no trial running"
    ON_TRIAL_1 = "on trial 1"
    ON_TRIAL_2 = "on trial 2"
    ON_TRIAL_3 = "on trial 3"
    ON_TRIAL_4 = "on trial 4"
    ON_LATER_TRIAL = "on trial 5 or later"
    EARLY_NON_IMPROVEMENT = "early non-improvement"
    TRIAL_1_FAILED = "trial 1 failed (adequate)"
    TRIAL_2_FAILED = "trial 2 failed (adequate)"
    TRIAL_3_FAILED = "trial 3 failed (adequate)"
    TRIAL_4_FAILED = "trial 4 failed (adequate)"
    LATER_TRIAL_FAILED = "trial 5 or later failed (adequate)"
    MEETS_TRD_RULE = "meets TRD rule eu-pearl-1"
    RESPONSE = "response"
    REMISSION = "remission"


STATES = tuple(ClinicalState)
_ON_TRIAL = STATES.index(ClinicalState.ON_TRIAL_1)
_FAILED = STATES.index(ClinicalState.TRIAL_1_FAILED)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One symptom scale: its place in the choice of a primary scale, and its remission."""

    name: str
    highest: int
    remission_at_most: int


# QIDS and HAM-D17: ids-qids.org, Trivedi 2006 (V); MADRS and PHQ-9 remission: usual (M).
INSTRUMENTS = (
    Instrument("QIDS-SR16", 27, 5),
    Instrument("QIDS-C16", 27, 5),
    Instrument("HAM-D17", 52, 7),
    Instrument("MADRS", 60, 10),
    Instrument("PHQ-9", 27, 4),
)
_RANK = {instrument.name: rank for rank, instrument in enumerate(INSTRUMENTS)}
_UNRANKED = len(INSTRUMENTS)
_REMISSION = np.array([i.remission_at_most for i in INSTRUMENTS] + [-1], dtype=np.float64)


# Least adequate daily dose in mg: lower bound of the usual range (UpToDate mirror and McMaster
# textbook, V-sec); venlafaxine 150 because the MGH-ATRQ takes 75 for too low. Not an ATHF table.
LEAST_ADEQUATE_MG: dict[str, float] = {
    "N06AA01": 150,  # desipramine
    "N06AA02": 150,  # imipramine
    "N06AA04": 100,  # clomipramine
    "N06AA09": 150,  # amitriptyline
    "N06AA10": 50,  # nortriptyline
    "N06AB03": 20,  # fluoxetine
    "N06AB04": 20,  # citalopram
    "N06AB05": 20,  # paroxetine
    "N06AB06": 50,  # sertraline
    "N06AB08": 50,  # fluvoxamine
    "N06AB10": 10,  # escitalopram
    "N06AF03": 15,  # phenelzine
    "N06AF04": 30,  # tranylcypromine
    "N06AX05": 200,  # trazodone
    "N06AX11": 15,  # mirtazapine
    "N06AX12": 300,  # bupropion
    "N06AX16": 150,  # venlafaxine
    "N06AX17": 100,  # milnacipran
    "N06AX21": 60,  # duloxetine
    "N06AX22": 25,  # agomelatine
    "N06AX23": 50,  # desvenlafaxine
    "N06AX24": 40,  # vilazodone
    "N06AX26": 5,  # vortioxetine
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures behind the words; a change of any is a new version.

    Default after the EU-PEARL consensus (Sforzini 2022, PMC9095475, table 1): two
    adequate treatments with less than 25 % improvement in the episode; a drug that
    was stopped before the end of week 4, or for intolerance, has not failed.
    Adequate duration is 6 weeks as in the MGH-ATRQ.
    """

    version: str = "eu-pearl-1"
    failed_trials: int = 2
    failure_improvement: float = 0.25
    adequate_weeks: float = 6.0
    decision_weeks: float = 4.0
    response_improvement: float = 0.50
    early_improvement: float = EARLY_IMPROVEMENT_SHARE.value
    early_from_days: int = 11
    early_to_days: int = 32
    baseline_before_days: int = 28
    baseline_after_days: int = 4
    grace_days: int = 3
    after_stop_days: int = 7
    augmentation_atc: tuple[str, ...] = ("N05",)
    never_failed_reasons: tuple[str, ...] = (
        "intolerance",
        "intolerable",
        "side effects",
        "side_effects",
        "adverse_event",
        "adverse effects",
        "non_adherence",
        "non-adherence",
    )


RULES = Rules()


@dataclass(frozen=True, slots=True)
class Courses:
    """Where each patient stands, one entry per patient; -1 and NaN mean not known.

    ``early`` is 1 for early non-improvement in the first trial, 0 for early
    improvement, -1 when no rating can tell. ``is_early_now`` and the other booleans
    concern the trial that is running.
    """

    state: Ints
    weeks_on_therapy: Floats
    instrument: Ints  # position in instruments; -1: no rating
    instruments: tuple[str, ...]
    baseline_total: Floats
    early: Ints
    early_total: Floats
    early_us: Ints
    is_early_now: Bools
    is_dose_adequate: Bools
    is_non_response: Bools
    is_failed: Bools
    failed_trials: Ints
    trial_number: Ints
    is_well: Bools  # response or remission at the latest rating


@dataclass(frozen=True, slots=True)
class _Ratings:
    """Ratings on each patient's primary scale, in order of patient and time."""

    key: Ints
    rated_us: Ints
    total: Floats
    base: int

    def latest(self, patient: Ints, *, not_after: Ints, not_before: Ints) -> Ints:
        """Find the latest rating in a window, or -1."""
        if len(self.key) == 0:
            return np.full(len(patient), -1, dtype=np.int64)
        place = np.searchsorted(self.key, _key(patient, not_after, self.base), side="right") - 1
        found = np.maximum(place, 0)
        fits = (place >= 0) & (self.key[found] >= _key(patient, not_before, self.base))
        return np.where(fits, found, -1)

    def totals(self, rows: Ints) -> Floats:
        """Give the totals at rows, NaN at -1."""
        if len(self.total) == 0:
            return np.full(len(rows), np.nan)
        return np.where(rows >= 0, self.total[rows], np.nan)


_SPAN = np.int64(1) << 34  # seconds: five hundred years


def _key(patient: Ints, us: Ints, base: int) -> Ints:
    """Make one sortable number of patient and time (to the second)."""
    seconds = np.clip(us // 1_000_000 - base, 0, _SPAN - 1)
    return patient * _SPAN + seconds


@dataclass(frozen=True, slots=True)
class _Trials:
    """Antidepressant trials of the episode, numbered within each patient from 1."""

    patient: Ints
    number: Ints
    started_us: Ints
    stopped_us: Ints
    adequate_us: Ints
    stop_reason: Objects


def assess_courses(history: History, *, at_us: int, rules: Rules = RULES) -> Courses:
    """Apply the rules to every patient.

    Parameters
    ----------
    history : History
        The cohort.
    at_us : int
        The moment, in microseconds since 1970 UTC; later facts are not used.
    rules : Rules
        The rule set.

    Returns
    -------
    Courses
    """
    started = np.where(history.started_us > at_us, NEVER, history.started_us)
    ratings, instrument = _primary_ratings(history, started, at_us, rules)
    trials = _episode_trials(history, started, at_us, rules)
    found = _judge_trials(trials, ratings, at_us, rules)
    return _gather(history, started, instrument, ratings, trials, found, at_us, rules)


def _primary_ratings(
    history: History, started: Ints, at_us: int, rules: Rules
) -> tuple[_Ratings, Ints]:
    """Choose one scale per patient: the best known that has a baseline, else the best known."""
    ratings: RatingColumns = history.rating_columns
    size = len(history.patient_ids)
    none = np.full(size, -1, dtype=np.int64)
    empty = np.empty(0, dtype=np.int64)
    known = np.flatnonzero(ratings.rated_us <= at_us)
    if len(known) == 0:
        return _Ratings(empty, empty, np.empty(0), 0), none
    patient, rated = ratings.patient[known], ratings.rated_us[known]
    ranks = np.array([_RANK.get(name, _UNRANKED) for name in ratings.instruments], dtype=np.int64)
    # Unknown scales keep the order of their names, after the known ones.
    order = np.argsort(ranks, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    rank = place[ratings.instrument[known]]
    start = started[patient]
    has_baseline = (
        (start != NEVER)
        & (rated >= start - rules.baseline_before_days * US_PER_DAY)
        & (rated <= start + rules.baseline_after_days * US_PER_DAY)
    )
    best = np.full(size, len(order) * 2, dtype=np.int64)
    np.minimum.at(best, patient, np.where(has_baseline, rank, rank + len(order)))
    chosen = best % len(order)
    keep = rank == chosen[patient]
    instrument = np.where(best < len(order) * 2, order[chosen], -1)
    rows = known[keep]
    base = int(rated.min() // 1_000_000) - 400 * 86_400
    key = _key(ratings.patient[rows], ratings.rated_us[rows], base)
    return _Ratings(key, ratings.rated_us[rows], ratings.total[rows], base), instrument


def _episode_trials(history: History, started: Ints, at_us: int, rules: Rules) -> _Trials:
    """Take the antidepressant trials of the episode; the first dose stands in where none is."""
    trials = history.trial_columns
    start_of = started[trials.patient]
    keep = (trials.started_us <= at_us) & (start_of != NEVER)
    keep &= trials.started_us >= start_of - 7 * US_PER_DAY
    if len(keep):
        augments = [code.startswith(rules.augmentation_atc) for code in trials.atc.tolist()]
        keep &= ~np.array(augments, dtype=np.bool_)
    has_trial = np.zeros(len(started), dtype=np.bool_)
    has_trial[trials.patient[keep]] = True
    bare = np.flatnonzero((started != NEVER) & ~has_trial)
    never = np.full(len(bare), NEVER)
    patient = np.concatenate([trials.patient[keep], bare])
    begins = np.concatenate([trials.started_us[keep], started[bare]])
    stops = np.concatenate([trials.stopped_us[keep], never])
    adequate = np.concatenate([_adequate_from(trials)[keep], never])
    reason = np.concatenate([trials.stop_reason[keep], np.full(len(bare), "", dtype=object)])
    order = np.argsort(patient, kind="stable")
    patient = patient[order]
    number = np.arange(len(patient)) - np.searchsorted(patient, patient) + 1
    return _Trials(
        patient=patient,
        number=number,
        started_us=begins[order],
        stopped_us=np.where(stops[order] > at_us, NEVER, stops[order]),
        adequate_us=np.where(adequate[order] > at_us, NEVER, adequate[order]),
        stop_reason=reason[order],
    )


def _adequate_from(trials: TrialColumns) -> Ints:
    """Give the day each dose became adequate; where only the dose is on record, the start.

    A dose of an unlisted drug, or none on record, leaves adequacy unknown.
    """
    if len(trials.atc) == 0:
        return trials.adequate_us
    least = np.array([LEAST_ADEQUATE_MG.get(code, np.inf) for code in trials.atc.tolist()])
    by_dose = np.where(trials.dose_mg >= least, trials.started_us, NEVER)
    return np.where(trials.adequate_us == NEVER, by_dose, trials.adequate_us)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the ratings say about each trial."""

    baseline: Floats
    early: Ints
    early_row: Ints
    is_still_early: Bools
    is_failed: Bools
    is_non_response: Bools
    is_dose_adequate: Bools


def _judge_trials(trials: _Trials, ratings: _Ratings, at_us: int, rules: Rules) -> _Judged:
    day = US_PER_DAY
    start, patient = trials.started_us, trials.patient
    end = np.where(trials.stopped_us == NEVER, at_us, trials.stopped_us)
    baseline = ratings.totals(
        ratings.latest(
            patient,
            not_after=start + rules.baseline_after_days * day,
            not_before=start - rules.baseline_before_days * day,
        )
    )
    baseline = np.where(baseline > 0, baseline, np.nan)
    early_row = ratings.latest(
        patient,
        not_after=np.minimum(start + rules.early_to_days * day, end + rules.grace_days * day),
        not_before=start + rules.early_from_days * day,
    )
    gain = 1 - ratings.totals(early_row) / baseline
    early = np.where(np.isnan(gain), -1, gain < rules.early_improvement).astype(np.int64)
    since_row = ratings.latest(
        patient,
        not_after=end + rules.after_stop_days * day,
        not_before=start + rules.early_from_days * day,
    )
    since = 1 - ratings.totals(since_row) / baseline
    last_row = ratings.latest(
        patient,
        not_after=end + rules.after_stop_days * day,
        not_before=start + int(rules.decision_weeks * US_PER_WEEK) - rules.grace_days * day,
    )
    last = 1 - ratings.totals(last_row) / baseline
    rated = _times(ratings, last_row)
    dosed = np.where(trials.adequate_us == NEVER, 0, np.minimum(rated, end) - trials.adequate_us)
    weeks = np.where((last_row >= 0) & (trials.adequate_us != NEVER), dosed / US_PER_WEEK, -1.0)
    grace = rules.grace_days / 7
    poor = last < rules.failure_improvement  # False where the improvement is not known
    excused = np.array(
        [reason.lower() in rules.never_failed_reasons for reason in trials.stop_reason.tolist()],
        dtype=np.bool_,
    )
    return _Judged(
        baseline=baseline,
        early=early,
        early_row=early_row,
        is_still_early=(early == 1) & (since < rules.early_improvement),
        is_failed=poor & ~excused & (weeks >= rules.adequate_weeks - grace),
        is_non_response=poor & (weeks >= rules.decision_weeks - grace),
        is_dose_adequate=(trials.adequate_us != NEVER),
    )


def _times(ratings: _Ratings, rows: Ints) -> Ints:
    if len(ratings.rated_us) == 0:
        return np.full(len(rows), NEVER)
    return np.where(rows >= 0, ratings.rated_us[rows], NEVER)


def _gather(
    history: History,
    started: Ints,
    instrument: Ints,
    ratings: _Ratings,
    trials: _Trials,
    found: _Judged,
    at_us: int,
    rules: Rules,
) -> Courses:
    """Bring what was found of the trials together for each patient."""
    size = len(started)
    everyone = np.arange(size)
    has = started != NEVER
    first = np.searchsorted(trials.patient, everyone)
    last = np.searchsorted(trials.patient, everyone, side="right") - 1
    first_safe = np.where(has, np.minimum(first, max(len(trials.patient) - 1, 0)), 0)
    last_safe = np.where(has, last, 0)

    def of_first(column: Ints, missing: int) -> Ints:
        return np.where(has, column[first_safe], missing) if len(column) else np.full(size, missing)

    def of_last(column: Bools) -> Bools:
        return has & column[last_safe] if len(column) else np.zeros(size, dtype=np.bool_)

    running = of_last(trials.stopped_us == NEVER)
    failed_trials = np.bincount(trials.patient, weights=found.is_failed, minlength=size)
    number = of_last_number(trials, has, last_safe)
    early_row = of_first(found.early_row, -1)
    baseline = found.baseline[first_safe] if len(found.baseline) else np.full(size, np.nan)
    latest = ratings.latest(
        everyone, not_after=np.full(size, at_us), not_before=np.where(has, started, at_us)
    )
    latest = np.where(has & (_times(ratings, latest) >= started + 7 * US_PER_DAY), latest, -1)
    total = ratings.totals(latest)
    remission = total <= _remission_limits(history, instrument)
    response = 1 - total / baseline >= rules.response_improvement
    courses = Courses(
        state=np.zeros(size, dtype=np.int64),
        weeks_on_therapy=np.where(has, (at_us - started) / US_PER_WEEK, np.nan),
        instrument=instrument,
        instruments=history.rating_columns.instruments,
        baseline_total=np.where(has, baseline, np.nan),
        early=of_first(found.early, -1),
        early_total=ratings.totals(early_row),
        early_us=_times(ratings, early_row),
        is_early_now=running & of_last(found.is_still_early),
        is_dose_adequate=of_last(found.is_dose_adequate),
        is_non_response=running & of_last(found.is_non_response),
        is_failed=of_last(found.is_failed),
        failed_trials=failed_trials.astype(np.int64),
        trial_number=number,
        is_well=remission | response,
    )
    courses.state[:] = _states(courses, has, running, remission, response, rules)
    return courses


def of_last_number(trials: _Trials, has: Bools, last: Ints) -> Ints:
    """Give the number of the latest trial, 0 where there is no episode."""
    if len(trials.number) == 0:
        return np.zeros(len(has), dtype=np.int64)
    return np.where(has, trials.number[last], 0)


def _remission_limits(history: History, instrument: Ints) -> Floats:
    names = history.rating_columns.instruments
    if not names:
        return np.full(len(instrument), -1.0)
    limits = np.array([_REMISSION[_RANK.get(name, _UNRANKED)] for name in names])
    return np.where(instrument >= 0, limits[instrument], -1.0)


def _states(
    courses: Courses, has: Bools, running: Bools, remission: Bools, response: Bools, rules: Rules
) -> Ints:
    """Name the state; what is further along the course of therapy wins."""
    step = np.clip(courses.trial_number, 1, 5) - 1
    early = courses.is_early_now & (courses.weeks_on_therapy >= 0)
    return np.select(
        [
            ~has,
            remission,
            response,
            courses.failed_trials >= rules.failed_trials,
            courses.is_failed,
            early,
            running,
        ],
        [
            np.full(len(has), STATES.index(ClinicalState.NO_EPISODE)),
            np.full(len(has), STATES.index(ClinicalState.REMISSION)),
            np.full(len(has), STATES.index(ClinicalState.RESPONSE)),
            np.full(len(has), STATES.index(ClinicalState.MEETS_TRD_RULE)),
            _FAILED + step,
            np.full(len(has), STATES.index(ClinicalState.EARLY_NON_IMPROVEMENT)),
            _ON_TRIAL + step,
        ],
        STATES.index(ClinicalState.NO_TRIAL),
    )
