"""Fitting the growth model: a line per patient about the line of the group, ML or REML.

The model is the linear mixed model of Laird & Ware (1982, Biometrics 38:963): for patient i of
group g and each marker, y = X(β_g + b_i) + e with X = [1, weeks], b ~ N(0, D), e ~ N(0, s² I).
"""

import warnings
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from analytics.fitting.designs import FixedEffects, Standardised, design_of
from analytics.fitting.fit import GrowthFit, one_fit_of
from analytics.fitting.grouping import Labels, UnidentifiableFit, read_groups
from analytics.fitting.likelihood import (
    JointLikelihood,
    PairLikelihood,
    Problem,
    ResidualVarianceIsZero,
)
from analytics.fitting.search import Found, minimise
from analytics.fitting.sufficient import Floats, SufficientStatistics, need_statistics

Choice = TypeVar("Choice", bound=StrEnum)
LEAST_SCATTER = 1e-11  # variance about the lines, as a share of all variance


class Method(StrEnum):
    """Which likelihood is maximised."""

    ML = "ML"
    REML = "REML"


class RandomEffects(StrEnum):
    """What varies between patients of one group."""

    INTERCEPT = "intercept"
    INTERCEPT_AND_SLOPE = "intercept and slope"


class SingularFitWarning(UserWarning):
    """The covariance of the patients' effects lies on its boundary: some variation is nil."""


class NotConvergedWarning(UserWarning):
    """The search stopped before the gradient vanished; the figures are not to be relied on."""


def fit_growth(
    statistics: SufficientStatistics,
    *,
    group: Labels | None = None,
    random: str = RandomEffects.INTERCEPT_AND_SLOPE,
    fixed: str = FixedEffects.INTERCEPT_AND_SLOPE,
    method: str = Method.REML,
    separate_covariances: bool = False,
) -> GrowthFit:
    """Fit the growth model of one marker, or of several together, from sufficient statistics.

    Parameters
    ----------
    statistics : SufficientStatistics
        Of N patients and K markers. With K > 1 the 2K effects of a patient have one joint
        covariance; draw times may differ between markers, and markers may be missing. Patients
        without a draw carry no information and do no harm.
    group : sequence of length N, mapping or Series, optional
        Label of each patient's group, in the order of `statistics.patient_ids`, or by patient_id.
        Default: all in one group.
    random : {"intercept and slope", "intercept"}
        What varies between patients; with "intercept" the slope's variance is zero by design.
    fixed : {"intercept and slope", "intercept", "intercept and common slope"}
        The groups' lines: each its own, level only, or own levels with one slope for all.
    method : {"REML", "ML"}
        Restricted or full maximum likelihood.
    separate_covariances : bool
        False: the groups share D and s². True: each group has its own (which for own lines is the
        same as fitting each group by itself); not with a common slope.

    Returns
    -------
    GrowthFit
        Effects with standard errors, covariance, residual variances, the log-likelihood with the
        constants of lme4 and nlme, whether the search converged and whether D is singular.

    Raises
    ------
    TypeError
        Rows are given where their sums are wanted.
    ValueError
        No such method, random or fixed effects; the message lists those there are.
    UnidentifiableFit
        Too few draws, patients or distinct weeks for the model asked.
    ResidualVarianceIsZero
        The lines run through every draw.

    Warns
    -----
    SingularFitWarning
        D is singular; it is reported as found.
    NotConvergedWarning

    Notes
    -----
    The deviance is profiled over β and s² (Bates et al. 2015, J Stat Softw 67(1)) and minimised
    over the Cholesky factor L of D/s² with its exact gradient, so that D = s² L·L' is a covariance
    at every step and a singular one is reached like any other.
    """
    need_statistics(statistics)
    if not isinstance(separate_covariances, bool):
        raise ValueError(f"separate_covariances: {separate_covariances!r}; wanted: True or False")
    labels = read_groups(group, statistics)
    groups = np.unique(labels)
    lines = chosen(FixedEffects, fixed)
    design = design_of(lines, n_groups=len(groups), n_markers=statistics.n.shape[1])
    wanted = chosen(RandomEffects, random), chosen(Method, method)
    if not separate_covariances or len(groups) == 1:
        return _fit_shared(statistics, labels, groups, design, *wanted)
    if lines is FixedEffects.COMMON_SLOPE:
        raise UnidentifiableFit("separate covariances need each group to have its own line")
    one = design_of(lines, n_groups=1, n_markers=statistics.n.shape[1])
    fits = []
    for label in groups:
        own = labels == label
        fits.append(_fit_shared(statistics.take(own), labels[own], np.array([label]), one, *wanted))
    return one_fit_of(fits)


def chosen(kind: type[Choice], asked: str) -> Choice:
    """Read a choice; refuse what is none by listing those there are."""
    if not isinstance(asked, str) or asked not in list(kind):
        raise ValueError(f"{asked!r}; wanted: {' or '.join(repr(one.value) for one in kind)}")
    return kind(asked)


def _fit_shared(
    statistics: SufficientStatistics,
    labels: npt.NDArray[Any],
    groups: npt.NDArray[Any],
    designs: Floats,
    random: RandomEffects,
    method: Method,
) -> GrowthFit:
    drawn = statistics.n.sum(axis=1) > 0
    codes = np.searchsorted(groups, labels)
    rows = np.flatnonzero(drawn)[np.argsort(codes[drawn], kind="stable")]
    _refuse_thin(statistics, codes[rows], groups, designs)
    scaled = Standardised.of(statistics.take(rows), codes[rows], designs)
    _refuse_no_scatter(scaled)
    edges = np.searchsorted(codes[rows], np.arange(len(groups) + 1))
    k = statistics.n.shape[1]
    step = 2 if random is RandomEffects.INTERCEPT else 1
    problem = Problem(
        statistics=scaled.statistics,
        slices=tuple(slice(a, b) for a, b in pairwise(edges)),
        designs=designs,
        active=np.arange(0, 2 * k, step),
        is_reml=method is Method.REML,
    )
    evaluate = PairLikelihood(problem) if k == 1 else JointLikelihood(problem)
    found = minimise(problem, evaluate)
    _warn(found, statistics.markers)
    return _result(statistics, groups, scaled, problem, found, method)


def _refuse_thin(
    statistics: SufficientStatistics, codes: npt.NDArray[Any], groups: npt.NDArray[Any], T: Floats
) -> None:
    """Refuse what no optimiser can mend, by name."""
    n_draws = statistics.n_draws
    for marker, n in zip(statistics.markers, n_draws, strict=True):
        if n == 0:
            raise UnidentifiableFit(f"marker {marker!r} has no draw")
    if not np.any(statistics.n > 1):
        raise UnidentifiableFit(
            "no patient has two draws: variation within and between patients cannot be told apart"
        )
    empty = set(range(len(groups))) - set(codes.tolist())
    if empty:
        raise UnidentifiableFit(f"group {groups.tolist()[min(empty)]!r} has no draw")
    if n_draws.sum() <= T.shape[2] + 1:
        raise UnidentifiableFit(f"{n_draws.sum()} draws are too few for {T.shape[2]} coefficients")
    for marker, n in zip(statistics.markers, (statistics.n > 0).sum(axis=0), strict=True):
        if n <= len(groups):
            raise UnidentifiableFit(
                f"marker {marker!r}: {n} patient(s) in {len(groups)} group(s) do not tell how "
                "patients of a group vary; wanted: more patients than groups"
            )


def _refuse_no_scatter(scaled: Standardised) -> None:
    """Refuse levels that lie on the groups' lines to the digits that sums of squares keep."""
    left = scaled.statistics.yy.sum(axis=0) / scaled.statistics.n.sum(axis=0)
    for marker, share in zip(scaled.statistics.markers, left, strict=True):
        if not share > LEAST_SCATTER:
            raise ResidualVarianceIsZero(
                f"marker {marker!r}: all levels lie on the groups' lines; wanted: some scatter"
            )


def _warn(found: Found, markers: tuple[str, ...]) -> None:
    name = ", ".join(markers)
    if not found.is_converged:
        warnings.warn(f"{name}: {found.message}", NotConvergedWarning, stacklevel=4)
    if found.is_singular:
        warnings.warn(
            f"{name}: the covariance of the patients' effects is singular; it is kept as found",
            SingularFitWarning,
            stacklevel=4,
        )


def _result(
    statistics: SufficientStatistics,
    groups: npt.NDArray[Any],
    scaled: Standardised,
    problem: Problem,
    found: Found,
    method: Method,
) -> GrowthFit:
    """Turn the standardised solution back into weeks and levels."""
    profile, T = found.profile, problem.designs
    s2 = profile.residual_variance
    back = np.linalg.inv(scaled.coefficient_map)
    theta = back @ (profile.coefficients + scaled.first_fit + scaled.level_coefficients)
    theta_covariance = back @ (s2 * np.linalg.inv(profile.information)) @ back.T
    stacked = T.reshape(-1, T.shape[2])
    shift = np.linalg.inv(scaled.effect_map)
    D = shift @ (s2 * problem.relative_covariance(found.free)) @ shift.T
    deviance = profile.deviance + scaled.deviance_offset
    if method is Method.REML:
        deviance += 2 * np.linalg.slogdet(scaled.coefficient_map)[1]
    q, g = problem.q, len(groups)
    return GrowthFit(
        markers=statistics.markers,
        groups=tuple(groups.tolist()),
        method=method.value,
        effects=(stacked @ theta).reshape(g, q),
        effects_covariance=stacked @ theta_covariance @ stacked.T,
        covariances=np.broadcast_to((D + D.T) / 2, (g, q, q)).copy(),
        residual_variances=np.broadcast_to(
            s2 * problem.ratios(found.free) * scaled.level_scale**2, (g, len(statistics.markers))
        ).copy(),
        log_likelihood=-deviance / 2,
        n_parameters=len(theta) + problem.n_parameters + 1,
        n_patients=len(scaled.statistics),
        n_draws=int(statistics.n.sum()),
        is_converged=found.is_converged,
        is_singular=found.is_singular,
        shares_covariance=True,
        n_evaluations=found.n_evaluations,
        message=found.message,
    )


__all__ = [
    "Method",
    "NotConvergedWarning",
    "RandomEffects",
    "ResidualVarianceIsZero",
    "SingularFitWarning",
    "UnidentifiableFit",
    "fit_growth",
]
