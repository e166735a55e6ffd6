"""What a fit of the growth model found, and what it says of a patient, in the fit or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.fitting.grouping import Labels, read_groups
from analytics.fitting.posterior import Posterior, posterior
from analytics.fitting.sufficient import Floats, SufficientStatistics, need_statistics
from analytics.scalars import is_whole


class MarkersDiffer(ValueError):
    """The statistics are of other markers, or in another order, than the fit."""


class UnknownGroup(KeyError):
    """The fit has no such group."""


class CovariancesAreSeparate(AttributeError):
    """Each group has a covariance of its own; ask `covariances`."""


@dataclass(frozen=True, eq=False)
class GrowthFit:
    """A fitted growth model of K markers in G groups; q = 2K effects per line.

    Attributes
    ----------
    markers : tuple of str, length K
    groups : tuple, length G
        Labels, ascending.
    method : str
        "ML" or "REML".
    effects : ndarray, shape (G, q)
        Each group's line: intercept (level at week 0) and slope (level per week) of each marker.
    effects_covariance : ndarray, shape (G·q, G·q)
        Covariance of the estimates of `effects`, read row by row; given D and s².
    covariances : ndarray, shape (G, q, q)
        Covariance D of the patients' deviations, per group.
    residual_variances : ndarray, shape (G, K)
        Variance s² of one result about the patient's line, per group.
    log_likelihood : float
        Maximised log-likelihood ("REML": restricted), with the constants of lme4 and nlme.
    n_parameters, n_patients, n_draws : int
        Free parameters; patients with at least one draw; results used.
    is_converged, is_singular : bool
        The search found a minimum; a covariance lies on its boundary.
    shares_covariance : bool
        All groups have the same D and s².
    n_evaluations : int
        Evaluations of the deviance.
    message : str
        How the search ended, in words.
    """

    markers: tuple[str, ...]
    groups: tuple[Any, ...]
    method: str
    effects: Floats
    effects_covariance: Floats
    covariances: Floats
    residual_variances: Floats
    log_likelihood: float
    n_parameters: int
    n_patients: int
    n_draws: int
    is_converged: bool
    is_singular: bool
    shares_covariance: bool
    n_evaluations: int
    message: str

    @property
    def covariance(self) -> Floats:
        """The one covariance D of all groups, shape (q, q)."""
        self._refuse_separate()
        return np.asarray(self.covariances[0])

    @property
    def residual_variance(self) -> Floats:
        """The one residual variance per marker of all groups, shape (K,)."""
        self._refuse_separate()
        return np.asarray(self.residual_variances[0])

    @property
    def standard_errors(self) -> Floats:
        """Standard errors of `effects`, shape (G, q)."""
        return np.sqrt(np.diag(self.effects_covariance)).reshape(self.effects.shape)

    @property
    def deviance(self) -> float:
        """-2 log-likelihood; for "REML" the REML criterion."""
        return -2 * self.log_likelihood

    def posterior_of(
        self,
        statistics: SufficientStatistics,
        *,
        group: Labels | None = None,
    ) -> Posterior:
        """Compute empirical-Bayes effects of patients, whether they were in the fit or not.

        Parameters
        ----------
        statistics : SufficientStatistics
            Of N patients and the markers of the fit; any number of draws, also none.
        group : sequence of length N, mapping or Series, optional
            Their groups, in the order of `statistics.patient_ids` or by patient_id; may be left
            out when the fit has one group.

        Returns
        -------
        Posterior
            Deviations from the group's line, conditional covariances given the parameters (what
            lme4 calls condVar), and log marginal densities.

        Raises
        ------
        MarkersDiffer, UnknownGroup, UnidentifiableFit
        """
        need_statistics(statistics)
        if statistics.markers != self.markers:
            raise MarkersDiffer(f"statistics of {statistics.markers}, fit of {self.markers}")
        if group is None and len(self.groups) > 1:
            raise UnknownGroup(f"say each patient's group: one of {self.groups}")
        labels = np.full(len(statistics), self.groups[0])
        if group is not None:
            labels = read_groups(group, statistics)
        q = self.effects.shape[1]
        found = Posterior(
            np.zeros((len(statistics), q)),
            np.zeros((len(statistics), q, q)),
            np.zeros(len(statistics)),
        )
        seen = np.zeros(len(statistics), dtype=bool)
        for g, label in enumerate(self.groups):
            own = labels == label
            part = self.under_group(statistics.take(own), g)
            found.mean[own], found.covariance[own] = part.mean, part.covariance
            found.log_density[own] = part.log_density
            seen |= own
        if not seen.all():
            raise UnknownGroup(f"group {labels[~seen].tolist()[0]!r}: the fit knows {self.groups}")
        return found

    def under_group(self, statistics: SufficientStatistics, index: int) -> Posterior:
        """Compute :meth:`posterior_of` as if all patients belonged to one group.

        Parameters
        ----------
        statistics : SufficientStatistics
            Of N patients and the markers of the fit.
        index : int
            Position of the group in `groups`.

        Returns
        -------
        Posterior
        """
        if not is_whole(index, least=0) or index >= len(self.groups):
            raise UnknownGroup(f"index {index!r}: wanted: from 0 to {len(self.groups) - 1}")
        need_statistics(statistics)
        return posterior(
            statistics,
            effects=self.effects[index],
            covariance=self.covariances[index],
            residual_variance=self.residual_variances[index],
        )

    def _refuse_separate(self) -> None:
        if not self.shares_covariance:
            raise CovariancesAreSeparate("each group has its own: see covariances[g]")


def one_fit_of(fits: Sequence[GrowthFit]) -> GrowthFit:
    """Join fits of one group each into one fit with separate covariances; likelihoods add up."""
    q = fits[0].effects.shape[1]
    covariance = np.zeros((q * len(fits), q * len(fits)))
    for g, fit in enumerate(fits):
        covariance[g * q : (g + 1) * q, g * q : (g + 1) * q] = fit.effects_covariance
    return GrowthFit(
        markers=fits[0].markers,
        groups=tuple(label for fit in fits for label in fit.groups),
        method=fits[0].method,
        effects=np.vstack([fit.effects for fit in fits]),
        effects_covariance=covariance,
        covariances=np.concatenate([fit.covariances for fit in fits]),
        residual_variances=np.concatenate([fit.residual_variances for fit in fits]),
        log_likelihood=sum(fit.log_likelihood for fit in fits),
        n_parameters=sum(fit.n_parameters for fit in fits),
        n_patients=sum(fit.n_patients for fit in fits),
        n_draws=sum(fit.n_draws for fit in fits),
        is_converged=all(fit.is_converged for fit in fits),
        is_singular=any(fit.is_singular for fit in fits),
        shares_covariance=False,
        n_evaluations=sum(fit.n_evaluations for fit in fits),
        message="; ".join(fit.message for fit in fits),
    )
