"""Looking again and again at what grows more certain: a limit that keeps its false alarms.

The log-odds of a marker, standardised, are at every look normal with variance 1 where the marker
means nothing, and correlated over the looks as a sum of independent steps is (Jennison and Turnbull
2000, Group Sequential Methods, chapter 2): each draw adds to what the earlier ones said.
"""

from functools import cache
from math import inf, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from analytics.changes import LEAST_ALPHA, MOST_ALPHA, MOST_LOOKS, ChangeIsUnfit
from analytics.elementwise import root, where
from analytics.scalars import is_real, is_whole
from analytics.tables import Floats

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(120)
_FARTHEST = 9.0  # standard deviations below which nothing is left to count


def sequential_limit(*, looks: int, alpha: float) -> float:
    """Give the one limit for all looks that a sum of equal steps passes once, at most so often.

    One-sided, after Pocock (1977, Biometrika 64:191), by recursive integration (Armitage, McPherson
    and Rowe 1969, J R Stat Soc A 132:235). Steps that become smaller pass it less often.

    Parameters
    ----------
    looks : int
        How many looks are planned.
    alpha : float
        Share of courses that may pass the limit at any of them by chance.

    Returns
    -------
    float
        In standard deviations at each look: 1.96 for one look, 2.18 for two, at 2.5 %.

    Raises
    ------
    ChangeIsUnfit
        A rate that no limit keeps, or no whole number of looks.
    """
    if not is_whole(looks, least=1) or looks > MOST_LOOKS:
        raise ChangeIsUnfit(f"looks: {looks}; wanted: how many, whole, from 1 to {MOST_LOOKS}")
    if not is_real(alpha) or not LEAST_ALPHA <= alpha <= MOST_ALPHA:
        raise ChangeIsUnfit(f"alpha: {alpha}; wanted: a rate from {LEAST_ALPHA} to {MOST_ALPHA}")
    return _limit(int(looks), float(alpha))


def among_all(share: float, value: Floats, information: Floats) -> tuple[Floats]:
    """Give how many standard deviations a sum stands out among the sums of all patients.

    Whatever the marker means: the population's own law is known, and of it (value + (1/2 - share)
    i) / sqrt(i + share (1 - share) i^2), i the information, is the standardised sum.

    Parameters
    ----------
    share : float
        Of the resistant in the population.
    value, information : float or array of float
        Of :class:`analytics.weighing.LogOdds`.

    Returns
    -------
    tuple of one float or array of float
        Infinite where no information is told.
    """
    is_told = information > 0
    known = where(is_told, information, 1.0)
    spread = root(known + share * (1 - share) * known * known)
    return (where(is_told, (value + (0.5 - share) * known) / spread, inf),)


@cache
def _limit(looks: int, alpha: float) -> float:
    return float(brentq(lambda z: _passes(z, looks) - alpha, -1.0, 8.0))


def _passes(limit: float, looks: int) -> float:
    """Give the chance that a sum of standard normal steps passes limit * sqrt(k) at any step k."""
    at, density = _grid(limit, 1)
    held = density * np.exp(-0.5 * at * at) / sqrt(2 * np.pi)
    for look in range(2, looks + 1):
        following, weights = _grid(limit, look)
        step = following[:, np.newaxis] - at
        at, held = following, weights * (np.exp(-0.5 * step * step) @ held) / sqrt(2 * np.pi)
    if looks == 1:
        return float(ndtr(-limit))
    return float(1 - held.sum())


def _grid(limit: float, look: int) -> tuple[Floats, Floats]:
    """Give places below the limit of a look, and the weight of each in an integral."""
    low, high = -_FARTHEST * sqrt(look), limit * sqrt(look)
    half = (high - low) / 2
    return low + half * (_NODES + 1), half * _WEIGHTS
