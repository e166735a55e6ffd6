"""The probability: agreement with full densities, its uncertainty, its pieces."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import multivariate_normal

from analytics import CURRENT_RELEASE
from analytics.releases import Contrast, Marker, Release
from analytics.risk import Risk, assess_risk, averaged
from analytics.trajectories import sum_rows
from analytics.weighing import Draws, LogOdds, sum_ramp
from analytics.weighing import weigh as weigh_draws

Floats = npt.NDArray[np.float64]
WEEKS = np.array([0.0, 3.0, 7.5, 12.0, 15.0, 24.0])
Y = np.array([0.1, -0.05, 0.2, 0.3, 0.15, 0.25])
MARKER = replace(CURRENT_RELEASE.markers["sIL-6R"], mean_covariance=(0.0, 0.0, 0.0))
CONTRAST = replace(CURRENT_RELEASE.contrast, covariance=(0.0, 0.0, 0.0))
NOTHING = np.zeros((4, 4))


def weigh(
    marker: Marker = MARKER,
    contrast: Contrast = CONTRAST,
    variance: Floats = NOTHING,
    weeks: Floats = WEEKS,
    y: Floats = Y,
) -> LogOdds:
    track = np.zeros(len(y), dtype=np.int64)
    ramp = sum_ramp(track, weeks, y, ramp_weeks=contrast.ramp_weeks, n_tracks=1)
    sums = sum_rows(track, weeks, y, n_tracks=1)
    release = replace(
        CURRENT_RELEASE,
        markers={**CURRENT_RELEASE.markers, "sIL-6R": marker},
        contrast=contrast,
        variance_covariance=tuple(map(tuple, variance.tolist())),
    )
    return weigh_draws([Draws(sums, ramp)], release.law).log_odds


def log_ratio(marker: Marker, contrast: Contrast, mean: Floats, *, n: int = 6) -> float:
    """Take the difference of two full multivariate normal log densities."""
    weeks, y = WEEKS[:n], Y[:n]
    X = np.column_stack([np.ones(n), weeks])
    Z = np.column_stack([np.ones(n), np.minimum(weeks, contrast.ramp_weeks)])
    d00, d01, d11 = marker.covariance
    V = X @ np.array([[d00, d01], [d01, d11]]) @ X.T + marker.residual * np.eye(n)
    step = Z @ np.array(contrast.delta) * contrast.shrinkage
    resistant = X @ mean + (1 - contrast.mixing) * step
    remitting = X @ mean - contrast.mixing * step
    return float(
        multivariate_normal(resistant, V).logpdf(y) - multivariate_normal(remitting, V).logpdf(y)
    )


@pytest.mark.parametrize("n", [1, 2, 6])
@pytest.mark.parametrize("ramp_weeks", [12.0, np.inf])
def test_the_log_odds_are_the_difference_of_two_full_densities(n: int, ramp_weeks: float) -> None:
    contrast = replace(CONTRAST, ramp_weeks=ramp_weeks)

    found = weigh(contrast=contrast, weeks=WEEKS[:n], y=Y[:n])

    expected = log_ratio(MARKER, contrast, np.zeros(2), n=n)
    assert found.value[0] == pytest.approx(expected, rel=1e-9)
    assert found.variance[0] == 0


def test_no_draw_weighs_nothing() -> None:
    found = weigh(
        CURRENT_RELEASE.markers["sIL-6R"], CURRENT_RELEASE.contrast, weeks=WEEKS[:0], y=Y[:0]
    )

    assert (found.value[0], found.variance[0]) == (0, 0)


def gradient(at: Floats) -> Floats:
    """Differentiate the log ratio by (d00, d01, d11, s2, delta0, delta1) numerically."""

    def ratio(x: Floats) -> float:
        marker = replace(MARKER, covariance=(x[0], x[1], x[2]), residual=x[3])
        return log_ratio(marker, replace(CONTRAST, delta=(x[4], x[5])), np.zeros(2))

    out = []
    for place in range(len(at)):
        step = np.zeros(len(at))
        step[place] = 1e-5 * max(abs(at[place]), 1e-2)
        out.append((ratio(at + step) - ratio(at - step)) / (2 * step[place]))
    return np.array(out)


def test_the_variance_is_the_delta_method_with_numerical_derivatives() -> None:
    own = np.array([*MARKER.covariance, MARKER.residual, *CONTRAST.delta])
    slopes = gradient(own)
    rng = np.random.default_rng(1)
    root = rng.normal(size=(4, 4)) * own[[0, 0, 2, 3]][:, None]
    by_variance = root @ root.T
    of_delta = (0.01, -0.0004, 0.0001)

    found = weigh(contrast=replace(CONTRAST, covariance=of_delta), variance=by_variance)

    # What the release gives is the published contrast; shrinkage scales its covariance.
    published = slopes[4:] @ np.array([[0.01, -0.0004], [-0.0004, 0.0001]]) @ slopes[4:]
    published *= CONTRAST.shrinkage / CONTRAST.shrinkage**2
    expected = slopes[:4] @ by_variance @ slopes[:4] + published
    assert found.variance[0] == pytest.approx(expected, rel=1e-5)


def test_an_uncertain_level_is_integrated_out() -> None:
    uncertain = replace(MARKER, mean_covariance=(0.06, -0.001, 0.0002))
    root = np.linalg.cholesky(np.array([[0.06, -0.001], [-0.001, 0.0002]]))
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    X = np.column_stack([np.ones_like(WEEKS), WEEKS])
    d00, d01, d11 = MARKER.covariance
    V = X @ np.array([[d00, d01], [d01, d11]]) @ X.T + MARKER.residual * np.eye(len(WEEKS))
    step = np.column_stack([np.ones(6), np.minimum(WEEKS, 12)]) @ CONTRAST.delta
    step = step * CONTRAST.shrinkage
    density = np.zeros(2)
    for a, wa in zip(nodes, weights, strict=True):
        for b, wb in zip(nodes, weights, strict=True):
            mean = X @ root @ [a, b]
            for group, share in enumerate((-CONTRAST.mixing, 1 - CONTRAST.mixing)):
                density[group] += wa * wb * multivariate_normal(mean + share * step, V).pdf(Y)

    found = weigh(marker=uncertain)

    assert found.value[0] == pytest.approx(np.log(density[1] / density[0]), rel=1e-6)


def test_averaging_is_the_mean_probability_over_the_uncertainty() -> None:
    rng = np.random.default_rng(2)
    for centre, sd in ((0.5, 0.4), (-1.0, 0.8), (2.0, 1.0)):
        drawn = expit(centre + sd * rng.normal(size=400_000)).mean()

        found = expit(averaged(np.array([centre]), np.array([sd**2])))

        assert found[0] == pytest.approx(drawn, abs=0.006)


def risk_of(value: float, variance: float, early: int) -> Risk:
    marker = LogOdds((np.array([value]),), np.array([variance]), np.array([variance]), np.zeros(1))
    return assess_risk(marker, np.array([early]), CURRENT_RELEASE)


@given(st.floats(-50, 50), st.floats(1e-6, 30), st.sampled_from([-1, 0, 1]))
def test_the_pieces_add_up_and_the_probability_lies_in_its_interval(
    value: float, variance: float, early: int
) -> None:
    risk = risk_of(value, variance, early)

    total = risk.prior + risk.local + risk.symptoms[0]
    for part in (*risk.pieces, risk.caution):
        total = total + part[0]

    assert risk.probability[0] == expit(total)
    assert 0 <= risk.low[0] <= risk.probability[0] <= risk.high[0] <= 1


@pytest.mark.parametrize("early", [-1, 0, 1])
def test_without_a_marker_the_two_risks_are_equal(early: int) -> None:
    risk = risk_of(0.0, 0.0, early)

    assert risk.probability[0] == risk.probability_without[0]
    assert (risk.low[0], risk.high[0]) == (risk.without_low[0], risk.without_high[0])


def test_early_symptoms_move_the_prior_as_published() -> None:
    # 30 % and 1.28 give 61 %: clinical reference, default rule model, worked out by hand
    assert risk_of(0, 0, 1).probability[0] == pytest.approx(0.61, abs=0.005)
    assert risk_of(0, 0, 0).probability[0] == pytest.approx(expit(logit(0.3) - 0.61), rel=1e-12)


def test_the_published_marker_is_capped() -> None:
    risk = risk_of(7.0, 0.01, -1)

    assert risk.marker[0] == CURRENT_RELEASE.contrast.cap
    assert risk.probability[0] < 0.5


def recalibrated(
    recalibration: tuple[float, float], covariance: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Release:
    return replace(
        CURRENT_RELEASE,
        contrast=replace(CURRENT_RELEASE.contrast, cap=np.inf),
        recalibration=recalibration,
        recalibration_covariance=covariance,
    )


@pytest.mark.parametrize(("early", "symptoms"), [(-1, 0.0), (0, -0.61), (1, 1.28)])
def test_outcomes_move_the_prior_of_both_risks_and_weigh_the_marker_alone(
    early: int, symptoms: float
) -> None:
    marker = LogOdds((np.array([0.6]),), np.array([1e-12]), np.array([1e-12]), np.zeros(1))

    risk = assess_risk(marker, np.array([early]), recalibrated((0.1, 0.5)))

    assert risk.symptoms[0] == pytest.approx(symptoms, abs=0.005)
    without = logit(0.3) + 0.1 + risk.symptoms[0]
    assert logit(risk.probability_without[0]) == pytest.approx(without, rel=1e-9)
    assert logit(risk.probability[0]) == pytest.approx(without + 0.5 * 0.6, rel=1e-9)
    assert risk.marker[0] == pytest.approx(0.5 * 0.6)


@given(st.floats(-3, 3), st.floats(0, 3), st.sampled_from([-1, 0, 1]))
def test_after_recalibration_a_patient_without_a_marker_has_one_risk(
    intercept: float, slope: float, early: int
) -> None:
    release = recalibrated((intercept, slope), (0.02, -0.005, 0.2))
    nothing = LogOdds((np.zeros(1),), np.zeros(1), np.zeros(1), np.zeros(1))

    risk = assess_risk(nothing, np.array([early]), release)

    assert risk.marker[0] == 0
    assert risk.probability[0] == risk.probability_without[0]
    assert (risk.low[0], risk.high[0]) == (risk.without_low[0], risk.without_high[0])


def test_a_marker_that_outcomes_have_found_to_say_nothing_leaves_the_risk_as_it_is() -> None:
    marker = LogOdds((np.array([3.0]),), np.array([0.5]), np.array([0.1]), np.zeros(1))

    risk = assess_risk(marker, np.array([1]), recalibrated((0.4, 0.0), (0.02, 0.0, 0.1)))

    assert risk.probability[0] == risk.probability_without[0]
    assert risk.marker[0] == 0


def test_what_recalibration_has_not_learned_widens_the_interval_in_place_of_the_prevalence() -> (
    None
):
    release = recalibrated((0.1, 0.5), (0.04, 0.01, 0.02))
    marker = LogOdds((np.array([0.6]),), np.array([0.09]), np.array([0.0]), np.zeros(1))

    risk = assess_risk(marker, np.array([1]), release)

    # By hand: (1, m) V (1, m)' + b^2 Var + that of the symptoms, with m = 0.6.
    of_symptoms = release.evidence.early_sd**2
    spread = np.sqrt(0.04 + 2 * 0.01 * 0.6 + 0.02 * 0.6**2 + 0.25 * 0.09 + of_symptoms)
    without = logit(0.3) + 0.1 + release.evidence.early_non_improvement
    assert logit(risk.high[0]) == pytest.approx(without + 0.3 + 1.959964 * spread, rel=1e-6)
    assert logit(risk.low[0]) == pytest.approx(without + 0.3 - 1.959964 * spread, rel=1e-6)
    reach = 1.959964 * np.sqrt(0.04 + of_symptoms)
    assert logit(risk.without_high[0]) == pytest.approx(without + reach, rel=1e-6)
    assert logit(risk.without_low[0]) == pytest.approx(without - reach, rel=1e-6)


@pytest.mark.parametrize("n", [1, 3, 6])
def test_the_variance_is_what_unsure_line_and_contrast_leave_open(n: int) -> None:
    """Patients drawn from the release's own uncertainty, weighed by who knows the truth."""
    marker, contrast = CURRENT_RELEASE.markers["sIL-6R"], CURRENT_RELEASE.contrast
    rng = np.random.default_rng(n)
    many, weeks = 20_000, WEEKS[:n]
    X = np.column_stack([np.ones(n), weeks])
    Z = np.column_stack([np.ones(n), np.minimum(weeks, contrast.ramp_weeks)])
    line = rng.multivariate_normal(marker.mean, square(marker.mean_covariance), many)
    step = contrast.shrinkage * np.array(contrast.delta) + rng.multivariate_normal(
        [0, 0], contrast.shrinkage * square(contrast.covariance), many
    )
    resistant = rng.random(many) < contrast.mixing
    V = X @ square(marker.covariance) @ X.T + marker.residual * np.eye(n)
    middle = line @ X.T + (0.5 - contrast.mixing) * step @ Z.T
    y = (
        middle
        + (resistant - 0.5)[:, None] * (step @ Z.T)
        + rng.multivariate_normal(np.zeros(n), V, many)
    )
    oracle = ((y - middle) @ np.linalg.inv(V) * (step @ Z.T)).sum(axis=1)

    track = np.repeat(np.arange(many), n)
    rows = (track, np.tile(weeks, many), (y - X @ np.array(marker.mean)).ravel())
    draws = Draws(
        sum_rows(*rows, n_tracks=many),
        sum_ramp(*rows, ramp_weeks=contrast.ramp_weeks, n_tracks=many),
    )
    release = replace(CURRENT_RELEASE, variance_covariance=tuple(map(tuple, NOTHING.tolist())))
    found = weigh_draws([draws], release.law).log_odds

    # Of second order, so a tenth is what may be missing.
    z = (oracle - found.value) / np.sqrt(found.variance)
    assert np.sqrt((z**2).mean()) == pytest.approx(1.0, abs=0.12)


def square(triangle: tuple[float, ...]) -> Floats:
    a, b, c = triangle
    return np.array([[a, b], [b, c]])
