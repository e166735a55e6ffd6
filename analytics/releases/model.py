"""What a release says: the law of each marker, of the informative ones together, and a card."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from analytics.changes import log_variance
from analytics.releases.law import (
    GroupLaw,
    Law,
    Square,
    quadratic_terms,
    scaled,
    square,
    triangle_of,
)

ANALYTES = ("sIL-6R", "IL-6", "TNF-α", "hs-CRP")
BASES = ("prior only", "local level", "local labels")
Triangle = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Marker:
    """The law of one marker in the population: straight lines of ln concentration.

    Parameters
    ----------
    mean : tuple of float
        Level at the first dose and slope per week, ln units.
    mean_covariance : tuple of float
        Uncertainty of that mean: variance, covariance, variance.
    covariance : tuple of float
        Between persons within a group: variance of the level, covariance, of the slope.
    residual : float
        Variance of one result about the person's line.
    within_cv, assay_cv : float
        Biological and assay variation, for reference change values.
    levels : dict
        Level of a segment less ``mean[0]`` where a segment's own is known.
    level_sd : float
        Further uncertainty of the level in a segment that ``levels`` does not name.
    """

    mean: tuple[float, float]
    mean_covariance: Triangle
    covariance: Triangle
    residual: float
    within_cv: float
    assay_cv: float
    levels: dict[str, float]
    level_sd: float = 0.0


@dataclass(frozen=True, slots=True)
class Contrast:
    """How resistant and remitting patients differ in the informative markers.

    Parameters
    ----------
    delta : tuple of float
        Difference of level at the first dose and of slope per week, of each marker in turn.
    covariance : tuple of float
        Its uncertainty, the lower triangle row by row; for one marker variance, covariance,
        variance.
    shrinkage : float
        Factor on ``delta`` and on its covariance; 1 once local labels have spoken.
    ramp_weeks : float
        Week from which the difference stays as it is; infinite for never.
    mixing : float
        Share of resistant patients in the population that the markers' ``mean`` describes.
    cap : float
        Largest log-odds the markers may add or take; infinite for no cap.
    markers : tuple of str
        The informative markers; the others weigh nothing.
    """

    delta: tuple[float, ...]
    covariance: Triangle
    shrinkage: float
    ramp_weeks: float
    mixing: float
    cap: float
    markers: tuple[str, ...] = ("sIL-6R",)


@dataclass(frozen=True, slots=True)
class Joint:
    """How several informative markers go together, each lower triangle row by row.

    The blocks of a marker with itself are those of its own :class:`Marker`.

    Parameters
    ----------
    covariance : tuple of float
        Between persons within a group, of level and slope of each marker in turn.
    mean_covariance : tuple of float
        Uncertainty of the population's lines.
    """

    covariance: Triangle
    mean_covariance: Triangle

    @classmethod
    def of(cls, covariance: Square, mean_covariance: Square) -> Self:
        """Take it from the matrices."""
        return cls(triangle_of(covariance), triangle_of(mean_covariance))


@dataclass(frozen=True, slots=True)
class GroupSpread:
    """How persons of one group vary, where cross-validation has shown that the groups differ.

    Parameters
    ----------
    covariance : tuple of float
        Between persons of the group, of level and slope of each informative marker in turn; lower
        triangle row by row.
    residual : tuple of float
        Variance of one result about the person's line, of each informative marker.
    variance_covariance : tuple of tuple of float
        Covariance of the estimates of these, as in :class:`Release`.
    """

    covariance: Triangle
    residual: tuple[float, ...]
    variance_covariance: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """Both groups' spreads; a marker's own is the mean of both by their shares."""

    remitting: GroupSpread
    resistant: GroupSpread


@dataclass(frozen=True, slots=True)
class Evidence:
    """Log-odds known without a marker, and their uncertainty."""

    prevalence: float
    prevalence_sd: float
    early_non_improvement: float
    early_improvement: float
    early_sd: float


def mark_of(patient_id: object, version: str) -> str:
    """Give the mark of a patient in one release: a digest, so that releases cannot be joined by it.

    Parameters
    ----------
    patient_id : int, float or str
        The number of the patient in the record.
    version : str
        Of the release.

    Returns
    -------
    str
    """
    if isinstance(patient_id, float) and patient_id.is_integer():  # as a table with gaps reads it
        patient_id = int(patient_id)
    return sha256(f"{version}:{patient_id}".encode()).hexdigest()[:16]


def _group_law(spread: GroupSpread) -> GroupLaw:
    terms = quadratic_terms(spread.variance_covariance)
    return GroupLaw(square(spread.covariance), spread.residual, terms)


@dataclass(frozen=True)
class Release:
    """One version of the model.

    Parameters
    ----------
    version : str
        Short name, printed with every estimate.
    basis : str
        "prior only", "local level" or "local labels": what it was made from.
    markers : dict
        One :class:`Marker` per analyte.
    contrast : Contrast
        Of the informative markers.
    evidence : Evidence
        Prior and symptoms.
    variance_covariance : tuple of tuple of float
        Covariance of the estimates of the informative markers' variances: the lower triangle of
        their covariance row by row, then each residual; 4 x 4 for one marker.
    recalibration : tuple of float
        What local outcomes add to the prior log-odds of everybody, and their factor on what the
        markers add; (0, 1) while there are under 100 labels.
    recalibration_covariance : tuple of float
        Their uncertainty: variance, covariance, variance; zeros while there are under 100 labels.
    fingerprint : str
        Of the data it was fitted to; empty for a published prior.
    code_version : str
        Version of the code that made it.
    card : dict
        What TRIPOD+AI asks for, in words: at least the items of :data:`checks.CARD`.
    checksum : str
        SHA-256 of all the rest.
    joint : Joint or None
        Of two or more informative markers; None for one.
    groups : Groups or None
        Where the groups vary differently; None where they share one covariance.
    learned_from : frozenset of str
        Marks of the patients whose outcomes it was trained on (:func:`mark_of`).
    """

    version: str
    basis: str
    markers: dict[str, Marker]
    contrast: Contrast
    evidence: Evidence
    variance_covariance: tuple[tuple[float, ...], ...]
    recalibration: tuple[float, float]
    recalibration_covariance: Triangle
    fingerprint: str
    code_version: str
    card: dict[str, str]
    checksum: str
    joint: Joint | None = None
    groups: Groups | None = None
    learned_from: frozenset[str] = frozenset()

    @property
    def informative(self) -> tuple[str, ...]:
        """Name the markers that weigh, in the order in which their pieces add up."""
        return self.contrast.markers

    @property
    def variance_matrix(self) -> npt.NDArray[np.float64]:
        """Give the covariance of the variance parameters as a matrix."""
        return np.array(self.variance_covariance)

    @property
    def is_recalibrated(self) -> bool:
        """Tell whether outcomes have set it right."""
        return self.recalibration != (0.0, 1.0) or any(self.recalibration_covariance)

    @cached_property
    def prior_log_odds(self) -> float:
        """Give the log-odds of resistance before any evidence, once."""
        return float(logit(self.evidence.prevalence))

    @cached_property
    def law(self) -> Law:
        """Put the law of the informative markers together, once."""
        own = [self.markers[name] for name in self.informative]
        joint = self.joint or Joint(own[0].covariance, own[0].mean_covariance)
        contrast = self.contrast
        return Law(
            residual=tuple(marker.residual for marker in own),
            delta=tuple(contrast.shrinkage * part for part in contrast.delta),
            delta_covariance=scaled(square(contrast.covariance), contrast.shrinkage),
            between=square(joint.covariance),
            mean_covariance=square(joint.mean_covariance),
            variance_terms=quadratic_terms(self.variance_covariance),
            share=contrast.mixing,
            prior_log_odds=float(logit(contrast.mixing)),
            ramp_weeks=contrast.ramp_weeks,
            groups=None
            if self.groups is None
            else (_group_law(self.groups.remitting), _group_law(self.groups.resistant)),
        )

    @cached_property
    def population(self) -> tuple[npt.NDArray[np.float64], ...]:
        """Give the law of each analyte in both groups together, one array for each parameter, once.

        Mean level and slope, their variances and covariance (level, both, slope), residual.
        The variance is that within a group, plus that of the groups' means, plus the uncertainty
        of the population's own line.
        """
        rows, mixed = [], self.law.share * (1 - self.law.share)
        for name in ANALYTES:
            marker, one, two = self.markers[name], 0.0, 0.0
            if name in self.informative:
                at = 2 * self.informative.index(name)
                one, two = self.law.delta[at : at + 2]
            spread = zip(
                marker.covariance,
                marker.mean_covariance,
                (one * one, one * two, two * two),
                strict=True,
            )
            rows.append((*marker.mean, *(a + b + mixed * c for a, b, c in spread), marker.residual))
        return tuple(map(np.array, zip(*rows, strict=True)))

    @cached_property
    def level_variances(self) -> npt.NDArray[np.float64]:
        """Give the variance of each analyte's level in a segment that is not known, once."""
        return np.array([self.markers[name].level_sd ** 2 for name in ANALYTES])

    @cached_property
    def levelled(self) -> tuple[tuple[int, Marker], ...]:
        """Give the markers with a level of their own in some segment, with their place, once."""
        markers = [(place, self.markers[name]) for place, name in enumerate(ANALYTES)]
        return tuple((place, marker) for place, marker in markers if marker.levels)

    @cached_property
    def within_cvs(self) -> npt.NDArray[np.float64]:
        """Give the biological variation of each analyte, once."""
        return np.array([self.markers[name].within_cv for name in ANALYTES])

    @cached_property
    def log_variances(self) -> npt.NDArray[np.float64]:
        """Give the variance of ln concentration of one draw about the person's own level, once."""
        cvs = [(self.markers[name].within_cv, self.markers[name].assay_cv) for name in ANALYTES]
        return np.array([log_variance(within_cv=within, assay_cv=assay) for within, assay in cvs])
