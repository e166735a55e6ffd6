"""Draws beyond the limit of quantification, against integrals done by quadrature."""

from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from analytics.fitting import (
    BadDraw,
    CensoredDraws,
    ResidualVarianceIsZero,
    SufficientStatistics,
    UnknownMarker,
    UnknownPatient,
    censored_draws,
    fit_growth,
    fit_growth_with_censoring,
    posterior,
    posterior_with_censoring,
    summarise,
)

LINE = np.array([0.5, 0.02])
COVARIANCE = np.array([[0.30, 0.004], [0.004, 0.003]])
RESIDUAL = 0.1


class Law(TypedDict):
    """Parameters of one marker."""

    effects: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]
    residual_variance: list[float]


LAW: Law = {"effects": LINE, "covariance": COVARIANCE, "residual_variance": [RESIDUAL]}
EXACT = ["patient_id", "weeks", "level"]
BEYOND = ["patient_id", "weeks", "limit", "is_below"]


def exact(*rows: tuple[int, float, float]) -> SufficientStatistics:
    return summarise(pd.DataFrame(list(rows), columns=EXACT), patient_ids=range(3))


def beyond(*rows: tuple[int, float, float, bool]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=BEYOND)


def by_quadrature(
    known: list[tuple[float, float]], hidden: list[tuple[float, float, bool]]
) -> tuple[float, np.ndarray, np.ndarray]:
    """Log density, mean and covariance of b by 2-D Gauss-Hermite on 120 x 120 nodes."""
    nodes, weights = special.roots_hermitenorm(120)
    b = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 2)
    b = b @ np.linalg.cholesky(COVARIANCE).T
    weight = np.outer(weights, weights).ravel() / (2 * np.pi)
    log = np.zeros(len(b))
    for week, level in known:
        log += stats.norm(LINE @ [1, week] + b @ [1, week], RESIDUAL**0.5).logpdf(level)
    for week, limit, is_below in hidden:
        z = (limit - LINE @ [1, week] - b @ [1, week]) / RESIDUAL**0.5
        log += special.log_ndtr(z if is_below else -z)
    mass = weight * np.exp(log)
    total = mass.sum()
    mean = mass @ b / total
    covariance = (mass[:, None, None] * b[:, :, None] * b[:, None, :]).sum(axis=0) / total
    return float(np.log(total)), mean, covariance - np.outer(mean, mean)


@settings(max_examples=40, deadline=None)
@given(
    week=st.floats(0, 12),
    limit=st.floats(-1, 2),
    is_below=st.booleans(),
    level=st.floats(-0.5, 1.5),
)
def test_one_censored_draw_is_exact(
    week: float, limit: float, is_below: bool, level: float
) -> None:
    # With a single censored draw the moments are matched, not approximated.
    statistics = exact((0, 3.0, level))
    hidden = censored_draws(beyond((0, week, limit, is_below)), statistics=statistics)

    found = posterior_with_censoring(statistics, hidden, **LAW)

    density, mean, covariance = by_quadrature([(3.0, level)], [(week, limit, is_below)])
    assert found.log_density[0] == pytest.approx(density, abs=1e-6)
    assert found.mean[0] == pytest.approx(mean, abs=1e-6)
    assert found.covariance[0] == pytest.approx(covariance, abs=1e-6)


@pytest.mark.parametrize(
    ("known", "hidden"),
    [
        ([], [(0.0, 0.0, True), (2.0, 0.0, True), (6.0, 0.0, True)]),
        ([(0.0, 0.2), (4.0, 0.9)], [(2.0, 0.0, True), (8.0, 0.0, True), (10.0, 1.6, False)]),
        ([(1.0, 0.3)], [(0.0, 0.4, True), (12.0, 2.5, False)]),
        ([], [(float(week), 0.0, True) for week in range(8)]),
    ],
)
def test_many_censored_draws_are_close_to_the_integral(
    known: list[tuple[float, float]], hidden: list[tuple[float, float, bool]]
) -> None:
    statistics = exact(*((0, *draw) for draw in known))
    draws = censored_draws(beyond(*((0, *draw) for draw in hidden)), statistics=statistics)

    found = posterior_with_censoring(statistics, draws, **LAW)

    density, mean, covariance = by_quadrature(known, hidden)
    prior_sd = np.sqrt(np.diag(COVARIANCE))
    assert np.abs(found.mean[0] - mean).max() < 0.01 * prior_sd.max()
    assert np.abs((found.mean[0] - mean) / prior_sd).max() < 0.03
    # Propagation is a little too sure of itself when nothing but limits is known.
    assert np.diag(found.covariance[0]) == pytest.approx(np.diag(covariance), rel=0.15)
    assert found.log_density[0] == pytest.approx(density, abs=0.05)


def test_two_censored_draws_have_the_probability_of_a_bivariate_normal() -> None:
    # scipy's own integration of the normal distribution over a quadrant.
    statistics = exact()
    draws = censored_draws(beyond((0, 0.0, 0.2, True), (0, 8.0, 0.4, True)), statistics=statistics)
    X = np.array([[1.0, 0.0], [1.0, 8.0]])
    joint = stats.multivariate_normal(X @ LINE, X @ COVARIANCE @ X.T + RESIDUAL * np.eye(2))

    found = posterior_with_censoring(statistics, draws, **LAW)

    assert np.exp(found.log_density[0]) == pytest.approx(joint.cdf([0.2, 0.4]), rel=0.01)


def test_half_the_limit_would_be_far_off_where_propagation_is_not() -> None:
    hidden = [(float(week), 0.0, True) for week in (0, 2, 4, 8, 12)]
    statistics = exact()
    draws = censored_draws(beyond(*((0, *draw) for draw in hidden)), statistics=statistics)
    replaced = exact(*((0, week, limit - np.log(2)) for week, limit, _ in hidden))

    found = posterior_with_censoring(statistics, draws, **LAW).mean[0]

    _, mean, _ = by_quadrature([], hidden)
    half = posterior(replaced, **LAW).mean[0]
    sd = COVARIANCE[0, 0] ** 0.5
    assert abs(found[0] - mean[0]) < 0.02 * sd
    assert abs(half[0] - mean[0]) > 5 * abs(found[0] - mean[0])


def test_a_limit_that_says_nothing_changes_nothing() -> None:
    statistics = exact((0, 1.0, 0.3), (1, 2.0, 0.8))
    draws = censored_draws(beyond((0, 4.0, 60.0, True)), statistics=statistics)

    found = posterior_with_censoring(statistics, draws, **LAW)

    plain = posterior(statistics, **LAW)
    assert found.mean == pytest.approx(plain.mean, abs=1e-12)
    assert found.covariance == pytest.approx(plain.covariance, abs=1e-12)
    assert found.log_density == pytest.approx(plain.log_density, abs=1e-12)


def test_patients_without_variation_are_no_obstacle() -> None:
    statistics = exact()
    draws = censored_draws(beyond((0, 0.0, 0.2, True), (0, 8.0, 0.4, True)), statistics=statistics)

    found = posterior_with_censoring(
        statistics, draws, effects=LINE, covariance=np.zeros((2, 2)), residual_variance=[RESIDUAL]
    )

    z = (np.array([0.2, 0.4]) - [0.5, 0.66]) / RESIDUAL**0.5
    assert found.mean[0] == pytest.approx([0, 0])
    assert found.log_density[0] == pytest.approx(special.log_ndtr(z).sum())


def test_the_order_of_censored_draws_changes_not_one_bit() -> None:
    statistics = exact((0, 1.0, 0.3))
    rows = beyond(
        (0, 4.0, 0.2, True), (1, 3.0, 0.1, True), (0, 2.0, 0.2, True), (0, 9.0, 1.5, False)
    )

    one = posterior_with_censoring(statistics, censored_draws(rows, statistics=statistics), **LAW)
    other = posterior_with_censoring(
        statistics, censored_draws(rows[::-1], statistics=statistics), **LAW
    )

    assert np.array_equal(one.mean, other.mean)
    assert np.array_equal(one.log_density, other.log_density)


@pytest.mark.parametrize("method", ["ML", "REML"])
def test_a_fit_with_a_third_censored_finds_what_the_whole_data_say(method: str) -> None:
    rng = np.random.default_rng(5)
    patient = np.repeat(np.arange(400), 6)
    weeks = np.tile(np.linspace(0, 12, 6), 400)
    b = rng.multivariate_normal(LINE, COVARIANCE, 400)
    level = b[patient, 0] + b[patient, 1] * weeks + rng.normal(0, RESIDUAL**0.5, len(patient))
    rows = pd.DataFrame({"patient_id": patient, "weeks": weeks, "level": level})
    is_hidden = level < 0.4
    statistics = summarise(rows[~is_hidden], patient_ids=range(400))
    hidden = rows[is_hidden].assign(limit=0.4, is_below=True)
    draws = censored_draws(hidden, statistics=statistics)

    fit = fit_growth_with_censoring(statistics, draws, method=method)

    whole = fit_growth(summarise(rows), method=method)
    assert 0.3 < is_hidden.mean() < 0.45
    assert fit.is_converged
    assert np.all(fit.standard_errors > whole.standard_errors)
    assert np.all(np.abs(fit.effects - whole.effects) < 2 * fit.standard_errors)
    assert np.diag(fit.covariance) == pytest.approx(np.diag(whole.covariance), rel=0.15)
    assert fit.residual_variance == pytest.approx(whole.residual_variance, rel=0.1)


def test_a_fit_without_censored_draws_is_the_plain_one() -> None:
    statistics = summarise(
        pd.DataFrame(
            {
                "patient_id": np.repeat(np.arange(20), 4),
                "weeks": np.tile([0.0, 2, 6, 10], 20),
                "level": np.random.default_rng(2).normal(size=80),
            }
        )
    )
    none = censored_draws(beyond(), statistics=statistics)

    for method in ("ML", "REML"):
        fit = fit_growth_with_censoring(statistics, none, random="intercept", method=method)

        plain = fit_growth(statistics, method=method, random="intercept")
        assert fit.log_likelihood == plain.log_likelihood


def few_patients(limit: float) -> tuple[SufficientStatistics, CensoredDraws, pd.DataFrame]:
    """Eight patients in two groups, four draws each, those below the limit censored."""
    rng = np.random.default_rng(12)
    patient, weeks = np.repeat(np.arange(8), 4), np.tile([0.0, 3, 6, 12], 8)
    own = rng.normal(0, 0.5, 8) + 0.3 * (np.arange(8) >= 4)
    level = own[patient] + rng.normal(0, 0.3, len(patient))
    rows = pd.DataFrame({"patient_id": patient, "weeks": weeks, "level": level})
    rows = rows.assign(is_below=level < limit, limit=limit)
    statistics = summarise(rows[~rows["is_below"]], patient_ids=range(8))
    return statistics, censored_draws(rows[rows["is_below"]], statistics=statistics), rows


@pytest.mark.parametrize("fixed", ["intercept", "intercept and slope"])
@pytest.mark.parametrize("random", ["intercept", "intercept and slope"])
@pytest.mark.filterwarnings("ignore::analytics.fitting.SingularFitWarning")
def test_a_limit_that_nothing_can_lie_beyond_leaves_reml_what_it_is(
    random: str, fixed: str
) -> None:
    statistics, _, rows = few_patients(-9.0)
    free = rows[:5].assign(limit=6.0, is_below=True)
    nothing = censored_draws(free, statistics=statistics)
    group = np.arange(8) >= 4

    fit = fit_growth_with_censoring(statistics, nothing, group=group, random=random, fixed=fixed)

    plain = fit_growth(statistics, group=group, random=random, fixed=fixed)
    assert fit.method.startswith("REML")
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-6)
    assert fit.effects == pytest.approx(plain.effects, abs=1e-4)
    assert fit.covariance == pytest.approx(plain.covariance, abs=1e-4)
    assert fit.residual_variance == pytest.approx(plain.residual_variance, rel=1e-3)


@pytest.mark.parametrize(("limit", "near"), [(-0.35, 0.001), (0.0, 0.1)])
def test_the_restricted_likelihood_is_that_of_the_lines_integrated_out(
    limit: float, near: float
) -> None:
    """Two levels integrated over their flat prior and every patient's own, by quadrature."""
    statistics, draws, rows = few_patients(limit)
    group = np.arange(8) >= 4
    nodes, weights = special.roots_hermitenorm(60)
    means = np.linspace(-4, 4, 801)

    def restricted(free: np.ndarray) -> float:
        spread, noise = np.exp(free)
        found = 0.0
        for patients in (range(4), range(4, 8)):
            log = np.zeros(len(means))
            for patient in patients:
                own = rows[rows["patient_id"] == patient]
                line = means[:, None] + spread * nodes
                inside = np.zeros_like(line)
                for level in own["level"].to_numpy():
                    inside += (
                        stats.norm.logcdf((limit - line) / noise)
                        if level < limit
                        else stats.norm.logpdf(level, line, noise)
                    )
                log += np.log(np.exp(inside) @ weights / np.sqrt(2 * np.pi))
            found += np.log(np.trapezoid(np.exp(log - log.max()), means)) + log.max()
        return -found

    best = optimize.minimize(
        restricted, np.log([0.5, 0.3]), method="Nelder-Mead", options={"xatol": 1e-5}
    )
    fit = fit_growth_with_censoring(
        statistics, draws, group=group, random="intercept", fixed="intercept"
    )
    full = fit_growth_with_censoring(
        statistics, draws, group=group, random="intercept", fixed="intercept", method="ML"
    )

    share = rows["is_below"].mean()
    spread, noise = np.exp(best.x)
    assert share in {0.125, 0.4375}
    assert fit.is_converged
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1.1 * near)
    assert fit.covariance[0, 0] == pytest.approx(spread**2, rel=near)
    assert fit.residual_variance[0] == pytest.approx(noise**2, rel=0.01)
    # By full maximum likelihood the spread is a quarter too small in so few
    assert full.covariance[0, 0] < 0.85 * spread**2


def test_censored_draws_that_cannot_be_placed_are_refused() -> None:
    statistics = exact((0, 1.0, 0.3))

    with pytest.raises(UnknownPatient, match="row 0, column 'patient_id': 9"):
        censored_draws(beyond((9, 1.0, 0.2, True)), statistics=statistics)
    with pytest.raises(BadDraw, match="row 0, column 'limit': nan"):
        censored_draws(beyond((0, 1.0, np.nan, True)), statistics=statistics)
    with pytest.raises(UnknownMarker, match="row 0, column 'marker': 'IL-6' - one of marker"):
        censored_draws(beyond((0, 1.0, 0.2, True)).assign(marker="IL-6"), statistics=statistics)


def test_of_several_markers_a_censored_draw_says_which() -> None:
    rows = pd.DataFrame([(0, 0.0, 1.0, "a"), (0, 2.0, 1.5, "b")], columns=[*EXACT, "marker"])
    statistics = summarise(rows, patient_ids=range(3))

    with pytest.raises(BadDraw, match="missing column 'marker': needed to tell a, b apart"):
        censored_draws(beyond((0, 4.0, 1.0, True)), statistics=statistics)


def few_draws(seed: int) -> tuple[SufficientStatistics, CensoredDraws]:
    """Draw a few patients of one marker or two, many of their draws below a limit."""
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(4, 13)), int(rng.integers(1, 3))
    share, rows = rng.uniform(0.1, 0.6), []
    for m in range(k):
        for patient in range(n):
            start, slope = rng.normal(0, 0.3), rng.normal(0, 0.02)
            for at in sorted(rng.uniform(0, 12, int(rng.integers(1, 5)))):
                level = 0.5 + m + start + slope * at + rng.normal(0, 0.2)
                rows.append((patient, at, level, f"m{m}"))
    drawn = pd.DataFrame(rows, columns=["patient_id", "weeks", "level", "marker"])
    limit = drawn.groupby("marker")["level"].transform(lambda of: of.quantile(share))
    below = drawn["level"] < limit
    names = [f"m{m}" for m in range(k)]
    statistics = summarise(drawn[~below], patient_ids=np.arange(n), markers=names)
    beyond = drawn.assign(limit=limit, is_below=True)[below]
    return statistics, censored_draws(beyond, statistics=statistics)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::analytics.fitting.SingularFitWarning")
@pytest.mark.parametrize(("seed", "method"), [(34, "REML"), (37, "ML"), (2, "REML"), (3, "ML")])
def test_the_search_converges_in_a_few_patients_most_of_whose_draws_lie_below(
    seed: int, method: str
) -> None:
    fit = fit_growth_with_censoring(*few_draws(seed), method=method)

    assert fit.is_converged


def test_a_residual_variance_that_runs_to_zero_is_refused_by_name_and_not_called_a_fit() -> None:
    with pytest.raises(ResidualVarianceIsZero, match="runs to zero beside what lies between"):
        fit_growth_with_censoring(*few_draws(28), method="ML")
