"""Fitting the growth model when some draws lie beyond the limit of quantification."""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.fitting.censoring import (
    CensoredDraws,
    Padded,
    need_censored,
    padded,
    propagate,
)
from analytics.fitting.climbing import climb
from analytics.fitting.designs import FixedEffects, design_of
from analytics.fitting.fit import GrowthFit
from analytics.fitting.grouping import Labels, read_groups
from analytics.fitting.growth import (
    Method,
    NotConvergedWarning,
    RandomEffects,
    ResidualVarianceIsZero,
    SingularFitWarning,
    UnidentifiableFit,
    chosen,
    fit_growth,
)
from analytics.fitting.posterior import cross_products, origin_shift, posterior
from analytics.fitting.restriction import Part, restriction
from analytics.fitting.search import LARGEST_LOG_RATIO, LARGEST_SD, SINGULAR_BELOW
from analytics.fitting.sufficient import Floats, SufficientStatistics, need_statistics

CONVERGED_BELOW = 1e-5  # gradient of the log-likelihood per patient, in standard units
MOST_ROUNDS = 30  # searches with what stands in for draws held still in the restriction
SLOPE_SETTLED = 1e-7  # the same, where the search need not go on
SETTLED_BELOW = 1e-7  # change of what stands in between two of them, relative

_RUNS_AWAY = (
    "the residual variance runs to zero beside what lies between patients: too few have more draws "
    "that are no limits than their line has coefficients"
)


def fit_growth_with_censoring(
    statistics: SufficientStatistics,
    censored: CensoredDraws,
    *,
    group: Labels | None = None,
    random: str = RandomEffects.INTERCEPT_AND_SLOPE,
    fixed: str = FixedEffects.INTERCEPT_AND_SLOPE,
    method: str = Method.REML,
) -> GrowthFit:
    """Fit the growth model, draws beyond a limit counted as what they are.

    Parameters
    ----------
    statistics : SufficientStatistics
        The exact draws of N patients and K markers; patients may have none.
    censored : CensoredDraws
        The draws beyond a limit. Without any, this is :func:`fit_growth`.
    group, random, fixed, method
        As for :func:`fit_growth`; the groups share D and s².

    Returns
    -------
    GrowthFit
        Standard errors come from the observed information of all parameters together.

    Raises
    ------
    UnidentifiableFit, ResidualVarianceIsZero, PropagationDidNotSettle

    Warns
    -----
    SingularFitWarning, NotConvergedWarning

    Notes
    -----
    The marginal likelihood is that of expectation propagation, whose gradient at rest is the
    partial derivative with the sites held still (Seeger 2005, Expectation propagation for
    exponential families, section 4). For REML the Gaussians that stand in for censored draws count
    in V (:mod:`analytics.fitting.restriction`); they are held still there while the variances are
    searched, and found anew, until they stay.
    """
    need_statistics(statistics)
    need_censored(censored, statistics)
    method = chosen(Method, method)
    if not len(censored):
        return fit_growth(statistics, group=group, random=random, fixed=fixed, method=method)
    labels = read_groups(group, statistics)
    # Only the start of the search: each limit counted as a value. It leaves no trace in the result.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        start = fit_growth(
            _with_limits(statistics, censored),
            group=labels,
            random=random,
            fixed=fixed,
            method="ML",
        )
    problem = _Problem.of(statistics, censored, labels, start, random=random, fixed=fixed)
    free, count = problem.search(problem.free_of(start))
    for _ in range(MOST_ROUNDS if method is Method.REML else 0):
        before, sites = problem.sites, problem.sites_at(free)
        problem = replace(problem, sites=sites)
        if before is not None and np.allclose(
            before, sites, rtol=SETTLED_BELOW, atol=SETTLED_BELOW
        ):
            break
        free, more = problem.search(free)
        count += more
    return problem.result(free, start, count)


def _with_limits(s: SufficientStatistics, censored: CensoredDraws) -> SufficientStatistics:
    cell = censored.patient, censored.marker
    x = censored.weeks - s.week_origin
    y = censored.limit - s.level_origin[censored.marker]
    sums = {name: getattr(s, name).copy() for name in ("n", "t", "tt", "y", "ty", "yy")}
    terms = {"n": np.ones_like(x), "t": x, "tt": x * x, "y": y, "ty": x * y, "yy": y * y}
    for name, term in terms.items():
        np.add.at(sums[name], cell, term)
    return replace(s, **sums)


@dataclass(frozen=True, eq=False)
class _Problem:
    """What is searched over: θ, the Cholesky factor of D and log s², in units of `scale`."""

    exact: SufficientStatistics  # of patients without a censored draw
    mixed: SufficientStatistics  # of patients with one
    draws: Padded
    exact_group: npt.NDArray[Any]
    mixed_group: npt.NDArray[Any]
    designs: Floats
    active: npt.NDArray[Any]
    scale: Floats  # (q,) unit of each effect
    sites: Floats | None = None  # for REML: X'X of what stands in for draws, over its variance

    @classmethod
    def of(
        cls,
        statistics: SufficientStatistics,
        censored: CensoredDraws,
        labels: npt.NDArray[Any],
        start: GrowthFit,
        *,
        random: str,
        fixed: str,
    ) -> "_Problem":
        rows = np.unique(censored.patient)
        rest = np.setdiff1d(np.arange(len(statistics)), rows)
        codes = np.searchsorted(np.array(start.groups), labels)
        k = len(statistics.markers)
        mixed = statistics.take(rows)
        n, t, tt = (getattr(statistics, name).sum() for name in ("n", "t", "tt"))
        spread = np.sqrt(max(tt / n - (t / n) ** 2, 0.0)) or 1.0
        scale = np.sqrt(start.residual_variance)[:, None] * np.array([1.0, 1 / spread])
        intercept_only = RandomEffects(random) is RandomEffects.INTERCEPT
        return cls(
            exact=statistics.take(rest),
            mixed=mixed,
            draws=padded(censored.of_patients(rows), mixed),
            exact_group=codes[rest],
            mixed_group=codes[rows],
            designs=design_of(FixedEffects(fixed), n_groups=len(start.groups), n_markers=k),
            active=np.arange(0, 2 * k, 2 if intercept_only else 1),
            scale=scale.ravel(),
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of coefficients, of elements of the factor, and of markers."""
        a = len(self.active)
        return self.designs.shape[2], a * (a + 1) // 2, len(self.mixed.markers)

    def free_of(self, fit: GrowthFit) -> Floats:
        """Express a fit, whose effects are at week 0, in the free parameters."""
        shift, level = origin_shift(self.mixed)
        lines = (fit.effects @ shift.T - level) / self.scale
        stacked = self.designs.reshape(-1, self.designs.shape[2])
        theta = np.linalg.pinv(stacked) @ lines.ravel()
        D = shift @ fit.covariance @ shift.T / np.outer(self.scale, self.scale)
        D = D[np.ix_(self.active, self.active)]
        L = np.linalg.cholesky(D + 1e-3 * np.eye(len(D)) * max(1.0, float(np.trace(D))))
        units = self.scale[::2] ** 2
        return np.concatenate(
            [theta, L[np.tril_indices(len(L))], np.log(fit.residual_variance / units)]
        )

    def parts(self, free: Floats) -> tuple[Floats, Floats, Floats]:
        """Return lines (G, q), D (q, q) and s² (K,) about the statistics' origins."""
        p, f, _ = self.shape
        lines = np.einsum("gqp,p->gq", self.designs, free[:p]) * self.scale
        L = np.zeros((len(self.active),) * 2)
        L[np.tril_indices(len(L))] = free[p : p + f]
        root = np.zeros((len(self.scale), len(self.active)))
        root[self.active] = L * self.scale[self.active, None]
        return lines, root @ root.T, np.exp(free[p + f :]) * self.scale[::2] ** 2

    def search(self, free: Floats) -> tuple[Floats, int]:
        """Find the maximum from a start; return it and how often was evaluated."""
        p, f, k = self.shape
        limits = np.array([np.inf] * p + [LARGEST_SD] * f + [LARGEST_LOG_RATIO] * k)
        size = len(self.exact) + len(self.mixed)
        found, count = climb(self.negative, free, limits, settled=SLOPE_SETTLED * size)
        _, D, s2 = self.parts(found)
        unit = self.scale**2
        if np.any(np.diag(D) / unit > (LARGEST_SD / 2) ** 2 * np.repeat(s2 / unit[::2], 2)):
            raise ResidualVarianceIsZero(_RUNS_AWAY)
        return found, count

    def sites_at(self, free: Floats) -> Floats:
        """Find what stands in for censored draws, shape (n, q, q), where the search has come to."""
        lines, D, s2 = self.parts(free)
        near = propagate(self.mixed, self.draws, beta=lines[self.mixed_group], D=D, s2=s2)
        z = self.draws.z
        return np.asarray(np.einsum("nm,nmi,nmj->nij", near.precision, z, z))

    def negative(self, free: Floats) -> tuple[float, Floats]:
        """Return minus the log-likelihood (with sites: the restricted one) and its gradient."""
        try:
            return self._negative(free)
        except np.linalg.LinAlgError as error:
            raise ResidualVarianceIsZero(_RUNS_AWAY) from error

    def _negative(self, free: Floats) -> tuple[float, Floats]:
        lines, D, s2 = self.parts(free)
        if not (np.isfinite(D).all() and np.all((s2 > 0) & (s2 < np.inf))):
            raise ResidualVarianceIsZero(_RUNS_AWAY)
        p, f, k = self.shape
        value = 0.0
        by_line, by_D, by_s2 = np.zeros_like(lines), np.zeros_like(D), np.zeros(k)
        for statistics, codes, draws in (
            (self.exact, self.exact_group, None),
            (self.mixed, self.mixed_group, self.draws),
        ):
            part = _evaluate(statistics, draws, lines[codes], D, s2)
            value += part[0]
            np.add.at(by_line, codes, part[1])
            by_D, by_s2 = by_D + part[2], by_s2 + part[3]
        if self.sites is not None:
            both = [
                Part(self.exact, self.exact_group, None),
                Part(self.mixed, self.mixed_group, self.sites),
            ]
            try:
                price = restriction(both, self.designs, D, s2)
            except np.linalg.LinAlgError as error:
                raise UnidentifiableFit("the draws do not tell the groups' lines") from error
            value, by_D, by_s2 = value + price[0], by_D + price[1], by_s2 + price[2]
        L = np.zeros((len(self.active),) * 2)
        L[np.tril_indices(len(L))] = free[p : p + f]
        scaled = (by_D * np.outer(self.scale, self.scale))[np.ix_(self.active, self.active)]
        by_factor = (2 * scaled @ L)[np.tril_indices(len(L))]
        by_theta = np.einsum("gqp,gq->p", self.designs, by_line * self.scale)
        return -value, -np.concatenate([by_theta, by_factor, by_s2 * s2])

    def result(self, free: Floats, start: GrowthFit, n_evaluations: int) -> GrowthFit:
        """Turn the end of the search into a fit in weeks since the first dose and levels."""
        value, gradient = self.negative(free)
        p, f, _ = self.shape
        lines, D, s2 = self.parts(free)
        shift, level = origin_shift(self.mixed)
        back = np.linalg.inv(shift)
        covariance = self._covariance_of_coefficients(free)
        unit = np.kron(np.eye(len(lines)), back @ np.diag(self.scale))
        stacked = unit @ self.designs.reshape(-1, p)
        L = np.zeros((len(self.active),) * 2)
        L[np.tril_indices(len(L))] = free[p : p + f]
        spread = np.linalg.eigvalsh(L @ L.T)
        slope = float(np.abs(gradient).max()) / (len(self.exact) + len(self.mixed))
        fit = replace(
            start,
            method=f"{'ML' if self.sites is None else 'REML'} (expectation propagation)",
            effects=(lines + level) @ back.T,
            effects_covariance=stacked @ covariance @ stacked.T,
            covariances=np.broadcast_to(back @ D @ back.T, start.covariances.shape).copy(),
            residual_variances=np.broadcast_to(s2, start.residual_variances.shape).copy(),
            log_likelihood=-value,
            is_converged=slope < CONVERGED_BELOW,
            is_singular=bool(spread[0] < SINGULAR_BELOW * max(1.0, float(spread[-1]))),
            n_evaluations=n_evaluations,
            message=f"largest gradient per patient {slope:.1e} after {n_evaluations} evaluations",
        )
        if not fit.is_converged:
            warnings.warn(fit.message, NotConvergedWarning, stacklevel=3)
        if fit.is_singular:
            text = "the covariance of the patients' effects is singular; it is kept as found"
            warnings.warn(text, SingularFitWarning, stacklevel=3)
        return fit

    def _covariance_of_coefficients(self, free: Floats) -> Floats:
        """Invert the observed information (differences of the exact gradient); keep θ's part."""
        p = self.shape[0]
        steps = 1e-4 * np.maximum(np.abs(free), 0.1)
        hessian = np.array(
            [
                (self.negative(free + h)[1] - self.negative(free - h)[1]) / (2 * step)
                for h, step in zip(np.diag(steps), steps, strict=True)
            ]
        )
        return np.asarray(np.linalg.pinv((hessian + hessian.T) / 2, rcond=1e-12)[:p, :p])


def _evaluate(
    s: SufficientStatistics, draws: Padded | None, lines: Floats, D: Floats, s2: Floats
) -> tuple[float, Floats, Floats, Floats]:
    """Return log-likelihood and its derivatives by each patient's line, by D and by s²."""
    A, c, _ = cross_products(s, s2)
    u = c - np.einsum("nij,nj->ni", A, lines)
    if draws is None:
        known = _exact(s, lines, D, s2)
        u_all, A_all = u, A
        mean, covariance, log_density = known
        by_s2 = np.zeros(len(s2))
        by_line = u - np.einsum("nij,nj->ni", A, mean)
    else:
        near = propagate(s, draws, beta=lines, D=D, s2=s2)
        mean, covariance, log_density = near.mean, near.covariance, near.log_density
        A_all = A + np.einsum("nm,nmi,nmj->nij", near.precision, draws.z, draws.z)
        u_all = u + np.einsum("nm,nmi->ni", near.shift, draws.z)
        by_s2 = np.zeros(len(s2))
        np.add.at(by_s2, draws.marker.ravel(), near.by_variance.ravel())
        by_line = u - np.einsum("nij,nj->ni", A, mean)
        by_line = by_line + np.einsum("nm,nmi->ni", near.slope, draws.z)
    e = u_all - np.einsum("nij,nj->ni", A_all, mean)
    W = A_all - A_all @ covariance @ A_all
    by_D = 0.5 * (e.T @ e - W.sum(axis=0))
    full = lines + mean
    for k, variance in enumerate(s2):
        own = slice(2 * k, 2 * k + 2)
        line, A_k = full[:, own], A[:, own, own]
        left = (s.yy[:, k] / variance - 2 * (c[:, own] * line).sum(axis=1)).sum()
        left += np.einsum("ni,nij,nj->", line, A_k, line)
        left += np.einsum("nij,nji->", A_k, covariance[:, own, own])
        by_s2[k] += (left - s.n[:, k].sum()) / (2 * variance)
    return float(log_density.sum()), by_line, by_D, by_s2


def _exact(
    s: SufficientStatistics, lines: Floats, D: Floats, s2: Floats
) -> tuple[Floats, Floats, Floats]:
    centred = replace(s, week_origin=0.0, level_origin=np.zeros_like(s.level_origin))
    found = posterior(centred, effects=lines, covariance=D, residual_variance=s2)
    return found.mean, found.covariance, found.log_density
