"""Offline: from draws to the parameters of the growth model, and from labels to a trained one."""

from analytics.fitting.designs import CoefficientsAreConfounded, FixedEffects
from analytics.fitting.fit import CovariancesAreSeparate, GrowthFit, MarkersDiffer, UnknownGroup
from analytics.fitting.growth import (
    Method,
    NotConvergedWarning,
    RandomEffects,
    ResidualVarianceIsZero,
    SingularFitWarning,
    UnidentifiableFit,
    fit_growth,
)
from analytics.fitting.posterior import BadParameter, Posterior, posterior
from analytics.fitting.sufficient import (
    BadDraw,
    SufficientStatistics,
    UnknownMarker,
    UnknownPatient,
    summarise,
    summarise_arrays,
)

__all__ = [
    "BadDraw",
    "BadParameter",
    "CoefficientsAreConfounded",
    "CovariancesAreSeparate",
    "FixedEffects",
    "GrowthFit",
    "MarkersDiffer",
    "Method",
    "NotConvergedWarning",
    "Posterior",
    "RandomEffects",
    "ResidualVarianceIsZero",
    "SingularFitWarning",
    "SufficientStatistics",
    "UnidentifiableFit",
    "UnknownGroup",
    "UnknownMarker",
    "UnknownPatient",
    "fit_growth",
    "posterior",
    "summarise",
    "summarise_arrays",
]
