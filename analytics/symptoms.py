"""What the ratings say: response, remission, recovery, relapse, and the decision points."""

from typing import NamedTuple

import numpy as np

from analytics.columns import US_PER_DAY, days_between_visits, first_that_holds
from analytics.definitions import SYMPTOM_STATES, Failure, Rules, SymptomState
from analytics.ratings import KNOWN, UNKNOWN, PrimaryRatings, scales_of
from analytics.ready import constant, ready_for_few
from analytics.tables import NEVER, Bools, Floats, Ints, column_of

ROUNDING = 1e-9
_PLACE = {state: place for place, state in enumerate(SYMPTOM_STATES)}
_NOT_RATED = _PLACE[SymptomState.NOT_RATED]
_HALF, _QUARTER = 0.5, 0.25


def figures(values: list[float], unknown: float) -> Floats:
    """Give a figure of every scale, in the order of :data:`analytics.ratings.KNOWN`.

    Parameters
    ----------
    values : list of float
        Of the declared scales.
    unknown : float
        Of one that is not declared.

    Returns
    -------
    array of float
    """
    return np.array([*values, unknown], dtype=np.float64)


# By scale, as in ratings.KNOWN; the last entry is for a scale that is not declared, which has no
# remission and no relapse
_REMISSION = figures([scale.remission_at_most for scale in KNOWN], -1)
_RELAPSE = figures([scale.relapse_at_least for scale in KNOWN], np.inf)
_RESPONSE = figures([scale.response_share for scale in KNOWN], _HALF)
PARTIAL_SHARE = figures([scale.partial_share for scale in KNOWN], _QUARTER)
# From here on a scale speaks of an episode: moderate, or a relapse where that is less
_ILL = figures([scale.ill_at_least for scale in KNOWN], -np.inf)
_SMALLEST_CHANGE = figures([scale.smallest_change or np.nan for scale in KNOWN], np.nan)
_RANGE = figures([scale.highest_total for scale in KNOWN], np.nan)
_RELIABLE = 1.96 / 2**0.5  # of two standard errors, to be a reliable change between two ratings


class Symptoms(NamedTuple):
    """What each patient's latest rating of the episode says; -1 and NaN mean not known."""

    state: Ints  # position in SYMPTOM_STATES
    latest_us: Ints
    latest_total: Floats
    improvement: Floats  # share of the baseline gained; below zero is worse
    is_response: Bools
    is_remission: Bools  # recovery is remission too
    is_steadily_well: Bools  # either, for the days of the rules or by a fall beyond noise
    has_relapsed: Bools  # at the latest rating or before it, and is not in remission since


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


def is_remission(total: Floats, scale: Ints) -> Bools:
    """Tell which totals are remission; of a NaN, and of a scale that is not declared, none is.

    Parameters
    ----------
    total : array of float
    scale : array of int
        Position in :data:`analytics.ratings.KNOWN`.

    Returns
    -------
    array of bool
    """
    return np.asarray(total <= _REMISSION[scale])


def is_ill(total: Floats, scale: Ints) -> Bools:
    """Tell which totals speak of an episode: moderate by the scale, or enough for a relapse.

    Parameters
    ----------
    total : array of float
    scale : array of int
        Position in :data:`analytics.ratings.KNOWN`.

    Returns
    -------
    array of bool
        Any total of a scale that is not declared; of a NaN none.
    """
    return np.asarray(total >= _ILL[scale])


def is_response(gained: Floats, scale: Ints) -> Bools:
    """Tell which shares of the baseline gained are response.

    Parameters
    ----------
    gained : array of float
    scale : array of int
        Position in :data:`analytics.ratings.KNOWN`.

    Returns
    -------
    array of bool
    """
    return np.asarray(gained >= _RESPONSE[scale])


def is_beyond_noise(fall: Floats, scale: Ints, rules: Rules) -> Bools:
    """Tell which falls of a total are more than two ratings differ by chance.

    That is 1.96 times the root of two of the standard error (Jacobson and Truax 1991); the smallest
    change that matters is two of them.

    Parameters
    ----------
    fall : array of float
        In points of the scale.
    scale : array of int
        Position in :data:`analytics.ratings.KNOWN`.
    rules : Rules
        The noise of scales that do not declare the smallest change that matters.

    Returns
    -------
    array of bool
        False for a scale that is not declared: of its noise nothing is known.
    """
    by_range = rules.noise_share_of_range * _RANGE[scale]
    declared = _SMALLEST_CHANGE[scale]
    two_errors = np.where(np.isnan(declared), by_range, declared)
    return np.asarray(fall >= _RELIABLE * two_errors)


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
    return np.asarray(
        (gained < rules.failure_improvement) & ~(is_remission(total, scale) & rules.spares_the_well)
    )


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
    remission, response = is_remission(total, scale), is_response(gained, scale)
    in_remission = is_remission(ratings.total, scale[ratings.patients])
    first = ratings.first_since(everyone, from_us)
    was_well, _, remitted_since = _unbroken(ratings, row, first, in_remission)
    rated = ratings.times(row)
    weeks_well = days_between_visits(rated - remitted_since) / 7  # of those in remission
    relapse = (total >= _RELAPSE[scale]) & was_well
    state = first_reading(
        [
            (SymptomState.NOT_RATED, row < 0),
            (SymptomState.RELAPSE, relapse),
            (SymptomState.RECOVERY, remission & (weeks_well >= rules.recovery_weeks)),
            (SymptomState.REMISSION, remission),
            (SymptomState.NOT_COMPARABLE, np.isnan(baseline)),
            (SymptomState.RESPONSE, response),
            (SymptomState.PARTIAL_RESPONSE, gained >= PARTIAL_SHARE[scale]),
        ]
    )
    steadily = _is_steady(ratings, row, first, (scale, baseline), rules)
    return Symptoms(
        state=state,
        latest_us=rated,
        latest_total=total,
        improvement=gained,
        is_response=response & ~relapse,
        is_remission=remission,
        is_steadily_well=steadily & (remission | response) & ~relapse,
        has_relapsed=_has_relapsed(ratings, row, first, in_remission, scale),
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
        is_steadily_well=no,
        has_relapsed=no,
    )


def _has_relapsed(
    ratings: PrimaryRatings, row: Ints, first: Ints, in_remission: Bools, scale: Ints
) -> Bools:
    """Tell of whom a rating since the last remission was a relapse."""
    _, remission_row, _ = _unbroken(ratings, row, first, ~in_remission)
    was_well = (remission_row >= 0) & (row > remission_row)
    ill = np.zeros(len(ratings.total) + 1, dtype=np.int64)
    (ratings.total >= _RELAPSE[scale[ratings.patients]]).cumsum(out=ill[1:])
    return np.asarray(was_well & (ill[np.maximum(row, 0) + 1] > ill[remission_row + 1]))


def first_reading(readings: list[tuple[SymptomState, Bools]]) -> Ints:
    """Give the first state that holds, non-response where none does.

    Parameters
    ----------
    readings : list of (SymptomState, array of bool)
        States, the first to win first, and of whom each holds.

    Returns
    -------
    array of int
        Positions in SYMPTOM_STATES.
    """
    cases = [(holds, _PLACE[state]) for state, holds in readings]
    return first_that_holds(cases, _PLACE[SymptomState.NON_RESPONSE])


def _is_steady(
    ratings: PrimaryRatings,
    row: Ints,
    first: Ints,
    of: tuple[Ints, Floats],
    rules: Rules,
) -> Bools:
    """Tell who of those who are well has been so for days, or after a fall beyond noise."""
    (scale, baseline), patients = of, ratings.patients
    share = 1 - ratings.total / baseline[patients] + ROUNDING
    well = is_remission(ratings.total, scale[patients]) | is_response(share, scale[patients])
    _, ill_row, since = _unbroken(ratings, row, first, well)
    before = np.where(ill_row < 0, baseline, ratings.totals(ill_row))
    lasts = days_between_visits(ratings.times(row) - since) >= rules.clear_days
    return np.asarray(lasts | is_beyond_noise(before - ratings.totals(row), scale, rules))


def _unbroken(
    ratings: PrimaryRatings, row: Ints, first: Ints, holds: Bools
) -> tuple[Bools, Ints, Ints]:
    """Tell of whom it held of a rating before the latest, and since when it holds unbroken.

    In between the row of the last rating of which it did not hold; -1: none.
    """
    counted = np.zeros(len(holds) + 1, dtype=np.int64)
    holds.cumsum(out=counted[1:])
    at = np.maximum(row, 0)
    before = (row >= 0) & (counted[at] - counted[np.minimum(first, at)] > 0)
    broken = np.arange(len(holds))
    broken[holds] = -1
    last_broken = np.maximum.accumulate(broken)
    since = np.maximum(last_broken[at] + 1, first)
    broken_row = np.where(last_broken[at] < first, -1, last_broken[at])
    return before, broken_row, ratings.rated_us[np.minimum(since, len(holds) - 1)]
