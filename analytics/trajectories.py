"""How one marker moves in one person: empirical-Bayes level and slope of its logarithm.

Everything is closed form and runs over all tracks (one patient, one analyte) at
once; sums run in the order of time within a track, so that a patient's numbers
do not depend on who else is in the cohort.
"""

from typing import NamedTuple, cast

import numpy as np

from analytics.tables import Floats, Ints

Z95 = 1.959963984540054


class Growth(NamedTuple):
    """The law of straight lines in a population, per track.

    ln concentration = (level + slope * weeks) + noise; (level, slope) is normal
    with mean (mean0, mean1) and covariance (d00, d01, d11), noise has variance
    ``residual``. Each field is an array with one entry per track.
    """

    mean0: Floats
    mean1: Floats
    d00: Floats
    d01: Floats
    d11: Floats
    residual: Floats


class Sums(NamedTuple):
    """Sufficient statistics of straight lines; adding draws is adding sums.

    ``y`` stands for the logarithm less the population's line. A row has weight 1;
    a censored row stands in with the weight and the value of its approximation.
    """

    n: Floats
    t: Floats
    tt: Floats
    y: Floats
    ty: Floats
    yy: Floats

    def __add__(self, other: "Sums") -> "Sums":  # type: ignore[override]
        """Join the draws of both."""
        return Sums(
            n=self.n + other.n,
            t=self.t + other.t,
            tt=self.tt + other.tt,
            y=self.y + other.y,
            ty=self.ty + other.ty,
            yy=self.yy + other.yy,
        )

    def __sub__(self, other: "Sums") -> "Sums":
        """Take draws out again, as a correction does."""
        return Sums(
            n=self.n - other.n,
            t=self.t - other.t,
            tt=self.tt - other.tt,
            y=self.y - other.y,
            ty=self.ty - other.ty,
            yy=self.yy - other.yy,
        )


class Lines(NamedTuple):
    """The lines found: posterior mean and covariance of (level, slope), per track."""

    mean0: Floats
    mean1: Floats
    v00: Floats
    v01: Floats
    v11: Floats
    residual: Floats


def sum_rows(
    track: Ints, weeks: Floats, y: Floats, *, n_tracks: int, weight: Floats | None = None
) -> Sums:
    """Sum the rows of every track.

    Parameters
    ----------
    track : array of int
        The track of each row.
    weeks, y : array of float
        Time and centred logarithm of each row.
    n_tracks : int
        How many tracks there are; tracks without rows get zeros.
    weight : array of float, optional
        Weight of each row, 1 by default.

    Returns
    -------
    Sums
        n, St, St2, Sy, Sty, Syy of each track.
    """

    def total(of: Floats) -> Floats:
        return cast("Floats", np.bincount(track, weights=of, minlength=n_tracks))

    w = np.ones(len(y)) if weight is None else weight
    wt, wy = w * weeks, w * y
    return Sums(
        n=total(w),
        t=total(wt),
        tt=total(wt * weeks),
        y=total(wy),
        ty=total(wt * y),
        yy=total(wy * y),
    )


def posterior_gain(
    sums: Sums,
    d00: Floats | float,
    d01: Floats | float,
    d11: Floats | float,
    residual: Floats | float,
) -> tuple[Floats, Floats, Floats]:
    """Give K = Ds (I + A Ds)^-1, Ds = D / residual, A = [[n, St], [St, St2]].

    The 2x2 inverse in closed form; no inverse of D is taken, so a singular D and
    any number of draws, also none, are fine (Woodbury; Laird & Ware 1982, eq. 3.3).

    Parameters
    ----------
    sums : Sums
        Sufficient statistics.
    d00, d01, d11, residual : float or array of float
        Covariance of (level, slope) and residual variance.

    Returns
    -------
    k00, k01, k11 : array of float
        The symmetric matrix K; posterior covariance is residual * K.
    """
    a, b, c = d00 / residual, d01 / residual, d11 / residual
    volume = a * c - b * b
    spread = sums.n * sums.tt - sums.t * sums.t
    det = 1 + sums.n * a + 2 * sums.t * b + sums.tt * c + spread * volume
    k00 = (a + sums.tt * volume) / det
    k01 = (b - sums.t * volume) / det
    k11 = (c + sums.n * volume) / det
    return k00, k01, k11


def fit_lines(sums: Sums, growth: Growth) -> Lines:
    """Find every track's line by empirical Bayes.

    Posterior of (level, slope) = mean + K u with u = (Sy, Sty) of the logarithm less
    the population's line, covariance residual * K (Laird & Ware 1982).

    Parameters
    ----------
    sums : Sums
        Sums of the logarithm less the population's line.
    growth : Growth
        The population's law.

    Returns
    -------
    Lines
        A track without draws gets the population's own line and spread.
    """
    k00, k01, k11 = posterior_gain(sums, growth.d00, growth.d01, growth.d11, growth.residual)
    return Lines(
        mean0=growth.mean0 + k00 * sums.y + k01 * sums.ty,
        mean1=growth.mean1 + k01 * sums.y + k11 * sums.ty,
        v00=growth.residual * k00,
        v01=growth.residual * k01,
        v11=growth.residual * k11,
        residual=growth.residual,
    )


def at_week(lines: Lines, weeks: Floats) -> tuple[Floats, Floats]:
    """Give mean and standard deviation of the level at a week, in ln units.

    Parameters
    ----------
    lines : Lines
        The lines.
    weeks : array of float
        One week per track.

    Returns
    -------
    mean, sd : array of float
        z'mean and sqrt(z'Vz), z = (1, week).
    """
    mean = lines.mean0 + weeks * lines.mean1
    variance = lines.v00 + weeks * (2 * lines.v01 + weeks * lines.v11)
    return mean, np.sqrt(np.maximum(variance, 0))
