"""The probability of meeting the rule for treatment resistance, and what it is made of.

Joins what is known without a marker, and what the markers say (:mod:`analytics.weighing`), into
one probability with its interval; the pieces add up. Closed form; all patients at once.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from analytics.releases import Evidence, Release
from analytics.tables import Bools, Floats, Ints
from analytics.trajectories import Z95
from analytics.weighing import LogOdds


@dataclass(frozen=True, slots=True)
class Risk:
    """Probability and pieces, one entry per patient.

    ``prior + symptoms + pieces... + recalibration + caution`` is the log-odds of
    ``probability``, exactly in that order of addition. ``pieces`` is what each informative
    marker adds, ``recalibration`` what setting the log-odds right by local outcomes adds besides,
    ``caution`` what averaging over uncertain parameters takes away (:func:`averaged`).
    ``marker`` is all that the markers add, without that caution.
    """

    prior: float
    symptoms: Floats
    pieces: tuple[Floats, ...]
    recalibration: Floats
    marker: Floats
    caution: Floats
    marker_sd: Floats
    probability: Floats
    low: Floats
    high: Floats
    probability_without: Floats
    without_low: Floats
    without_high: Floats


def averaged(log_odds: Floats, variance: Floats) -> Floats:
    """Shrink log-odds to those of the probability averaged over parameter uncertainty.

    l / sqrt(1 + pi Var / 8) (MacKay 1992, Neural Comput 4:720). We apply it to what the marker
    adds, not to the whole: an uncertain marker then leaves the patient where the other evidence
    puts them, and not at one half. In simulated cohorts the Brier score is lower that way. What
    is integrated out already is not averaged over again; else the calibration slope is 1.13.

    Parameters
    ----------
    log_odds, variance : array of float
        Log-odds at the estimates and their variance.

    Returns
    -------
    array of float
    """
    return np.asarray(log_odds / np.sqrt(1 + np.pi / 8 * variance), dtype=np.float64)


def assess_risk(marker: LogOdds, early: Ints, release: Release) -> Risk:
    """Join prior, symptoms and marker into a probability with its interval.

    Parameters
    ----------
    marker : LogOdds
        What the marker adds, per patient; zeros where there is no draw.
    early : array of int
        1 early non-improvement, 0 early improvement, -1 not known.
    release : Release
        Prior odds, weights of the symptoms, cap, recalibration.

    Returns
    -------
    Risk
        Probabilities in [0, 1]; each lies within its interval.
    """
    evidence = release.evidence
    prior = float(logit(evidence.prevalence))
    symptoms, symptoms_variance = _symptoms(early, evidence)
    cap = release.contrast.cap
    intercept, slope = release.recalibration
    base = prior + symptoms
    # Recalibration belongs to the marker: without one, the probability stays what it was.
    has_marker = marker.variance > 0
    weighed = np.where(has_marker, intercept + slope * (base + marker.value) - base, 0.0)
    by_recalibration = _recalibration_variance(base + marker.value, release)
    by_recalibration = np.where(has_marker, by_recalibration, 0.0)
    variance = slope * slope * marker.variance + by_recalibration
    unaveraged = slope * slope * marker.unaveraged + by_recalibration
    capped = np.clip(weighed, -cap, cap)
    caution = np.clip(averaged(weighed, unaveraged), -cap, cap) - capped
    pieces, recalibrated = _shares(marker, base, weighed, capped, has_marker, release)
    plugged = base
    for piece in pieces:
        plugged = plugged + piece
    plugged = plugged + recalibrated
    final = plugged + caution
    without_variance = evidence.prevalence_sd**2 + symptoms_variance
    # The intercept has learned the local share of the resistant; what is unsure of that is its own.
    is_learned = by_recalibration > 0
    base_variance = np.where(is_learned, slope * slope * symptoms_variance, without_variance)
    reach = Z95 * np.sqrt(base_variance + variance)
    reach_without = Z95 * np.sqrt(without_variance)
    return Risk(
        prior=prior,
        symptoms=symptoms,
        pieces=pieces,
        recalibration=recalibrated,
        marker=capped,
        caution=caution,
        marker_sd=np.sqrt(variance),
        probability=expit(final),
        low=expit(np.minimum(plugged - reach, final)),
        high=expit(np.maximum(plugged + reach, final)),
        probability_without=expit(base),
        without_low=expit(base - reach_without),
        without_high=expit(base + reach_without),
    )


def _shares(
    marker: LogOdds,
    base: Floats,
    weighed: Floats,
    capped: Floats,
    has_marker: Bools,
    release: Release,
) -> tuple[tuple[Floats, ...], Floats]:
    """Share out what the markers add among them and the recalibration; a cap shrinks all alike."""
    intercept, slope = release.recalibration
    pieces = tuple(slope * piece for piece in marker.pieces)
    recalibration = np.where(has_marker, intercept + (slope - 1) * base, 0.0)
    cut = weighed != capped
    if cut.any():
        scale = np.divide(capped, weighed, out=np.ones_like(weighed), where=cut)
        pieces = tuple(scale * piece for piece in pieces)
        recalibration = scale * recalibration
    return pieces, recalibration


def _recalibration_variance(log_odds: Floats, release: Release) -> Floats:
    """Give the variance of a + b·l by that of a and b."""
    v00, v01, v11 = release.recalibration_covariance
    return v00 + log_odds * (2 * v01 + log_odds * v11)


def _symptoms(early: Ints, evidence: Evidence) -> tuple[Floats, Floats]:
    weights = np.array([0.0, evidence.early_improvement, evidence.early_non_improvement])
    variances = np.array([0.0, evidence.early_sd**2, evidence.early_sd**2])
    return weights[early + 1], variances[early + 1]
