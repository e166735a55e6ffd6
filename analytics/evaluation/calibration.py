"""Whether probabilities mean what they say: Brier score, intercept, slope, curve."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats
from sklearn.metrics import brier_score_loss

from analytics.evaluation.inputs import (
    BoolArray,
    EvaluationIsUnfit,
    FloatArray,
    need_both,
    read_labels,
    read_level,
    read_probabilities,
    refuse_out_of_step,
)
from analytics.scalars import is_whole

MOST_STEPS = 60
CLOSE_ENOUGH = 1e-11
FURTHEST_COEFFICIENT = 50.0


class CalibrationIsUndefined(ArithmeticError):
    """No finite intercept or slope fits: the probabilities separate the outcomes."""


@dataclass(frozen=True)
class Calibration:
    """Agreement of probabilities with outcomes.

    `intercept` is calibration in the large: the shift in log-odds that the probabilities need
    (0 is right, below 0 they are too high). `slope` is 1 if they spread rightly, below 1 if they
    are too extreme. `brier_of_prevalence` is what saying the prevalence to everyone scores;
    `brier_gain` is the share of it that is saved (0 or less: worth nothing).
    """

    n: int
    n_positive: int
    brier: float
    brier_of_prevalence: float
    brier_gain: float
    intercept: float
    intercept_low: float
    intercept_high: float
    slope: float
    slope_low: float
    slope_high: float
    level: float


def brier(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Score probabilities by their mean squared distance from the outcome.

    Parameters
    ----------
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    probabilities : array_like of float
        From 0 to 1.

    Returns
    -------
    float
        0 is perfect; the prevalence told to everyone scores prevalence x (1 - prevalence).

    Raises
    ------
    EvaluationIsUnfit
        A value is missing or outside 0 to 1, or nobody is there.

    Notes
    -----
    Source: Brier 1950; :func:`sklearn.metrics.brier_score_loss`.
    """
    refuse_out_of_step(labels, probabilities=probabilities)
    outcome = read_labels(labels)
    if len(outcome) == 0:
        raise EvaluationIsUnfit(column="labels", value="no rows", wanted="at least one patient")
    numbers = read_probabilities(probabilities, n=len(outcome), is_open=False)
    return float(brier_score_loss(outcome, numbers, pos_label=True))


def calibrate(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, level: float = 0.95
) -> Calibration:
    """Measure how far probabilities agree with outcomes.

    Parameters
    ----------
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    probabilities : array_like of float
        Above 0 and below 1.
    level : float, default: 0.95
        Confidence level of the Wald intervals.

    Returns
    -------
    Calibration

    Raises
    ------
    EvaluationIsUnfit
        A value is missing or outside, one of the outcomes does not occur, or all probabilities
        are equal so that no slope exists.
    CalibrationIsUndefined
        The probabilities separate the outcomes.

    Notes
    -----
    Source: Cox 1958, Biometrika 45:562; Van Calster 2016, J Clin Epidemiol 74:167. The intercept
    is fitted with the slope held at 1 (offset), the slope with a free intercept.
    """
    refuse_out_of_step(labels, probabilities=probabilities)
    outcome = read_labels(labels)
    n_positive, _ = need_both(outcome, at_least=1)
    numbers = read_probabilities(probabilities, n=len(outcome), is_open=True)
    log_odds = special.logit(numbers)
    if np.ptp(log_odds) == 0:
        raise EvaluationIsUnfit(
            column="probabilities",
            value=float(numbers[0]),
            wanted="at least two different probabilities, else there is no slope",
        )
    ones = np.ones((len(outcome), 1))
    shift, shift_error = _logistic(ones, outcome, offset=log_odds)
    unit = float(log_odds.std())  # in its own standard deviations, however near they all lie
    standard = (log_odds - log_odds.mean()) / unit
    (_, slope), (_, slope_error) = _logistic(np.column_stack([ones, standard]), outcome) / unit
    half = float(stats.norm.ppf(0.5 + read_level(level) / 2))
    prevalence = n_positive / len(outcome)
    score = float(brier_score_loss(outcome, numbers, pos_label=True))
    of_prevalence = prevalence * (1 - prevalence)
    return Calibration(
        n=len(outcome),
        n_positive=n_positive,
        brier=score,
        brier_of_prevalence=of_prevalence,
        brier_gain=1 - score / of_prevalence,
        intercept=float(shift[0]),
        intercept_low=float(shift[0] - half * shift_error[0]),
        intercept_high=float(shift[0] + half * shift_error[0]),
        slope=float(slope),
        slope_low=float(slope - half * slope_error),
        slope_high=float(slope + half * slope_error),
        level=level,
    )


def calibration_curve(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    n_groups: int = 10,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare told and found risk in groups of about equal size.

    Parameters
    ----------
    labels : array_like of bool
        True or 1 for the patients with the outcome.
    probabilities : array_like of float
        From 0 to 1.
    n_groups : int, default: 10
        Groups by quantiles of the probability; equal probabilities stay together, so there may
        be fewer. Where no more probabilities than that are told, each is a group of its own.
    level : float, default: 0.95
        Confidence level of the Wilson intervals.

    Returns
    -------
    DataFrame
        n, n_positive, told (mean probability), found (share with the outcome), found_low,
        found_high; from the lowest risk to the highest.

    Raises
    ------
    EvaluationIsUnfit
        A value is missing or outside, or there are fewer patients than groups.
    """
    refuse_out_of_step(labels, probabilities=probabilities)
    outcome = read_labels(labels)
    numbers = read_probabilities(probabilities, n=len(outcome), is_open=False)
    read_level(level)
    if not is_whole(n_groups, least=1) or n_groups > len(outcome):
        raise EvaluationIsUnfit(
            column="n_groups", value=n_groups, wanted=f"from 1 to {len(outcome)} groups"
        )
    values, group = np.unique(numbers, return_inverse=True)
    if len(values) > n_groups:
        edges = np.quantile(numbers, np.linspace(0, 1, n_groups + 1)[1:-1])
        group = np.searchsorted(edges, numbers)
    frame = pd.DataFrame({"group": group, "told": numbers, "is_positive": outcome})
    table = frame.groupby("group").agg(
        n=("told", "size"),
        n_positive=("is_positive", "sum"),
        told=("told", "mean"),
        found=("is_positive", "mean"),
    )
    wilson = [
        stats.binomtest(int(hit), int(n)).proportion_ci(level, method="wilson")
        for hit, n in zip(table["n_positive"], table["n"], strict=True)
    ]
    table["found_low"] = [interval.low for interval in wilson]
    table["found_high"] = [interval.high for interval in wilson]
    return table.reset_index(drop=True)


def _logistic(
    design: FloatArray, outcome: BoolArray, *, offset: FloatArray | None = None
) -> FloatArray:
    """Fit a logistic regression by Newton's method; coefficients and standard errors, in rows."""
    base = np.zeros(len(outcome)) if offset is None else offset
    beta = np.zeros(design.shape[1])
    loglik = -np.inf
    for _ in range(MOST_STEPS):
        fitted = special.expit(base + design @ beta)
        information = design.T @ (design * (fitted * (1 - fitted))[:, None])
        try:
            step = np.linalg.solve(information, design.T @ (outcome - fitted))
        except np.linalg.LinAlgError:
            break
        loglik = _log_likelihood(base + design @ beta, outcome)
        # A full Newton step can overshoot far from the solution, so it is halved until it helps.
        while _log_likelihood(base + design @ (beta + step), outcome) < loglik - 1e-10:
            step = step / 2
        beta = beta + step
        if np.abs(beta).max() > FURTHEST_COEFFICIENT:
            break
        if np.abs(step).max() < CLOSE_ENOUGH * max(1.0, np.abs(beta).max()):
            return np.array([beta, np.sqrt(np.diag(np.linalg.inv(information)))])
    raise CalibrationIsUndefined(
        "no finite calibration fits: the probabilities separate those with the outcome from "
        "those without, or nearly so; more patients are needed"
    )


def _log_likelihood(log_odds: FloatArray, outcome: BoolArray) -> float:
    return float(-np.logaddexp(0, np.where(outcome, -log_odds, log_odds)).sum())
