"""What restricted maximum likelihood adds to the likelihood: the price of unknown lines.

The restricted likelihood integrates the groups' lines out (Harville 1974, Biometrika 61:383). For
a Gaussian model that is exactly -½ log|S| at the best lines, S = sum of T'·X'V⁻¹X·T. A draw beyond
a limit counts in V with the Gaussian that expectation propagation gives it: the same as Laplace's
approximation of the integral (Tierney & Kadane 1986, JASA 81:82).
"""

from typing import NamedTuple

import numpy as np

from analytics.fitting.posterior import cross_products, shrinkage
from analytics.fitting.sufficient import Floats, Integers, SufficientStatistics


class Part(NamedTuple):
    """Some patients, the number of each one's group, and X'X of their stand-ins over variance."""

    statistics: SufficientStatistics
    group: Integers
    beyond: Floats | None


def restriction(
    parts: list[Part], designs: Floats, D: Floats, s2: Floats
) -> tuple[float, Floats, Floats]:
    """Compute p/2 log 2π - ½ log|S| and its derivatives, what stands in for draws held still.

    Parameters
    ----------
    parts : list of Part
        All patients, about the origins of their statistics.
    designs : ndarray, shape (G, q, p)
        T of each group.
    D : ndarray, shape (q, q)
    s2 : ndarray, shape (K,)

    Returns
    -------
    value : float
    by_covariance : ndarray, shape (q, q)
    by_residual_variance : ndarray, shape (K,)
    """
    p = designs.shape[2]
    S, kept = np.zeros((p, p)), []
    for part in parts:
        A, _, _ = cross_products(part.statistics, s2)
        whole = A if part.beyond is None else A + part.beyond
        _, DP = shrinkage(whole, D)
        W = whole - whole @ DP @ whole
        kept.append((A, np.eye(len(D)) - whole @ DP, W))
        for g, T in enumerate(designs):
            S += T.T @ W[part.group == g].sum(axis=0) @ T
    inverse = np.linalg.inv(S)
    by_D, by_s2 = np.zeros_like(D), np.zeros(len(s2))
    spread = np.einsum("gip,pr,gjr->gij", designs, inverse, designs)
    for part, (A, P, W) in zip(parts, kept, strict=True):
        F = spread[part.group]
        by_D += 0.5 * np.einsum("nij,njk,nkl->il", W, F, W)
        moved = np.einsum("nji,njk,nkl->nil", P, F, P)
        for k, variance in enumerate(s2):
            own = slice(2 * k, 2 * k + 2)
            by_s2[k] += 0.5 * float((moved[:, own, own] * A[:, own, own]).sum()) / variance
    value = 0.5 * (p * np.log(2 * np.pi) - float(np.linalg.slogdet(S)[1]))
    return value, by_D, by_s2
