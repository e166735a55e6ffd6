"""How coefficients make the groups' lines, and the units in which a fit is well conditioned."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from analytics.fitting.sufficient import Floats, SufficientStatistics


class FixedEffects(StrEnum):
    """What the groups' lines are made of."""

    INTERCEPT_AND_SLOPE = "intercept and slope"
    INTERCEPT = "intercept"
    COMMON_SLOPE = "intercept and common slope"


class CoefficientsAreConfounded(ValueError):
    """Levels and slopes of the groups cannot be told apart: too few distinct weeks."""


def design_of(fixed: FixedEffects, *, n_groups: int, n_markers: int) -> Floats:
    """Return T, shape (G, q, p): group g's line over all markers is T[g]·θ.

    Parameters
    ----------
    fixed : FixedEffects
        Own line per group, level only, or own level with one slope for all groups.
    n_groups, n_markers : int
        G and K; q = 2K.

    Returns
    -------
    ndarray, shape (G, q, p)
        θ holds, marker by marker, the coefficients in the order of the groups.
    """
    blocks: list[Floats] = []
    for g in range(n_groups):
        own = np.zeros(n_groups)
        own[g] = 1
        if fixed is FixedEffects.INTERCEPT_AND_SLOPE:
            block = np.kron(own, np.eye(2))
        elif fixed is FixedEffects.INTERCEPT:
            block = np.vstack([own, np.zeros(n_groups)])
        else:
            block = np.vstack([np.append(own, 0), np.append(np.zeros(n_groups), 1)])
        blocks.append(np.kron(np.eye(n_markers), block))
    return np.array(blocks)


@dataclass(frozen=True, eq=False)
class Standardised:
    """Statistics in units of the cohort's own spread, and the way back.

    Attributes
    ----------
    statistics : SufficientStatistics
        Weeks about their mean in units of their SD, levels likewise, less a least-squares fit.
    effect_map : ndarray, shape (q, q)
        Deviations in standard units = effect_map · deviations in weeks and levels.
    coefficient_map : ndarray, shape (p, p)
        The same for the coefficients θ.
    level_scale : ndarray, shape (K,)
        The unit of each level.
    first_fit, level_coefficients : ndarray, shape (p,)
        What was taken off the levels, in standard units: the first fit and the mean level.
    deviance_offset : float
        What the change of units of the levels adds to the deviance.
    """

    statistics: SufficientStatistics
    effect_map: Floats
    coefficient_map: Floats
    level_scale: Floats
    first_fit: Floats
    level_coefficients: Floats
    deviance_offset: float

    @classmethod
    def of(cls, statistics: SufficientStatistics, codes: npt.NDArray[Any], T: Floats) -> Self:
        """Standardise statistics whose rows belong to the groups `codes`, under the design T."""
        n = statistics.n.sum(axis=0)
        x = float(statistics.t.sum() / n.sum())
        spread = float(np.sqrt(max(statistics.tt.sum() / n.sum() - x * x, 0.0)))
        spread = spread if spread > 1e-12 * max(1.0, abs(x)) else 1.0
        means = statistics.y.sum(axis=0) / n
        scale = np.sqrt(np.maximum(statistics.yy.sum(axis=0) / n - means**2, 0.0))
        scale = np.where(scale > 0, scale, 1.0)
        moved = recentred(statistics, x, means, spread, scale)
        first = _least_squares(moved, codes, T)
        weeks = statistics.week_origin + x
        k = len(scale)
        effect_map = np.kron(np.diag(1 / scale), np.array([[1.0, weeks], [0.0, spread]]))
        level = np.zeros(2 * k)
        level[::2] = (statistics.level_origin + means) / scale
        stacked = T.reshape(-1, T.shape[2])
        pseudo = np.linalg.pinv(stacked)
        return cls(
            statistics=_less_line(moved, np.einsum("gqp,p->gq", T, first)[codes]),
            effect_map=effect_map,
            coefficient_map=pseudo @ np.kron(np.eye(len(T)), effect_map) @ stacked,
            level_scale=scale,
            first_fit=first,
            level_coefficients=np.asarray(pseudo @ np.tile(level, len(T)), dtype=np.float64),
            deviance_offset=float(2 * (n * np.log(scale)).sum()),
        )


def recentred(
    s: SufficientStatistics, x: float, y: Floats, x_unit: float, y_unit: Floats
) -> SufficientStatistics:
    """Move the origins by x weeks and y levels and change the units, exactly, sums only."""
    t = s.t - x * s.n
    return replace(
        s,
        t=t / x_unit,
        tt=(s.tt - 2 * x * s.t + x * x * s.n) / x_unit**2,
        y=(s.y - y * s.n) / y_unit,
        ty=(s.ty - x * s.y - y * t) / (x_unit * y_unit),
        yy=(s.yy - 2 * y * s.y + y * y * s.n) / y_unit**2,
        week_origin=s.week_origin + x,
        level_origin=s.level_origin + y,
    )


def _least_squares(s: SufficientStatistics, codes: npt.NDArray[Any], T: Floats) -> Floats:
    """Fit θ by ordinary least squares; refuse when the design has not full rank."""
    g, q, p = T.shape
    k = q // 2
    S, right = np.zeros((p, p)), np.zeros(p)
    sums = {
        name: np.stack([np.bincount(codes, getattr(s, name)[:, m], g) for m in range(k)], axis=1)
        for name in ("n", "t", "tt", "y", "ty")
    }
    for i in range(g):
        A, c = np.zeros((q, q)), np.zeros(q)
        for m in range(k):
            n, t, tt, y, ty = (sums[name][i, m] for name in ("n", "t", "tt", "y", "ty"))
            A[2 * m : 2 * m + 2, 2 * m : 2 * m + 2] = [[n, t], [t, tt]]
            c[2 * m : 2 * m + 2] = y, ty
        S += T[i].T @ A @ T[i]
        right += T[i].T @ c
    unit = np.sqrt(np.diag(S))
    if not np.all(unit > 0) or np.linalg.cond(S / np.outer(unit, unit)) > 1e12:
        raise CoefficientsAreConfounded(
            "levels and slopes cannot be told apart: a group has draws at one week only, or none"
        )
    return np.asarray(np.linalg.solve(S, right), dtype=np.float64)


def _less_line(s: SufficientStatistics, lines: Floats) -> SufficientStatistics:
    """Take each patient's line (N, q) off the levels."""
    a, b = lines[:, ::2], lines[:, 1::2]
    y = s.y - a * s.n - b * s.t
    ty = s.ty - a * s.t - b * s.tt
    yy = s.yy - a * (s.y + y) - b * (s.ty + ty)
    return replace(s, y=y, ty=ty, yy=yy)
