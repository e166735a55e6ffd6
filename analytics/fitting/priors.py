"""The cold start: what is believed before any label, and a trained model made into a release."""

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.linalg import block_diag

from analytics.evidence import (
    ENOUGH_LOCAL_PATIENTS,
    LEVEL_SD_PER_END,
)
from analytics.fitting.censored_growth import fit_growth_with_censoring
from analytics.fitting.censoring import CensoredDraws
from analytics.fitting.fit import GrowthFit, MarkersDiffer
from analytics.fitting.growth import fit_growth
from analytics.fitting.information import variance_information
from analytics.fitting.model import TrainedModel, TrainingPrior
from analytics.fitting.reading import names
from analytics.fitting.sufficient import Floats, SufficientStatistics, need_statistics
from analytics.fitting.uncertainty import wishart_uncertainty
from analytics.releases import (
    ANALYTES,
    Contrast,
    Groups,
    GroupSpread,
    Joint,
    Marker,
    Release,
    dump,
    mark_of,
    need_release,
    parse,
)
from analytics.releases.law import square, triangle_of
from analytics.scalars import is_missing

SIL6R = "sIL-6R"


class TooFewLocalPatients(ValueError):
    """The local level cannot be taken from so few patients; the published one must do."""


class ReleaseKnowsLabels(ValueError):
    """The release was trained on labels already; the same labels would count twice."""


class ReleaseCannotCarry(ValueError):
    """The release format has no place for this model; the message says what does not fit."""


def published_prior(release: Release, *, markers: Sequence[str] = (SIL6R,)) -> TrainingPrior:
    """Make the prior of training from a release that knows no labels.

    The groups' lines are mean + (g - mixing)·shrinkage·contrast for g = 1 (resistant) and 0; a
    marker that the release does not weigh has contrast zero. Their uncertainty is the common one of
    the release's mean, and for each group and each end (weeks 0 and the contrast's last) an
    independent normal one of SD 0.12 ln units for sIL-6R and, for another marker, as much wider as
    its results are spread.

    Parameters
    ----------
    release : Release
        For example "published-prior-1".
    markers : sequence of str
        The K markers to be learned together, analytes of the release. How they go together nobody
        has published, so a priori they do not; the labels say.

    Returns
    -------
    TrainingPrior

    Raises
    ------
    ReleaseKnowsLabels
        The release was trained on labels; begin from the one before it.
    MarkersDiffer
        A marker is none of the release's analytes.
    TypeError
        `release` is none: a name, say.
    """
    need_release(release)
    if release.learned_from or release.basis == "local labels":
        raise ReleaseKnowsLabels(f"{release.version}: training would count its labels twice")
    markers = _analytes(markers)
    own = [release.markers[name] for name in markers]
    common = _blocks([marker.mean_covariance for marker in own])
    for place, marker in enumerate(own):
        if not marker.levels:  # the level of whatever laboratory the labels come from
            common[2 * place, 2 * place] += marker.level_sd**2
    covariance = _blocks([marker.covariance for marker in own])
    residual = np.array([marker.residual for marker in own])
    mean = np.concatenate([marker.mean for marker in own])
    known = release.variance_matrix if markers == release.informative else None
    return TrainingPrior(
        markers=markers,
        effects=_group_lines(mean, release, markers),
        effects_covariance=_line_uncertainty(common, release, markers),
        covariance=covariance,
        residual_variance=residual,
        variance_covariance=wishart_uncertainty(covariance, residual) if known is None else known,
        prior_probability=release.evidence.prevalence,
        mixing=release.contrast.mixing,
        basis=release.basis,
    )


def _analytes(markers: Sequence[str]) -> tuple[str, ...]:
    found = names(markers, name="markers", refusal=MarkersDiffer, example=(SIL6R,))
    if not found or not set(found) <= set(ANALYTES):
        raise MarkersDiffer(f"markers {found}; wanted: some of {', '.join(ANALYTES)}, once each")
    return found


def local_prior(
    release: Release, statistics: SufficientStatistics, censored: CensoredDraws | None = None
) -> TrainingPrior:
    """Take level and variances from local draws without labels; only the contrast is published.

    With μ, D_total and s² of a growth model of all patients together, the groups' lines are
    μ + (g - π)·λ·Δ and D = D_total - π(1 - π)·λΔ·λΔ', clipped to a covariance: what the contrast
    explains of the spread between patients is not counted twice.

    Parameters
    ----------
    release : Release
        Gives Δ, its shrinkage λ and the share π of resistant patients.
    statistics : SufficientStatistics
        Local draws of sIL-6R first, and of any other analytes, of at least 50 patients with an
        exact draw of sIL-6R; not of those whose labels are to be learned from, or their draws count
        twice and intervals come out too narrow.
    censored : CensoredDraws, optional
        Their draws beyond a limit, which count as what they are; without them the level would come
        out too high. How sure the variances are is told by the exact draws alone.

    Returns
    -------
    TrainingPrior
        With basis "local level".

    Raises
    ------
    TooFewLocalPatients, MarkersDiffer, UnidentifiableFit, PropagationDidNotSettle

    Warns
    -----
    SingularFitWarning
    """
    need_release(release)
    need_statistics(statistics)
    markers = _analytes(statistics.markers)
    if markers[0] != SIL6R:
        raise MarkersDiffer(f"statistics of {markers}; wanted: {SIL6R} first")
    n = int((statistics.n[:, 0] > 0).sum())
    if n < ENOUGH_LOCAL_PATIENTS.value:
        raise TooFewLocalPatients(
            f"{n} patients with an exact draw; wanted: at least {ENOUGH_LOCAL_PATIENTS.value:.0f}"
        )
    fit = fit_whole(statistics, censored)
    delta = _delta(release, markers)
    share = release.contrast.mixing * (1 - release.contrast.mixing)
    D = _clipped(fit.covariance - share * np.outer(delta, delta))
    s2 = fit.residual_variance
    information = variance_information(statistics, covariance=D, residual_variance=s2)
    return replace(
        published_prior(release, markers=markers),
        effects=_group_lines(fit.effects[0], release, markers),
        effects_covariance=_line_uncertainty(fit.effects_covariance, release, markers),
        covariance=D,
        residual_variance=s2,
        variance_covariance=np.asarray(
            np.linalg.pinv(information, rcond=1e-12, hermitian=True), dtype=np.float64
        ),
        basis="local level",
    )


def fit_whole(statistics: SufficientStatistics, censored: CensoredDraws | None) -> GrowthFit:
    """Fit the growth model of all patients together, draws beyond a limit counted as such."""
    if censored is None or not len(censored):
        return fit_growth(statistics)
    return fit_growth_with_censoring(statistics, censored)


def _delta(release: Release, markers: tuple[str, ...]) -> Floats:
    """Give the shrunk contrast of each marker; zero where the release weighs it not."""
    found = np.zeros((len(markers), 2))
    for place, name in enumerate(markers):
        if name in release.informative:
            at = 2 * release.informative.index(name)
            found[place] = release.law.delta[at : at + 2]
    return found.ravel()


def _group_lines(mean: Floats, release: Release, markers: tuple[str, ...]) -> Floats:
    delta = _delta(release, markers)
    return np.array([mean + (g - release.contrast.mixing) * delta for g in (0, 1)])


def _line_uncertainty(common: Floats, release: Release, markers: tuple[str, ...]) -> Floats:
    """Common to both groups, plus for each group an independent part at each end."""
    contrast = release.contrast
    last = contrast.ramp_weeks if np.isfinite(contrast.ramp_weeks) else 12.0
    at_ends = np.linalg.inv(np.array([[1.0, 0.0], [1.0, last]]))
    unit = LEVEL_SD_PER_END.value**2 * at_ends @ at_ends.T
    spread = [_spread(release.markers[name]) / _spread(release.markers[SIL6R]) for name in markers]
    own = np.kron(np.diag(spread), unit)
    return np.asarray(np.kron(np.ones((2, 2)), common) + np.kron(np.eye(2), own))


def _spread(marker: Marker) -> float:
    """Give the variance of one result at the first dose."""
    return marker.covariance[0] + marker.residual


def _blocks(triangles: list[tuple[float, ...]]) -> Floats:
    return np.asarray(
        block_diag(*(np.array(square(triangle)) for triangle in triangles)), dtype=np.float64
    )


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
    segments: Sequence[str] = (),
    patient_ids: Sequence[object] | None = None,
) -> Release:
    """Make a release of a trained model of one analyte or more; all else is that of `base`.

    It carries a digest of every patient the model has learned from, so that their estimates, and
    whoever evaluates it, know that they taught it.

    Parameters
    ----------
    model : TrainedModel
        Of analytes; groups with covariances of their own are carried as they are.
    base : Release
        Gives the other markers, the evidence of symptoms, the contrast while none is learned and
        its cap until the basis is "local labels".
    version : str
        Name of the new release.
    fingerprint : str
        Of the data the model was trained on.
    card : dict of str
        What TRIPOD+AI asks for, in words; an item that is missing is refused by name.
    segments : sequence of str
        Segments (laboratory and kit) the draws came from, where `base` does not know their level:
        the model's level is theirs.
    patient_ids : sequence, optional
        The patients' numbers in the record, where training knew them by other names.

    Returns
    -------
    Release
        Checked as if read from a file, with its checksum.

    Raises
    ------
    ReleaseCannotCarry
        A marker that is no analyte of a release (a rating is weighed by its own evidence), other
        markers than those of `base` without labels, or not as many patients as were learned from.
    ReleaseIsUnfit
    """
    need_release(base, name="base")
    _need_model(model)
    has_labels = len(model.patient_ids) > 0
    _refuse_uncarried(model, base, has_labels=has_labels)
    segments = names(
        segments, name="segments", refusal=ReleaseCannotCarry, example=("laboratory/kit",)
    )
    _refuse_further_segments(model, base, segments)
    law = model.law
    made = replace(
        base,
        version=version,
        basis=model.basis,
        markers=_markers(model, base, segments),
        contrast=_learned_contrast(model, base) if has_labels else base.contrast,
        joint=Joint.of(law.between, law.mean_covariance) if len(model.markers) > 1 else None,
        groups=_groups(model),
        learned_from=frozenset(mark_of(each, version) for each in _taught(model, patient_ids)),
        variance_covariance=tuple(tuple(map(float, row)) for row in model.variance_covariance),
        recalibration=model.recalibration,
        recalibration_covariance=triangle_of(model.recalibration_covariance.tolist()),
        fingerprint=fingerprint,
        card=card,
    )
    return parse(dump(made))


def _taught(model: TrainedModel, patient_ids: Sequence[object] | None) -> list[Hashable]:
    """Give the numbers of the patients that the model has learned from, each once."""
    given: object = model.patient_ids if patient_ids is None else patient_ids
    size = len(model.patient_ids)
    wanted = f"wanted: a list of the {size} that the model has learned from"
    if isinstance(given, str | bytes) or not isinstance(
        given, Sequence | pd.Index | pd.Series | np.ndarray
    ):
        raise ReleaseCannotCarry(f"patient_ids: {given!r}; {wanted}")
    for place, each in enumerate(given):
        if not isinstance(each, Hashable) or is_missing(each):
            raise ReleaseCannotCarry(f"patient_ids, place {place}: {each!r}; wanted: a number")
    if len(set(given)) != size:
        raise ReleaseCannotCarry(f"patient_ids: {len(set(given))} patients; {wanted}")
    return list(given)


def _refuse_further_segments(model: TrainedModel, base: Release, segments: tuple[str, ...]) -> None:
    """Refuse a segment whose level is another than the one that the base counts its levels from."""
    for name in model.markers:
        levels = base.markers[name].levels
        strange = [segment for segment in segments if levels and segment not in levels]
        if strange:
            raise ReleaseCannotCarry(
                f"segments {', '.join(strange)}: {base.version} counts the levels of {name} from "
                f"that of {', '.join(levels)}; wanted: segments that it knows, the draws less "
                "their levels (training_draws gives them so), or a base that knows none"
            )


def _need_model(given: object) -> None:
    if not isinstance(given, TrainedModel):
        kind = type(given).__name__
        raise TypeError(f"model: {kind}; wanted: a TrainedModel, as train(...).model is")


def _markers(model: TrainedModel, base: Release, segments: tuple[str, ...]) -> dict[str, Marker]:
    """Give each marker's law in both groups together."""
    law, markers = model.law, dict(base.markers)
    for place, name in enumerate(model.markers):
        own, old = slice(2 * place, 2 * place + 2), base.markers[name]
        markers[name] = replace(
            old,
            mean=(float(model.mean[own][0]), float(model.mean[own][1])),
            mean_covariance=triangle_of([row[own] for row in law.mean_covariance[own]]),
            covariance=triangle_of([row[own] for row in law.between[own]]),
            residual=law.residual[place],
            levels=old.levels | dict.fromkeys(segments, 0.0),
        )
    return markers


def _refuse_uncarried(model: TrainedModel, base: Release, *, has_labels: bool) -> None:
    strangers = [name for name in model.markers if name not in ANALYTES]
    if strangers:
        raise ReleaseCannotCarry(
            f"a model of {', '.join(model.markers)}; wanted: only {', '.join(ANALYTES)}"
        )
    if not has_labels and model.markers != base.informative:
        raise ReleaseCannotCarry(
            f"a model of {', '.join(model.markers)} without labels; wanted: the markers of "
            f"{base.version}, {', '.join(base.informative)}"
        )


def _groups(model: TrainedModel) -> Groups | None:
    if model.group_variance_covariances is None:
        return None
    remitting, resistant = (
        GroupSpread(
            covariance=triangle_of(model.covariances[g].tolist()),
            residual=tuple(map(float, model.residual_variances[g])),
            variance_covariance=tuple(
                tuple(map(float, row)) for row in model.group_variance_covariances[g]
            ),
        )
        for g in (0, 1)
    )
    return Groups(remitting, resistant)


def _learned_contrast(model: TrainedModel, base: Release) -> Contrast:
    """Take the contrast as the labels say it: whole, and without a cap once they are enough."""
    return Contrast(
        delta=model.law.delta,
        covariance=triangle_of(model.law.delta_covariance),
        shrinkage=1.0,
        ramp_weeks=model.landmark_weeks,
        mixing=model.mixing,
        cap=np.inf if model.basis == "local labels" else base.contrast.cap,
        markers=model.markers,
    )
