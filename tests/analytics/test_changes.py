"""Whether a change is real: limits by formula, and false alarms over repeated looks."""

import re

import numpy as np
import pytest

from analytics.changes import (
    ChangeIsUnfit,
    false_alarm_rate,
    reference_change,
    symmetric_reference_change,
    widened_table,
    widened_z,
)
from tests.analytics.cohorts import estimate_one, results_table

Z_ONE_SIDED = 1.6448536269514722


@pytest.mark.parametrize(
    ("within_cv", "assay_cv", "z", "low", "high"),
    [
        # Worked out by hand from exp(+-z sqrt(2 ln(1 + CVI^2 + CVA^2))) - 1
        (0.15, 0.07, 1.959963984540054, -0.366, 0.577),
        (0.15, 0.07, Z_ONE_SIDED, -0.318, 0.466),
        (0.11, 0.07, 1.959963984540054, -0.30, 0.43),
        (0.20, 0.07, 1.959963984540054, -0.44, 0.79),
        (0.15, 0.05, 1.959963984540054, -0.35, 0.55),
    ],
)
def test_the_log_normal_limits_are_those_of_the_formula(
    within_cv: float, assay_cv: float, z: float, low: float, high: float
) -> None:
    found = reference_change(within_cv=within_cv, assay_cv=assay_cv, z=z)

    assert found.low == pytest.approx(low, abs=0.006)
    assert found.high == pytest.approx(high, abs=0.006)


@pytest.mark.parametrize(("draws", "high"), [(1, 0.459), (2, 0.397), (3, 0.375), (4, 0.363)])
def test_the_symmetric_limit_narrows_as_the_set_point_rests_on_more_draws(
    draws: int, high: float
) -> None:
    found = symmetric_reference_change(within_cv=0.15, assay_cv=0.07, draws_before=draws)

    assert found.high == pytest.approx(high, abs=0.0006)
    assert found.low == -found.high


@pytest.mark.parametrize(("draws", "rate"), [(2, 0.05), (3, 0.09), (5, 0.155), (8, 0.23)])
def test_unwidened_limits_raise_the_known_number_of_false_alarms(draws: int, rate: float) -> None:
    found = false_alarm_rate(z=1.959963984540054, looks=draws - 1)

    assert found == pytest.approx(rate, abs=0.006)


@pytest.mark.parametrize("draws", [2, 3, 5, 8])
def test_widened_limits_keep_five_percent_in_simulated_steady_patients(draws: int) -> None:
    steady = np.random.default_rng(5).normal(size=(200_000, draws))
    z = widened_z(looks=draws - 1)

    alarmed = (np.abs(steady[:, 1:] - steady[:, :1]) / np.sqrt(2) > z).any(axis=1)

    assert alarmed.mean() == pytest.approx(0.05, abs=0.002)


def test_a_set_point_of_four_draws_keeps_the_rate_too() -> None:
    steady = np.random.default_rng(6).normal(size=(200_000, 9))
    z = widened_z(looks=5, draws_before=4)

    apart = np.abs(steady[:, 4:] - steady[:, :4].mean(axis=1, keepdims=True))

    assert (apart / np.sqrt(1.25) > z).any(axis=1).mean() == pytest.approx(0.05, abs=0.002)


def test_the_limit_of_the_planned_looks_holds_from_the_first() -> None:
    table = widened_table(planned_looks=7, alpha=0.05)

    assert table[0, 1] == table[0, 7] == widened_z(looks=7)
    assert table[0, 8] > table[0, 7]


def test_a_course_shows_its_changes_as_fractions() -> None:
    found = estimate_one(results=results_table([40, 20, 30], weeks=[0, 4, 8]))

    line = found.trajectories[0]
    assert line.change_since_first == pytest.approx(-0.25)
    assert line.change_since_previous == pytest.approx(0.5)
    assert line.set_point == pytest.approx(np.sqrt(800))
    assert line.set_point_draws == 2


def test_one_draw_has_nothing_to_change_from() -> None:
    line = estimate_one(results=results_table([40])).trajectories[0]

    assert line.change_since_first is None
    assert line.reference_change_high is None
    assert not line.is_beyond_variation


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"within_cv": 15.0}, "within_cv: 15.0; wanted: a fraction from 0 to 1.5, 0.15 for 15 %"),
        ({"within_cv": -0.1}, "within_cv: -0.1"),
        ({"assay_cv": float("nan")}, "assay_cv: nan"),
        ({"z": -1.96}, "z: -1.96"),
        ({"draws_before": 0}, "draws_before: 0; wanted: at least 1 draw"),
    ],
)
def test_figures_that_give_no_limit_are_refused(given: dict[str, float], told: str) -> None:
    whole = {"within_cv": 0.15, "assay_cv": 0.07, **given}

    with pytest.raises(ChangeIsUnfit, match=re.escape(told)):
        reference_change(**whole)  # type: ignore[arg-type]
    with pytest.raises(ChangeIsUnfit, match=re.escape(told)):
        symmetric_reference_change(**whole)  # type: ignore[arg-type]


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.05])
def test_a_rate_that_no_limit_keeps_is_refused(alpha: float) -> None:
    with pytest.raises(ChangeIsUnfit, match="alpha"):
        widened_z(looks=3, alpha=alpha)
