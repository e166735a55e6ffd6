"""Draws beyond the limit of quantification: what "< 0.8" says of a line.

A censored result bounds the level and says no more. By expectation propagation each becomes the
Gaussian with the same moments (Minka 2001, UAI 17:362; Rasmussen & Williams 2006, section 3.6),
so that all that follows stays in sums. Nothing is put in the place of the missing value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.special import log_ndtr

from analytics.tables import Bools, Floats, Ints
from analytics.trajectories import Growth, Lines, Sums, at_week, fit_lines, sum_rows

MOST_SWEEPS = 200
FULL_SWEEPS = 12
SETTLED_BELOW = 1e-11
# Far beyond the limit the sites are differences of large numbers, and move by what is rounded away
STILL_BELOW = 1e-6
FARTHEST_SD = 60.0


class LimitsDidNotSettle(ArithmeticError):
    """The approximation of censored draws still moved after the last sweep."""


@dataclass(frozen=True, slots=True)
class Stand:
    """What stands in for censored rows: a value and the weight it has, in residual variances."""

    value: Floats
    weight: Floats


def lie_too_far(track: Ints, weeks: Floats, limit: Floats, growth: Growth) -> Bools:
    """Tell which limits no concentration can lie beyond, and nothing can be reckoned with.

    The approximation settles up to 80 standard deviations of the population from its line; at 60
    sIL-6R is a thousand million times the usual. One such row must not stop a whole cohort.

    Parameters
    ----------
    track, weeks, limit : array
        As for :func:`stand_in`.
    growth : Growth
        The population's law of all tracks.

    Returns
    -------
    array of bool
    """
    d00, d01, d11, residual = (column[track] for column in growth[2:])
    variance = d00 + weeks * (2 * d01 + weeks * d11) + residual
    is_far: Bools = np.abs(limit) > FARTHEST_SD * np.sqrt(variance)
    return is_far


Together = Callable[[Sums, Lines], Lines]


def stand_in(
    track: Ints,
    weeks: Floats,
    limit: Floats,
    is_above: Bools,
    *,
    exact: Sums,
    growth: Growth,
    party: Ints | None = None,
    together: Together | None = None,
) -> Stand:
    """Find what stands in for the censored rows.

    The likelihood of "below the limit" is Phi((limit - line)/s); its site is moved until
    cavity times site has the moments of cavity times likelihood, all rows of a track at
    once. A track that has settled is left alone, so that its numbers do not depend on others.

    Parameters
    ----------
    track, weeks : array
        Track and time of each censored row.
    limit : array of float
        ln limit less the population's line.
    is_above : array of bool
        True for ">", False for "<".
    exact : Sums
        Sums of the exact rows of all tracks.
    growth : Growth
        The population's law of all tracks.
    party : array of int, optional
        Which tracks settle together; by default each by itself.
    together : callable, optional
        Takes the sums of all tracks and the lines of each by itself; gives the lines by what
        tracks of one party have in common.

    Returns
    -------
    Stand

    Raises
    ------
    LimitsDidNotSettle
        Some track still moved after the last sweep.
    """
    law, party = _centred(growth), np.arange(len(exact.n)) if party is None else party
    if together is None:
        # Only the tracks with a censored row are worked on.
        tracks, track = np.unique(track, return_inverse=True)
        exact, law, party = _take(exact, tracks), _take(law, tracks), party[tracks]
    size, noise, own = len(exact.n), law.residual[track], party[track]
    sign = np.where(is_above, -1.0, 1.0)
    precision, shift = np.zeros(len(track)), np.zeros(len(track))
    active = np.ones(int(party.max(initial=-1)) + 1, dtype=np.bool_)
    for sweep in range(MOST_SWEEPS):
        sums = exact + _sites(track, weeks, precision, shift, noise, size)
        lines = fit_lines(sums, law)
        if together is not None:
            lines = together(sums, lines)
        mean, sd = at_week(_take(lines, track), weeks)
        new_precision, new_shift = _match(mean, sd**2, precision, shift, sign, limit, noise)
        pace = 1.0 if sweep < FULL_SWEEPS else 0.5  # slower where the sites answer each other
        new_precision = precision + pace * (new_precision - precision)
        new_shift = shift + pace * (new_shift - shift)
        moved = np.abs(new_precision - precision) / (1 + precision)
        moved = np.maximum(moved, np.abs(new_shift - shift) / (1 + np.abs(shift)))
        rows = active[own]
        precision = np.where(rows, new_precision, precision)
        shift = np.where(rows, new_shift, shift)
        worst = np.zeros(len(active))
        np.maximum.at(worst, own, np.where(rows, moved, 0.0))
        active &= worst > SETTLED_BELOW
        if not active.any():
            return Stand(value=shift / precision, weight=precision * noise)
    if worst.max() < STILL_BELOW:
        return Stand(value=shift / precision, weight=precision * noise)
    raise LimitsDidNotSettle(f"{int(active.sum())} tracks after {MOST_SWEEPS} sweeps")


def _match(
    mean: Floats,
    variance: Floats,
    precision: Floats,
    shift: Floats,
    sign: Floats,
    limit: Floats,
    noise: Floats,
) -> tuple[Floats, Floats]:
    """Give the site whose product with the cavity has the right mean and variance."""
    left = 1 - precision * variance
    v, m = variance / left, (mean - variance * shift) / left
    total = noise + v
    z = sign * (limit - m) / np.sqrt(total)
    hazard = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_ndtr(z))
    slope = -sign * hazard / np.sqrt(total)
    curvature = np.maximum(hazard * (hazard + z) / total, 1e-12 / total)
    rest = 1 - v * curvature
    return curvature / rest, (slope + m * curvature) / rest


def _sites(
    of: Ints, weeks: Floats, precision: Floats, shift: Floats, noise: Floats, size: int
) -> Sums:
    weight = precision * noise
    value = np.divide(shift, precision, out=np.zeros_like(shift), where=precision > 0)
    return sum_rows(of, weeks, value, n_tracks=size, weight=weight)


AnyColumns = TypeVar("AnyColumns", Sums, Growth, Lines)


def _centred(growth: Growth) -> Growth:
    """Give the law of what is left when the population's line is taken away."""
    none = np.zeros(len(growth.mean0))
    return Growth(none, none, growth.d00, growth.d01, growth.d11, growth.residual)


def _take(columns: AnyColumns, places: Ints) -> AnyColumns:
    return type(columns)(*(column[places] for column in columns))
