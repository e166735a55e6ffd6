"""Regressions that lose all digits in a careless program, against NIST's certified values.

NIST Statistical Reference Datasets, linear least squares, Wampler 1 to 5 (Wampler 1970, JASA
65:549): a polynomial of degree 5 in 0, 1, ..., 20. The levels of Wampler 3 are the polynomial with
coefficients 1 plus given residuals, in Wampler 4 a hundred and in Wampler 5 ten thousand times as
large; whatever the residuals, the certified coefficients are 1.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from analytics.comparison import Regression, regress

X = np.arange(21.0)
POWERS = {f"x{power}": X**power for power in range(1, 6)}
POLYNOMIAL = np.vander(X, 6).sum(axis=1)
WAMPLER_3 = np.array(
    [
        *(760, -2042, 2111, -1684, 3888, 1858, 11379, 17560, 39287, 64382, 113159, 175108, 273291),
        *(400186, 581243, 811568, 1121004, 1506550, 2002767, 2611612, 3369180),
    ],
    dtype=float,
)
# Certified standard deviations of the estimates of Wampler 3, and of its residuals
ERRORS = [2152.32624678170, 2363.55173469681, 779.343524331583, 101.475507550350]
ERRORS += [5.64566512170752, 0.112324854679312]
RESIDUAL_SD = 2360.14502379268


def fitted(levels: npt.NDArray[np.float64]) -> Regression:
    return regress(pd.DataFrame(POWERS | {"y": levels}), outcome="y", predictors=list(POWERS))


def test_a_polynomial_without_residuals_is_found_again() -> None:
    coefficients = fitted(POLYNOMIAL).coefficients["estimate"]

    assert coefficients.to_numpy() == pytest.approx(np.ones(6), rel=1e-8)


def test_small_coefficients_are_found_beside_large_ones() -> None:
    coefficients = fitted(np.vander(0.1 * X, 6).sum(axis=1)).coefficients["estimate"]

    assert coefficients.to_numpy() == pytest.approx(0.1 ** np.arange(6), rel=1e-8)


@pytest.mark.parametrize(("times", "rel"), [(1, 1e-8), (100, 1e-7), (10_000, 1e-5)])
def test_a_polynomial_under_ever_larger_residuals_is_found(times: int, rel: float) -> None:
    fit = fitted(POLYNOMIAL + times * (WAMPLER_3 - POLYNOMIAL))

    assert fit.coefficients["estimate"].to_numpy() == pytest.approx(np.ones(6), rel=rel)
    errors = fit.coefficients["standard_error"].to_numpy()
    assert errors == pytest.approx(times * np.array(ERRORS), rel=1e-9)
    assert fit.residual_sd == pytest.approx(times * RESIDUAL_SD, rel=1e-10)


def test_the_whole_fit_has_the_certified_figures() -> None:
    fit = fitted(WAMPLER_3)

    assert fit.r_squared == pytest.approx(0.999995559025820, abs=1e-14)
    assert fit.f == pytest.approx(675524.458240122, rel=1e-9)
    assert fit.df_residual == 15
