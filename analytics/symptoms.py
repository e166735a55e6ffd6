"""What the ratings say: response, remission, recovery, relapse, and the decision points."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analytics.columns import US_PER_DAY, US_PER_WEEK, first_that_holds
from analytics.definitions import SYMPTOM_STATES, Failure, Rules, SymptomState
from analytics.ratings import KNOWN, UNKNOWN, PrimaryRatings, scales_of
from analytics.ready import constant, ready_for_few
from analytics.tables import NEVER, Bools, Floats, Ints, column_of

ROUNDING = 1e-9
_PLACE = {state: place for place, state in enumerate(SYMPTOM_STATES)}
_NOT_RATED = _PLACE[SymptomState.NOT_RATED]
_HALF, _QUARTER = 0.5, 0.25


def _figures(values: list[float], unknown: float) -> Floats:
    return np.array([*values, unknown], dtype=np.float64)


# By scale, as in ratings.KNOWN; the last entry is for a scale that is not declared, which has no
# remission and no relapse
_REMISSION = _figures([scale.remission_at_most for scale in KNOWN], -1)
_RELAPSE = _figures([scale.relapse_at_least for scale in KNOWN], np.inf)
_RESPONSE = _figures([scale.response_share for scale in KNOWN], _HALF)
_PARTIAL = _figures([scale.partial_share for scale in KNOWN], _QUARTER)
_POINT = [scale.decision_point for scale in KNOWN]
_POINT_REMISSION = _figures([p.remission_at_most if p else np.nan for p in _POINT], np.nan)
_POINT_PARTIAL = _figures([p.partial_at_most if p else np.nan for p in _POINT], np.nan)


class Symptoms(NamedTuple):
    """What each patient's latest rating of the episode says; -1 and NaN mean not known."""

    state: Ints  # position in SYMPTOM_STATES
    latest_us: Ints
    latest_total: Floats
    improvement: Floats  # share of the baseline gained; below zero is worse
    is_response: Bools
    is_remission: Bools  # recovery is remission too


def scale_of_patients(names: tuple[str, ...], instrument: Ints) -> Ints:
    """Give each patient's scale as a position in :data:`analytics.ratings.KNOWN`.

    Parameters
    ----------
    names : tuple of str
        Names of the scales in the history.
    instrument : array of int
        Each patient's position among them; -1: none.

    Returns
    -------
    array of int
    """
    if not names:
        return column_of(UNKNOWN, len(instrument), np.int64)
    scale = scales_of(names)[instrument]
    scale[instrument < 0] = UNKNOWN
    return scale


def improvement(ratings: PrimaryRatings, rows: Ints, baseline: Floats) -> Floats:
    """Give the share of the baseline gained; 16 of 20 is a fifth, whatever binary fractions say.

    Parameters
    ----------
    ratings : PrimaryRatings
    rows : array of int
        The ratings; -1: none.
    baseline : array of float
        The totals to compare with; NaN: none.

    Returns
    -------
    array of float
        NaN where either is not known; a comparison with it is False.
    """
    return 1 - ratings.totals(rows) / baseline + ROUNDING


def has_failed(total: Floats, gained: Floats, scale: Ints, rules: Rules) -> Bools:
    """Tell whether a total after an adequate trial is a failure.

    Parameters
    ----------
    total, gained : array of float
        The total, and the share of the baseline gained.
    scale : array of int
        Position in :data:`analytics.ratings.KNOWN`.
    rules : Rules
        What a failure is.

    Returns
    -------
    array of bool
        False where it is not known.
    """
    if rules.failure is Failure.NON_REMISSION:
        return total > np.where(scale == UNKNOWN, np.inf, _REMISSION[scale])
    return np.asarray((gained < rules.failure_improvement) & ~is_well(total, scale, rules))


def is_well(total: Floats, scale: Ints, rules: Rules) -> Bools:
    """Tell whether a total is in the range of remission, where the rules spare such people.

    Parameters
    ----------
    total : array of float
    scale : array of int
        Position in :data:`analytics.ratings.KNOWN`.
    rules : Rules
        Whether they do.

    Returns
    -------
    array of bool
        False where it is not known.
    """
    return np.asarray((total <= _REMISSION[scale]) & rules.spares_the_well)


def had_worked(
    ratings: PrimaryRatings,
    rows: tuple[Ints, Ints],
    baseline: Floats,
    scale: Ints,
    rules: Rules,
) -> Bools:
    """Tell which trials had worked, whatever was lost later: that is a relapse, and no failure.

    Parameters
    ----------
    ratings : PrimaryRatings
    rows : tuple of array of int
        Of each trial the first and the last rating that can judge it; none, if they cross.
    baseline : array of float
        The totals to compare with.
    scale : array of int
        Position in :data:`analytics.ratings.KNOWN`.
    rules : Rules
        Whether what had worked is spared, and whether it takes remission.

    Returns
    -------
    array of bool
    """
    found = np.zeros(len(baseline), dtype=np.bool_)
    [those] = ((rows[0] <= rows[1]) & (rows[1] >= 0)).nonzero()
    if not rules.spares_the_well or len(those) == 0:
        return found
    bounds = np.column_stack([rows[0][those], rows[1][those] + 1]).ravel()
    least = np.minimum.reduceat(np.append(ratings.total, np.inf), bounds)[::2]
    of = scale[those]
    worked = least <= _REMISSION[of]
    if rules.failure is Failure.LITTLE_IMPROVEMENT:
        worked |= 1 - least / baseline[those] + ROUNDING >= _RESPONSE[of]
    found[those] = worked
    return found


def judge_symptoms(
    ratings: PrimaryRatings,
    scale: Ints,
    baseline: Floats,
    started: Ints,
    at_us: int,
    rules: Rules,
) -> Symptoms:
    """Judge each patient's latest rating since the first week of the episode.

    Parameters
    ----------
    ratings : PrimaryRatings
    scale : array of int
        Each patient's scale.
    baseline : array of float
        Total at the start of the episode.
    started : array of int
        First dose of each patient, or ``NEVER``.
    at_us : int
        The moment.
    rules : Rules
        Weeks of a recovery.

    Returns
    -------
    Symptoms
    """
    size = len(started)
    if not len(ratings.key):
        return not_rated(size)
    has_none = started == NEVER
    from_us = started + 7 * US_PER_DAY
    from_us[has_none] = at_us
    everyone = np.arange(size)
    until = column_of(at_us, size, np.int64)
    row = ratings.latest(everyone, not_after=until, not_before=from_us)
    row[has_none] = -1
    total = ratings.totals(row)
    gained = improvement(ratings, row, baseline)
    remission = total <= _REMISSION[scale]
    response = gained >= _RESPONSE[scale]
    was_well, well_since = _remissions(ratings, row, everyone, from_us, scale)
    rated = ratings.times(row)
    weeks_well = (rated - well_since) / US_PER_WEEK  # of those in remission
    relapse = (total >= _RELAPSE[scale]) & was_well
    state = _read(
        [
            (SymptomState.NOT_RATED, row < 0),
            (SymptomState.RELAPSE, relapse),
            (SymptomState.RECOVERY, remission & (weeks_well >= rules.recovery_weeks)),
            (SymptomState.REMISSION, remission),
            (SymptomState.NOT_COMPARABLE, np.isnan(baseline)),
            (SymptomState.RESPONSE, response),
            (SymptomState.PARTIAL_RESPONSE, gained >= _PARTIAL[scale]),
        ]
    )
    return Symptoms(
        state=state,
        latest_us=rated,
        latest_total=total,
        improvement=gained,
        is_response=response & ~relapse,
        is_remission=remission,
    )


@ready_for_few
def not_rated(size: int) -> Symptoms:
    """Say what no rating says of some patients.

    Parameters
    ----------
    size : int
        How many patients.

    Returns
    -------
    Symptoms
    """
    unknown, no = constant(np.nan, size), constant(value=False, size=size, dtype=np.bool_)
    return Symptoms(
        state=constant(_NOT_RATED, size, np.int64),
        latest_us=constant(NEVER, size, np.int64),
        latest_total=unknown,
        improvement=unknown,
        is_response=no,
        is_remission=no,
    )


def _read(readings: list[tuple[SymptomState, Bools]]) -> Ints:
    cases = [(holds, _PLACE[state]) for state, holds in readings]
    return first_that_holds(cases, _PLACE[SymptomState.NON_RESPONSE])


def _remissions(
    ratings: PrimaryRatings, row: Ints, everyone: Ints, from_us: Ints, scale: Ints
) -> tuple[Bools, Ints]:
    """Tell who was in remission before the latest rating, and since when without a break."""
    first = ratings.first_since(everyone, from_us)
    is_well = ratings.total <= _REMISSION[scale[ratings.patients]]
    counted = np.zeros(len(is_well) + 1, dtype=np.int64)
    is_well.cumsum(out=counted[1:])
    at = np.maximum(row, 0)
    before = (row >= 0) & (counted[at] - counted[np.minimum(first, at)] > 0)
    ill = np.arange(len(is_well))
    ill[is_well] = -1
    last_ill = np.maximum.accumulate(ill)
    since = np.maximum(last_ill[at] + 1, first)
    return before, ratings.rated_us[np.minimum(since, len(is_well) - 1)]


@dataclass(frozen=True, slots=True)
class DecisionPoints:
    """The decision points of each patient's latest trial: one row a week, one column a patient."""

    weeks: tuple[int, ...]
    row: Ints  # of the rating; -1: not rated
    reading: Ints  # position in SYMPTOM_STATES


def read_decision_points(
    ratings: PrimaryRatings,
    scale: Ints,
    baseline: Floats,
    trial_start: Ints,
    trial_end: Ints,
    rules: Rules,
) -> DecisionPoints:
    """Read the decision points of one trial per patient.

    By the totals of the scale where it was made for them (QIDS-C16), else by the share of the
    baseline gained: these cut-offs are not carried over to other scales in silence.

    Parameters
    ----------
    ratings : PrimaryRatings
    scale : array of int
        Each patient's scale.
    baseline : array of float
        Total at the start of the trial.
    trial_start, trial_end : array of int
        The trial; ``NEVER`` in both: none.
    rules : Rules
        The weeks and their days.

    Returns
    -------
    DecisionPoints
    """
    size, has = len(scale), trial_start != NEVER
    points = len(rules.decision_days)
    begin = np.where(has, trial_start, 0)
    first = np.concatenate([begin + low * US_PER_DAY for _, low, _ in rules.decision_days])
    last = np.concatenate(
        [
            np.minimum(begin + (high + 1) * US_PER_DAY - 1, np.where(has, trial_end, -1))
            for *_, high in rules.decision_days
        ]
    )
    row = ratings.latest(np.tile(np.arange(size), points), not_after=last, not_before=first)
    row = np.where(np.tile(has, points), row, -1)
    of = np.tile(scale, points)
    total, gained = ratings.totals(row), improvement(ratings, row, np.tile(baseline, points))
    made_for = ~np.isnan(_POINT_REMISSION[of])
    remission = np.where(made_for, total <= _POINT_REMISSION[of], total <= _REMISSION[of])
    readings: list[tuple[SymptomState, Bools]] = [
        (SymptomState.NOT_RATED, row < 0),
        (SymptomState.REMISSION, remission),
        (SymptomState.PARTIAL_RESPONSE, made_for & (total <= _POINT_PARTIAL[of])),
        (SymptomState.NON_RESPONSE, made_for),
        (SymptomState.NOT_COMPARABLE, np.isnan(gained)),
        (SymptomState.RESPONSE, gained >= _RESPONSE[of]),
        (SymptomState.PARTIAL_RESPONSE, gained >= _PARTIAL[of]),
    ]
    reading = _read(readings)
    return DecisionPoints(
        weeks=tuple(week for week, *_ in rules.decision_days),
        row=row.reshape(points, size),
        reading=reading.reshape(points, size),
    )
