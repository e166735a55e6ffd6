"""Given the parameters, what is known of each patient: effects, their variances, log density."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.fitting.sufficient import Floats, SufficientStatistics, need_statistics

CHUNK = 8192  # patients worked on at a time, so that the matrices stay in the processor's cache


class BadParameter(ValueError):
    """Parameters of the wrong shape, not finite, or no covariance; the message says which."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """What the draws say of N patients; q = 2K (intercept and slope of each marker).

    Attributes
    ----------
    mean : ndarray, shape (N, q)
        Mean of the patient's deviation b from the group's line: intercept (level units, at week
        0) and slope (level units per week) of each marker in turn.
    covariance : ndarray, shape (N, q, q)
        Conditional covariance of b given the draws.
    log_density : ndarray, shape (N,)
        Log of the marginal density of the patient's draws (0 without a draw).
    """

    mean: Floats
    covariance: Floats
    log_density: Floats


def posterior(
    statistics: SufficientStatistics,
    *,
    effects: npt.ArrayLike,
    covariance: npt.ArrayLike,
    residual_variance: npt.ArrayLike,
) -> Posterior:
    """Compute empirical-Bayes effects in closed form, whatever the number of draws (also none).

    With A = X'R⁻¹X, u = X'R⁻¹(y - Xβ) and P = (I + A·D)⁻¹: b = D·P·u and Var(b | y) = D·P. No
    inverse of D is taken, so a singular D is no obstacle (Henderson 1975, Biometrics 31:423, in
    the form of Laird & Ware 1982, Biometrics 38:963, by the Woodbury identity).

    Parameters
    ----------
    statistics : SufficientStatistics
        Of N patients and K markers; they need not have been part of any fit.
    effects : array_like, shape (q,) or (N, q)
        Mean line β: intercept at week 0 and slope per week of each marker; one for all, or one
        for each patient.
    covariance : array_like, shape (q, q)
        Covariance D of the deviations.
    residual_variance : array_like, shape (K,)
        Variance of a single result about the patient's line, per marker.

    Returns
    -------
    Posterior

    Raises
    ------
    BadParameter
        Wrong shape, not finite, or no covariance.
    TypeError
        Rows are given where their sums are wanted.
    """
    need_statistics(statistics)
    k = len(statistics.markers)
    beta = checked_numbers("effects", effects)
    D = checked_covariance(covariance, size=2 * k)
    s2 = checked_variances(residual_variance, size=k)
    if beta.shape not in {(2 * k,), (len(statistics), 2 * k)} or not np.isfinite(beta).all():
        raise BadParameter(f"effects of shape {beta.shape}: ({2 * k},) finite numbers are needed")
    shift, level = origin_shift(statistics)
    beta = beta @ shift.T - level
    D = shift @ D @ shift.T
    found = _centred_posterior(statistics, beta, D, s2)
    back = np.linalg.inv(shift)
    return Posterior(
        mean=found.mean @ back.T,
        covariance=back @ found.covariance @ back.T,
        log_density=found.log_density,
    )


def checked_numbers(name: str, given: npt.ArrayLike) -> Floats:
    """Return parameters as an array; refuse text and whatever else is no number."""
    try:
        values = np.asarray(given)
    except ValueError as error:  # rows of different lengths
        raise BadParameter(
            f"{name}: {given!r} - numbers are needed, in rows of a length"
        ) from error
    if values.dtype.kind not in "iuf":
        raise BadParameter(f"{name}: {given!r} - numbers are needed")
    return values.astype(np.float64)


def checked_covariance(covariance: npt.ArrayLike, *, size: int) -> Floats:
    """Return the covariance as an array; refuse what is none (shape, symmetry, negative)."""
    D = checked_numbers("covariance", covariance)
    if D.shape != (size, size) or not np.isfinite(D).all():
        raise BadParameter(f"covariance of shape {D.shape}: ({size}, {size}) finite is needed")
    scale = np.sqrt(np.maximum(np.diag(D), np.finfo(float).tiny))
    correlation = D / np.outer(scale, scale)
    if not np.allclose(D, D.T, rtol=1e-9, atol=0) or np.linalg.eigvalsh(correlation)[0] < -1e-7:
        raise BadParameter("covariance is not symmetric and positive semi-definite")
    return D


def checked_variances(residual_variance: npt.ArrayLike, *, size: int) -> Floats:
    """Return the residual variances as an array of shape (size,); refuse any that is not > 0."""
    s2 = np.atleast_1d(checked_numbers("residual_variance", residual_variance))
    if s2.shape != (size,) or not np.all(np.isfinite(s2) & (s2 > 0)):
        raise BadParameter(f"residual_variance {s2}: {size} finite number(s) > 0 are needed")
    return s2


def origin_shift(statistics: SufficientStatistics) -> tuple[Floats, Floats]:
    """Return M (q, q) and l (q,) with β about the statistics' origins = M·β - l.

    A line with intercept a at week 0 has the intercept a + w·slope at week w.
    """
    k = len(statistics.markers)
    shift = np.kron(np.eye(k), np.array([[1.0, statistics.week_origin], [0.0, 1.0]]))
    level = np.zeros(2 * k)
    level[::2] = statistics.level_origin
    return shift, level


def cross_products(statistics: SufficientStatistics, s2: Floats) -> tuple[Floats, Floats, Floats]:
    """Return X'R⁻¹X (N, q, q), X'R⁻¹y (N, q) and y'R⁻¹y (N,) about the statistics' origins."""
    n, k = statistics.n.shape
    A = np.zeros((n, 2 * k, 2 * k))
    c = np.empty((n, 2 * k))
    for m in range(k):
        A[:, 2 * m, 2 * m] = statistics.n[:, m] / s2[m]
        A[:, 2 * m, 2 * m + 1] = A[:, 2 * m + 1, 2 * m] = statistics.t[:, m] / s2[m]
        A[:, 2 * m + 1, 2 * m + 1] = statistics.tt[:, m] / s2[m]
        c[:, 2 * m] = statistics.y[:, m] / s2[m]
        c[:, 2 * m + 1] = statistics.ty[:, m] / s2[m]
    return A, c, (statistics.yy / s2).sum(axis=1)


def _centred_posterior(
    statistics: SufficientStatistics, beta: Floats, D: Floats, s2: Floats
) -> Posterior:
    """Work in chunks, with the parameters already about the statistics' origins."""
    n, k = statistics.n.shape
    mean = np.empty((n, 2 * k))
    covariance = np.empty((n, 2 * k, 2 * k))
    log_density = np.empty(n)
    constant = np.log(2 * np.pi * s2)
    for start in range(0, n, CHUNK):
        rows = slice(start, start + CHUNK)
        part = statistics.take(np.arange(start, min(start + CHUNK, n)))
        b = beta if beta.ndim == 1 else beta[rows]
        A, c, yy = cross_products(part, s2)
        Ab = A @ b if b.ndim == 1 else np.einsum("nij,nj->ni", A, b)
        u = c - Ab
        log_det, DP = shrinkage(A, D)
        mean[rows] = np.einsum("nij,nj->ni", DP, u)
        covariance[rows] = DP
        misfit = yy - ((c + u) * b).sum(axis=1) - (u * mean[rows]).sum(axis=1)
        log_density[rows] = -0.5 * (part.n @ constant + log_det + misfit)
    return Posterior(mean=mean, covariance=covariance, log_density=log_density)


def shrinkage(A: Floats, D: Floats) -> tuple[Floats, Floats]:
    """Return log|I + A·D| (N,) and D·(I + A·D)⁻¹ (N, q, q), the latter exactly symmetric."""
    q = D.shape[0]
    if q == 2:
        return _shrinkage_of_pairs(A, D)
    root = root_of(D)
    # I + R'AR with D = RR' is at least the identity, however large or singular D is.
    inner = np.eye(q) + root.T @ A @ root
    _, log_det = np.linalg.slogdet(inner)
    DP = root @ np.linalg.solve(inner, np.broadcast_to(root.T, A.shape))
    return log_det, (DP + DP.transpose(0, 2, 1)) / 2


def root_of(D: Floats) -> Floats:
    """Return R with R·R' = D, for any positive semi-definite D."""
    unit = np.sqrt(np.diag(D))
    unit = np.where(unit > 0, unit, 1.0)
    values, vectors = np.linalg.eigh(D / np.outer(unit, unit))
    return np.asarray(unit[:, None] * vectors * np.sqrt(np.maximum(values, 0)))


def _shrinkage_of_pairs(A: Floats, D: Floats) -> tuple[Floats, Floats]:
    n, t, tt = A[:, 0, 0], A[:, 0, 1], A[:, 1, 1]
    det_D = D[0, 0] * D[1, 1] - D[0, 1] * D[0, 1]
    det = 1 + n * D[0, 0] + 2 * t * D[0, 1] + tt * D[1, 1] + (n * tt - t * t) * det_D
    DP = np.empty_like(A)
    DP[:, 0, 0] = (D[0, 0] + tt * det_D) / det
    DP[:, 0, 1] = DP[:, 1, 0] = (D[0, 1] - t * det_D) / det
    DP[:, 1, 1] = (D[1, 1] + n * det_D) / det
    return np.log(det), DP
