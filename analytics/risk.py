"""The probability of meeting the rule for treatment resistance, and what it is made of.

Longitudinal discriminant analysis with a covariance common to both groups: the
log-odds are linear in the data, their pieces add up, and their uncertainty
follows by the delta method. Closed form; all patients at once.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from analytics.releases import Contrast, Evidence, Marker, Release
from analytics.tables import Floats, Ints
from analytics.trajectories import Z95, Sums, posterior_gain


@dataclass(frozen=True, slots=True)
class RampSums:
    """The sums that the ramped contrast h = min(t, T) needs beside :class:`Sums`."""

    h: Floats
    ht: Floats
    hh: Floats
    hy: Floats


def sum_ramp(
    track: Ints,
    weeks: Floats,
    y: Floats,
    *,
    ramp_weeks: float,
    n_tracks: int,
    weight: Floats | None = None,
) -> RampSums:
    """Sum the rows of every track for the ramped contrast.

    Parameters
    ----------
    track, weeks, y, n_tracks, weight
        As in :func:`analytics.trajectories.sum_rows`.
    ramp_weeks : float
        The week T from which the contrast stays as it is.

    Returns
    -------
    RampSums
    """

    def total(of: Floats) -> Floats:
        return np.asarray(np.bincount(track, weights=of, minlength=n_tracks), dtype=np.float64)

    ramp = np.minimum(weeks, ramp_weeks)
    wh = ramp if weight is None else weight * ramp
    return RampSums(h=total(wh), ht=total(wh * weeks), hh=total(wh * ramp), hy=total(wh * y))


@dataclass(frozen=True, slots=True)
class LogOdds:
    """What one marker adds to the log-odds, and the variance of that by its parameters.

    `unaveraged` is the part of the variance that `value` does not hold yet: the population's line
    is integrated out in closed form, contrast and variances are plugged in.
    """

    value: Floats
    variance: Floats
    unaveraged: Floats


def marker_log_odds(
    sums: Sums,
    ramp: RampSums,
    marker: Marker,
    contrast: Contrast,
    variance: Floats,
    *,
    level_variance: Floats | float = 0.0,
) -> LogOdds:
    r"""Weigh the results of one marker for resistance against remission.

    With X = [1, t], Z = [1, min(t, T)], V = s2 I + X D X', group means X mu + Z delta (g - pi)
    for g = 1, 0, the log likelihood ratio is delta' Z' V^-1 (y - X mu - Z delta (1/2 - pi)), by
    Woodbury from sums alone (Komarek 2010; Hughes 2018, SMMR 27:2060). Its variance is
    the delta method over mu, delta and (d00, d01, d11, s2), with the term of second order in
    which mu and delta are unsure together.

    Parameters
    ----------
    sums, ramp
        Sums of ln concentration less X mu.
    marker : Marker
        Law of the marker; the covariance is that within a group.
    contrast : Contrast
        Delta, its covariance, its shrinkage, and the mixing pi that mu describes.
    variance : array of float
        4 x 4 covariance of (d00, d01, d11, s2).
    level_variance : float or array of float
        Further variance of the population's level, of tracks whose segment is not known.

    Returns
    -------
    LogOdds
        Zero with variance zero for a track without draws.
    """
    s2, (m00, m01, m11) = marker.residual, marker.mean_covariance
    mean = m00 + level_variance, m01, m11
    d00, d01, d11 = (d + m for d, m in zip(marker.covariance, mean, strict=True))
    k00, k01, k11 = posterior_gain(sums, d00, d01, d11, s2)
    delta0, delta1 = contrast.delta[0] * contrast.shrinkage, contrast.delta[1] * contrast.shrinkage
    half = 0.5 - contrast.mixing
    # a = Z delta: X'a, Z'a; then r = y - half * a: X'r, Z'r, a'r.
    xa0, xa1 = sums.n * delta0 + ramp.h * delta1, sums.t * delta0 + ramp.ht * delta1
    za0, za1 = xa0, ramp.h * delta0 + ramp.hh * delta1
    xr0, xr1 = sums.y - half * xa0, sums.ty - half * xa1
    zr0, zr1 = xr0, ramp.hy - half * za1
    ar = delta0 * zr0 + delta1 * zr1
    # K X'r and K X'a, so that V^-1 = (I - X K X') / s2.
    kr0, kr1 = k00 * xr0 + k01 * xr1, k01 * xr0 + k11 * xr1
    ka0, ka1 = k00 * xa0 + k01 * xa1, k01 * xa0 + k11 * xa1
    value = (ar - xa0 * kr0 - xa1 * kr1) / s2
    # Z'V^-1 r and Z'V^-1 a
    qr0 = (zr0 - sums.n * kr0 - sums.t * kr1) / s2
    qr1 = (zr1 - ramp.h * kr0 - ramp.ht * kr1) / s2
    qa0 = (za0 - sums.n * ka0 - sums.t * ka1) / s2
    qa1 = (za1 - ramp.h * ka0 - ramp.ht * ka1) / s2
    # X'V^-1 a and X'V^-1 r
    ua0 = (xa0 - sums.n * ka0 - sums.t * ka1) / s2
    ua1 = (xa1 - sums.t * ka0 - sums.tt * ka1) / s2
    ur0 = (xr0 - sums.n * kr0 - sums.t * kr1) / s2
    ur1 = (xr1 - sums.t * kr0 - sums.tt * kr1) / s2
    c00, c01, c11 = (entry * contrast.shrinkage for entry in contrast.covariance)
    g0, g1 = qr0 - half * qa0, qr1 - half * qa1
    plugged = c00 * g0 * g0 + 2 * c01 * g0 * g1 + c11 * g1 * g1
    aka = sums.n * ka0 * kr0 + sums.t * (ka0 * kr1 + ka1 * kr0) + sums.tt * ka1 * kr1
    by_residual = -(ar - 2 * (xa0 * kr0 + xa1 * kr1) + aka) / (s2 * s2)
    gradient = (-ua0 * ur0, -(ua0 * ur1 + ua1 * ur0), -ua1 * ur1, by_residual)
    for i, row in enumerate(variance.tolist()):
        for j, entry in enumerate(row):
            if entry != 0:
                plugged = plugged + entry * gradient[i] * gradient[j]
    line = _line_variance(sums, ramp, marker, mean)
    by_line = _line_and_contrast(line, (delta0, delta1), (c00, c01, c11), share=contrast.mixing)
    return LogOdds(value=value, variance=plugged + by_line, unaveraged=plugged)


def _line_variance(
    sums: Sums, ramp: RampSums, marker: Marker, mean: tuple[Floats | float, float, float]
) -> tuple[Floats, Floats, Floats]:
    """Give the variance of Z'V0^-1 (y - X mu) by the population's line mu, as the data leave it.

    V0 is the covariance of a patient's results about a known line. With M the line's covariance
    before them and W = X'V0^-1 X, M (I + W M)^-1 is left after them.
    """
    s2, (m00, m01, m11) = marker.residual, mean
    h00, h01, h11 = posterior_gain(sums, *marker.covariance, s2)

    def seen(x0: Floats, x1: Floats) -> tuple[Floats, Floats]:
        """Turn X'z into X'V0^-1 z."""
        p0, p1 = h00 * x0 + h01 * x1, h01 * x0 + h11 * x1
        return (x0 - sums.n * p0 - sums.t * p1) / s2, (x1 - sums.t * p0 - sums.tt * p1) / s2

    w00, w01 = seen(sums.n, sums.t)
    w11 = seen(sums.t, sums.tt)[1]
    f0, f1 = seen(ramp.h, ramp.ht)
    volume = m00 * m11 - m01 * m01
    det = 1 + w00 * m00 + 2 * w01 * m01 + w11 * m11 + volume * (w00 * w11 - w01 * w01)
    p00, p01, p11 = m00 + w11 * volume, m01 - w01 * volume, m11 + w00 * volume
    a0, a1 = p00 * w00 + p01 * w01, p01 * w00 + p11 * w01
    b0, b1 = p00 * f0 + p01 * f1, p01 * f0 + p11 * f1
    return (
        (w00 * a0 + w01 * a1) / det,
        (f0 * a0 + f1 * a1) / det,
        (f0 * b0 + f1 * b1) / det,
    )


def _line_and_contrast(
    line: tuple[Floats, Floats, Floats],
    delta: tuple[float, float],
    covariance: tuple[float, float, float],
    *,
    share: float,
) -> Floats:
    """Give the variance of delta'h with h = Z'V0^-1 (y - X mu) as unsure as `line` G says.

    First order: delta'G delta. Of second order, and as large while the contrast is as unsure as it
    is big: tr(C G), and share (1 - share) E[(delta'G delta)^2], because what is not known of mu
    depends on the group that is not known either.
    """
    (l00, l01, l11), (d0, d1), (c00, c01, c11) = line, delta, covariance
    u0, u1 = l00 * d0 + l01 * d1, l01 * d0 + l11 * d1
    t00, t01 = c00 * l00 + c01 * l01, c00 * l01 + c01 * l11
    t10, t11 = c01 * l00 + c11 * l01, c01 * l01 + c11 * l11
    mean = d0 * u0 + d1 * u1 + t00 + t11
    square = mean * mean + 2 * (t00 * t00 + 2 * t01 * t10 + t11 * t11)
    square = square + 4 * (c00 * u0 * u0 + 2 * c01 * u0 * u1 + c11 * u1 * u1)
    return mean + share * (1 - share) * square


@dataclass(frozen=True, slots=True)
class Risk:
    """Probability and pieces, one entry per patient.

    ``prior + symptoms + marker + caution`` is the log-odds of ``probability``, exactly in
    that order of addition; ``caution`` is what averaging over uncertain parameters takes
    away (:func:`averaged`).
    """

    prior: float
    symptoms: Floats
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
    plugged = base + capped
    final = base + capped + caution
    without_variance = evidence.prevalence_sd**2 + symptoms_variance
    # The intercept has learned the local share of the resistant; what is unsure of that is its own.
    is_learned = by_recalibration > 0
    base_variance = np.where(is_learned, slope * slope * symptoms_variance, without_variance)
    reach = Z95 * np.sqrt(base_variance + variance)
    reach_without = Z95 * np.sqrt(without_variance)
    return Risk(
        prior=prior,
        symptoms=symptoms,
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


def _recalibration_variance(log_odds: Floats, release: Release) -> Floats:
    """Give the variance of a + b·l by that of a and b."""
    v00, v01, v11 = release.recalibration_covariance
    return v00 + log_odds * (2 * v01 + log_odds * v11)


def _symptoms(early: Ints, evidence: Evidence) -> tuple[Floats, Floats]:
    weights = np.array([0.0, evidence.early_improvement, evidence.early_non_improvement])
    variances = np.array([0.0, evidence.early_sd**2, evidence.early_sd**2])
    return weights[early + 1], variances[early + 1]
