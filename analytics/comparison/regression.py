"""Multiple regression of severity on the cytokines, with what would make one doubt it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import linalg, stats

from analytics.comparison.groups import ComparisonIsUnfit, need_level, read_measure, read_names
from analytics.evaluation.inputs import FloatArray

COLLINEAR = 1e-9  # of a predictor's spread left after the others have explained it
LARGEST_SHAPIRO = 5000  # beyond it scipy's P value is not accurate


@dataclass(frozen=True)
class Regression:
    """A least-squares fit.

    Attributes
    ----------
    coefficients : DataFrame
        term ("intercept" first), estimate, standard_error, t, p, low, high, standardised (per
        standard deviation of both; NaN for the intercept), vif (variance inflation; NaN for the
        intercept).
    diagnostics : DataFrame
        One row per patient used, indexed as in the table given: fitted, residual, leverage,
        studentised (each judged by a fit without it), cooks_distance, is_influential (leverage
        over 2 p / n or Cook's distance over 4 / n, p counting the intercept).
    shapiro_w, shapiro_p
        Shapiro and Wilk's test of normal residuals; NaN above 5000 patients.
    """

    outcome: str
    n: int
    n_left_out: int
    df_residual: int
    residual_sd: float
    r_squared: float
    r_squared_adjusted: float
    f: float
    f_p: float
    shapiro_w: float
    shapiro_p: float
    level: float
    coefficients: pd.DataFrame
    diagnostics: pd.DataFrame


@dataclass(frozen=True)
class _Fit:
    beta: FloatArray
    unscaled: FloatArray
    fitted: FloatArray
    leverage: FloatArray


def regress(
    table: pd.DataFrame, *, outcome: str, predictors: Sequence[str], level: float = 0.95
) -> Regression:
    """Regress a severity on several markers at once.

    Parameters
    ----------
    table : DataFrame
        One row per patient; rows with a missing value in a column used are left out and
        counted.
    outcome : str
        The column to explain.
    predictors : sequence of str
        At least one column to explain it by.
    level : float, default: 0.95
        Confidence level of the intervals.

    Returns
    -------
    Regression

    Raises
    ------
    ComparisonIsUnfit
        A column is missing or holds something that is not a number, one name is given where a
        list is wanted, there are fewer patients than coefficients + 1, or a predictor or the
        outcome is constant or follows from the others.

    Notes
    -----
    Source: QR factorisation of the centred and scaled predictors, which keeps the digits that
    the normal equations lose (Longley 1967, JASA 62:819).
    """
    names = list(read_names(predictors, column="predictors"))
    need_level(level)
    (outcome,) = read_names([outcome], column="outcome")
    if outcome in names:
        raise ComparisonIsUnfit(column=outcome, wanted="an outcome that is not a predictor too")
    columns = np.column_stack([read_measure(table, name) for name in [outcome, *names]])
    known = np.isfinite(columns).all(axis=1)
    y, x = columns[known, 0], columns[known, 1:]
    n, p = x.shape[0], x.shape[1] + 1
    if n < p + 1:
        raise ComparisonIsUnfit(
            column=outcome, value=f"{n} complete rows", wanted=f"at least {p + 1}"
        )
    if np.ptp(y) == 0:
        raise ComparisonIsUnfit(column=outcome, value=float(y[0]), wanted="values that vary")
    fit, vif = _fit(y, x, names)
    residual = y - fit.fitted
    df = n - p
    left = float(residual @ residual)
    total = float(((y - y.mean()) ** 2).sum())
    variance = left / df
    explained = (total - left) / (p - 1)
    with np.errstate(divide="ignore"):
        f = float(np.float64(explained) / variance)
    shapiro = stats.shapiro(residual) if n <= LARGEST_SHAPIRO else (np.nan, np.nan)
    spread = np.concatenate([[np.nan], x.std(axis=0, ddof=1) / y.std(ddof=1)])
    error = np.sqrt(variance * np.diag(fit.unscaled))
    return Regression(
        outcome=outcome,
        n=n,
        n_left_out=int((~known).sum()),
        df_residual=df,
        residual_sd=float(np.sqrt(variance)),
        r_squared=1 - left / total,
        r_squared_adjusted=1 - variance / (total / (n - 1)),
        f=f,
        f_p=float(stats.f.sf(f, p - 1, df)),
        shapiro_w=float(shapiro[0]),
        shapiro_p=float(shapiro[1]),
        level=level,
        coefficients=_coefficients(
            ["intercept", *names], fit.beta, error, df=df, level=level
        ).assign(standardised=fit.beta * spread, vif=np.concatenate([[np.nan], vif])),
        diagnostics=_diagnostics(fit, residual, p=p, index=table.index[np.flatnonzero(known)]),
    )


def _fit(y: FloatArray, x: FloatArray, names: list[str]) -> tuple[_Fit, FloatArray]:
    """Fit by QR of the centred, scaled predictors; variance inflation comes with it."""
    n = len(y)
    middle, spread = x.mean(axis=0), x.std(axis=0, ddof=1)
    for name, width, at in zip(names, spread, middle, strict=True):
        if width <= COLLINEAR * abs(at):
            raise ComparisonIsUnfit(column=name, value=float(at), wanted="values that vary")
    z = (x - middle) / spread
    q, r, order = linalg.qr(z, mode="economic", pivoting=True)
    lost = np.flatnonzero(np.abs(np.diag(r)) < COLLINEAR * np.sqrt(n - 1))
    if len(lost):
        raise ComparisonIsUnfit(
            column=names[order[lost[0]]], wanted="a predictor that does not follow from the others"
        )
    inverse = np.empty_like(r)
    inverse[order] = linalg.solve_triangular(r, np.eye(len(r)))
    slope = inverse @ (q.T @ (y - y.mean())) / spread
    of_slopes = (inverse @ inverse.T) / np.outer(spread, spread)
    unscaled = np.empty((len(slope) + 1, len(slope) + 1))
    unscaled[1:, 1:] = of_slopes
    unscaled[0, 1:] = unscaled[1:, 0] = -of_slopes @ middle
    unscaled[0, 0] = 1 / n + middle @ of_slopes @ middle
    beta = np.concatenate([[y.mean() - middle @ slope], slope])
    fitted = y.mean() + (x - middle) @ slope
    leverage = 1 / n + (q**2).sum(axis=1)
    vif = (n - 1) * (inverse**2).sum(axis=1)
    return _Fit(beta=beta, unscaled=unscaled, fitted=fitted, leverage=leverage), vif


def _coefficients(
    terms: list[str], beta: FloatArray, error: FloatArray, *, df: int, level: float
) -> pd.DataFrame:
    half = stats.t.ppf(0.5 + level / 2, df) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        t = beta / error
    return pd.DataFrame(
        {
            "term": terms,
            "estimate": beta,
            "standard_error": error,
            "t": t,
            "p": 2 * stats.t.sf(np.abs(t), df),
            "low": beta - half,
            "high": beta + half,
        }
    )


def _diagnostics(
    fit: _Fit, residual: FloatArray, *, p: int, index: "pd.Index[Any]"
) -> pd.DataFrame:
    n = len(residual)
    variance = residual @ residual / (n - p)
    free = 1 - fit.leverage
    with np.errstate(divide="ignore", invalid="ignore"):
        internal = residual / np.sqrt(variance * free)
        # With one degree of freedom to spare nothing is left to judge a patient by.
        spare = n - p - internal**2
        external = internal * np.sqrt((n - p - 1) / spare)
        cooks = internal**2 * fit.leverage / (free * p)
    return pd.DataFrame(
        {
            "fitted": fit.fitted,
            "residual": residual,
            "leverage": fit.leverage,
            "studentised": external,
            "cooks_distance": cooks,
            "is_influential": (fit.leverage > 2 * p / n) | (cooks > 4 / n),
        },
        index=index,
    )
