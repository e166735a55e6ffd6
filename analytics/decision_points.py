"""The critical decision points of a trial, and how the rating of each reads."""

from dataclasses import dataclass

import numpy as np

from analytics.columns import US_PER_DAY, through_day
from analytics.definitions import Rules, SymptomState
from analytics.ratings import KNOWN, PrimaryRatings
from analytics.symptoms import (
    PARTIAL_SHARE,
    figures,
    first_reading,
    improvement,
    is_remission,
    is_response,
)
from analytics.tables import NEVER, Bools, Floats, Ints

_POINT = [scale.decision_point for scale in KNOWN]
_POINT_REMISSION = figures([p.remission_at_most if p else np.nan for p in _POINT], np.nan)
_POINT_PARTIAL = figures([p.partial_at_most if p else np.nan for p in _POINT], np.nan)


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
            np.minimum(through_day(begin, high), np.where(has, trial_end, -1))
            for *_, high in rules.decision_days
        ]
    )
    row = ratings.latest(np.tile(np.arange(size), points), not_after=last, not_before=first)
    row = np.where(np.tile(has, points), row, -1)
    of = np.tile(scale, points)
    total, gained = ratings.totals(row), improvement(ratings, row, np.tile(baseline, points))
    made_for = ~np.isnan(_POINT_REMISSION[of])
    remission = np.where(made_for, total <= _POINT_REMISSION[of], is_remission(total, of))
    readings: list[tuple[SymptomState, Bools]] = [
        (SymptomState.NOT_RATED, row < 0),
        (SymptomState.REMISSION, remission),
        (SymptomState.PARTIAL_RESPONSE, made_for & (total <= _POINT_PARTIAL[of])),
        (SymptomState.NON_RESPONSE, made_for),
        (SymptomState.NOT_COMPARABLE, np.isnan(gained)),
        (SymptomState.RESPONSE, is_response(gained, of)),
        (SymptomState.PARTIAL_RESPONSE, gained >= PARTIAL_SHARE[of]),
    ]
    reading = first_reading(readings)
    return DecisionPoints(
        weeks=tuple(week for week, *_ in rules.decision_days),
        row=row.reshape(points, size),
        reading=reading.reshape(points, size),
    )
