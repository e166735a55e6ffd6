"""From prior knowledge to a trained model: one code path, whatever the number of labels."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analytics.evidence import ENOUGH_LOCAL_PATIENTS, PRIOR_PATIENTS
from analytics.fitting.censored_growth import fit_growth_with_censoring
from analytics.fitting.censoring import (
    CensoredDraws,
    PropagationDidNotSettle,
    padded,
    propagate,
)
from analytics.fitting.designs import CoefficientsAreConfounded
from analytics.fitting.fit import GrowthFit, MarkersDiffer
from analytics.fitting.growth import (
    NotConvergedWarning,
    ResidualVarianceIsZero,
    SingularFitWarning,
    UnidentifiableFit,
    fit_growth,
)
from analytics.fitting.information import variance_information
from analytics.fitting.labels import TrainingSet
from analytics.fitting.model import DRAWS_PER_PRIOR_PATIENT, TrainedModel, TrainingPrior
from analytics.fitting.posterior import cross_products, origin_shift, shrinkage
from analytics.fitting.recalibration import (
    log_score,
    prior_log_odds,
    recalibrate,
    recalibration_covariance,
)
from analytics.fitting.sufficient import Floats, Integers, SufficientStatistics
from analytics.fitting.uncertainty import wishart_uncertainty
from analytics.fitting.units import need_training, refuse_another_unit

LABELS_TO_RECALIBRATE = 100
LABELS_PER_GROUP_TO_RECALIBRATE = 30
LABELS_PER_GROUP_TO_SEPARATE = 100
STANDARD_ERRORS_TO_SEPARATE = 2.0
N_FOLDS = 10
FOLD_SEED = 20_261_123


@dataclass(frozen=True, eq=False)
class Training:
    """A trained model and the honest record of how it was chosen.

    Attributes
    ----------
    model : TrainedModel
    cross_fitted : DataFrame
        One row per patient with a draw: `patient_id`, `fold`, `is_resistant`, and by a model that
        did not see the patient `marker_log_odds`, `log_odds` (prior, symptoms and marker) and
        `recalibrated_log_odds` (intercept and slope by the other folds). The model itself has seen
        them all: of these patients only these figures may be used to judge it.
    score_gain, score_gain_se : float
        Mean gain in cross-validated log score by separate covariances, and its standard error;
        nan while the groups are too small to ask.
    notes : tuple of str
        What the fits warned of, how many draws lay beyond a limit, how many patients had no draw,
        and that there are too few to be called local.
    """

    model: TrainedModel
    cross_fitted: pd.DataFrame
    score_gain: float
    score_gain_se: float
    notes: tuple[str, ...]


def train(data: TrainingSet, *, prior: TrainingPrior) -> Training:
    """Learn from labelled patients as much as they can teach, and keep the prior for the rest.

    Who has no draw teaches nothing of a marker and is left out. Without a label the model is the
    prior, and until 50 patients it keeps the prior's name and cap. With m labels the covariance is
    (m·D_REML + k·D_prior)/(m + k) with k = 20, the residual variance likewise by draws (5k), and
    the groups' lines are weighted with the prior by precision (Robinson 1991, Stat Sci 6:15).
    The groups get covariances of their own only with 100 patients each and a gain in
    cross-validated log score of more than two standard errors. From 100 labels with 30 a group on,
    the local share of the resistant and the weight of the markers are set right on cross-fitted
    predictions.

    Parameters
    ----------
    data : TrainingSet
        Labelled patients, checked for leaks (:func:`training_set`).
    prior : TrainingPrior
        Of the same markers.

    Returns
    -------
    Training

    Raises
    ------
    MarkersDiffer
        The prior is of other markers.
    BadDraw
        The levels are of another unit than the prior's.
    TypeError
        One of both is not of its kind.
    """
    need_training(data, prior)
    if data.statistics.markers != prior.markers:
        raise MarkersDiffer(f"labels of {data.statistics.markers}, prior of {prior.markers}")
    left_out = len(data) - len(data.with_draws())
    data = data.with_draws()
    refuse_another_unit(data.statistics, prior)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SingularFitWarning)
        warnings.simplefilter("always", NotConvergedWarning)
        fold = folds_of(data)
        pooled = _cross_fit(data, prior, fold, separate=False)
        gain, gain_se, separate = _weigh_separation(data, prior, fold, pooled)
        marker = pooled if separate is None else separate
        model = learn(data, prior=prior, separate=separate is not None)
        if _may_recalibrate(data):
            offset = _offset(data, prior)
            found = recalibrate(marker, data.is_resistant, offset=offset)
            spread = recalibration_covariance(marker, found, offset=offset)
            model = replace(model, recalibration=found, recalibration_covariance=spread)
    said = (*_of_patients(data, model, left_out), *_of_method(data), *map(_message, caught))
    return Training(
        model=model,
        cross_fitted=_cross_fitted(data, prior, fold, marker),
        score_gain=gain,
        score_gain_se=gain_se,
        notes=tuple(dict.fromkeys(said)),
    )


def _message(caught: warnings.WarningMessage) -> str:
    return str(caught.message)


def _offset(data: TrainingSet, prior: TrainingPrior) -> Floats:
    """Give the log-odds known of each patient besides the markers."""
    return prior_log_odds(prior.prior_probability) + data.symptoms_log_odds


def _cross_fitted(
    data: TrainingSet, prior: TrainingPrior, fold: Integers, marker: Floats
) -> pd.DataFrame:
    """Lay out what may be judged; each fold recalibrated by the others."""
    offset = _offset(data, prior)
    recalibrated = offset + marker
    if _may_recalibrate(data):
        for number in np.unique(fold):
            held, rest = fold == number, fold != number
            intercept, slope = recalibrate(
                marker[rest], data.is_resistant[rest], offset=offset[rest]
            )
            recalibrated[held] = offset[held] + intercept + slope * marker[held]
    return pd.DataFrame(
        {
            "patient_id": data.statistics.patient_ids,
            "fold": fold,
            "is_resistant": data.is_resistant,
            "marker_log_odds": marker,
            "log_odds": offset + marker,
            "recalibrated_log_odds": recalibrated,
        }
    )


def _of_patients(data: TrainingSet, model: TrainedModel, left_out: int) -> list[str]:
    """Say who taught nothing, and that those who did are few."""
    said = []
    if left_out:
        said.append(
            f"{left_out} labelled patient(s) without a draw up to the landmark: left out, because "
            "they teach nothing of a marker"
        )
    if 0 < len(data) < ENOUGH_LOCAL_PATIENTS.value:
        said.append(
            f"{len(data)} labelled patients with a draw, fewer than "
            f"{ENOUGH_LOCAL_PATIENTS.value:.0f}: the basis stays {model.basis!r}"
        )
    if len(data) >= LABELS_TO_RECALIBRATE and not _may_recalibrate(data):
        said.append(
            f"{min(data.group_sizes)} patients in the smaller group, fewer than "
            f"{LABELS_PER_GROUP_TO_RECALIBRATE}: not recalibrated"
        )
    return said


def _of_method(data: TrainingSet) -> list[str]:
    """Say how many draws count by an approximation."""
    if not len(data.censored):
        return []
    return [f"{len(data.censored)} draw(s) beyond a limit, by expectation propagation"]


def folds_of(data: TrainingSet) -> Integers:
    """Deal patients into folds, each group evenly; by patient, the same for any order of rows.

    Parameters
    ----------
    data : TrainingSet
        Of N patients.

    Returns
    -------
    ndarray of int, shape (N,)
        Number of each patient's fold, from 0.
    """
    fold = np.zeros(len(data), dtype=np.int64)
    dealer = np.random.default_rng(FOLD_SEED)
    for outcome in (False, True):
        rows = dealer.permutation(np.flatnonzero(data.is_resistant == outcome))
        fold[rows] = np.arange(len(rows)) % N_FOLDS
    return fold


def _cross_fit(
    data: TrainingSet, prior: TrainingPrior, fold: Integers, *, separate: bool
) -> Floats:
    """Return what each patient's markers add to the log-odds, by the model of the other folds."""
    marker = np.empty(len(data))
    for number in np.unique(fold):
        held = np.flatnonzero(fold == number)
        rest = data.take(np.flatnonzero(fold != number))
        model = learn(rest, prior=prior, separate=separate)
        part = data.take(held)
        marker[held] = model.marker_log_odds(part.statistics, part.censored)
    return marker


def _weigh_separation(
    data: TrainingSet, prior: TrainingPrior, fold: Integers, pooled: Floats
) -> tuple[float, float, Floats | None]:
    """Return gain in log score, its standard error, and what markers add if it is worth it."""
    if min(data.group_sizes) < LABELS_PER_GROUP_TO_SEPARATE:
        return np.nan, np.nan, None
    separate = _cross_fit(data, prior, fold, separate=True)
    scores = [log_score(_offset(data, prior) + of, data.is_resistant) for of in (separate, pooled)]
    gains = scores[0] - scores[1]
    gain, error = float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(len(gains)))
    return gain, error, separate if gain > STANDARD_ERRORS_TO_SEPARATE * error else None


def _may_recalibrate(data: TrainingSet) -> bool:
    is_enough = len(data) >= LABELS_TO_RECALIBRATE
    return is_enough and min(data.group_sizes) >= LABELS_PER_GROUP_TO_RECALIBRATE


def learn(data: TrainingSet, *, prior: TrainingPrior, separate: bool = False) -> TrainedModel:
    """Combine labelled patients with the prior, without cross-validation or recalibration.

    Parameters
    ----------
    data : TrainingSet
        Any number of patients, also none; those without a draw are left out.
    prior : TrainingPrior
    separate : bool
        Give each group the covariance of its own fit; the pooled one where its draws cannot tell.
        Shrunk towards the pooled one, intervals in simulated cohorts held 88 % of the answers.

    Returns
    -------
    TrainedModel
    """
    need_training(data, prior)
    data, k = data.with_draws(), len(prior.markers)
    is_local, counts = len(data) >= ENOUGH_LOCAL_PATIENTS.value, data.group_sizes
    pooled = _shrunk(data, prior.covariance, prior.residual_variance)
    laws = [pooled] * 2
    if separate:
        groups = [data.take(np.flatnonzero(data.is_resistant == g)) for g in (False, True)]
        laws = [_own(group, pooled) for group in groups]
    effects, effects_covariance = _weighted_lines(data, prior, laws)
    return TrainedModel(
        markers=prior.markers,
        effects=effects,
        effects_covariance=effects_covariance,
        covariances=np.array([D for D, _ in laws]),
        residual_variances=np.array([s2 for _, s2 in laws]).reshape(2, k),
        variance_covariance=_variance_covariance(data, prior, laws),
        prior_probability=prior.prior_probability,
        mixing=counts[1] / len(data) if is_local and min(counts) > 0 else prior.mixing,
        recalibration=(0.0, 1.0),
        recalibration_covariance=np.zeros((2, 2)),
        shares_covariance=not separate,
        basis="local labels" if is_local else prior.basis,
        group_sizes=counts,
        landmark_weeks=data.landmark_weeks if len(data) else float("nan"),
        group_variance_covariances=_of_groups(data, pooled, laws) if separate else None,
        patient_ids=data.statistics.patient_ids,
    )


def _shrunk(data: TrainingSet, D: Floats, s2: Floats) -> tuple[Floats, Floats]:
    """Weight the fitted variances with those given, by the number of patients and draws."""
    fit = _fit_or_none(data.statistics, data.censored, data.is_resistant)
    if fit is None:
        return D, s2
    m, k = len(data), PRIOR_PATIENTS.value
    n = data.statistics.n.sum(axis=0) + np.bincount(data.censored.marker, minlength=len(s2))
    worth = DRAWS_PER_PRIOR_PATIENT * k
    return (
        (m * fit.covariance + k * D) / (m + k),
        (n * fit.residual_variance + worth * s2) / (n + worth),
    )


def _own(group: TrainingSet, pooled: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Take the fitted variances of one group as they are."""
    fit = _fit_or_none(group.statistics, group.censored, group.is_resistant)
    return pooled if fit is None else (fit.covariance, fit.residual_variance)


def _fit_or_none(
    statistics: SufficientStatistics, censored: CensoredDraws, group: np.ndarray
) -> GrowthFit | None:
    """Fit the pooled model; None while the draws cannot tell its parameters apart."""
    try:
        if len(censored):
            return fit_growth_with_censoring(statistics, censored, group=group)
        return fit_growth(statistics, group=group)
    except (UnidentifiableFit, CoefficientsAreConfounded):
        return None
    except (PropagationDidNotSettle, ResidualVarianceIsZero) as error:
        text = f"{error}; the variances stay those given"
        warnings.warn(text, NotConvergedWarning, stacklevel=2)
        return None


def _weighted_lines(
    data: TrainingSet, prior: TrainingPrior, laws: list[tuple[Floats, Floats]]
) -> tuple[Floats, Floats]:
    """Weight the groups' lines with the prior by precision, given the variances.

    With S = X'V⁻¹X and r = X'V⁻¹y summed over a group: V = (V₀⁻¹ + S)⁻¹ in the form
    V₀(I + S·V₀)⁻¹, and β = β₀ + V·(r - S·β₀), so that a singular V₀ is no obstacle.
    """
    q = prior.effects.shape[1]
    S, right = np.zeros((2 * q, 2 * q)), np.zeros(2 * q)
    for g, (D, s2) in enumerate(laws):
        own = slice(g * q, (g + 1) * q)
        group = data.take(np.flatnonzero(data.is_resistant == bool(g)))
        S[own, own], right[own] = _information_of_line(group, prior.effects[g], D, s2)
    before = prior.effects_covariance
    V: Floats = np.asarray(np.linalg.solve(np.eye(2 * q) + before @ S, before), dtype=np.float64)
    V = (V + V.T) / 2
    return prior.effects + (V @ right).reshape(2, q), V


def _information_of_line(
    group: TrainingSet, line: Floats, D: Floats, s2: Floats
) -> tuple[Floats, Floats]:
    """Return X'V⁻¹X and X'V⁻¹(y - Xβ) of a group; censored draws by their Gaussian stand-ins."""
    s = group.statistics
    shift, level = origin_shift(s)
    D, beta = shift @ D @ shift.T, shift @ line - level
    A, c, _ = cross_products(s, s2)
    u = c - A @ beta
    if len(group.censored):
        draws = padded(group.censored, s)
        near = propagate(s, draws, beta=np.broadcast_to(beta, u.shape), D=D, s2=s2)
        A = A + np.einsum("nm,nmi,nmj->nij", near.precision, draws.z, draws.z)
        u = u + np.einsum("nm,nmi->ni", near.shift, draws.z)
    _, DP = shrinkage(A, D)
    W = A - A @ DP @ A
    e = u - np.einsum("nij,njk,nk->ni", A, DP, u)
    return shift.T @ W.sum(axis=0) @ shift, shift.T @ e.sum(axis=0)


def _of_groups(
    data: TrainingSet, pooled: tuple[Floats, Floats], laws: list[tuple[Floats, Floats]]
) -> Floats:
    """Give what each group's draws leave unknown of its D and s², one prior patient beside them.

    That one bounds what is unknown of a slope's variance where it is near zero.
    """
    V, found = wishart_uncertainty(*pooled, patients=1), []
    for g, (D, s2) in enumerate(laws):
        own = data.statistics.take(np.flatnonzero(data.is_resistant == bool(g)))
        information = variance_information(own, covariance=D, residual_variance=s2)
        spread = np.linalg.solve(np.eye(len(V)) + V @ information, V)
        found.append((spread + spread.T) / 2)
    return np.array(found)


def _variance_covariance(
    data: TrainingSet, prior: TrainingPrior, laws: list[tuple[Floats, Floats]]
) -> Floats:
    """Add the labels' information on D and s² to the prior's."""
    V = prior.variance_covariance
    information = np.zeros_like(V)
    for g, (D, s2) in enumerate(laws):
        own = data.statistics.take(np.flatnonzero(data.is_resistant == bool(g)))
        information += variance_information(own, covariance=D, residual_variance=s2)
    found = np.linalg.solve(np.eye(len(V)) + V @ information, V)
    return (found + found.T) / 2
