"""Offline: from draws to the parameters of the growth model, and from labels to a trained one."""

from analytics.fitting.censored_growth import fit_growth_with_censoring
from analytics.fitting.censoring import (
    CensoredDraws,
    PropagationDidNotSettle,
    censored_draws,
    posterior_with_censoring,
)
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
from analytics.fitting.information import variance_information, variance_names
from analytics.fitting.labels import (
    Cut,
    LabelLeakage,
    TrainingSet,
    cut_at_landmark,
    training_set,
)
from analytics.fitting.model import TrainedModel, TrainingPrior
from analytics.fitting.posterior import BadParameter, Posterior, posterior
from analytics.fitting.priors import (
    ReleaseCannotCarry,
    ReleaseKnowsLabels,
    TooFewLocalPatients,
    local_prior,
    published_prior,
    release_of,
)
from analytics.fitting.reading import BadDraw, BadLabel
from analytics.fitting.recalibration import (
    CannotRecalibrate,
    log_score,
    recalibrate,
    recalibration_covariance,
)
from analytics.fitting.scoring import RowsAreUnsorted, Scores, SeveralMarkersWeigh, score_rows
from analytics.fitting.sufficient import (
    SufficientStatistics,
    UnknownMarker,
    UnknownPatient,
    summarise,
    summarise_arrays,
)
from analytics.fitting.training import Training, folds_of, learn, train

__all__ = [
    "BadDraw",
    "BadLabel",
    "BadParameter",
    "CannotRecalibrate",
    "CensoredDraws",
    "CoefficientsAreConfounded",
    "CovariancesAreSeparate",
    "Cut",
    "FixedEffects",
    "GrowthFit",
    "LabelLeakage",
    "MarkersDiffer",
    "Method",
    "NotConvergedWarning",
    "Posterior",
    "PropagationDidNotSettle",
    "RandomEffects",
    "ReleaseCannotCarry",
    "ReleaseKnowsLabels",
    "ResidualVarianceIsZero",
    "RowsAreUnsorted",
    "Scores",
    "SeveralMarkersWeigh",
    "SingularFitWarning",
    "SufficientStatistics",
    "TooFewLocalPatients",
    "TrainedModel",
    "Training",
    "TrainingPrior",
    "TrainingSet",
    "UnidentifiableFit",
    "UnknownGroup",
    "UnknownMarker",
    "UnknownPatient",
    "censored_draws",
    "cut_at_landmark",
    "fit_growth",
    "fit_growth_with_censoring",
    "folds_of",
    "learn",
    "local_prior",
    "log_score",
    "posterior",
    "posterior_with_censoring",
    "published_prior",
    "recalibrate",
    "recalibration_covariance",
    "release_of",
    "score_rows",
    "summarise",
    "summarise_arrays",
    "train",
    "training_set",
    "variance_information",
    "variance_names",
]
