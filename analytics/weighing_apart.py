"""What the markers say when the groups vary differently: quadratic in the results, not linear.

The log likelihood ratio of two normal laws with covariances of their own (Komarek 2010, Stat Med
29:3267). The same arithmetic over floats and arrays as in :mod:`analytics.weighing`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from analytics.elementwise import expit, log
from analytics.releases.law import GroupLaw, Law
from analytics.tables import Floats
from analytics.trajectories import Sums
from analytics.weighing import (
    Draws,
    LogOdds,
    Matrix,
    RampSums,
    Vector,
    Weighed,
    gain,
    quadratic,
    times,
    total,
    weigh,
)


def weigh_by_law(draws: Sequence[Draws], law: Law) -> Weighed:
    """Weigh by the law of a release, whether its groups share a covariance or not.

    Parameters
    ----------
    draws : sequence of Draws
        Of each marker of the law, in its order; zeros where a patient has none.
    law : Law
        Of the release.

    Returns
    -------
    Weighed
    """
    return weigh(draws, law) if law.groups is None else _weigh_apart(draws, law, law.groups)


class _Part(NamedTuple):
    """Sums of one marker over a residual variance, about one group's line; r is what is left."""

    n: Floats
    t: Floats
    tt: Floats
    h: Floats
    ht: Floats
    x0: Floats  # X'r
    x1: Floats
    z1: Floats  # Z'r, beside X'r
    rr: Floats

    @classmethod
    def of(
        cls, sums: Sums, ramp: RampSums, residual: float, delta: tuple[float, float], share: float
    ) -> "_Part":
        """Take the group's part ``share`` of the contrast from the results."""
        unit, (d0, d1) = 1 / residual, delta
        n, t, tt, y, ty, yy = (of * unit for of in sums)
        h, ht, hh, hy = (of * unit for of in ramp)
        a0, a1, za1 = n * d0 + h * d1, t * d0 + ht * d1, h * d0 + hh * d1
        rr = yy - 2 * share * (d0 * y + d1 * hy) + share * share * (d0 * a0 + d1 * za1)
        return cls(n, t, tt, h, ht, y - share * a0, ty - share * a1, hy - share * za1, rr)

    def left(self, b0: Floats, b1: Floats) -> Floats:
        """Give the sum of squares about the person's own line."""
        crossed = b0 * self.x0 + b1 * self.x1
        return self.rr - 2 * crossed + b0 * b0 * self.n + 2 * b0 * b1 * self.t + b1 * b1 * self.tt


class _Group(NamedTuple):
    """What one group's law says: log density by marker, gradients, and the person's line."""

    density: Vector
    by_contrast: Vector
    by_line: Vector
    by_variances: Vector
    line: Vector
    covariance: Matrix
    seen: list[tuple[Floats, Floats, Floats]]


def _weigh_apart(draws: Sequence[Draws], law: Law, groups: tuple[GroupLaw, GroupLaw]) -> Weighed:
    """Give log f1 - log f0, and its variance by the delta method over all parameters.

    The population's lines are integrated out in each group's density; a draw beyond a limit
    stands in both with the same Gaussian.
    """
    other, one = (_group(draws, law, groups[g], g - law.share) for g in (0, 1))
    pieces = tuple(a - b for a, b in zip(one.density, other.density, strict=True))
    contrast = [a - b for a, b in zip(one.by_contrast, other.by_contrast, strict=True)]
    plugged = quadratic(law.delta_covariance, contrast)
    for group, its in ((one, groups[1]), (other, groups[0])):
        for i, j, factor in its.variance_terms:
            plugged = plugged + factor * group.by_variances[i] * group.by_variances[j]
    variance = plugged + _by_lines(one, other, law, groups)
    said = LogOdds(pieces, variance, plugged, 0.0 * plugged)
    weight = expit(law.prior_log_odds + total(pieces))
    spread = [
        [weight * a + (1 - weight) * b for a, b in zip(*rows, strict=True)]
        for rows in zip(one.covariance, other.covariance, strict=True)
    ]
    lines = list(zip(one.line, other.line, strict=True))
    return Weighed(said, [(a + b) * 0.5 for a, b in lines], [b - a for a, b in lines], spread)


def _group(draws: Sequence[Draws], law: Law, own: GroupLaw, share: float) -> _Group:
    exact, whole = [], []
    for k, one in enumerate(draws):
        delta = law.delta[2 * k], law.delta[2 * k + 1]
        exact.append(_Part.of(one.sums, one.ramp, own.residual[k], delta, share))
        if one.beyond is None:
            whole.append(exact[k])
            continue
        beyond = _Part.of(*one.beyond, law.residual[k], delta, share)
        whole.append(_Part(*(a + b for a, b in zip(exact[k], beyond, strict=True))))
    prior: Matrix = [
        [d + m for d, m in zip(*rows, strict=True)]  # type: ignore[misc]
        for rows in zip(own.between, law.mean_covariance, strict=True)
    ]
    for k, one in enumerate(draws):
        prior[2 * k][2 * k] = prior[2 * k][2 * k] + one.unknown
    dets: Vector = []
    seen = [(part.n, part.t, part.tt) for part in whole]
    K = gain(prior, seen, dets)
    b = times(K, [x for part in whole for x in (part.x0, part.x1)])
    density, e, z = [], [], []
    for k, (part, det) in enumerate(zip(whole, dets, strict=True)):
        b0, b1 = b[2 * k], b[2 * k + 1]
        misfit = part.rr - (part.x0 * b0 + part.x1 * b1)
        constant = draws[k].sums.n * float(log(own.residual[k]))
        density.append(-0.5 * (constant + log(det) + misfit))
        e += [part.x0 - part.n * b0 - part.t * b1, part.x1 - part.t * b0 - part.tt * b1]
        z += [share * e[2 * k], share * (part.z1 - part.h * b0 - part.ht * b1)]
    return _Group(density, z, e, _by_variances(exact, seen, own, K, (b, e)), b, K, seen)


def _by_variances(
    exact: Sequence[_Part],
    seen: Sequence[tuple[Floats, Floats, Floats]],
    own: GroupLaw,
    K: Matrix,
    lines: tuple[Vector, Vector],
) -> Vector:
    """Give the gradient by D (lower triangle row by row) and by the residual variances."""
    (b, e), found = lines, []
    W = _information(seen, K)
    for i in range(len(K)):
        found += [e[i] * e[j] - W[i][j] for j in range(i)]
        found.append(0.5 * (e[i] * e[i] - W[i][i]))
    for k, part in enumerate(exact):
        i, j = 2 * k, 2 * k + 1
        trace = K[i][i] * part.n + 2 * K[i][j] * part.t + K[j][j] * part.tt
        n = part.n * own.residual[k]
        found.append(0.5 * (part.left(b[i], b[j]) - n + trace) * (1 / own.residual[k]))
    return found


def _information(seen: Sequence[tuple[Floats, Floats, Floats]], K: Matrix) -> Matrix:
    """Give X'V^-1 X = A - A K A, A being block diagonal."""
    half = [
        [_row(seen, i, [K[2 * (i // 2)][j], K[2 * (i // 2) + 1][j]]) for j in range(len(K))]
        for i in range(len(K))
    ]
    found = [
        [-_row(seen, j, half[i][2 * (j // 2) :][:2]) for j in range(len(K))] for i in range(len(K))
    ]
    for k, (n, t, tt) in enumerate(seen):
        i, j = 2 * k, 2 * k + 1
        found[i][i], found[j][j] = found[i][i] + n, found[j][j] + tt
        found[i][j], found[j][i] = found[i][j] + t, found[j][i] + t
    return found


def _row(seen: Sequence[tuple[Floats, Floats, Floats]], i: int, v: Vector) -> Floats:
    """Give row i of A times a vector, of which the two entries of i's marker are given."""
    n, t, tt = seen[i // 2]
    return n * v[0] + t * v[1] if i % 2 == 0 else t * v[0] + tt * v[1]


def _by_lines(one: _Group, other: _Group, law: Law, groups: tuple[GroupLaw, GroupLaw]) -> Floats:
    """Give the variance by the population's lines: what a patient's own results leave of it."""
    apart = [a - b for a, b in zip(one.by_line, other.by_line, strict=True)]
    M: Matrix = [list(row) for row in law.mean_covariance]  # type: ignore[arg-type]
    moved = times(M, apart)
    found = quadratic(law.mean_covariance, apart)
    for group, its in ((one, groups[1]), (other, groups[0])):
        H = gain([list(row) for row in its.between], group.seen)  # type: ignore[arg-type]
        W = _information(group.seen, H)
        for x, part in zip(moved, times(W, moved), strict=True):
            found = found + 0.5 * x * part
    return found * (found > 0)  # rounding below zero is zero
