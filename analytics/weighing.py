"""What the informative markers say together: log-odds marker by marker, and their uncertainty.

Longitudinal discriminant analysis with one covariance for both groups (Komarek 2010, Stat Med
29:3267; Hughes 2018, SMMR 27:2060): the log-odds are linear in the results. Markers may be drawn
at different times and may be missing. Everything is written out element by element, so that the
same line of arithmetic serves one patient (floats) and a nation (arrays), bit for bit.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np

from analytics.releases.law import Law, Square
from analytics.tables import Floats, Ints
from analytics.trajectories import Sums

Vector = list[Floats]
Matrix = list[Vector]


class RampSums(NamedTuple):
    """The sums that the ramped contrast h = min(t, T) needs beside :class:`Sums`."""

    h: Floats
    ht: Floats
    hh: Floats
    hy: Floats


def sum_ramp(
    track: Ints,
    weeks: Floats,
    y: Floats,
    *,
    ramp_weeks: float,
    n_tracks: int,
    weight: Floats | None = None,
) -> RampSums:
    """Sum the rows of every track for the ramped contrast.

    Parameters
    ----------
    track, weeks, y, n_tracks, weight
        As in :func:`analytics.trajectories.sum_rows`.
    ramp_weeks : float
        The week T from which the contrast stays as it is.

    Returns
    -------
    RampSums
    """

    def total(of: Floats) -> Floats:
        return cast("Floats", np.bincount(track, weights=of, minlength=n_tracks))

    ramp = np.minimum(weeks, ramp_weeks)
    wh = ramp if weight is None else weight * ramp
    return RampSums(h=total(wh), ht=total(wh * weeks), hh=total(wh * ramp), hy=total(wh * y))


class Draws(NamedTuple):
    """All results of one marker: its sums of ln concentration less the population's line.

    ``unknown`` is the further variance of the population's level where a segment's is not known.
    ``beyond`` are the sums of what stands in for draws beyond a limit, where they are kept apart.
    """

    sums: Sums
    ramp: RampSums
    unknown: Floats | float = 0.0
    beyond: tuple[Sums, RampSums] | None = None


def total(pieces: Sequence[Floats]) -> Floats:
    """Add what the markers say up, in their order."""
    found = pieces[0]
    for piece in pieces[1:]:
        found = found + piece
    return found


class LogOdds(NamedTuple):
    """What the markers add to the log-odds: a piece of each, and the variance of their sum.

    ``unaveraged`` is the part of the variance that the pieces do not hold yet: the population's
    lines are integrated out in closed form, contrast and variances are plugged in. ``information``
    is a'V^-1 a: how far apart the groups' means of the sum lie, and its variance between patients
    of either group; zero where the groups vary differently and no one figure tells that.
    """

    pieces: tuple[Floats, ...]
    variance: Floats
    unaveraged: Floats
    information: Floats

    @property
    def value(self) -> Floats:
        """Give the sum, in the order of the pieces."""
        return total(self.pieces)


class Weighed(NamedTuple):
    """The log-odds, and the line of each marker under either group.

    About the population's line, level and slope of all markers are normal with covariance
    ``covariance`` (lower triangle in rows) and mean ``middle`` less half of ``apart`` for the
    resistant and plus half of it for the remitting, besides the contrast itself.
    """

    log_odds: LogOdds
    middle: Vector
    apart: Vector
    covariance: Matrix


class _Seen(NamedTuple):
    """The sums of one marker over its residual variance; x of a vector v stands for X'v.

    With a = Z delta, X = [1, t], Z = [1, h] and r = y - a (1/2 - share).
    """

    n: Floats
    t: Floats
    tt: Floats
    h: Floats
    ht: Floats
    hh: Floats
    xa: tuple[Floats, Floats]
    xr: tuple[Floats, Floats]
    za1: Floats
    zr1: Floats
    ar: Floats

    @classmethod
    def of(cls, draws: Draws, law: Law, k: int) -> "_Seen":
        sums, ramp, unit = draws.sums, draws.ramp, 1 / law.residual[k]
        d0, d1, half = law.delta[2 * k], law.delta[2 * k + 1], 0.5 - law.share
        n, t, tt = sums.n * unit, sums.t * unit, sums.tt * unit
        h, ht, hh = ramp.h * unit, ramp.ht * unit, ramp.hh * unit
        xa0, xa1, za1 = n * d0 + h * d1, t * d0 + ht * d1, h * d0 + hh * d1
        xr0, xr1 = sums.y * unit - half * xa0, sums.ty * unit - half * xa1
        zr1 = ramp.hy * unit - half * za1
        ar = d0 * xr0 + d1 * zr1
        return cls(n, t, tt, h, ht, hh, (xa0, xa1), (xr0, xr1), za1, zr1, ar)


def weigh(draws: Sequence[Draws], law: Law) -> Weighed:
    r"""Weigh the results of all informative markers for resistance against remission.

    With X = [1, t] and Z = [1, min(t, T)] per marker, V = R + X D X', group means X mu +
    Z delta (g - share) for g = 1, 0, the log likelihood ratio is a'V^-1 r with a = Z delta and
    r = y - X mu - a (1/2 - share). The piece of a marker is its part of that sum: each of its
    results times the weight that it has beside all the others. The variance is the delta method
    over mu, delta, D and R, with the term of second order in which mu and delta are unsure
    together. D includes the uncertainty of mu.

    Parameters
    ----------
    draws : sequence of Draws
        Of each marker of the law, in its order; zeros where a patient has none.
    law : Law
        Of the release.

    Returns
    -------
    Weighed
        Pieces and variance are zero for a patient without draws.
    """
    seen = [_Seen.of(one, law, k) for k, one in enumerate(draws)]
    K = gain(_with_line(law, draws), [(s.n, s.t, s.tt) for s in seen])
    ka = times(K, [part for s in seen for part in s.xa])
    kr = times(K, [part for s in seen for part in s.xr])
    pieces = tuple(
        s.ar - (s.xr[0] * ka[2 * k] + s.xr[1] * ka[2 * k + 1]) for k, s in enumerate(seen)
    )
    ua = [part for k, s in enumerate(seen) for part in _left(s, s.xa, ka, k)]
    ur = [part for k, s in enumerate(seen) for part in _left(s, s.xr, kr, k)]
    plugged = _by_contrast(seen, law, (ka, kr), (ua, ur))
    plugged = plugged + _by_variances(seen, law, (ka, kr), (ua, ur))
    variance = plugged + _by_line(seen, law, K)
    found = LogOdds(pieces, variance, plugged, _information(seen, law, ka))
    return Weighed(found, middle=kr, apart=ka, covariance=K)


def _information(seen: Sequence[_Seen], law: Law, ka: Vector) -> Floats:
    """Give a'V^-1 a."""
    parts = []
    for k, s in enumerate(seen):
        i, j = 2 * k, 2 * k + 1
        whole = law.delta[i] * s.xa[0] + law.delta[j] * s.za1
        parts.append(whole - (s.xa[0] * ka[i] + s.xa[1] * ka[j]))
    return total(parts)


def gain(
    prior: Matrix, seen: Sequence[tuple[Floats, Floats, Floats]], dets: Vector | None = None
) -> Matrix:
    r"""Give K = D (I + A D)^-1, marker after marker, each in closed form.

    K is the covariance of (level, slope) of all markers when the results are known, and V^-1 =
    R^-1 - R^-1 X K X'R^-1. No inverse of D is taken, so a singular D, and any number of draws, also
    none, are fine (Woodbury; Laird & Ware 1982, eq. 3.3).

    Parameters
    ----------
    prior : list of list
        D, q x q, of which the lower triangle is read.
    seen : sequence of tuple
        (n, St, St2) over the residual variance, of each marker.
    dets : list, optional
        Takes each marker's factor of |I + A D|, those before it known.

    Returns
    -------
    list of list
        K, symmetric.
    """
    K = [list(row) for row in prior]
    for k, (n, t, tt) in enumerate(seen):
        i, j = 2 * k, 2 * k + 1
        a, b, c = K[i][i], K[j][i], K[j][j]
        volume, spread = a * c - b * b, n * tt - t * t
        det = 1 + n * a + 2 * t * b + tt * c + spread * volume
        if dets is not None:
            dets.append(det)
        others = [o for o in range(len(K)) if o not in (i, j)]
        if others:
            _pass_on(K, others, (i, j), (n, t, tt), det)
        K[i][i], K[j][j] = (a + tt * volume) / det, (c + n * volume) / det
        K[i][j] = K[j][i] = (b - t * volume) / det
    return K


def _pass_on(
    K: Matrix,
    others: list[int],
    own: tuple[int, int],
    seen: tuple[Floats, Floats, Floats],
    det: Floats,
) -> None:
    """Let the other markers learn from the results of one, by what they have in common with it."""
    (i, j), (n, t, tt) = own, seen
    a, b, c = K[i][i], K[j][i], K[j][j]
    spread = n * tt - t * t
    g00, g01, g11 = (n + c * spread) / det, (t - b * spread) / det, (tt + a * spread) / det
    s00, s01 = (1 + t * b + tt * c) / det, -(n * b + t * c) / det
    s10, s11 = -(t * a + tt * b) / det, (1 + n * a + t * b) / det
    common = [(K[max(o, i)][min(o, i)], K[max(o, j)][min(o, j)]) for o in others]
    for (x, y), o in zip(common, others, strict=True):
        gx, gy = g00 * x + g01 * y, g01 * x + g11 * y
        for (p, q), other in zip(common, others, strict=True):
            if other <= o:
                K[o][other] = K[other][o] = K[o][other] - (gx * p + gy * q)
        K[o][i] = K[i][o] = x * s00 + y * s10
        K[o][j] = K[j][o] = x * s01 + y * s11


def _with_line(law: Law, draws: Sequence[Draws]) -> Matrix:
    """Add the uncertainty of the population's lines to the covariance between persons."""
    D = [
        [d + m for d, m in zip(*rows, strict=True)]
        for rows in zip(law.between, law.mean_covariance, strict=True)
    ]
    total: Matrix = [list(row) for row in D]  # type: ignore[arg-type]
    for k, one in enumerate(draws):
        total[2 * k][2 * k] = total[2 * k][2 * k] + one.unknown
    return total


def times(M: Matrix, v: Vector) -> Vector:
    """Multiply a vector by a matrix."""
    found = []
    for row in M:
        total = row[0] * v[0]
        for m, x in zip(row[1:], v[1:], strict=True):
            total = total + m * x
        found.append(total)
    return found


def _left(s: _Seen, x: tuple[Floats, Floats], kx: Vector, k: int) -> tuple[Floats, Floats]:
    """Give X'V^-1 v of one marker from X'R^-1 v and K X'R^-1 v."""
    k0, k1 = kx[2 * k], kx[2 * k + 1]
    return x[0] - s.n * k0 - s.t * k1, x[1] - s.t * k0 - s.tt * k1


Both = tuple[Vector, Vector]


def _by_contrast(seen: Sequence[_Seen], law: Law, gained: Both, left: Both) -> Floats:
    """Give the variance by the contrast: g'Cg, g = Z'V^-1 (y - X mu) - 2 (1/2 - share) Z'V^-1 a.

    Z'V^-1 and X'V^-1 share their first row.
    """
    (ka, kr), (ua, ur), half = gained, left, 0.5 - law.share
    g: Vector = []
    for k, s in enumerate(seen):
        i, j = 2 * k, 2 * k + 1
        qr1 = s.zr1 - s.h * kr[i] - s.ht * kr[j]
        qa1 = s.za1 - s.h * ka[i] - s.ht * ka[j]
        g += [ur[i] - half * ua[i], qr1 - half * qa1]
    return quadratic(law.delta_covariance, g)


def quadratic(M: Square, g: Vector) -> Floats:
    """Give g'M g."""
    total = g[0] * g[0] * M[0][0]
    for i in range(1, len(g)):
        total = total + g[i] * g[i] * M[i][i]
        for j in range(i):
            if M[i][j] != 0:
                total = total + 2 * M[i][j] * g[i] * g[j]
    return total


def _by_line(seen: Sequence[_Seen], law: Law, K: Matrix) -> Floats:
    """Give the variance of delta'h, h = Z'V0^-1 (y - X mu), by the population's lines mu.

    V0 is the covariance of a patient's results about known lines, H its gain; what the patient's
    own results leave unknown of h is G = Z'(V0^-1 - V^-1)Z = B'(K - H)B with B = X'R^-1 Z. First
    order: delta'G delta. Of second order, and as large while the contrast is as unsure as it is
    big: tr(C G), and share (1 - share) E[(delta'G delta)^2], because what is not known of mu
    depends on the group that is not known either.
    """
    between: Matrix = [list(row) for row in law.between]  # type: ignore[arg-type]
    H = gain(between, [(s.n, s.t, s.tt) for s in seen])
    G = _between_contrasts(
        seen, [[k - h for k, h in zip(*r, strict=True)] for r in zip(K, H, strict=True)]
    )
    delta: Vector = list(law.delta)  # type: ignore[arg-type]
    C = law.delta_covariance
    u = times(G, delta)
    T = [times(G, list(row)) for row in C]  # type: ignore[arg-type]
    q = range(len(u))
    mean, square = delta[0] * u[0] + T[0][0], T[0][0] * T[0][0]
    for i in q[1:]:
        mean = mean + (delta[i] * u[i] + T[i][i])
        square = square + T[i][i] * T[i][i]
        for j in range(i):
            square = square + 2 * T[i][j] * T[j][i]
    spread = mean * mean + 2 * square + 4 * quadratic(C, u)
    total = mean + law.share * (1 - law.share) * spread
    return total * (total > 0)  # rounding below zero is zero


def _between_contrasts(seen: Sequence[_Seen], E: Matrix) -> Matrix:
    """Give B'E B, B of each marker being [[n, h], [t, ht]]."""
    G: Matrix = [[E[0][0]] * len(E) for _ in E]
    for k, s in enumerate(seen):
        for m, o in enumerate(seen[: k + 1]):
            i, j = 2 * k, 2 * m
            e00, e01, e10, e11 = E[i][j], E[i][j + 1], E[i + 1][j], E[i + 1][j + 1]
            for row, (b0, b1) in enumerate(((s.n, s.t), (s.h, s.ht))):
                f0, f1 = b0 * e00 + b1 * e10, b0 * e01 + b1 * e11
                for column, (c0, c1) in enumerate(((o.n, o.t), (o.h, o.ht))):
                    G[i + row][j + column] = G[j + column][i + row] = f0 * c0 + f1 * c1
    return G


def _by_variances(seen: Sequence[_Seen], law: Law, gained: Both, left: Both) -> Floats:
    """Give the variance by D (lower triangle row by row) and by the residual variances."""
    (ka, kr), (ua, ur) = gained, left
    gradient: Vector = []
    for i in range(len(ua)):
        gradient += [-(ua[i] * ur[j] + ua[j] * ur[i]) for j in range(i)]
        gradient.append(-ua[i] * ur[i])
    for k, s in enumerate(seen):
        (a0, a1), (r0, r1) = (ka[2 * k], ka[2 * k + 1]), (kr[2 * k], kr[2 * k + 1])
        both = s.n * a0 * r0 + s.t * (a0 * r1 + a1 * r0) + s.tt * a1 * r1
        crossed = s.xa[0] * r0 + s.xa[1] * r1 + s.xr[0] * a0 + s.xr[1] * a1
        gradient.append(-(s.ar - crossed + both) * (1 / law.residual[k]))
    total = gradient[0] * 0.0
    for i, j, factor in law.variance_terms:
        total = total + factor * gradient[i] * gradient[j]
    return total
