"""The last step of training: log-odds set right by what happened, no further than needed."""

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from analytics.fitting.sufficient import Floats

RIDGE_SD = 0.5  # prior SD of intercept and of slope about (0, 1), in log-odds
MAX_STEPS = 100


class CannotRecalibrate(ArithmeticError):
    """The recalibration did not settle."""


def recalibrate(log_odds: Floats, outcome: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Find intercept a and slope b of logit p' = a + b·logit p, with a ridge towards (0, 1).

    Logistic recalibration (Cox 1958, Biometrika 45:562) with independent normal priors of SD
    `RIDGE_SD` on a and b - 1, by Newton's method on the concave penalised log-likelihood.

    Parameters
    ----------
    log_odds : ndarray, shape (N,)
        Predictions; to be honest they must come from models that did not see the patient.
    outcome : ndarray of bool, shape (N,)
        What happened. No patients at all give exactly (0, 1).

    Returns
    -------
    intercept, slope : float

    Raises
    ------
    CannotRecalibrate
        A prediction is not finite.
    """
    X = np.column_stack([np.ones_like(log_odds), log_odds])
    if not np.isfinite(X).all():
        raise CannotRecalibrate("a log-odds is not finite")
    centre = np.array([0.0, 1.0])
    ridge = np.eye(2) / RIDGE_SD**2

    def objective(at: Floats) -> float:
        eta = X @ at
        fit = (outcome * eta - np.logaddexp(0, eta)).sum()
        return float(fit - (at - centre) @ ridge @ (at - centre) / 2)

    where = centre.copy()
    for _ in range(MAX_STEPS):
        p = expit(X @ where)
        gradient = X.T @ (outcome - p) - ridge @ (where - centre)
        step = np.linalg.solve(X.T @ (X * (p * (1 - p))[:, None]) + ridge, gradient)
        before = objective(where)
        while objective(where + step) < before - 1e-12 * abs(before) and np.abs(step).max() > 1e-14:
            step = step / 2
        where = where + step
        if np.abs(step).max() < 1e-12:
            return float(where[0]), float(where[1])
    raise CannotRecalibrate(f"still moving after {MAX_STEPS} steps")


def recalibration_covariance(log_odds: Floats, recalibration: tuple[float, float]) -> Floats:
    """Give the uncertainty that is left of intercept and slope after :func:`recalibrate`.

    The inverse of the penalised information, X'WX + I/`RIDGE_SD`² with W = p'(1 - p').

    Parameters
    ----------
    log_odds : ndarray, shape (N,)
        The predictions that were recalibrated.
    recalibration : tuple of float
        Intercept and slope found.

    Returns
    -------
    ndarray, shape (2, 2)
    """
    X = np.column_stack([np.ones_like(log_odds), log_odds])
    p = expit(X @ np.array(recalibration))
    information = X.T @ (X * (p * (1 - p))[:, None]) + np.eye(2) / RIDGE_SD**2
    return np.asarray(np.linalg.inv(information), dtype=np.float64)


def log_score(log_odds: Floats, outcome: npt.NDArray[np.bool_]) -> Floats:
    """Score each patient's log-odds by what came of it.

    Parameters
    ----------
    log_odds : ndarray, shape (N,)
        Of the outcome.
    outcome : ndarray of bool, shape (N,)

    Returns
    -------
    ndarray, shape (N,)
        log p(outcome): 0 at best, the higher the better.
    """
    return -np.logaddexp(0, np.where(outcome, -log_odds, log_odds))


def prior_log_odds(probability: float) -> float:
    """Return logit(probability); it must lie strictly between 0 and 1."""
    if not 0 < probability < 1:
        raise ValueError(f"prior probability {probability}: between 0 and 1, both excluded")
    return float(logit(probability))
