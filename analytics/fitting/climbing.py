"""The search for a maximum that one descent may not reach: restarts, then a few Newton steps."""

from collections.abc import Callable

import numpy as np
from scipy import optimize

from analytics.fitting.sufficient import Floats

MOST_DESCENTS = 6  # each from where the last one ended, without its memory of curvature
MOST_NEWTON_STEPS = 15
MOST_HALVINGS = 8

Negative = Callable[[Floats], tuple[float, Floats]]


class _Counted:
    def __init__(self, negative: Negative) -> None:
        self.negative = negative
        self.calls = 0

    def __call__(self, at: Floats) -> tuple[float, Floats]:
        self.calls += 1
        return self.negative(at)


def climb(
    negative: Negative, start: Floats, limits: Floats, *, settled: float
) -> tuple[Floats, int]:
    """Find the minimum of what is given as minus a log-likelihood with its gradient.

    Parameters
    ----------
    negative : callable
        Free parameters -> value and gradient.
    start : ndarray
        Where the search begins.
    limits : ndarray
        Largest size of each parameter.
    settled : float
        Largest entry of the gradient that needs no further step.

    Returns
    -------
    at : ndarray
        Where it ended; its gradient tells whether that is a minimum.
    evaluations : int
    """
    counted, at = _Counted(negative), np.clip(start, -limits, limits)
    value, gradient = counted(at)
    for _ in range(MOST_DESCENTS):
        before, at = value, _descend(counted, at, limits, settled)
        value, gradient = counted(at)
        if np.abs(gradient).max() < settled or before - value < 1e-10 * (1 + abs(value)):
            break
    for _ in range(MOST_NEWTON_STEPS):
        if np.abs(gradient).max() < settled:
            break
        step = _newton_step(counted, at, gradient)
        for _ in range(MOST_HALVINGS):
            trial = np.clip(at + step, -limits, limits)
            found, slope = counted(trial)
            is_flat = found < value + 1e-12 * (1 + abs(value))
            if found < value or (is_flat and np.abs(slope).max() < np.abs(gradient).max()):
                break
            step = step / 4
        else:
            break
        at, value, gradient = trial, found, slope
    return at, counted.calls


def _descend(counted: _Counted, at: Floats, limits: Floats, settled: float) -> Floats:
    found = optimize.minimize(
        counted,
        at,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-limit, limit) for limit in limits],
        options={"maxiter": 500, "ftol": 1e-13, "gtol": settled, "maxcor": 20},
    )
    return np.asarray(found.x, dtype=np.float64)


def _newton_step(counted: _Counted, at: Floats, gradient: Floats) -> Floats:
    """Step by the Hessian (differences of the exact gradient); uphill curvature is turned round."""
    size = 1e-5 * np.maximum(np.abs(at), 0.01)
    hessian = np.array(
        [
            (counted(at + h)[1] - counted(at - h)[1]) / (2 * each)
            for h, each in zip(np.diag(size), size, strict=True)
        ]
    )
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    floor = 1e-8 * max(float(np.abs(values).max()), 1e-300)
    along = vectors.T @ gradient
    steps = np.where(np.abs(values) > floor, along / np.maximum(np.abs(values), floor), 0.0)
    return np.asarray(-vectors @ steps)
