"""The last step of training: prior and marker set right by what happened, as far as needed."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, logit

from analytics.fitting.reading import BadLabel
from analytics.fitting.sufficient import Floats

RIDGE_SD = 0.5  # prior SD of intercept and of slope about (0, 1), in log-odds
SETTLED_BELOW = 1e-6  # gradient of the penalised log-likelihood, per patient
_IDENTITY = np.array([0.0, 1.0])


class CannotRecalibrate(ArithmeticError):
    """The recalibration did not settle."""


def recalibrate(
    marker: Floats, outcome: npt.NDArray[np.bool_], *, offset: npt.ArrayLike
) -> tuple[float, float]:
    """Find intercept a and slope b of logit p = offset + a + b·marker, ridge towards (0, 1).

    Logistic recalibration (Cox 1958, Biometrika 45:562) of the marker's piece alone. What is known
    besides, the prior and the symptoms, is an offset whose weight stays as it is; the intercept is
    how far the local share of the resistant lies from it, with a marker or without. Normal priors
    of SD `RIDGE_SD` on a and b - 1; b is at least zero, where the marker says nothing.

    Parameters
    ----------
    marker : ndarray, shape (N,)
        Log-odds that the markers add; to be honest, by models that did not see the patient.
    outcome : ndarray of bool, shape (N,)
        What happened. No patients at all give exactly (0, 1).
    offset : float or ndarray, shape (N,)
        Log-odds of the prior, and of the symptoms where training knows them.

    Returns
    -------
    intercept, slope : float

    Raises
    ------
    CannotRecalibrate
        A log-odds is not finite.
    BadLabel
        The columns are not of one length, or an outcome is none.
    """
    marker, start = _read_log_odds(marker, offset)
    outcome = _read_outcome(outcome, len(marker))
    X = np.column_stack([np.ones_like(marker), marker])

    def loss(at: Floats) -> tuple[float, Floats]:
        eta, off = start + X @ at, (at - _IDENTITY) / RIDGE_SD**2
        value = (np.logaddexp(0, eta) - outcome * eta).sum() + off @ (at - _IDENTITY) / 2
        return float(value), X.T @ (expit(eta) - outcome) + off

    found = minimize(
        loss,
        _IDENTITY,
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None), (0, None)],
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    intercept, slope = map(float, found.x)
    by_intercept, by_slope = loss(found.x)[1]
    left = max(abs(by_intercept), abs(by_slope) if slope > 0 else max(-by_slope, 0.0))
    if left > SETTLED_BELOW * (1 + len(marker)):
        raise CannotRecalibrate(f"{found.message}; the gradient is still {left:.1e}")
    return intercept, slope


def recalibration_covariance(
    marker: Floats, recalibration: tuple[float, float], *, offset: npt.ArrayLike
) -> Floats:
    """Give the uncertainty that is left of intercept and slope after :func:`recalibrate`.

    The inverse of the penalised information, X'WX + I/`RIDGE_SD`² with W = p(1 - p).

    Parameters
    ----------
    marker, offset
        As for :func:`recalibrate`.
    recalibration : tuple of float
        Intercept and slope found.

    Returns
    -------
    ndarray, shape (2, 2)
    """
    marker, start = _read_log_odds(marker, offset)
    X = np.column_stack([np.ones_like(marker), marker])
    p = expit(start + X @ np.array(recalibration))
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
    log_odds, _ = _read_log_odds(log_odds, 0.0)
    outcome = _read_outcome(outcome, len(log_odds))
    return np.asarray(-np.logaddexp(0, np.where(outcome, -log_odds, log_odds)))


def _read_log_odds(given: npt.ArrayLike, offset: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Read a column of log-odds, and the offset of each."""
    try:
        found, start = np.asarray(given, dtype=np.float64), np.asarray(offset, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadLabel(f"log-odds: {error} - an array of numbers is needed") from error
    if found.ndim != 1 or start.shape not in {(), found.shape}:
        shapes = f"{found.shape}, offset of shape {start.shape}"
        raise BadLabel(f"log-odds of shape {shapes} - one figure a patient is needed")
    start = np.broadcast_to(start, found.shape)
    wrong = np.flatnonzero(~(np.isfinite(found) & np.isfinite(start)))
    if len(wrong):
        raise CannotRecalibrate(f"row {wrong[0]}: a log-odds is not finite")
    return found, start


def _read_outcome(given: npt.ArrayLike, size: int) -> npt.NDArray[np.bool_]:
    """Read what happened to each patient."""
    found = np.asarray(given)
    if found.shape != (size,):
        raise BadLabel(f"outcome of shape {found.shape} - {size} outcomes, one a patient")
    if found.dtype.kind not in "biuf":
        raise BadLabel(f"outcome: {found.dtype} - True or False is needed")
    wrong = np.flatnonzero((found != 0) & (found != 1))
    if len(wrong):
        row = wrong[0]
        raise BadLabel(f"row {row}, outcome: {found[row]} - True or False is needed")
    return found.astype(np.bool_)


def prior_log_odds(probability: float) -> float:
    """Return logit(probability); it must lie strictly between 0 and 1."""
    if not 0 < probability < 1:
        raise ValueError(f"prior probability {probability}: between 0 and 1, both excluded")
    return float(logit(probability))
