"""Two groups of patients by the growth of their markers: prior knowledge, and a trained model."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.fitting.censoring import CensoredDraws
from analytics.fitting.fit import MarkersDiffer
from analytics.fitting.recalibration import prior_log_odds
from analytics.fitting.sufficient import Floats, SufficientStatistics
from analytics.fitting.weighed import weigh_statistics
from analytics.releases.law import GroupLaw, Law, Square, quadratic_terms
from analytics.risk import averaged

DRAWS_PER_PRIOR_PATIENT = 5  # the prior's residual variance is worth this many draws a patient


@dataclass(frozen=True, eq=False)
class TrainingPrior:
    """What is believed of K markers before any label; q = 2K.

    Attributes
    ----------
    markers : tuple of str, length K
    effects : ndarray, shape (2, q)
        Lines of the remitting (row 0) and of the resistant (row 1).
    effects_covariance : ndarray, shape (2q, 2q)
        Uncertainty of these lines.
    covariance : ndarray, shape (q, q)
        Covariance D of patients about their group's line.
    residual_variance : ndarray, shape (K,)
        Variance of one result about the patient's line.
    variance_covariance : ndarray, shape (m, m)
        Uncertainty of D and s², in the order of :func:`variance_names`.
    prior_probability : float
        Probability of resistance before any draw; a setting.
    mixing : float
        Share of the resistant in the population whose level and spread are known.
    basis : str
        "prior only" or "local level".
    """

    markers: tuple[str, ...]
    effects: Floats
    effects_covariance: Floats
    covariance: Floats
    residual_variance: Floats
    variance_covariance: Floats
    prior_probability: float
    mixing: float
    basis: str


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """Longitudinal discriminant analysis of K markers, ready to weigh patients.

    Attributes
    ----------
    markers : tuple of str, length K
    effects : ndarray, shape (2, q)
        Lines of the remitting (row 0) and of the resistant (row 1).
    effects_covariance : ndarray, shape (2q, 2q)
        Uncertainty of these lines.
    covariances : ndarray, shape (2, q, q)
        Covariance D of each group; the same twice unless `shares_covariance` is False.
    residual_variances : ndarray, shape (2, K)
    variance_covariance : ndarray, shape (m, m)
        Uncertainty of the pooled D and s², in the order of :func:`variance_names`.
    prior_probability : float
        Probability of resistance before any draw.
    mixing : float
        Share of the resistant in the population that both groups' lines together describe.
    recalibration : tuple of float
        Intercept beside the prior, slope on what the markers say; (0, 1) while labels are too few.
    recalibration_covariance : ndarray, shape (2, 2)
        Uncertainty of the two; zeros while labels are too few.
    group_variance_covariances : ndarray, shape (2, m, m), or None
        Uncertainty of each group's own D and s²; None where they share one.
    shares_covariance : bool
    basis : str
        "prior only" or "local level", that of the prior, until 50 labelled patients with a draw
        make it "local labels".
    group_sizes : tuple of int
        Remitting and resistant patients learned from.
    landmark_weeks : float
        Latest week a draw was learned from (nan: none was).
    patient_ids : ndarray
        Whose outcomes and draws it has learned from.
    """

    markers: tuple[str, ...]
    effects: Floats
    effects_covariance: Floats
    covariances: Floats
    residual_variances: Floats
    variance_covariance: Floats
    prior_probability: float
    mixing: float
    recalibration: tuple[float, float]
    recalibration_covariance: Floats
    shares_covariance: bool
    basis: str
    group_sizes: tuple[int, int]
    landmark_weeks: float
    group_variance_covariances: Floats | None = None
    patient_ids: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def pooled(self) -> tuple[Floats, Floats]:
        """Give D and s²: those that the groups share, or the mean of both by their shares."""
        if self.shares_covariance:
            return self.covariances[0], self.residual_variances[0]
        weights = np.array([1 - self.mixing, self.mixing])
        return (
            np.tensordot(weights, self.covariances, axes=1),
            np.tensordot(weights, self.residual_variances, axes=1),
        )

    @cached_property
    def mean(self) -> Floats:
        """Give the line of both groups together, shape (q,)."""
        return self._mixed @ self.effects.ravel()

    @property
    def _mixed(self) -> Floats:
        unit = np.eye(self.effects.shape[1])
        return np.hstack([(1 - self.mixing) * unit, self.mixing * unit])

    @cached_property
    def law(self) -> Law:
        """Put the law of the markers as the front door weighs them, of draws up to the landmark."""
        unit, mix = np.eye(self.effects.shape[1]), self._mixed
        apart, unsure = np.hstack([-unit, unit]), self.effects_covariance
        D, noise = self.pooled
        return Law(
            residual=tuple(noise.tolist()),
            delta=tuple((apart @ self.effects.ravel()).tolist()),
            delta_covariance=_rows(apart @ unsure @ apart.T),
            between=_rows(D),
            mean_covariance=_rows(mix @ unsure @ mix.T),
            variance_terms=quadratic_terms(self.variance_covariance.tolist()),
            share=self.mixing,
            prior_log_odds=prior_log_odds(self.mixing),
            ramp_weeks=np.inf,
            groups=self._group_laws(),
        )

    def _group_laws(self) -> tuple[GroupLaw, GroupLaw] | None:
        if self.group_variance_covariances is None:
            return None
        remitting, resistant = (
            GroupLaw(_rows(D), tuple(s2.tolist()), quadratic_terms(V.tolist()))
            for D, s2, V in zip(
                self.covariances,
                self.residual_variances,
                self.group_variance_covariances,
                strict=True,
            )
        )
        return remitting, resistant

    def marker_log_odds(
        self, statistics: SufficientStatistics, censored: CensoredDraws | None = None
    ) -> Floats:
        """Compute what the markers add to the log-odds, as the front door does, not recalibrated.

        Bayes' rule on the marginal densities of the two groups (Komárek et al. 2010, Stat Med
        29:3267), log f₁(y) - log f₀(y), the population's line integrated out and the average taken
        over what is unsure of the rest (:func:`analytics.risk.averaged`).

        Parameters
        ----------
        statistics : SufficientStatistics
            Exact draws of N patients up to the landmark; without a draw the answer is zero.
        censored : CensoredDraws, optional
            Draws beyond the limit of quantification.

        Returns
        -------
        ndarray, shape (N,)

        Raises
        ------
        MarkersDiffer
        """
        if statistics.markers != self.markers:
            raise MarkersDiffer(f"statistics of {statistics.markers}, model of {self.markers}")
        said = weigh_statistics(statistics, censored, law=self.law, mean=self.mean)
        return averaged(said.value, said.unaveraged)

    def recalibrated_log_odds(
        self, statistics: SufficientStatistics, censored: CensoredDraws | None = None
    ) -> Floats:
        """Compute the log-odds of resistance without symptoms, after recalibration.

        Parameters
        ----------
        statistics, censored
            As for :meth:`marker_log_odds`.

        Returns
        -------
        ndarray, shape (N,)
        """
        intercept, slope = self.recalibration
        said = self.marker_log_odds(statistics, censored)
        by_slope = said * said * self.recalibration_covariance[1, 1]
        start = prior_log_odds(self.prior_probability) + intercept
        return np.asarray(start + averaged(slope * said, by_slope))


def _rows(matrix: Floats) -> Square:
    return tuple(tuple(row) for row in matrix.tolist())
