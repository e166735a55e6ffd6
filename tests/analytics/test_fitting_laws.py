"""Laws of the growth model that hold for whatever draws come in."""

from typing import TypedDict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.fitting import (
    BadDraw,
    BadParameter,
    CoefficientsAreConfounded,
    CovariancesAreSeparate,
    GrowthFit,
    MarkersDiffer,
    ResidualVarianceIsZero,
    SufficientStatistics,
    UnidentifiableFit,
    UnknownGroup,
    UnknownMarker,
    UnknownPatient,
    fit_growth,
    posterior,
    summarise,
)

SUMS = ("n", "t", "tt", "y", "ty", "yy")


class Law(TypedDict):
    """Parameters of one marker."""

    effects: list[float]
    covariance: list[list[float]]
    residual_variance: list[float]


LAW: Law = {
    "effects": [3.5, 0.01],
    "covariance": [[0.06, 0.0002], [0.0002, 0.0001]],
    "residual_variance": [0.03],
}

draws = st.lists(
    st.tuples(st.integers(0, 4), st.floats(0, 60, width=32), st.floats(-3, 8, width=32)),
    min_size=1,
    max_size=25,
)
Rows = list[tuple[int, float, float]]


def table(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["patient_id", "weeks", "level"])


def cohort(seed: int = 1, *, patients: int = 60, shift: float = 0.0) -> pd.DataFrame:
    """A synthetic cohort of one marker in which all variances are well identified."""
    rng = np.random.default_rng(seed)
    b = rng.multivariate_normal([3.5, 0.01], [[0.06, 0.001], [0.001, 0.002]], patients)
    rows = []
    for patient, (level, slope) in enumerate(b):
        weeks = rng.uniform(0, 12, rng.integers(1, 8))
        noise = rng.normal(0, 0.15, len(weeks))
        rows += [
            (patient, w + shift, level + slope * w + e) for w, e in zip(weeks, noise, strict=True)
        ]
    return table(rows)


def same_fit(one: GrowthFit, other: GrowthFit, *, rel: float) -> None:
    assert one.covariance == pytest.approx(other.covariance, rel=rel)
    assert one.residual_variance == pytest.approx(other.residual_variance, rel=rel)
    assert one.effects == pytest.approx(other.effects, rel=rel)
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=rel)


@given(rows=draws, week=st.floats(0, 60), level=st.floats(-3, 8))
def test_adding_a_draw_is_the_same_as_summing_again(rows: Rows, week: float, level: float) -> None:
    before = summarise(table(rows), patient_ids=range(5), week_origin=6, level_origin=[3.5])

    added = before.with_draw(patient_id=2, weeks=week, level=level, marker="marker")

    again = summarise(
        table([*rows, (2, week, level)]), patient_ids=range(5), week_origin=6, level_origin=[3.5]
    )
    back = added.without_draw(patient_id=2, weeks=week, level=level, marker="marker")
    for name in SUMS:
        assert getattr(added, name) == pytest.approx(getattr(again, name), rel=1e-12, abs=1e-9)
        assert getattr(back, name) == pytest.approx(getattr(before, name), rel=1e-12, abs=1e-9)


@given(rows=draws, order=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_not_one_bit(rows: Rows, order: object) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined]

    one, other = summarise(table(rows)), summarise(table(shuffled))

    for name in SUMS:
        assert np.array_equal(getattr(one, name), getattr(other, name))
    assert one.week_origin == other.week_origin


@given(rows=draws, week=st.floats(-20, 20), level=st.floats(-5, 5))
def test_where_sums_are_counted_from_changes_no_effect(
    rows: Rows, week: float, level: float
) -> None:
    plain = posterior(summarise(table(rows)), **LAW)

    moved = posterior(summarise(table(rows), week_origin=week, level_origin=[level]), **LAW)

    assert moved.mean == pytest.approx(plain.mean, rel=1e-7, abs=1e-8)
    assert moved.covariance == pytest.approx(plain.covariance, rel=1e-7, abs=1e-10)
    assert moved.log_density == pytest.approx(plain.log_density, rel=1e-7, abs=1e-7)


@given(rows=draws)
def test_effects_agree_with_the_matrices_written_out(rows: Rows) -> None:
    statistics = summarise(table(rows), patient_ids=range(5))
    beta, D = np.array(LAW["effects"]), np.array(LAW["covariance"])

    found = posterior(statistics, **LAW)

    for patient in range(5):
        own = [(week, level) for who, week, level in rows if who == patient]
        X = np.array([[1.0, week] for week, _ in own]).reshape(-1, 2)
        y = np.array([level for _, level in own])
        V = X @ D @ X.T + 0.03 * np.eye(len(y))
        gain = D @ X.T @ np.linalg.inv(V)
        assert found.mean[patient] == pytest.approx(gain @ (y - X @ beta), rel=1e-9, abs=1e-9)
        assert found.covariance[patient] == pytest.approx(D - gain @ X @ D, rel=1e-9, abs=1e-9)


@given(level=st.floats(-3, 8), week=st.floats(0, 60))
def test_one_draw_is_enough_for_effects_and_none_leaves_the_prior(
    level: float, week: float
) -> None:
    statistics = summarise(table([(0, week, level)]), patient_ids=[0, 1])

    found = posterior(statistics, **LAW)

    assert np.isfinite(found.mean).all()
    assert found.covariance[0, 0, 0] < LAW["covariance"][0][0]
    assert found.mean[1] == pytest.approx([0, 0])
    assert found.covariance[1] == pytest.approx(np.array(LAW["covariance"]))
    assert found.log_density[1] == 0


@settings(max_examples=15, deadline=None)
@given(shift=st.floats(-200, 200))
def test_shifting_all_times_moves_the_intercept_along_the_line_and_nothing_else(
    shift: float,
) -> None:
    plain = fit_growth(summarise(cohort()))

    moved = fit_growth(summarise(cohort(shift=shift)))

    back = np.array([[1.0, shift], [0.0, 1.0]])
    assert moved.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-8)
    assert moved.residual_variance == pytest.approx(plain.residual_variance, rel=1e-6)
    assert back @ moved.covariance @ back.T == pytest.approx(plain.covariance, rel=1e-5, abs=1e-9)
    assert back @ moved.effects[0] == pytest.approx(plain.effects[0], rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(factor=st.floats(0.001, 1000), unit=st.floats(0.01, 100))
def test_scaling_units_scales_variances_and_nothing_else(factor: float, unit: float) -> None:
    rows = cohort()
    plain = fit_growth(summarise(rows), method="ML")

    scaled = fit_growth(
        summarise(rows.assign(level=rows["level"] * factor, weeks=rows["weeks"] * unit)),
        method="ML",
    )

    by = np.array([factor, factor / unit])
    assert scaled.covariance == pytest.approx(plain.covariance * np.outer(by, by), rel=1e-5)
    assert scaled.residual_variance == pytest.approx(plain.residual_variance * factor**2, rel=1e-6)
    assert scaled.standard_errors[0] == pytest.approx(plain.standard_errors[0] * by, rel=1e-6)
    # A density changes with the unit of its argument: n·log(factor).
    assert scaled.log_likelihood == pytest.approx(
        plain.log_likelihood - len(rows) * np.log(factor), rel=1e-8, abs=1e-6
    )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_order_of_patients_changes_no_fit(seed: int) -> None:
    rows = cohort()
    group = np.arange(60) % 2
    renamed = np.random.default_rng(seed).permutation(60)

    one = fit_growth(summarise(rows), group=group)
    other = fit_growth(
        summarise(rows.assign(patient_id=renamed[rows["patient_id"]])),
        group=group[np.argsort(renamed)],
    )

    same_fit(one, other, rel=1e-6)


def test_patients_without_a_draw_change_no_fit() -> None:
    rows = cohort()

    one = fit_growth(summarise(rows))
    other = fit_growth(summarise(rows, patient_ids=range(100)))

    same_fit(one, other, rel=1e-9)
    assert other.n_patients == 60


def test_a_patient_outside_the_fit_gets_the_same_effects_as_inside() -> None:
    rows = cohort()
    fit = fit_growth(summarise(rows))

    inside = fit.posterior_of(summarise(rows)).mean[7]
    outside = fit.posterior_of(summarise(rows[rows["patient_id"] == 7])).mean[0]

    assert outside == pytest.approx(inside, rel=1e-9)


def test_a_covariance_without_slopes_is_kept_singular_and_still_gives_effects() -> None:
    statistics = summarise(table([(0, 1.0, 3.0), (0, 5.0, 3.3)]))

    found = posterior(
        statistics,
        effects=[3.5, 0.0],
        covariance=[[0.06, 0.0], [0.0, 0.0]],
        residual_variance=[0.03],
    )

    # One level only: shrunk mean of the residuals, 0.06/(0.06 + 0.03/2) * (3.15 - 3.5).
    assert found.mean[0] == pytest.approx([-0.28, 0])
    assert found.covariance[0, 1, 1] == 0


@pytest.mark.parametrize(
    ("column", "value"), [("weeks", np.nan), ("level", np.inf), ("level", -np.inf)]
)
def test_a_number_that_is_none_is_refused_with_its_row_and_column(
    column: str, value: float
) -> None:
    rows = table([(0, 1.0, 3.0), (0, 5.0, 3.3)])
    rows.loc[1, column] = value

    with pytest.raises(BadDraw, match=rf"row 1, column '{column}': {value}"):
        summarise(rows)


def test_a_table_without_its_columns_or_with_strangers_is_refused() -> None:
    rows = table([(0, 1.0, 3.0)])

    with pytest.raises(BadDraw, match="missing column"):
        summarise(rows.drop(columns="weeks"))
    with pytest.raises(BadDraw, match="row 0, column 'patient_id': 0"):
        summarise(rows, patient_ids=[1, 2])
    with pytest.raises(BadDraw, match="row 0, column 'marker': 'IL-6'"):
        summarise(rows.assign(marker="IL-6"), markers=["sIL-6R"])
    with pytest.raises(BadDraw, match="missing column 'marker'"):
        summarise(rows, markers=["sIL-6R", "IL-6"])


def test_a_draw_of_nobody_is_refused() -> None:
    statistics = summarise(table([(0, 1.0, 3.0)]), patient_ids=[0, 1])

    with pytest.raises(UnknownPatient, match="7"):
        statistics.with_draw(patient_id=7, weeks=1.0, level=3.0, marker="marker")
    with pytest.raises(UnknownMarker, match="IL-6"):
        statistics.with_draw(patient_id=0, weeks=1.0, level=3.0, marker="IL-6")
    with pytest.raises(BadDraw, match="no draw to take out"):
        statistics.without_draw(patient_id=1, weeks=1.0, level=3.0, marker="marker")


def fit_of(rows: Rows, **options: object) -> GrowthFit:
    return fit_growth(summarise(table(rows)), **options)  # type: ignore[arg-type]


def test_draws_that_cannot_tell_the_parameters_apart_are_refused() -> None:
    single = [(patient, float(patient), 3.0 + patient % 3) for patient in range(9)]
    same_week = [
        (patient, 2.0, 3.0 + (patient * 7 + i) % 5) for patient in range(9) for i in (0, 1)
    ]
    on_lines = [
        (patient, float(week), 3.0 + patient + week) for patient in range(9) for week in (0, 1, 2)
    ]

    huge = [
        (patient, float(week), 1e6 * patient * (1 + (-1) ** patient * week) + (week * patient) % 3)
        for patient in range(9)
        for week in range(4)
    ]

    with pytest.raises(ResidualVarianceIsZero, match="too small beside another"):
        fit_of(huge)
    with pytest.raises(UnidentifiableFit, match="no patient has two draws"):
        fit_of(single)
    with pytest.raises(CoefficientsAreConfounded, match="one week only"):
        fit_of(same_week)
    with pytest.raises(ResidualVarianceIsZero):
        fit_of(on_lines)
    with pytest.raises(UnidentifiableFit, match="too few"):
        fit_of([(0, 1.0, 3.0), (0, 2.0, 3.5)])
    with pytest.raises(UnidentifiableFit, match="one label a patient"):
        fit_of(same_week, group=[0, 1])
    with pytest.raises(ValueError, match="'reml'; wanted: 'ML' or 'REML'"):
        fit_of(same_week, method="reml")


@pytest.mark.filterwarnings("ignore::analytics.fitting.SingularFitWarning")
def test_as_many_groups_as_patients_do_not_tell_how_patients_vary() -> None:
    # Their lines take up all there is between patients; lme4 too wants more than one per group.
    rng = np.random.default_rng(1)
    rows = [(p, float(w), 3.0 + rng.normal()) for p in range(4) for w in range(6)]

    with pytest.raises(UnidentifiableFit, match="more patients than groups"):
        fit_of([row for row in rows if row[0] == 0])
    with pytest.raises(UnidentifiableFit, match="more patients than groups"):
        fit_of(rows, group=["a", "b", "c", "d"])
    with pytest.raises(UnidentifiableFit, match="more patients than groups"):
        fit_of(rows, group=["a", "a", "a", "b"], separate_covariances=True)
    assert fit_of(rows, group=["a", "a", "a", "b"]).is_converged


def test_a_fit_refuses_statistics_and_groups_that_are_not_its_own() -> None:
    rows = cohort()
    group = np.arange(60) % 2
    fit = fit_growth(summarise(rows), group=group, separate_covariances=True)
    other = summarise(rows.assign(marker="IL-6"))

    with pytest.raises(CovariancesAreSeparate):
        _ = fit.covariance
    with pytest.raises(MarkersDiffer):
        fit.posterior_of(other, group=group)
    with pytest.raises(UnknownGroup, match="each patient's group"):
        fit.posterior_of(summarise(rows))
    with pytest.raises(UnknownGroup, match="5"):
        fit.posterior_of(summarise(rows), group=np.full(60, 5))


@pytest.mark.parametrize(
    "wrong",
    [
        {"covariance": [[0.06, 0.0], [0.1, 0.0001]]},
        {"covariance": [[-0.06, 0.0], [0.0, 0.0001]]},
        {"residual_variance": [0.0]},
        {"residual_variance": [np.nan]},
        {"effects": [3.5]},
        {"effects": [3.5, np.inf]},
    ],
)
def test_parameters_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    statistics: SufficientStatistics = summarise(table([(0, 1.0, 3.0)]))

    with pytest.raises(BadParameter):
        posterior(statistics, **{**LAW, **wrong})  # type: ignore[arg-type]
