"""How well the variances are known: their expected information, for intervals of the risk."""

import numpy as np
import numpy.typing as npt

from analytics.fitting.posterior import (
    CHUNK,
    checked_covariance,
    checked_variances,
    cross_products,
    origin_shift,
    shrinkage,
)
from analytics.fitting.reading import BadLabel, names
from analytics.fitting.sufficient import Floats, SufficientStatistics, need_statistics


def variance_information(
    statistics: SufficientStatistics,
    *,
    covariance: npt.ArrayLike,
    residual_variance: npt.ArrayLike,
) -> Floats:
    """Compute the expected information of the variance parameters in closed form.

    For parameters a and b of V it is ½ tr(V⁻¹ V_a V⁻¹ V_b) summed over patients (Searle, Casella &
    McCulloch 1992, Variance Components, section 6.6), from W = X'V⁻¹X and P = (I + A·D)⁻¹ only.

    Parameters
    ----------
    statistics : SufficientStatistics
        Of N patients and K markers.
    covariance : array_like, shape (q, q)
        D, in level units and weeks; q = 2K.
    residual_variance : array_like, shape (K,)
        s² per marker.

    Returns
    -------
    ndarray, shape (m, m) with m = q(q + 1)/2 + K
        In the order of :func:`variance_names`: the lower triangle of D row by row, then s². Its
        inverse is the asymptotic covariance of the estimates; it is singular where the draws say
        nothing of a parameter.

    Raises
    ------
    BadParameter
    """
    need_statistics(statistics)
    k = len(statistics.markers)
    D = checked_covariance(covariance, size=2 * k)
    s2 = checked_variances(residual_variance, size=k)
    shift, _ = origin_shift(statistics)
    D = shift @ D @ shift.T
    q = 2 * k
    squares, crossed, residual = np.zeros((q * q, q * q)), np.zeros((k, q, q)), np.zeros((k, k))
    for start in range(0, len(statistics), CHUNK):
        part = statistics.take(np.arange(start, min(start + CHUNK, len(statistics))))
        A, _, _ = cross_products(part, s2)
        _, DP = shrinkage(A, D)
        W = shift.T @ (A - A @ DP @ A) @ shift
        flat = W.reshape(len(W), -1)
        squares += flat.T @ flat
        P = np.eye(q) - A @ DP
        crossed += _crossed(A, P, s2)
        residual += _residual(part.n, A, DP, s2)
    return _assemble(squares, shift.T @ crossed @ shift, residual)


def variance_names(markers: tuple[str, ...]) -> tuple[str, ...]:
    """Name the parameters of :func:`variance_information`, in order.

    Parameters
    ----------
    markers : tuple of str, length K

    Returns
    -------
    tuple of str
        The lower triangle of D row by row, then the K residual variances.

    Raises
    ------
    BadLabel
        One word is given where a list is wanted, or a marker stands twice.
    """
    markers = names(markers, name="markers", refusal=BadLabel)
    effects = [f"{marker} {part}" for marker in markers for part in ("intercept", "slope")]
    rows, columns = np.tril_indices(len(effects))
    pairs = [f"cov({effects[i]}, {effects[j]})" for i, j in zip(rows, columns, strict=True)]
    return (*pairs, *(f"residual variance {marker}" for marker in markers))


def _own(m: int) -> slice:
    return slice(2 * m, 2 * m + 2)


def _crossed(A: Floats, P: Floats, s2: Floats) -> Floats:
    """Sum X'V⁻¹ I_m V⁻¹X over patients, for each marker m: shape (K, q, q)."""
    found = np.empty((len(s2), P.shape[1], P.shape[1]))
    for m, variance in enumerate(s2):
        side = P[:, :, _own(m)]
        found[m] = np.einsum("nij,njk,nlk->il", side, A[:, _own(m), _own(m)], side) / variance
    return found


def _residual(n: Floats, A: Floats, DP: Floats, s2: Floats) -> Floats:
    """Sum tr(V⁻¹ I_a V⁻¹ I_b) over patients, for markers a and b: shape (K, K)."""
    k = len(s2)
    found = np.zeros((k, k))
    for a in range(k):
        A_a = A[:, _own(a), _own(a)]
        trace = np.einsum("nij,nji->", DP[:, _own(a), _own(a)], A_a)
        found[a, a] = (n[:, a].sum() - 2 * trace) / s2[a] ** 2
        for b in range(k):
            left = DP[:, _own(a), _own(b)] @ A[:, _own(b), _own(b)]
            right = DP[:, _own(b), _own(a)] @ A_a
            found[a, b] += np.einsum("nij,nji->", left, right) / (s2[a] * s2[b])
    return found


def _assemble(squares: Floats, crossed: Floats, residual: Floats) -> Floats:
    q = crossed.shape[1]
    rows, columns = np.tril_indices(q)
    units = np.zeros((len(rows), q, q))
    units[np.arange(len(rows)), rows, columns] = 1
    units[np.arange(len(rows)), columns, rows] = 1
    # tr(E_a W E_b W) = sum of E_a[i,j] W[j,k] E_b[k,l] W[l,i]
    quartic = squares.reshape(q, q, q, q)
    within = np.einsum("aij,jkli,bkl->ab", units, quartic, units)
    between = np.einsum("aij,mji->am", units, crossed)
    return np.asarray(np.block([[within, between], [between.T, residual]]) / 2)
