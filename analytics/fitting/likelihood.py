"""The profiled deviance of the growth model and its gradient, from sufficient statistics.

Effects β and the first marker's residual variance s² are profiled out (Bates et al. 2015, J Stat
Softw 67(1), eq. 34 and 41; Lindstrom & Bates 1988, JASA 83:1014). What is left to search is the
Cholesky factor L of D/s² and the ratios of the other markers' residual variances to the first.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.fitting.posterior import CHUNK, cross_products, shrinkage
from analytics.fitting.sufficient import Floats, Integers, SufficientStatistics

TOLD_APART = 1e-6  # share of the squares of a patient's weeks about their mean, for a line
OF_ONE_WEEK = 1e-12


@dataclass(frozen=True, eq=False)
class Problem:
    """One fit, in standardised units: statistics sorted by group, and what is free.

    Attributes
    ----------
    statistics : SufficientStatistics
        Sorted by group; level residuals of a first least-squares fit, so that sums stay small.
    slices : tuple of slice, length G
        Rows of each group.
    designs : ndarray, shape (G, q, p)
        T_g, which makes the group's line out of the p coefficients: β_g = T_g·θ.
    active : ndarray of int
        Indices of the q effects that vary between patients.
    is_reml : bool
        Restricted (True) or full maximum likelihood.
    """

    statistics: SufficientStatistics
    slices: tuple[slice, ...]
    designs: Floats
    active: np.ndarray
    is_reml: bool

    @property
    def q(self) -> int:
        """Number of effects of a patient, 2K."""
        return int(self.designs.shape[1])

    @cached_property
    def triangle(self) -> tuple[Integers, Integers]:
        """Rows and columns of the Cholesky factor's elements."""
        rows, columns = np.tril_indices(len(self.active))
        return rows.astype(np.int64), columns.astype(np.int64)

    @property
    def n_factor(self) -> int:
        """Number of free elements of the Cholesky factor."""
        return len(self.active) * (len(self.active) + 1) // 2

    @property
    def n_parameters(self) -> int:
        """Number of free parameters: the factor and the K - 1 ratios of residual variances."""
        return self.n_factor + len(self.statistics.markers) - 1

    def factor(self, free: Floats) -> Floats:
        """Return the lower-triangular L, shape (len(active), len(active))."""
        L = np.zeros((len(self.active),) * 2)
        L[self.triangle] = free[: self.n_factor]
        return L

    def relative_covariance(self, free: Floats) -> Floats:
        """Return D/s², shape (q, q)."""
        L = self.factor(free)
        D = np.zeros((self.q, self.q))
        D[np.ix_(self.active, self.active)] = L @ L.T
        return D

    def ratios(self, free: Floats) -> Floats:
        """Return each marker's residual variance over the first marker's, shape (K,)."""
        return np.asarray(np.exp(np.append(0.0, free[self.n_factor :])))


@dataclass(frozen=True, eq=False)
class Profile:
    """The deviance at one point, with what was profiled out there.

    Attributes
    ----------
    deviance : float
        -2 log-likelihood (REML: -2 restricted log-likelihood), constants included.
    gradient : ndarray, shape (n_parameters,)
        With respect to the free parameters.
    gradient_in_covariance : ndarray, shape (q, q)
        With respect to D/s²; tells at a singular D whether leaving the boundary would help.
    coefficients : ndarray, shape (p,)
        θ at this point.
    information : ndarray, shape (p, p)
        S = sum of T'·X'(V/s²)⁻¹X·T; Var(θ) = s²·S⁻¹.
    residual_variance : float
        s² of the first marker.
    """

    deviance: float
    gradient: Floats
    gradient_in_covariance: Floats
    coefficients: Floats
    information: Floats
    residual_variance: float


class ResidualVarianceIsZero(ValueError):
    """The lines run through every draw; there is no scatter to estimate a variance from."""


@dataclass(eq=False)
class _Sums:
    """What one pass over the patients gives: enough for the deviance."""

    log_det: float
    information: Floats  # (G, q, q)  sum of W = X'(V/s²)⁻¹X
    right: Floats  # (G, q)     sum of X'(V/s²)⁻¹y
    squares: float  # sum of y'(V/s²)⁻¹y


def _finish(
    problem: Problem, sums: _Sums, log_ratios: float
) -> tuple[float, Floats, Floats, Floats, float]:
    """Profile θ and s² out; return deviance, θ, S, S⁻¹ and s²."""
    T = problem.designs
    S = np.einsum("gap,gab,gbr->pr", T, sums.information, T)
    try:
        theta = np.linalg.solve(S, np.einsum("gap,ga->p", T, sums.right))
    except np.linalg.LinAlgError as error:
        raise ResidualVarianceIsZero("the residual variance runs to zero") from error
    squares = sums.squares - theta @ np.einsum("gap,ga->p", T, sums.right)
    n_draws = float(problem.statistics.n.sum())
    freedom = n_draws - (len(theta) if problem.is_reml else 0)
    if not squares > 1e-14 * problem.statistics.yy.sum():
        raise ResidualVarianceIsZero("every draw lies on its patient's fitted line")
    s2 = squares / freedom
    deviance = sums.log_det + log_ratios + freedom * (1 + np.log(2 * np.pi * s2))
    if problem.is_reml:
        deviance += np.linalg.slogdet(S)[1]
    return float(deviance), theta, S, np.linalg.inv(S), float(s2)


class OwnLines(NamedTuple):
    """Each patient's squares, parted by the least-squares line through the own draws, (N, K).

    ``has_line``: the line is well told; ``is_level``: all draws are of one week, or there is one
    draw, and the line is the mean.
    """

    explained: Floats
    left: Floats
    has_line: npt.NDArray[np.bool_]
    is_level: npt.NDArray[np.bool_]


def own_lines(s: SufficientStatistics) -> OwnLines:
    """Part y'y into what the patient's own line explains and what it leaves, from the sums."""
    with np.errstate(divide="ignore", invalid="ignore"):
        about_mean = s.tt - s.t * s.t / s.n
        along = s.ty - s.t * s.y / s.n
        of_mean, by_slope = s.y * s.y / s.n, along * along / about_mean
    has_line = about_mean > TOLD_APART * s.tt
    is_level = (s.n < 2) | ~(about_mean > OF_ONE_WEEK * s.tt)
    has_line &= ~is_level
    explained = np.where(s.n > 0, of_mean, 0.0) + np.where(has_line, by_slope, 0.0)
    left = s.yy - explained
    return OwnLines(explained, np.where(s.n > 1, np.maximum(left, 0.0), 0.0), has_line, is_level)


class PairLikelihood:
    """One marker: each patient's 2 by 2 algebra written out, linear in thirteen fixed numbers.

    Everything the deviance needs is a combination of those numbers divided by
    det = |I + A·D/s²|, so one evaluation is two thin matrix products over the patients. The squares
    y'(V/s²)⁻¹y are those about the patient's own line plus terms that are not negative, so that
    no digits are lost where patients vary a thousand times as much as their draws.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        s = problem.statistics
        n, t, tt, c1, c2 = (a[:, 0] for a in (s.n, s.t, s.tt, s.y, s.ty))
        own = own_lines(s)
        has_line, is_level = own.has_line[:, 0], own.is_level[:, 0]
        turned, raised, h = t * c1 - n * c2, tt * c1 - t * c2, n * tt - t * t
        turned, raised, h = (np.where(is_level, 0.0, one) for one in (turned, raised, h))
        with np.errstate(divide="ignore", invalid="ignore"):
            products = [turned * turned / h, turned * raised / h, raised * raised / h]
        near = ~(has_line | is_level)  # of draws so close in time that no line is told from them
        squares = [
            np.where(near, -other, np.where(has_line, one, 0.0))
            for one, other in zip(products, (c1 * c1, c1 * c2, c2 * c2), strict=True)
        ]
        self._table = np.column_stack(
            [
                *(n, t, tt, h, c1, c2, turned, raised),
                *(np.where(near, 0.0, own.explained[:, 0]), *squares),
                np.where(near, c2 * turned - c1 * raised, 0.0),
            ]
        )
        self._squares = float(np.where(near, s.yy[:, 0], own.left[:, 0]).sum())

    def __call__(self, free: Floats) -> Profile:
        """Evaluate deviance and gradient at the free parameters, shape (n_parameters,)."""
        problem = self.problem
        D = problem.relative_covariance(free)
        d11, d12, d22 = D[0, 0], D[0, 1], D[1, 1]
        delta = d11 * d22 - d12 * d12
        det = 1 + self._table[:, :4] @ np.array([d11, 2 * d12, d22, delta])
        weight = 1 / det
        totals = np.array([weight[rows] @ self._table[rows] for rows in problem.slices])
        n, t, tt, h, c1, c2, turned, raised = totals[:, :8].T
        off = t - d12 * h
        sums = _Sums(
            log_det=float(np.log(det).sum()),
            information=np.array([[n + d22 * h, off], [off, tt + d11 * h]]).transpose(2, 0, 1),
            right=np.column_stack(
                [c1 + d12 * turned + d22 * raised, c2 - d11 * turned - d12 * raised]
            ),
            squares=self._squares
            + float((totals[:, 8:] @ np.array([1.0, d11, 2 * d12, d22, delta])).sum()),
        )
        deviance, theta, S, inverse, s2 = _finish(problem, sums, 0.0)
        G = self._gradient(D, theta, inverse, s2, weight, sums.information)
        return Profile(deviance, _factor_gradient(problem, free, G), G, theta, S, s2)

    def _gradient(
        self,
        D: Floats,
        theta: Floats,
        inverse: Floats,
        s2: float,
        weight: Floats,
        information: Floats,
    ) -> Floats:
        """Return the sum over patients of W - e·e'/s² - (REML) W·T·S⁻¹·T'·W."""
        d11, d12, d22 = D[0, 0], D[0, 1], D[1, 1]
        G = np.asarray(information.sum(axis=0))
        for rows, T in zip(self.problem.slices, self.problem.designs, strict=True):
            b1, b2 = T @ theta
            W = np.zeros((8, 3))  # columns W11, W12, W22 of the patient's W
            W[:4] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [d22, -d12, d11]]
            e = np.zeros((8, 2))
            e[4:] = [[1, 0], [0, 1], [d12, -d11], [d22, -d12]]
            e[:, 0] -= W[:, 0] * b1 + W[:, 1] * b2
            e[:, 1] -= W[:, 1] * b1 + W[:, 2] * b2
            seen = (self._table[rows, :8] @ np.hstack([W, e])) * weight[rows, None]
            gram = seen.T @ seen
            G = G - gram[3:, 3:] / s2
            if self.problem.is_reml:
                G = G - _sandwich(gram[:3, :3], T @ inverse @ T.T)
        return G


def _sandwich(gram: Floats, F: Floats) -> Floats:
    """Sum W·F·W from the cross-products of (W11, W12, W22)."""
    (a, b, c), (_, d, e), (_, _, f) = gram
    top = a * F[0, 0] + 2 * b * F[0, 1] + d * F[1, 1]
    side = b * F[0, 0] + (c + d) * F[0, 1] + e * F[1, 1]
    low = d * F[0, 0] + 2 * e * F[0, 1] + f * F[1, 1]
    return np.array([[top, side], [side, low]])


def _factor_gradient(problem: Problem, free: Floats, G: Floats) -> Floats:
    """Chain rule from D = L·L' to the elements of L: dL = 2·G·L."""
    L = problem.factor(free)
    full = 2 * G[np.ix_(problem.active, problem.active)] @ L
    return np.asarray(full[problem.triangle])


class JointLikelihood:
    """K markers with one covariance of all their effects, in batches of small matrices."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        bounds = [(rows.start, rows.stop, g) for g, rows in enumerate(problem.slices)]
        self._parts = [
            (problem.statistics.take(np.arange(a, min(a + CHUNK, stop))), g)
            for start, stop, g in bounds
            for a in range(start, stop, CHUNK)
        ]

    def __call__(self, free: Floats) -> Profile:
        """Evaluate deviance and gradient at the free parameters, shape (n_parameters,)."""
        problem = self.problem
        D, ratios = problem.relative_covariance(free), problem.ratios(free)
        q, groups = problem.q, len(problem.slices)
        sums = _Sums(0.0, np.zeros((groups, q, q)), np.zeros((groups, q)), 0.0)
        kept = []
        for part, g in self._parts:
            A, c, _ = cross_products(part, ratios)
            try:
                log_det, DP = shrinkage(A, D)
            except np.linalg.LinAlgError as error:
                raise ResidualVarianceIsZero("a residual variance runs to zero") from error
            W = A - A @ DP @ A
            DPc = np.einsum("nij,nj->ni", DP, c)
            Pc = c - np.einsum("nij,nj->ni", A, DPc)
            sums.log_det += float(log_det.sum())
            sums.information[g] += W.sum(axis=0)
            sums.right[g] += Pc.sum(axis=0)
            sums.squares += _squares(part, ratios, A, c, DPc, Pc)
            kept.append((part, g, A, DP, W, Pc))
        log_ratios = float(self.problem.statistics.n.sum(axis=0) @ np.log(ratios))
        deviance, theta, S, inverse, s2 = _finish(problem, sums, log_ratios)
        G = np.zeros((q, q))
        by_ratio = self.problem.statistics.n.sum(axis=0).astype(np.float64)
        for part, g, A, DP, W, Pc in kept:
            T = problem.designs[g]
            F = T @ inverse @ T.T if problem.is_reml else np.zeros((q, q))
            beta = T @ theta
            e = Pc - W @ beta
            G += W.sum(axis=0) - e.T @ e / s2 - np.einsum("nij,jk,nkl->il", W, F, W)
            by_ratio += _ratio_gradient(part, ratios, A, DP, F, beta, e @ D, s2)
        gradient = np.concatenate([_factor_gradient(problem, free, G), by_ratio[1:]])
        return Profile(deviance, gradient, G, theta, S, s2)


def _squares(
    part: SufficientStatistics, ratios: Floats, A: Floats, c: Floats, DPc: Floats, Pc: Floats
) -> float:
    """Sum y'(V/s²)⁻¹y: squares about the own lines, e'A⁻¹e and b'e with e = P·c, b = D·e.

    None of the three is negative. Where a marker's draws tell no line, they give its plain
    yy - c'b instead.
    """
    own = own_lines(part)
    total = float((DPc * Pc).sum())
    for m, ratio in enumerate(ratios):
        at = slice(2 * m, 2 * m + 2)
        n, t, tt = A[:, 2 * m, 2 * m], A[:, 2 * m, 2 * m + 1], A[:, 2 * m + 1, 2 * m + 1]
        e0, e1 = Pc[:, at].T
        with np.errstate(divide="ignore", invalid="ignore"):
            of_line = (tt * e0 * e0 - 2 * t * e0 * e1 + n * e1 * e1) / (n * tt - t * t)
            of_level = np.where(n > 0, e0 * e0 / n, 0.0)
        has_line, is_level = own.has_line[:, m], own.is_level[:, m]
        kept = own.left[:, m] / ratio + np.where(has_line, of_line, of_level)
        plain = part.yy[:, m] / ratio - ((c + Pc)[:, at] * DPc[:, at]).sum(axis=1)
        total += float(np.where(has_line | is_level, kept, plain).sum())
    return total


def _ratio_gradient(
    part: SufficientStatistics,
    ratios: Floats,
    A: Floats,
    DP: Floats,
    F: Floats,
    beta: Floats,
    b: Floats,
    s2: float,
) -> Floats:
    """Return d deviance / d log ratio of each marker, without the term n log ratio.

    Three parts: of log|I + A·D|, of the quadratic form (by the envelope theorem the squares left
    over at the patient's own line, `beta` + `b`), and, for REML, of log|S|.
    """
    P = np.eye(len(beta)) - A @ DP
    PFP = np.einsum("nji,jk,nkl->nil", P, F, P)
    lines = beta + b
    found = np.empty(len(ratios))
    for k, ratio in enumerate(ratios):
        own = slice(2 * k, 2 * k + 2)
        A_k, line = A[:, own, own], lines[:, own]
        c_k = np.column_stack([part.y[:, k], part.ty[:, k]]) / ratio
        left = part.yy[:, k] / ratio - 2 * (c_k * line).sum(axis=1)
        left = left + np.einsum("ni,nij,nj->n", line, A_k, line)
        trace = np.einsum("nij,nji->", DP[:, own, own] + PFP[:, own, own], A_k)
        found[k] = -trace - left.sum() / s2
    return found
