"""Where each patient stands in therapy: the rules of ``definitions``, applied."""

from dataclasses import dataclass

import numpy as np

from analytics.columns import US_PER_DAY, US_PER_WEEK, RatingColumns, TrialColumns
from analytics.definitions import (
    INSTRUMENTS,
    LEAST_ADEQUATE_MG,
    RULES,
    STATES,
    ClinicalState,
    Rules,
)
from analytics.histories import History
from analytics.tables import NEVER, Bools, Column, Floats, Ints, Objects

_ON_TRIAL = STATES.index(ClinicalState.ON_TRIAL_1)
_FAILED = STATES.index(ClinicalState.TRIAL_1_FAILED)
_RANK = {instrument.name: rank for rank, instrument in enumerate(INSTRUMENTS)}
_ROUNDING = 1e-9
_UNRANKED = len(INSTRUMENTS)
_REMISSION = np.array([i.remission_at_most for i in INSTRUMENTS] + [-1], dtype=np.float64)


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


_SPAN = np.int64(1) << 34  # seconds: five hundred years, more than any two facts lie apart


def _key(patient: Ints, us: Ints, base: int) -> Ints:
    """Make one sortable number of patient and time (to the second)."""
    return patient * _SPAN + np.maximum(us // 1_000_000 - base, 0)


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
    return _gather(history, started, (ratings, instrument), trials, found, at_us, rules)


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
    """Compare each trial's ratings with its baseline."""
    day, start, patient = US_PER_DAY, trials.started_us, trials.patient
    end = np.where(trials.stopped_us == NEVER, at_us, trials.stopped_us)
    after = end + rules.after_stop_days * day
    early_from = start + rules.early_from_days * day
    decision = start + int(rules.decision_weeks * US_PER_WEEK) - rules.grace_days * day
    baseline_row, early_row, since_row, last_row = ratings.latest(
        np.concatenate([patient] * 4),
        not_after=np.concatenate(
            [
                start + rules.baseline_after_days * day,
                np.minimum(start + rules.early_to_days * day, end + rules.grace_days * day),
                after,
                after,
            ]
        ),
        not_before=np.concatenate(
            [start - rules.baseline_before_days * day, early_from, early_from, decision]
        ),
    ).reshape(4, -1)
    baseline = ratings.totals(baseline_row)
    baseline = np.where(baseline > 0, baseline, np.nan)
    gain = _improvement(ratings, early_row, baseline)
    early = np.where(np.isnan(gain), -1, gain < rules.early_improvement).astype(np.int64)
    since = _improvement(ratings, since_row, baseline)
    # A comparison with NaN is False: what is not known has not failed.
    poor = _improvement(ratings, last_row, baseline) < rules.failure_improvement
    weeks = _adequate_weeks(trials, np.minimum(_times(ratings, last_row), end), last_row)
    reasons = [reason.lower() in rules.never_failed_reasons for reason in trials.stop_reason]
    grace = rules.grace_days / 7
    return _Judged(
        baseline=baseline,
        early=early,
        early_row=early_row,
        is_still_early=(early == 1) & (since < rules.early_improvement),
        is_failed=poor
        & ~np.array(reasons, dtype=np.bool_)
        & (weeks >= rules.adequate_weeks - grace),
        is_non_response=poor & (weeks >= rules.decision_weeks - grace),
        is_dose_adequate=trials.adequate_us != NEVER,
    )


def _improvement(ratings: _Ratings, rows: Ints, baseline: Floats) -> Floats:
    """Give the share of the baseline gained; 16 of 20 is a fifth, whatever binary fractions say."""
    return 1 - ratings.totals(rows) / baseline + _ROUNDING


def _adequate_weeks(trials: _Trials, until: Ints, row: Ints) -> Floats:
    """Count the weeks on an adequate dose until a rating, -1 where either is not known."""
    known = (row >= 0) & (trials.adequate_us != NEVER)
    span = np.where(known, until, 0) - np.where(known, trials.adequate_us, 0)
    return np.where(known, span / US_PER_WEEK, -1.0)


def _times(ratings: _Ratings, rows: Ints) -> Ints:
    if len(ratings.rated_us) == 0:
        return np.full(len(rows), NEVER)
    return np.where(rows >= 0, ratings.rated_us[rows], NEVER)


class _Places:
    """Picks each patient's first or latest trial out of the columns of all trials."""

    def __init__(self, trials: _Trials, started: Ints) -> None:
        """Find where each patient's trials begin and end; all with an episode have one."""
        self.has = started != NEVER
        everyone = np.arange(len(started))
        first = np.searchsorted(trials.patient, everyone)
        last = np.searchsorted(trials.patient, everyone, side="right") - 1
        self._first, self._last = first[self.has], last[self.has]

    def first(self, column: Column, missing: float) -> Column:
        """Give each patient's first trial's entry."""
        return self._spread(column[self._first], missing)

    def latest(self, column: Column, missing: float) -> Column:
        """Give each patient's latest trial's entry."""
        return self._spread(column[self._last], missing)

    def _spread(self, entries: Column, missing: float) -> Column:
        if len(entries) == len(self.has):
            return entries
        found = np.full(len(self.has), missing, dtype=entries.dtype)
        found[self.has] = entries
        return found


def _gather(
    history: History,
    started: Ints,
    known: tuple[_Ratings, Ints],
    trials: _Trials,
    found: _Judged,
    at_us: int,
    rules: Rules,
) -> Courses:
    """Bring what was found of the trials together for each patient."""
    ratings, instrument = known
    size = len(started)
    places = _Places(trials, started)
    has = places.has
    running = places.latest(trials.stopped_us == NEVER, missing=False)
    early_row = places.first(found.early_row, -1)
    baseline = places.first(found.baseline, np.nan)
    latest = ratings.latest(
        np.arange(size),
        not_after=np.full(size, at_us),
        not_before=np.where(has, started + 7 * US_PER_DAY, at_us),
    )
    total = ratings.totals(np.where(has, latest, -1))
    remission = total <= _remission_limits(history, instrument)
    response = 1 - total / baseline >= rules.response_improvement - _ROUNDING
    failed = np.bincount(trials.patient, weights=found.is_failed, minlength=size)
    courses = Courses(
        state=np.zeros(size, dtype=np.int64),
        weeks_on_therapy=np.where(has, (at_us - started) / US_PER_WEEK, np.nan),
        instrument=instrument,
        instruments=history.rating_columns.instruments,
        baseline_total=baseline,
        early=places.first(found.early, -1),
        early_total=ratings.totals(early_row),
        early_us=_times(ratings, early_row),
        is_early_now=running & places.latest(found.is_still_early, missing=False),
        is_dose_adequate=places.latest(found.is_dose_adequate, missing=False),
        is_non_response=running & places.latest(found.is_non_response, missing=False),
        is_failed=places.latest(found.is_failed, missing=False),
        failed_trials=failed.astype(np.int64),
        trial_number=places.latest(trials.number, 0),
        is_well=remission | response,
    )
    courses.state[:] = _states(courses, has, running, remission, response, rules)
    return courses


def _remission_limits(history: History, instrument: Ints) -> Floats:
    names = history.rating_columns.instruments
    if not names:
        return np.full(len(instrument), -1.0)
    limits = np.array([_REMISSION[_RANK.get(name, _UNRANKED)] for name in names])
    return np.where(instrument >= 0, limits[instrument], -1.0)


def _states(
    courses: Courses, has: Bools, running: Bools, remission: Bools, response: Bools, rules: Rules
) -> Ints:
    """Name the state; what is further along the course of therapy wins, and is written last."""
    step = np.clip(courses.trial_number, 1, 5) - 1
    state = np.where(running, _ON_TRIAL + step, STATES.index(ClinicalState.NO_TRIAL))
    state[courses.is_early_now] = STATES.index(ClinicalState.EARLY_NON_IMPROVEMENT)
    failed = courses.is_failed
    state[failed] = _FAILED + step[failed]
    state[courses.failed_trials >= rules.failed_trials] = STATES.index(ClinicalState.MEETS_TRD_RULE)
    state[response] = STATES.index(ClinicalState.RESPONSE)
    state[remission] = STATES.index(ClinicalState.REMISSION)
    state[~has] = STATES.index(ClinicalState.NO_EPISODE)
    return state
