"""A person's line when it is not known to which group they belong: two normal laws, weighted.

Means, intervals and the probability of a rise are those of the mixture of the line that a
resistant and the line that a remitting patient with these results would have.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Self

import numpy as np
from scipy import special

from analytics.elementwise import entry_by_entry, exp, larger, ndtr, root, smaller, where
from analytics.tables import Floats
from analytics.trajectories import Z95, Lines

MOST_STEPS = 200
SETTLED_BELOW = 1e-6  # of a standard deviation; the error left by Halley's step is its cube
_ROOT = 0.3989422804014327  # 1 / sqrt(2 pi)
_LEAST = 1e-300


class StraightLine(NamedTuple):
    """Level at week 0 and slopes per week before and after the bend, ln units."""

    level: Floats
    slope: Floats
    after: Floats

    def at(self, weeks: Floats, bend_weeks: float) -> Floats:
        """Give the level at a week."""
        late = larger(weeks - bend_weeks, 0.0)
        return self.level + self.slope * (weeks - late) + self.after * late

    def slope_at(self, weeks: Floats, bend_weeks: float) -> Floats:
        """Give the slope from a week on."""
        slope: Floats = where(weeks < bend_weeks, self.slope, self.after)
        return slope


class MixedLines(NamedTuple):
    """The lines found, one entry per track.

    ``share`` is the probability of the resistant line; a marker that tells the groups not apart
    has one line, twice. (v00, v01, v11) is the covariance of level and slope about either.
    """

    share: Floats
    resistant: StraightLine
    remitting: StraightLine
    v00: Floats
    v01: Floats
    v11: Floats
    residual: Floats
    bend_weeks: float

    @classmethod
    def single(cls, lines: Lines, bend_weeks: float) -> Self:
        """Take lines that do not depend on the group."""
        line = StraightLine(lines.mean0, lines.mean1, lines.mean1)
        none = np.zeros(len(lines.mean0))
        return cls(none, line, line, lines.v00, lines.v01, lines.v11, lines.residual, bend_weeks)


class Standing(NamedTuple):
    """Where every track stands at a moment, ln units; slopes per week, ``rising`` a probability."""

    level: Floats
    level_low: Floats
    level_high: Floats
    slope: Floats
    slope_low: Floats
    slope_high: Floats
    rising: Floats


def stand(lines: MixedLines, weeks: Floats) -> Standing:
    """Give level and slope at a week with their 95 % intervals.

    Parameters
    ----------
    lines : MixedLines
        The lines.
    weeks : array of float
        One week per track.

    Returns
    -------
    Standing
        The slope is that from the week on; its probability to be above zero is
        sum of p_g Phi(m_g / sd).
    """
    return Standing(
        *entry_by_entry(
            partial(standing, lines.bend_weeks),
            weeks,
            lines.share,
            *lines.resistant,
            *lines.remitting,
            *(lines.v00, lines.v01, lines.v11),
        )
    )


def standing(
    bend: float, weeks: Floats, share: Floats, *rest: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats]:
    """Give the fields of :class:`Standing`, of floats or arrays."""
    lines, (v00, v01, v11) = (StraightLine(*rest[:3]), StraightLine(*rest[3:6])), rest[6:]
    levels = lines[0].at(weeks, bend), lines[1].at(weeks, bend)
    slopes = lines[0].slope_at(weeks, bend), lines[1].slope_at(weeks, bend)
    level_sd = root(larger(v00 + weeks * (2 * v01 + weeks * v11), _LEAST))
    slope_sd = root(larger(v11, _LEAST))
    rising = share * ndtr(slopes[0] / slope_sd) + (1 - share) * ndtr(slopes[1] / slope_sd)
    level = share * levels[0] + (1 - share) * levels[1]
    slope = share * slopes[0] + (1 - share) * slopes[1]
    of_level, of_slope = interval(share, *levels, level_sd), interval(share, *slopes, slope_sd)
    return level, *of_level, slope, *of_slope, rising


def interval(share: Floats, one: Floats, other: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """Give the 2.5 % and 97.5 % quantiles of share N(one, sd^2) + (1 - share) N(other, sd^2).

    Parameters
    ----------
    share, one, other, sd : float or array of float
        Weight of the first law, both means, and the standard deviation of both.

    Returns
    -------
    low, high : float or array of float
    """
    low, high = other - Z95 * sd, other + Z95 * sd
    is_mixed = (one != other) & (share > 0)
    if not isinstance(is_mixed, np.ndarray):
        if not is_mixed:
            return low, high
        return _quantile(share, one, other, sd, -Z95), _quantile(share, one, other, sd, Z95)
    [mixed] = is_mixed.nonzero()
    parts = share[mixed], one[mixed], other[mixed], sd[mixed]
    low[mixed], high[mixed] = _quantiles(*parts, -Z95), _quantiles(*parts, Z95)
    return low, high


def _quantiles(share: Floats, one: Floats, other: Floats, sd: Floats, z: float) -> Floats:
    """Find the quantile of each mixture; what has settled is left alone."""
    bounds = _bounds(share, one, other, sd, z)
    found, active, wanted = bounds[2], np.arange(len(share)), float(special.ndtr(z))
    for _ in range(MOST_STEPS):
        p, m1, m2, s, low, high, x = (of[active] for of in (share, one, other, sd, *bounds))
        low, high, after = _nearer(p, m1, m2, s, low, high, x, wanted)
        bounds[0][active], bounds[1][active] = low, high
        moved = np.abs(after - x) > SETTLED_BELOW * s
        found[active] = after
        active = active[moved]
        if len(active) == 0:
            break
    return found


def _quantile(share: Floats, one: Floats, other: Floats, sd: Floats, z: float) -> Floats:
    """Do as :func:`_quantiles` for one."""
    low, high, found = _bounds(share, one, other, sd, z)
    wanted = float(special.ndtr(z))
    for _ in range(MOST_STEPS):
        before = found
        low, high, found = _nearer(share, one, other, sd, low, high, found, wanted)
        if not abs(found - before) > SETTLED_BELOW * sd:
            break
    return found


def _bounds(
    share: Floats, one: Floats, other: Floats, sd: Floats, z: float
) -> tuple[Floats, Floats, Floats]:
    """Give where a quantile must lie, and as a first guess that of the mixture's mean and sd."""
    apart, reach = one - other, z * sd
    middle, spread = other + share * apart, sd * sd + share * (1 - share) * apart * apart
    return smaller(one, other) + reach, larger(one, other) + reach, middle + z * root(spread)


def _nearer(
    p: Floats,
    m1: Floats,
    m2: Floats,
    s: Floats,
    low: Floats,
    high: Floats,
    x: Floats,
    wanted: float,
) -> tuple[Floats, Floats, Floats]:
    """Take a step of Halley's towards a quantile; halve the bracket where it would leave it."""
    z1, z2 = (x - m1) / s, (x - m2) / s
    over = p * ndtr(z1) + (1 - p) * ndtr(z2) - wanted
    e1, e2 = p * exp(-0.5 * z1 * z1), (1 - p) * exp(-0.5 * z2 * z2)
    density = e1 + e2 + _LEAST
    newton = over / (_ROOT * density)
    bent = 1 + 0.5 * newton * ((z1 * e1 + z2 * e2) / density)
    step = newton / smaller(larger(bent, 0.5), 2.0)
    low, high = where(over < 0, x, low), where(over < 0, high, x)
    after = x - step * s
    return low, high, where((low <= after) & (after <= high), after, 0.5 * (low + high))


@dataclass(frozen=True, slots=True)
class Band:
    """A prediction band: where a new result would fall with 95 % probability."""

    weeks: Floats
    middle: Floats
    low: Floats
    high: Floats


def band(lines: MixedLines, weeks: Floats) -> Band:
    """Draw the prediction band of one track.

    Parameters
    ----------
    lines : MixedLines
        Of one track, or one entry per week.
    weeks : array of float
        Where to draw it.

    Returns
    -------
    Band
        In the canonical unit of the analyte: the mixture's quantiles, then exp().
    """
    one, other = (line.at(weeks, lines.bend_weeks) for line in (lines.resistant, lines.remitting))
    variance = lines.v00 + weeks * (2 * lines.v01 + weeks * lines.v11) + lines.residual
    share = np.broadcast_to(lines.share, weeks.shape)
    low, high = interval(share, one, other, np.sqrt(variance))
    middle = share * one + (1 - share) * other
    return Band(weeks, np.exp(middle), np.exp(low), np.exp(high))
