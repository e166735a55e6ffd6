"""Fits where everybody is drawn at the same weeks: there REML has a closed form to be held to.

With X the weeks of all N patients and b the line of each by least squares, s² is the mean square
about those lines (N (k - 2) degrees of freedom) and D = Cov(b) - s² (X'X)⁻¹, where that is a
covariance (Lange and Laird 1989, JASA 84:241); for several markers b and s² are taken of all.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from analytics.fitting import GrowthFit, fit_growth, summarise

Floats = npt.NDArray[np.float64]
WEEKS = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 12.0])
PATIENTS = 40


def drawn(*, level_sd: float, slope_sd: float, residual_sd: float, seed: int) -> Floats:
    """Levels of everybody, (N, k), about a line that rises."""
    rng = np.random.default_rng(seed)
    level, slope = rng.normal(0, [[level_sd], [slope_sd]], (2, PATIENTS))
    noise = rng.normal(0, residual_sd, (PATIENTS, len(WEEKS)))
    return np.asarray(3.4 + level[:, None] + (0.1 + slope[:, None]) * WEEKS + noise)


def closed_form(*markers: Floats) -> tuple[Floats, Floats]:
    """Give D and s² of the markers together."""
    X = np.column_stack([np.ones(len(WEEKS)), WEEKS])
    lines = np.hstack([y @ np.linalg.pinv(X).T for y in markers])
    s2 = np.array(
        [
            ((y - y @ np.linalg.pinv(X).T @ X.T) ** 2).sum() / (PATIENTS * (len(WEEKS) - 2))
            for y in markers
        ]
    )
    D = np.cov(lines.T) - np.kron(np.diag(s2), np.linalg.inv(X.T @ X))
    assert np.linalg.eigvalsh(D)[0] > 0
    return D, s2


def rows(y: Floats, *, marker: str, unit: float = 1.0, origin: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": np.repeat(np.arange(PATIENTS), len(WEEKS)),
            "weeks": origin + unit * np.tile(WEEKS, PATIENTS),
            "level": y.ravel(),
            "marker": marker,
        }
    )


def assert_is(fit: GrowthFit, between: Floats, s2: Floats) -> None:
    assert fit.is_converged
    assert not fit.is_singular
    unit = np.sqrt(np.diag(between))
    np.testing.assert_allclose(
        fit.covariance / np.outer(unit, unit), between / np.outer(unit, unit), rtol=0, atol=1e-5
    )
    np.testing.assert_allclose(np.diag(fit.covariance), unit**2, rtol=1e-5)
    np.testing.assert_allclose(fit.residual_variance, s2, rtol=1e-6)


@pytest.mark.parametrize(
    ("level_sd", "slope_sd", "residual_sd"),
    [
        (1.0, 0.1, 0.5),
        (1000.0, 100.0, 1.0),  # patients vary a thousand times as much as their draws
        (1000.0, 0.3, 1.0),  # one effect a million times the other's variance and more
        (1.0, 0.1, 1e-3),
        (1e-3, 1e-4, 1e-4),
        (1e5, 1e4, 3e4),
        (3.0, 0.4, 3.0),
    ],
)
def test_reml_is_the_closed_form_at_any_ratio_of_variances(
    level_sd: float, slope_sd: float, residual_sd: float
) -> None:
    y = drawn(level_sd=level_sd, slope_sd=slope_sd, residual_sd=residual_sd, seed=11)

    assert_is(fit_growth(summarise(rows(y, marker="a"))), *closed_form(y))


@pytest.mark.parametrize("unit", [7.0, 1 / 52.1775, 604_800.0])
@pytest.mark.parametrize("origin", [0.0, 2020.0, 1e6])
def test_days_years_and_calendar_dates_say_the_same(unit: float, origin: float) -> None:
    y = drawn(level_sd=1.0, slope_sd=0.1, residual_sd=0.5, seed=12)
    D, s2 = closed_form(y)

    fit = fit_growth(summarise(rows(y, marker="a", unit=unit, origin=origin)))

    assert fit.is_converged
    at_origin = np.array([[1.0, origin], [0.0, 1.0]])
    back = np.diag([1.0, unit]) @ at_origin @ fit.covariance @ at_origin.T @ np.diag([1.0, unit])
    if origin < 1e5 * unit:  # beyond, the covariance at week 0 has no digits left for the level
        np.testing.assert_allclose(np.diag(back), np.diag(D), rtol=1e-5)
    np.testing.assert_allclose(fit.covariance[1, 1] * unit**2, D[1, 1], rtol=1e-5)
    np.testing.assert_allclose(fit.residual_variance, s2, rtol=1e-6)


@pytest.mark.parametrize("residual_sd", [(0.5, 0.3), (1e-3, 0.3), (1e-2, 1e-2)])
def test_two_markers_are_the_closed_form_at_any_ratio_of_variances(
    residual_sd: tuple[float, float],
) -> None:
    one, other = (
        drawn(level_sd=1.0, slope_sd=0.15, residual_sd=sd, seed=seed)
        for sd, seed in zip(residual_sd, (13, 14), strict=True)
    )
    both = pd.concat([rows(one, marker="a"), rows(other, marker="b")])

    assert_is(fit_growth(summarise(both)), *closed_form(one, other))


def test_groups_that_share_a_covariance_are_the_closed_form() -> None:
    """Cov(b) is then that about each group's own mean line, with N - 2 degrees of freedom."""
    y = drawn(level_sd=500.0, slope_sd=50.0, residual_sd=1.0, seed=15)
    group = np.arange(PATIENTS) % 3 == 0
    y[group] += 30 + 2 * WEEKS
    X = np.column_stack([np.ones(len(WEEKS)), WEEKS])
    _, s2 = closed_form(y)
    lines = y @ np.linalg.pinv(X).T
    for own in (group, ~group):
        lines[own] -= lines[own].mean(axis=0)
    D = lines.T @ lines / (PATIENTS - 2) - s2 * np.linalg.inv(X.T @ X)

    assert_is(fit_growth(summarise(rows(y, marker="a")), group=group), D, s2)
