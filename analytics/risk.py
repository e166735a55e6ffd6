"""The probability of meeting the rule for treatment resistance, and what it is made of.

Joins what is known without a marker, and what the markers say (:mod:`analytics.weighing`), into
one probability with its interval; the pieces add up. Closed form; all patients at once.
"""

from functools import partial
from math import pi
from typing import NamedTuple

from analytics.elementwise import entry_by_entry, expit, larger, root, smaller, where
from analytics.releases import Evidence, Release
from analytics.tables import Floats, Ints
from analytics.trajectories import Z95
from analytics.weighing import LogOdds, total

_PI_8 = pi / 8


class Risk(NamedTuple):
    """Probability and pieces, one entry per patient.

    ``prior + local + symptoms + pieces... + caution`` is the log-odds of ``probability``, exactly
    in that order of addition; without pieces and caution, of ``probability_without``. ``local`` is
    what local outcomes move the prior by, the same for everybody; ``pieces`` what each informative
    marker adds, ``caution`` what averaging over uncertain parameters takes away (:func:`averaged`).
    ``marker`` is all that the markers add, without that caution.
    """

    prior: float
    local: float
    symptoms: Floats
    pieces: tuple[Floats, ...]
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
    log_odds, variance : float or array of float
        Log-odds at the estimates and their variance.

    Returns
    -------
    float or array of float
    """
    return log_odds / root(1 + _PI_8 * variance)


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
    prior, local = release.prior_log_odds, release.recalibration[0]
    columns = entry_by_entry(
        partial(_assess, release, prior + local),
        early,
        marker.variance,
        marker.unaveraged,
        *marker.pieces,
    )
    symptoms, *rest = columns
    markers = len(marker.pieces)
    return Risk(prior, local, symptoms, tuple(rest[:markers]), *rest[markers:])


def _assess(
    release: Release,
    start: float,
    early: Floats,
    marker_variance: Floats,
    marker_unaveraged: Floats,
    *marker_pieces: Floats,
) -> tuple[Floats, ...]:
    """Give the fields of :class:`Risk` after the local prior, the pieces one by one.

    The intercept of the recalibration is in the start, with the marker and without; the slope
    weighs the marker alone.
    """
    evidence, cap, slope = release.evidence, release.contrast.cap, release.recalibration[1]
    of_start, with_slope, of_slope = release.recalibration_covariance
    symptoms, symptoms_variance = _symptoms(early, evidence)
    base, said = start + symptoms, total(marker_pieces)
    shown = averaged(said, marker_unaveraged)
    by_slope = shown * shown * of_slope
    weighed = slope * said
    capped = clipped(weighed, cap)
    caution = clipped(averaged(slope * shown, by_slope), cap) - capped
    # A cap shrinks all alike
    scale = where(weighed == capped, 1.0, capped / where(weighed == 0, 1.0, weighed))
    pieces = tuple(scale * (slope * piece) for piece in marker_pieces)
    plugged = base
    for piece in pieces:
        plugged = plugged + piece
    final = plugged + caution
    # Once outcomes have taught the local share of the resistant, what is unsure of it is their own
    start_variance = of_start if of_start > 0 else evidence.prevalence_sd**2
    base_variance = start_variance + symptoms_variance
    variance = slope * slope * marker_variance + by_slope
    reach = Z95 * root(base_variance + variance + 2 * with_slope * shown)
    reach_without = Z95 * root(base_variance)
    return (
        symptoms,
        *pieces,
        capped,
        caution,
        root(variance),
        expit(final),
        expit(smaller(plugged - reach, final)),
        expit(larger(plugged + reach, final)),
        expit(base),
        expit(base - reach_without),
        expit(base + reach_without),
    )


def clipped(of: Floats, most: float) -> Floats:
    """Cut off what lies beyond a bound on either side."""
    return larger(smaller(of, most), -most)


def _symptoms(early: Floats, evidence: Evidence) -> tuple[Floats, Floats]:
    known = where(early > 0, evidence.early_non_improvement, evidence.early_improvement)
    has = early >= 0
    return where(has, known, 0.0), where(has, evidence.early_sd**2, 0.0)
