"""A person's line when it is not known to which group they belong: two normal laws, weighted.

Means, intervals and the probability of a rise are those of the mixture of the line that a
resistant and the line that a remitting patient with these results would have.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import ndtr

from analytics.tables import Floats
from analytics.trajectories import Z95, Lines

MOST_STEPS = 200
SETTLED_BELOW = 1e-13  # of a standard deviation
FEW = 6  # up to here plain floats are quicker than arrays
_ROOT = 0.3989422804014327  # 1 / sqrt(2 pi)
_LEAST = 1e-300


@dataclass(frozen=True, slots=True)
class StraightLine:
    """Level at week 0 and slopes per week before and after the bend, ln units."""

    level: Floats
    slope: Floats
    after: Floats

    def at(self, weeks: Floats, bend_weeks: float) -> Floats:
        """Give the level at a week."""
        late = np.maximum(weeks - bend_weeks, 0.0)
        return self.level + self.slope * (weeks - late) + self.after * late

    def slope_at(self, weeks: Floats, bend_weeks: float) -> Floats:
        """Give the slope from a week on."""
        return np.where(weeks < bend_weeks, self.slope, self.after)


@dataclass(frozen=True, slots=True)
class MixedLines:
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


@dataclass(frozen=True, slots=True)
class Standing:
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
    share, bend = lines.share, lines.bend_weeks
    levels = lines.resistant.at(weeks, bend), lines.remitting.at(weeks, bend)
    slopes = lines.resistant.slope_at(weeks, bend), lines.remitting.slope_at(weeks, bend)
    level_sd = np.sqrt(np.maximum(lines.v00 + weeks * (2 * lines.v01 + weeks * lines.v11), _LEAST))
    slope_sd = np.sqrt(np.maximum(lines.v11, _LEAST))
    rising = share * ndtr(slopes[0] / slope_sd) + (1 - share) * ndtr(slopes[1] / slope_sd)
    level_low, level_high = interval(share, *levels, level_sd)
    slope_low, slope_high = interval(share, *slopes, slope_sd)
    return Standing(
        level=share * levels[0] + (1 - share) * levels[1],
        level_low=level_low,
        level_high=level_high,
        slope=share * slopes[0] + (1 - share) * slopes[1],
        slope_low=slope_low,
        slope_high=slope_high,
        rising=np.asarray(rising, dtype=np.float64),
    )


def interval(share: Floats, one: Floats, other: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """Give the 2.5 % and 97.5 % quantiles of share N(one, sd^2) + (1 - share) N(other, sd^2).

    Parameters
    ----------
    share, one, other, sd : array of float
        Weight of the first law, both means, and the standard deviation of both.

    Returns
    -------
    low, high : array of float
    """
    low, high = other - Z95 * sd, other + Z95 * sd
    mixed = np.flatnonzero((one != other) & (share > 0))
    if len(mixed) == 0:
        return low, high
    low, high = low.copy(), high.copy()
    parts = share[mixed], one[mixed], other[mixed], sd[mixed]
    for found, z in ((low, -Z95), (high, Z95)):
        if len(mixed) > FEW:
            found[mixed] = _quantiles(*parts, z)
        else:
            rows = zip(*(part.tolist() for part in parts), strict=True)
            found[mixed] = [_quantile(p, m1, m2, s, z) for p, m1, m2, s in rows]
    return low, high


def _quantiles(share: Floats, one: Floats, other: Floats, sd: Floats, z: float) -> Floats:
    """Find the quantile of each mixture; what has settled is left alone.

    Newton's steps from the normal law with the mixture's mean and variance, and a halving of the
    bracket where a step would leave it: the quantile lies between those of the two parts.
    """
    wanted = ndtr(z)
    low, high = np.minimum(one, other) + z * sd, np.maximum(one, other) + z * sd
    found = other + share * (one - other)
    found = found + z * np.sqrt(sd * sd + share * (1 - share) * (one - other) * (one - other))
    active = np.arange(len(found))
    for _ in range(MOST_STEPS):
        p, m1, m2, s, x = (of[active] for of in (share, one, other, sd, found))
        z1, z2 = (x - m1) / s, (x - m2) / s
        over = p * ndtr(z1) + (1 - p) * ndtr(z2) - wanted
        density = p * np.exp(-0.5 * z1 * z1) + (1 - p) * np.exp(-0.5 * z2 * z2)
        newton = x - over * s / (_ROOT * density + _LEAST)
        below = np.where(over < 0, x, low[active])
        above = np.where(over < 0, high[active], x)
        inside = (below <= newton) & (newton <= above)
        after = np.where(inside, newton, 0.5 * (below + above))
        found[active], low[active], high[active] = after, below, above
        active = active[np.abs(after - x) > SETTLED_BELOW * s]
        if len(active) == 0:
            break
    return found


def _quantile(p: float, m1: float, m2: float, s: float, z: float) -> float:
    """Do as :func:`_quantiles` for one, by the same arithmetic to the bit, and far quicker."""
    wanted = float(ndtr(z))
    below, above = min(m1, m2) + z * s, max(m1, m2) + z * s
    after = m2 + p * (m1 - m2)
    after = after + z * float(np.sqrt(s * s + p * (1 - p) * (m1 - m2) * (m1 - m2)))
    for _ in range(MOST_STEPS):
        x = after
        z1, z2 = (x - m1) / s, (x - m2) / s
        over = p * float(ndtr(z1)) + (1 - p) * float(ndtr(z2)) - wanted
        density = p * float(np.exp(-0.5 * z1 * z1)) + (1 - p) * float(np.exp(-0.5 * z2 * z2))
        newton = x - over * s / (_ROOT * density + _LEAST)
        below, above = (x, above) if over < 0 else (below, x)
        after = newton if below <= newton <= above else 0.5 * (below + above)
        if not abs(after - x) > SETTLED_BELOW * s:
            break
    return after


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
