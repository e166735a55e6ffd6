"""Level and slope: agreement with dense matrices, laws, and limits of quantification."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtr
from scipy.stats import norm

from analytics.limits import stand_in
from analytics.mixtures import MixedLines, band, stand
from analytics.trajectories import (
    Growth,
    Lines,
    Sums,
    at_week,
    fit_lines,
    sum_rows,
)

Floats = npt.NDArray[np.float64]
D = np.array([[0.04, 0.0006], [0.0006, 0.0001]])
S2 = 0.027
MEAN = np.array([3.5, 0.01])


def growth(covariance: Floats = D, residual: float = S2, mean: Floats = MEAN) -> Growth:
    one = np.ones(1)
    return Growth(
        mean[0] * one,
        mean[1] * one,
        covariance[0, 0] * one,
        covariance[0, 1] * one,
        covariance[1, 1] * one,
        residual * one,
    )


def sums_of(weeks: Floats, logs: Floats, mean: Floats = MEAN) -> Sums:
    track = np.zeros(len(weeks), dtype=np.int64)
    return sum_rows(track, weeks, logs - mean[0] - mean[1] * weeks, n_tracks=1)


def line_of(weeks: Floats, logs: Floats, **law: Floats) -> Lines:
    return fit_lines(sums_of(weeks, logs), growth(**law))  # type: ignore[arg-type]


def dense(weeks: Floats, logs: Floats, covariance: Floats = D) -> tuple[Floats, Floats]:
    """Work the posterior out with full matrices: D X' V^-1 (y - X mean)."""
    X = np.column_stack([np.ones_like(weeks), weeks])
    V = X @ covariance @ X.T + S2 * np.eye(len(weeks))
    gain = covariance @ X.T @ np.linalg.inv(V)
    return MEAN + gain @ (logs - X @ MEAN), covariance - gain @ X @ covariance


WEEKS = np.array([0.0, 2.1, 4.0, 8.2, 12.0, 23.9])
LOGS = np.array([3.4, 3.6, 3.5, 3.9, 3.8, 4.0])


@pytest.mark.parametrize("n", [0, 1, 2, 6])
def test_the_closed_form_is_the_posterior_of_dense_matrices(n: int) -> None:
    mean, covariance = dense(WEEKS[:n], LOGS[:n])

    found = line_of(WEEKS[:n], LOGS[:n])

    assert [found.mean0[0], found.mean1[0]] == pytest.approx(mean, rel=1e-12)
    assert [found.v00[0], found.v01[0], found.v11[0]] == pytest.approx(
        [covariance[0, 0], covariance[0, 1], covariance[1, 1]], rel=1e-10
    )


def test_a_singular_covariance_is_a_result_and_not_a_crash() -> None:
    flat = np.array([[0.04, 0.0], [0.0, 0.0]])
    mean, covariance = dense(WEEKS, LOGS, flat)

    found = line_of(WEEKS, LOGS, covariance=flat)

    assert found.mean1[0] == MEAN[1]
    assert found.mean0[0] == pytest.approx(mean[0], rel=1e-12)
    assert found.v11[0] == 0
    assert found.v00[0] == pytest.approx(covariance[0, 0], rel=1e-12)


def test_without_draws_the_line_is_the_populations() -> None:
    found = line_of(WEEKS[:0], LOGS[:0])

    assert (found.mean0[0], found.v00[0], found.v11[0]) == (3.5, D[0, 0], D[1, 1])


def test_the_level_at_a_week_carries_the_uncertainty_of_the_slope() -> None:
    mean, covariance = dense(WEEKS, LOGS)
    z = np.array([1.0, 30.0])

    level, sd = at_week(line_of(WEEKS, LOGS), np.array([30.0]))

    assert level[0] == pytest.approx(z @ mean, rel=1e-12)
    assert sd[0] == pytest.approx(np.sqrt(z @ covariance @ z), rel=1e-10)


def test_the_band_covers_new_results_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones_like(WEEKS), WEEKS])
    person = rng.multivariate_normal(MEAN, D, size=4000)
    logs = person @ X.T + rng.normal(0, np.sqrt(S2), (4000, len(WEEKS)))
    new = person @ [1, 30] + rng.normal(0, np.sqrt(S2), 4000)

    hits = 0
    for own, later in zip(logs, new, strict=True):
        line = line_of(WEEKS, own)
        drawn = band(MixedLines.single(line, np.inf), np.array([30.0]))
        hits += bool(drawn.low[0] <= np.exp(later) <= drawn.high[0])

    assert hits / 4000 == pytest.approx(0.95, abs=0.012)


def test_a_rise_is_as_probable_as_the_normal_law_says() -> None:
    line = line_of(WEEKS, LOGS)

    found = stand(MixedLines.single(line, np.inf), np.array([12.0]))

    assert found.rising[0] == pytest.approx(
        norm.sf(0, line.mean1[0], np.sqrt(line.v11[0])), rel=1e-12
    )


numbers = st.floats(-2, 2, allow_nan=False)
draws = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.floats(0, 52)), arrays(np.float64, n, elements=numbers)
    )
)


@given(draws)
def test_adding_a_draw_is_the_same_as_refitting(drawn: tuple[Floats, Floats]) -> None:
    weeks, y = drawn
    track = np.zeros(len(weeks) - 1, dtype=np.int64)
    law = growth(mean=np.zeros(2))

    earlier = sum_rows(track, weeks[:-1], y[:-1], n_tracks=1)
    one = sum_rows(np.zeros(1, dtype=np.int64), weeks[-1:], y[-1:], n_tracks=1)
    grown = fit_lines(earlier + one, law)

    whole = fit_lines(sum_rows(np.zeros(len(y), dtype=np.int64), weeks, y, n_tracks=1), law)
    assert grown.mean0[0] == pytest.approx(whole.mean0[0], abs=1e-12)
    assert grown.mean1[0] == pytest.approx(whole.mean1[0], abs=1e-12)


@given(draws, st.floats(0.001, 1000))
def test_another_unit_shifts_the_level_and_nothing_else(
    drawn: tuple[Floats, Floats], factor: float
) -> None:
    weeks, y = drawn
    step = np.log(factor)

    here = fit_lines(sums_of(weeks, y + MEAN[0]), growth())
    moved = MEAN + np.array([step, 0.0])
    there = fit_lines(sums_of(weeks, y + MEAN[0] + step, moved), growth(mean=moved))

    assert there.mean0[0] - step == pytest.approx(here.mean0[0], abs=1e-10)
    assert there.mean1[0] == pytest.approx(here.mean1[0], abs=1e-10)
    assert there.v00[0] == here.v00[0]


@given(draws)
def test_a_draw_never_makes_the_line_less_certain(drawn: tuple[Floats, Floats]) -> None:
    weeks, y = drawn

    fewer = line_of(weeks[:-1], y[:-1])
    more = line_of(weeks, y)

    assert more.v00[0] <= fewer.v00[0] * (1 + 1e-9)
    assert more.v11[0] <= fewer.v11[0] * (1 + 1e-9)


def quadrature(
    weeks: Floats, y: Floats, limit_weeks: Floats, limits: Floats, sign: Floats
) -> tuple[Floats, Floats]:
    """Integrate the posterior of (level, slope) with limits on a fine grid of its prior."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    grid = np.array([(a, b) for a in nodes for b in nodes])
    weight = np.outer(weights, weights).ravel()
    person = grid @ np.linalg.cholesky(D).T
    line = person[:, :1] + person[:, 1:] * weeks
    log_likelihood = -0.5 * ((y - line) ** 2).sum(axis=1) / S2
    bound = person[:, :1] + person[:, 1:] * limit_weeks
    weight = weight * np.exp(log_likelihood - log_likelihood.max())
    weight = weight * ndtr(sign * (limits - bound) / np.sqrt(S2)).prod(axis=1)
    mean = weight @ person / weight.sum()
    return mean, np.sqrt(weight @ (person - mean) ** 2 / weight.sum())


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_censored_draws_move_the_line_as_the_exact_integral_says(sign: float) -> None:
    weeks, y = np.array([0.0, 4.0]), np.array([0.05, -0.1])
    limit_weeks, limits = np.array([2.0, 8.0, 12.0]), np.array([-0.2, -0.1, -0.25]) * sign
    law = growth(mean=np.zeros(2))
    exact = sum_rows(np.zeros(2, dtype=np.int64), weeks, y, n_tracks=1)
    track = np.zeros(3, dtype=np.int64)

    found = stand_in(track, limit_weeks, limits, np.full(3, sign < 0), exact=exact, growth=law)

    sites = sum_rows(track, limit_weeks, found.value, n_tracks=1, weight=found.weight)
    line = fit_lines(exact + sites, law)
    mean, sd = quadrature(weeks, y, limit_weeks, limits, np.full(3, sign))
    assert [line.mean0[0], line.mean1[0]] == pytest.approx(mean, abs=0.01 * np.sqrt(D[0, 0]))
    assert np.sqrt([line.v00[0], line.v11[0]]) == pytest.approx(sd, rel=0.02)


@pytest.mark.parametrize("n", [1, 12, 60])
def test_a_course_of_nothing_but_limits_settles(n: int) -> None:
    weeks = np.linspace(0, 24, n)
    track = np.zeros(n, dtype=np.int64)
    none = sum_rows(track[:0], weeks[:0], weeks[:0], n_tracks=1)

    found = stand_in(
        track, weeks, np.full(n, -1.5), np.zeros(n, dtype=np.bool_), exact=none, growth=growth()
    )

    line = fit_lines(
        sum_rows(track, weeks, found.value, n_tracks=1, weight=found.weight),
        growth(mean=np.zeros(2)),
    )
    assert np.isfinite(found.value).all()
    assert line.mean0[0] < 0
