"""The cold start: what is believed before any label, and a trained model made into a release."""

from dataclasses import replace

import numpy as np

from analytics.evidence import ENOUGH_LOCAL_PATIENTS, LEVEL_SD_PER_END
from analytics.fitting.fit import MarkersDiffer
from analytics.fitting.growth import fit_growth
from analytics.fitting.information import variance_information
from analytics.fitting.model import TrainedModel, TrainingPrior
from analytics.fitting.sufficient import Floats, SufficientStatistics
from analytics.releases import Contrast, Release, dump, parse

SIL6R = "sIL-6R"


class TooFewLocalPatients(ValueError):
    """The local level cannot be taken from so few patients; the published one must do."""


class ReleaseKnowsLabels(ValueError):
    """The release was trained on labels already; the same labels would count twice."""


class ReleaseCannotCarry(ValueError):
    """The release format has no place for this model; the message says what does not fit."""


def published_prior(release: Release) -> TrainingPrior:
    """Make the prior of training from a release that knows no labels.

    The groups' lines are mean + (g - mixing)·shrinkage·contrast for g = 1 (resistant) and 0. Their
    uncertainty is the common one of the release's mean, and for each group and each end (weeks 0
    and the contrast's last) an independent normal one of SD 0.12 ln units.

    Parameters
    ----------
    release : Release
        For example "published-prior-1".

    Returns
    -------
    TrainingPrior
        Of sIL-6R, K = 1.

    Raises
    ------
    ReleaseKnowsLabels
        The release was trained on labels; begin from the one before it.
    """
    if release.basis == "local labels":
        raise ReleaseKnowsLabels(f"{release.version}: training would count its labels twice")
    marker, contrast = release.markers[SIL6R], release.contrast
    mean, common = np.array(marker.mean), _square(marker.mean_covariance)
    if not marker.levels:
        common[0, 0] += marker.level_sd**2  # the level of whatever laboratory the labels come from
    return TrainingPrior(
        markers=(SIL6R,),
        effects=_group_lines(mean, contrast),
        effects_covariance=_line_uncertainty(common, contrast),
        covariance=_square(marker.covariance),
        residual_variance=np.array([marker.residual]),
        variance_covariance=release.variance_matrix,  # d00, d01, d11, s²: the same order
        prior_probability=release.evidence.prevalence,
        basis=release.basis,
    )


def local_prior(release: Release, statistics: SufficientStatistics) -> TrainingPrior:
    """Take level and variances from local draws without labels; only the contrast is published.

    With μ, D_total and s² of a growth model of all patients together, the groups' lines are
    μ + (g - π)·λ·Δ and D = D_total - π(1 - π)·λΔ·λΔ', clipped to a covariance: what the contrast
    explains of the spread between patients is not counted twice.

    Parameters
    ----------
    release : Release
        Gives Δ, its shrinkage λ and the share π of resistant patients.
    statistics : SufficientStatistics
        Local draws of sIL-6R of at least 50 patients with a draw; not of those whose labels are to
        be learned from, or their draws count twice and intervals come out too narrow.

    Returns
    -------
    TrainingPrior
        With basis "local level".

    Raises
    ------
    TooFewLocalPatients, MarkersDiffer, UnidentifiableFit

    Warns
    -----
    SingularFitWarning
    """
    if statistics.markers != (SIL6R,):
        raise MarkersDiffer(f"statistics of {statistics.markers}: {SIL6R} alone is needed")
    n = int((statistics.n[:, 0] > 0).sum())
    if n < ENOUGH_LOCAL_PATIENTS.value:
        raise TooFewLocalPatients(f"{n} patients with a draw; {ENOUGH_LOCAL_PATIENTS.value:.0f}")
    fit = fit_growth(statistics)
    contrast = release.contrast
    delta = contrast.shrinkage * np.array(contrast.delta)
    share = contrast.mixing * (1 - contrast.mixing)
    D = _clipped(fit.covariance - share * np.outer(delta, delta))
    s2 = fit.residual_variance
    information = variance_information(statistics, covariance=D, residual_variance=s2)
    return replace(
        published_prior(release),
        effects=_group_lines(fit.effects[0], contrast),
        effects_covariance=_line_uncertainty(fit.effects_covariance, contrast),
        covariance=D,
        residual_variance=s2,
        variance_covariance=np.asarray(
            np.linalg.pinv(information, rcond=1e-12, hermitian=True), dtype=np.float64
        ),
        basis="local level",
    )


def _group_lines(mean: Floats, contrast: Contrast) -> Floats:
    delta = contrast.shrinkage * np.array(contrast.delta)
    return np.array([mean + (g - contrast.mixing) * delta for g in (0, 1)])


def _line_uncertainty(common: Floats, contrast: Contrast) -> Floats:
    """Common to both groups, plus for each group an independent part at each end."""
    last = contrast.ramp_weeks if np.isfinite(contrast.ramp_weeks) else 12.0
    at_ends = np.linalg.inv(np.array([[1.0, 0.0], [1.0, last]]))
    own = LEVEL_SD_PER_END.value**2 * at_ends @ at_ends.T
    return np.asarray(np.kron(np.ones((2, 2)), common) + np.kron(np.eye(2), own))


def _square(triangle: tuple[float, float, float]) -> Floats:
    a, b, c = triangle
    return np.array([[a, b], [b, c]])


def _clipped(D: Floats) -> Floats:
    """Return the nearest covariance: negative variation is none."""
    values, vectors = np.linalg.eigh((D + D.T) / 2)
    return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)


def release_of(
    model: TrainedModel,
    *,
    base: Release,
    version: str,
    fingerprint: str,
    card: dict[str, str],
    segments: tuple[str, ...] = (),
) -> Release:
    """Make a release of a trained model of sIL-6R; all else is taken over from `base`.

    Parameters
    ----------
    model : TrainedModel
        Of sIL-6R alone, with one covariance for both groups.
    base : Release
        Gives the other markers, the evidence of symptoms and the contrast while none is learned.
    version : str
        Name of the new release.
    fingerprint : str
        Of the data the model was trained on.
    card : dict of str
        What TRIPOD+AI asks for, in words.
    segments : tuple of str
        Segments (laboratory and kit) the draws came from, where `base` does not know their level:
        the model's level is theirs.

    Returns
    -------
    Release
        Checked as if read from a file, with its checksum.

    Raises
    ------
    ReleaseCannotCarry
        Several markers, or covariances that differ between the groups.
    ReleaseIsUnfit
    """
    if model.markers != (SIL6R,):
        raise ReleaseCannotCarry(f"a model of {', '.join(model.markers)}: {SIL6R} alone")
    if not model.shares_covariance:
        raise ReleaseCannotCarry("groups with covariances of their own")
    has_labels = model.basis == "local labels"
    remitting, resistant = model.group_sizes
    share = base.contrast.mixing
    if has_labels and min(model.group_sizes) > 0:
        share = resistant / (remitting + resistant)
    mix = np.hstack([(1 - share) * np.eye(2), share * np.eye(2)])
    lines, spread = model.effects.ravel(), model.effects_covariance
    old = base.markers[SIL6R]
    marker = replace(
        old,
        mean=_pair(mix @ lines),
        mean_covariance=_triangle(mix @ spread @ mix.T),
        covariance=_triangle(model.covariances[0]),
        residual=float(model.residual_variances[0, 0]),
        levels=old.levels | dict.fromkeys(segments, 0.0),
    )
    contrast = base.contrast
    if has_labels:
        contrast = _learned_contrast(model, share)
    made = replace(
        base,
        version=version,
        basis=model.basis,
        markers={**base.markers, SIL6R: marker},
        contrast=contrast,
        variance_covariance=tuple(tuple(map(float, row)) for row in model.variance_covariance),
        recalibration=model.recalibration,
        recalibration_covariance=_triangle(model.recalibration_covariance),
        fingerprint=fingerprint,
        card=card,
    )
    return parse(dump(made))


def _learned_contrast(model: TrainedModel, share: float) -> Contrast:
    """Take the contrast as the labels say it: whole, and without a cap."""
    apart = np.hstack([-np.eye(2), np.eye(2)])
    return Contrast(
        delta=_pair(apart @ model.effects.ravel()),
        covariance=_triangle(apart @ model.effects_covariance @ apart.T),
        shrinkage=1.0,
        ramp_weeks=model.landmark_weeks,
        mixing=share,
        cap=np.inf,
    )


def _pair(values: Floats) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def _triangle(values: Floats) -> tuple[float, float, float]:
    return float(values[0, 0]), float(values[1, 0]), float(values[1, 1])
