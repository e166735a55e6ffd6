"""Whether a change is real: reference change values, widened for repeated looks."""

from dataclasses import dataclass
from functools import cache
from math import erf, exp, log, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from analytics.scalars import is_real, is_whole
from analytics.tables import Floats

Z95 = 1.959963984540054
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
MOST_LOOKS = 60
FARTHEST_LOOK = 10**9
MOST_CV = 1.5  # no analyte varies more; a larger figure is a percentage
LEAST_ALPHA, MOST_ALPHA = 1e-9, 0.5
MOST_Z = 40.0  # no rate of false alarms is so low that a number could hold it
SET_POINT_DRAWS = 4


class ChangeIsUnfit(ValueError):
    """A figure from which no limit of change can be made; says which, and what would be right."""


@dataclass(frozen=True, slots=True)
class ReferenceChange:
    """The relative changes beyond which two results really differ."""

    low: float
    high: float


def log_variance(*, within_cv: float, assay_cv: float) -> float:
    """Give the variance of ln concentration of one draw about the person's own level.

    sigma^2 = ln(1 + CV_A^2 + CV_I^2) (Fokkema 2006, Clin Chem 52:1602).

    Parameters
    ----------
    within_cv, assay_cv : float
        Coefficients of variation, 0.15 for 15 %.

    Returns
    -------
    float

    Raises
    ------
    ChangeIsUnfit
        A variation that is no fraction.
    """
    _refuse_no_variation(within_cv=within_cv, assay_cv=assay_cv)
    return log(1 + within_cv**2 + assay_cv**2)


def _refuse_no_variation(**cvs: float) -> None:
    for name, value in cvs.items():
        if not is_real(value) or not 0 <= value <= MOST_CV:
            raise ChangeIsUnfit(
                f"{name}: {value}; wanted: a fraction from 0 to {MOST_CV}, 0.15 for 15 %"
            )


def _refuse_no_limit(*, z: float, draws_before: int) -> None:
    if not is_real(z) or not 0 <= z <= MOST_Z:
        raise ChangeIsUnfit(f"z: {z}; wanted: a normal quantile from 0 to {MOST_Z}, 1.96 for 95 %")
    if not is_whole(draws_before, least=1):
        raise ChangeIsUnfit(f"draws_before: {draws_before}; wanted: at least 1 draw, whole")


def _refuse_no_looks(looks: int) -> None:
    if not is_whole(looks, least=0) or looks > FARTHEST_LOOK:
        said = f"over {FARTHEST_LOOK}" if is_whole(looks, least=0) else looks
        raise ChangeIsUnfit(
            f"looks: {said}; wanted: how many later results, whole, at least 0 and at most "
            f"{FARTHEST_LOOK}"
        )


def reference_change(
    *, within_cv: float, assay_cv: float, z: float = Z95, draws_before: int = 1
) -> ReferenceChange:
    """Give the log-normal reference change value.

    exp(+-z sqrt(1 + 1/k) sigma) - 1, k results in the set-point (Fokkema 2006).

    Parameters
    ----------
    within_cv, assay_cv : float
        Coefficients of variation.
    z : float
        Normal quantile: 1.96 two-sided and 1.645 one-sided for 95 %, more for repeated looks
        (:func:`widened_z`).
    draws_before : int
        How many earlier draws are averaged into the set-point.

    Returns
    -------
    ReferenceChange
        For example -0.366 and +0.577 for CV_I 15 %, CV_A 7 %.

    Raises
    ------
    ChangeIsUnfit
        A variation that is no fraction, a negative quantile, or no draw.
    """
    _refuse_no_limit(z=z, draws_before=draws_before)
    reach = z * sqrt((1 + 1 / draws_before) * log_variance(within_cv=within_cv, assay_cv=assay_cv))
    return ReferenceChange(low=exp(-reach) - 1, high=exp(reach) - 1)


def symmetric_reference_change(
    *, within_cv: float, assay_cv: float, z: float = Z95, draws_before: int = 1
) -> ReferenceChange:
    """Give the symmetric reference change value of Harris and Yasaka.

    +-z sqrt(1 + 1/k) sqrt(CV_A^2 + CV_I^2), for markers that are not skewed.

    Parameters
    ----------
    within_cv, assay_cv, z, draws_before
        As in :func:`reference_change`.

    Returns
    -------
    ReferenceChange

    Raises
    ------
    ChangeIsUnfit
        As in :func:`reference_change`.

    Notes
    -----
    Source: Harris and Yasaka 1983, Clin Chem 29:25.
    """
    _refuse_no_limit(z=z, draws_before=draws_before)
    _refuse_no_variation(within_cv=within_cv, assay_cv=assay_cv)
    reach = z * sqrt((1 + 1 / draws_before) * (within_cv**2 + assay_cv**2))
    return ReferenceChange(low=-reach, high=reach)


def false_alarm_rate(*, z: float, looks: int, draws_before: int = 1) -> float:
    """Give the chance that any of several steady results seems changed.

    Each of ``looks`` later results is compared with one set-point; the comparisons
    share it, so their correlation is 1/(k+1): P = 1 - E[(Phi(b+) - Phi(b-))^looks] over
    the set-point (Dunnett 1955, JASA 50:1096).

    Parameters
    ----------
    z : float
        The limit in standard deviations of one comparison.
    looks : int
        How many later results are compared.
    draws_before : int
        How many draws make the set-point.

    Returns
    -------
    float
        5 % for one look at z = 1.96, 23 % for seven.

    Raises
    ------
    ChangeIsUnfit
        A negative quantile, no draw, or a number of looks that is none.
    """
    _refuse_no_limit(z=z, draws_before=draws_before)
    _refuse_no_looks(looks)
    reach = z * sqrt(1 + 1 / draws_before)
    centre = _NODES / sqrt(draws_before)
    inside = ndtr(centre + reach) - ndtr(centre - reach)
    return float(1 - np.dot(_WEIGHTS, inside**looks))


def widened_z(*, looks: int, draws_before: int = 1, alpha: float = 0.05) -> float:
    """Give the limit that keeps the false alarms of several looks at a rate.

    Parameters
    ----------
    looks : int
        How many results are compared with the set-point.
    draws_before : int
        How many draws make the set-point.
    alpha : float
        The rate to keep, over all looks together.

    Returns
    -------
    float
        1.96 for one look, 2.21 for two, at 5 %.

    Raises
    ------
    ChangeIsUnfit
        A rate that no limit keeps, or no whole number of looks or draws.
    """
    _refuse_no_rate(alpha)
    _refuse_no_looks(looks)
    if not is_whole(draws_before, least=1):
        raise ChangeIsUnfit(f"draws_before: {draws_before}; wanted: at least 1 draw, whole")
    return _widened(int(looks), int(draws_before), float(alpha))


def _refuse_no_rate(alpha: float) -> None:
    if not is_real(alpha) or not LEAST_ALPHA <= alpha <= MOST_ALPHA:
        raise ChangeIsUnfit(f"alpha: {alpha}; wanted: a rate from {LEAST_ALPHA} to {MOST_ALPHA}")


@cache
def _widened(looks: int, draws_before: int, alpha: float) -> float:
    if looks <= 1:
        return _normal_limit(alpha)
    found = brentq(
        lambda z: false_alarm_rate(z=z, looks=looks, draws_before=draws_before) - alpha, 0.5, 9.0
    )
    return float(found)


def _normal_limit(alpha: float) -> float:
    return float(brentq(lambda z: 1 - erf(z / sqrt(2)) - alpha, 0.0, 9.0, xtol=1e-14))


@cache
def widened_table(*, planned_looks: int, alpha: float) -> Floats:
    """Tabulate :func:`widened_z` by set-point draws (rows, from 1) and looks (columns, from 0).

    Up to ``planned_looks`` the limit is that of all planned looks, so that looking
    after each of them keeps the rate over the whole course.

    Parameters
    ----------
    planned_looks : int
        How many comparisons a course of therapy is expected to bring.
    alpha : float
        The rate to keep over them.

    Returns
    -------
    array of float
        Shape (SET_POINT_DRAWS, MOST_LOOKS + 1).
    """
    table = np.empty((SET_POINT_DRAWS, MOST_LOOKS + 1))
    for before in range(1, SET_POINT_DRAWS + 1):
        for looks in range(MOST_LOOKS + 1):
            table[before - 1, looks] = widened_z(
                looks=max(looks, planned_looks), draws_before=before, alpha=alpha
            )
    table.flags.writeable = False
    return table
