"""Weighs the statistics that training works on by the arithmetic of the front door.

What is recalibrated must be what is shown: both go through :mod:`analytics.weighing`.
"""

import numpy as np

from analytics.fitting.censoring import CensoredDraws, padded, propagate
from analytics.fitting.posterior import origin_shift
from analytics.fitting.sufficient import Floats, SufficientStatistics
from analytics.releases.law import Law
from analytics.trajectories import Sums
from analytics.weighing import Draws, LogOdds, RampSums
from analytics.weighing_apart import weigh_by_law


def weigh_statistics(
    statistics: SufficientStatistics, censored: CensoredDraws | None, *, law: Law, mean: Floats
) -> LogOdds:
    """Weigh every patient's draws.

    Parameters
    ----------
    statistics : SufficientStatistics
        Exact draws of N patients and K markers, none later than the contrast grows.
    censored : CensoredDraws or None
        Draws beyond the limit of quantification; the Gaussian that expectation propagation finds in
        the population of both groups stands in for each, as in the front door.
    law : Law
        Of these markers.
    mean : ndarray, shape (2K,)
        The population's line.

    Returns
    -------
    LogOdds
        Zero for a patient without a draw.
    """
    exact = [_sums_of(statistics, k, mean) for k in range(len(statistics.markers))]
    beyond = None
    if censored is not None and len(censored):
        beyond = _stand_ins(statistics, censored, law, mean)
    draws = []
    for k, sums in enumerate(exact):
        if beyond is None:
            draws.append(Draws(sums, _straight(sums)))
        elif law.groups is None:
            both = sums + beyond[k]
            draws.append(Draws(both, _straight(both)))
        else:
            draws.append(Draws(sums, _straight(sums), 0.0, (beyond[k], _straight(beyond[k]))))
    return weigh_by_law(draws, law).log_odds


def _straight(sums: Sums) -> RampSums:
    """Give the ramp's sums up to the week at which it ends: there h = t."""
    return RampSums(sums.t, sums.tt, sums.tt, sums.ty)


def _sums_of(s: SufficientStatistics, k: int, mean: Floats) -> Sums:
    """Take the population's line from a marker's sums, and count from week 0 again."""
    start, slope = mean[2 * k], mean[2 * k + 1]
    n, x, xx, y, xy, yy = (of[:, k] for of in (s.n, s.t, s.tt, s.y, s.ty, s.yy))
    w, a = s.week_origin, start + slope * s.week_origin - s.level_origin[k]
    r, xr = y - a * n - slope * x, xy - a * x - slope * xx
    rr = yy - 2 * (a * y + slope * xy) + a * a * n + 2 * a * slope * x + slope * slope * xx
    return Sums(n, x + w * n, xx + 2 * w * x + w * w * n, r, xr + w * r, rr)


def _stand_ins(
    statistics: SufficientStatistics, censored: CensoredDraws, law: Law, mean: Floats
) -> list[Sums]:
    """Sum what stands in for the censored draws of each marker."""
    rows = np.unique(censored.patient)
    part = statistics.take(rows)
    draws = padded(censored.of_patients(rows), part)
    shift, level = origin_shift(part)
    delta, noise = np.array(law.delta), np.array(law.residual)
    D = np.array(law.between) + np.array(law.mean_covariance)
    D = D + law.share * (1 - law.share) * np.outer(delta, delta)
    line = np.broadcast_to(shift @ mean - level, (len(rows), len(mean)))
    near = propagate(part, draws, beta=line, D=shift @ D @ shift.T, s2=noise)
    found = []
    for k, s2 in enumerate(noise):
        own = (draws.marker == k) & (draws.sign != 0)
        weight, pull = np.where(own, near.precision, 0.0) * s2, np.where(own, near.shift, 0.0) * s2
        weeks = draws.z[:, :, 2 * k + 1] + statistics.week_origin
        value = np.divide(pull, weight, out=np.zeros_like(pull), where=weight > 0)
        terms = weight, weight * weeks, weight * weeks**2, pull, pull * weeks, pull * value
        sums = np.zeros((len(terms), len(statistics)))
        sums[:, rows] = [term.sum(axis=1) for term in terms]
        found.append(Sums(*sums))
    return found
