"""The search for the least deviance: L-BFGS, a few Newton steps, and a look over the boundary."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from analytics.fitting.likelihood import Problem, Profile, ResidualVarianceIsZero
from analytics.fitting.sufficient import Floats

SINGULAR_BELOW = 1e-7  # smallest share of the relative covariance that still counts as variation
CONVERGED_BELOW = 1e-9  # expected gain in deviance that is not worth another step
MAX_NEWTON_STEPS = 20
MAX_HALVINGS = 6
MAX_ESCAPES = 4
START = 1.0  # of the patients' standard deviations over the residual one
OTHER_STARTS = (0.2, 4.0)
LARGEST_SD = 1e4  # of patients, over the residual one, in standard units
LARGEST_LOG_RATIO = 25.0  # of one marker's residual variance to the first one's

Evaluate = Callable[[Floats], Profile]


@dataclass(frozen=True, eq=False)
class Found:
    """Where the search ended.

    Attributes
    ----------
    free : ndarray
        Free parameters at the minimum.
    profile : Profile
        Deviance and what was profiled out there.
    is_converged, is_singular : bool
        No downhill direction is left; the covariance has lost a dimension.
    n_evaluations : int
        Times the deviance was computed.
    message : str
        How the search ended, in words.
    """

    free: Floats
    profile: Profile
    is_converged: bool
    is_singular: bool
    n_evaluations: int
    message: str


class _Counted:
    def __init__(self, evaluate: Evaluate) -> None:
        self.evaluate = evaluate
        self.calls = 0

    def __call__(self, free: Floats) -> Profile:
        self.calls += 1
        return self.evaluate(free)

    def per_draw(self, free: Floats, n_draws: float) -> tuple[float, Floats]:
        """Scale the deviance so that the first step, a unit of its gradient, is no leap."""
        profile = self(free)
        return profile.deviance / n_draws, profile.gradient / n_draws


def minimise(problem: Problem, evaluate: Evaluate) -> Found:
    """Minimise the profiled deviance.

    A point where L has lost rank is stationary in L even where the deviance would fall by leaving
    the boundary. So at a singular D the gradient in D itself is asked (Karush-Kuhn-Tucker): if
    some direction v of its null space has v'Gv < 0, the search goes on from D + εvv'.

    Parameters
    ----------
    problem : Problem
        What is free.
    evaluate : callable
        Free parameters -> Profile.

    Returns
    -------
    Found
    """
    counted = _Counted(evaluate)
    best = _search_from(problem, counted, START)
    if _null_space(problem, best.free).shape[1]:
        # The deviance may have several valleys, and the boundary is where they lie.
        for start in OTHER_STARTS:
            best = _better_of(best, problem, counted, start)
    return Found(
        free=best.free,
        profile=best.profile,
        is_converged=best.is_settled,
        is_singular=_null_space(problem, best.free).shape[1] > 0,
        n_evaluations=counted.calls,
        message=(
            f"converged after {counted.calls} evaluations"
            if best.is_settled
            else f"not converged: a gain of {best.gain:.1e} in deviance was still expected"
        ),
    )


@dataclass(frozen=True, eq=False)
class _End:
    free: Floats
    profile: Profile
    gain: float
    is_settled: bool


def _better_of(best: _End, problem: Problem, counted: _Counted, start: float) -> _End:
    """Search from elsewhere; an end without residual variance is no fit and does not count."""
    try:
        other = _search_from(problem, counted, start)
    except ResidualVarianceIsZero:
        return best
    return min(best, other, key=lambda end: end.profile.deviance)


def _search_from(problem: Problem, counted: _Counted, size: float) -> _End:
    """Search from D = size²·s²·I in standard units, leaving the boundary while that helps."""
    free = np.zeros(problem.n_parameters)
    identity = np.eye(len(problem.active))[np.tril_indices(len(problem.active))]
    free[: problem.n_factor] = size * identity
    for _ in range(MAX_ESCAPES):
        free = _descend(problem, counted, free)
        free, profile, gain = _polish(counted, free)
        way_out = _way_out(problem, free, profile)
        if way_out is None:
            break
        free = way_out
    return _End(free, profile, gain, gain < CONVERGED_BELOW and way_out is None)


def _descend(problem: Problem, counted: _Counted, free: Floats) -> Floats:
    limits = [LARGEST_SD] * problem.n_factor
    limits += [LARGEST_LOG_RATIO] * (problem.n_parameters - problem.n_factor)
    found = optimize.minimize(
        counted.per_draw,
        free,
        args=(float(problem.statistics.n.sum()),),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-limit, limit) for limit in limits],
        options={"maxiter": 1000, "maxfun": 3000, "ftol": 1e-14, "gtol": 1e-9, "maxcor": 30},
    )
    if np.any(np.abs(found.x) > 0.5 * np.array(limits)):
        raise ResidualVarianceIsZero(
            "the residual variance is too small beside another for the fit to tell it from zero: "
            f"over {0.5 * LARGEST_SD:.0f} residual standard deviations lie between patients, or "
            "the markers' residual variances are too far apart. Either too few patients have more "
            "draws than their line has coefficients, or the draws scatter about their lines by "
            "next to nothing"
        )
    return np.asarray(found.x, dtype=np.float64)


def _polish(counted: _Counted, free: Floats) -> tuple[Floats, Profile, float]:
    """Take Newton steps with the Hessian by differences of the exact gradient.

    Returns the point, its profile and the gain in deviance that one more step would promise,
    which is the convergence criterion: it does not depend on units.
    """
    profile = counted(free)
    gain = np.inf
    for _ in range(MAX_NEWTON_STEPS):
        step, gain = _newton_step(counted, free, profile)
        if gain < CONVERGED_BELOW * 1e-6:
            return *_last_step(counted, free, step, profile), gain
        noise = 1e-13 * max(1.0, abs(profile.deviance))
        for _ in range(MAX_HALVINGS):
            trial = counted(free + step)
            if trial.deviance < profile.deviance - noise:
                break
            is_flat = abs(trial.deviance - profile.deviance) <= noise
            if is_flat and np.abs(trial.gradient).max() < np.abs(profile.gradient).max():
                break
            step = step / 4
        else:
            break
        free, profile = free + step, trial
    return free, profile, gain


def _last_step(
    counted: _Counted, free: Floats, step: Floats, profile: Profile
) -> tuple[Floats, Profile]:
    """Take a step that gains nothing in deviance, if it brings the gradient nearer to zero."""
    trial = counted(free + step)
    if np.abs(trial.gradient).max() < np.abs(profile.gradient).max():
        return free + step, trial
    return free, profile


def _newton_step(counted: _Counted, free: Floats, profile: Profile) -> tuple[Floats, float]:
    size = 1e-5 * np.maximum(np.abs(free), 0.01)
    hessian = np.empty((len(free), len(free)))
    for j, h in enumerate(size):
        move = np.zeros(len(free))
        move[j] = h
        change = counted(free + move).gradient - counted(free - move).gradient
        hessian[j] = change / (2 * h)
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    # A flat or negative curvature (a saddle, or a factor that is not unique) is no guide to a step.
    floor = 1e-8 * max(float(np.abs(values).max()), 1e-300)
    along = vectors.T @ profile.gradient
    steps = np.where(np.abs(values) > floor, along / np.maximum(np.abs(values), floor), 0.0)
    return -vectors @ steps, float(abs(along @ steps) / 2)


def _null_space(problem: Problem, free: Floats) -> Floats:
    """Return directions (columns) in which patients do not vary, in relative units."""
    L = problem.factor(free)
    values, vectors = np.linalg.eigh(L @ L.T)
    # Beside a very large variance a small one is still one: the limit grows by the SD, not by it.
    return np.asarray(vectors[:, values < SINGULAR_BELOW * max(1.0, float(values[-1])) ** 0.5])


def _way_out(problem: Problem, free: Floats, profile: Profile) -> Floats | None:
    """Return a point off the boundary where the deviance is lower; None: stay."""
    null = _null_space(problem, free)
    if not null.shape[1]:
        return None
    G = profile.gradient_in_covariance[np.ix_(problem.active, problem.active)]
    values, vectors = np.linalg.eigh(null.T @ G @ null)
    if values[0] > -1e-6 * len(problem.statistics):
        return None
    away = null @ vectors[:, 0]
    wider = np.column_stack([problem.factor(free), 0.1 * away])
    L = np.asarray(np.linalg.qr(wider.T, mode="r")).T
    moved = free.copy()
    moved[: problem.n_factor] = L[np.tril_indices(len(L))]
    return moved
