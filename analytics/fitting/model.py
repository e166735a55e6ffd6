"""Two groups of patients by the growth of their markers: prior knowledge, and a trained model."""

from dataclasses import dataclass

import numpy as np

from analytics.fitting.censoring import CensoredDraws, posterior_with_censoring
from analytics.fitting.fit import MarkersDiffer
from analytics.fitting.posterior import posterior
from analytics.fitting.recalibration import prior_log_odds
from analytics.fitting.sufficient import Floats, SufficientStatistics

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
    recalibration : tuple of float
        Intercept and slope on the log-odds; (0, 1) while labels are too few.
    recalibration_covariance : ndarray, shape (2, 2)
        Uncertainty of the two; zeros while labels are too few.
    group_variance_covariances : ndarray, shape (2, m, m), or None
        Uncertainty of each group's own D and s²; None where they share one.
    shares_covariance : bool
    basis : str
        "prior only", "local level" or "local labels".
    group_sizes : tuple of int
        Remitting and resistant patients learned from.
    landmark_weeks : float
        Latest week a draw was learned from (nan: none was).
    """

    markers: tuple[str, ...]
    effects: Floats
    effects_covariance: Floats
    covariances: Floats
    residual_variances: Floats
    variance_covariance: Floats
    prior_probability: float
    recalibration: tuple[float, float]
    recalibration_covariance: Floats
    shares_covariance: bool
    basis: str
    group_sizes: tuple[int, int]
    landmark_weeks: float
    group_variance_covariances: Floats | None = None

    def log_odds(
        self, statistics: SufficientStatistics, censored: CensoredDraws | None = None
    ) -> Floats:
        """Compute the log-odds of resistance before recalibration.

        Bayes' rule on the marginal densities of the two groups (Komárek et al. 2010, Stat Med
        29:3267): logit p = logit π + log f₁(y) - log f₀(y).

        Parameters
        ----------
        statistics : SufficientStatistics
            Exact draws of N patients; without a draw the answer is the prior's log-odds.
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
        density = []
        for g in (0, 1):
            law = {
                "effects": self.effects[g],
                "covariance": self.covariances[g],
                "residual_variance": self.residual_variances[g],
            }
            if censored is None or not len(censored):
                density.append(posterior(statistics, **law).log_density)
            else:
                density.append(posterior_with_censoring(statistics, censored, **law).log_density)
        return np.asarray(prior_log_odds(self.prior_probability) + density[1] - density[0])

    def recalibrated_log_odds(
        self, statistics: SufficientStatistics, censored: CensoredDraws | None = None
    ) -> Floats:
        """Compute the log-odds after recalibration.

        Parameters
        ----------
        statistics, censored
            As for :meth:`log_odds`.

        Returns
        -------
        ndarray, shape (N,)
        """
        intercept, slope = self.recalibration
        return intercept + slope * self.log_odds(statistics, censored)
