"""What the offline half of the core refuses, by name: no number, no list, no table, no such row."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics import CURRENT_POLICY, CURRENT_RELEASE, History, Policy
from analytics.changes import (
    ChangeIsUnfit,
    false_alarm_rate,
    log_variance,
    reference_change,
    widened_z,
)
from analytics.comparison import (
    SEED_STUDY,
    ComparisonIsUnfit,
    analyse_study,
    back_calculate,
    effect_interval,
    group_table,
    hedges_correction,
    regress,
)
from analytics.evaluation import (
    EvaluationIsUnfit,
    best_cut_off,
    brier,
    calibration_curve,
    compare_roc_areas,
    decision_curve,
    evaluate_at_landmarks,
    evaluate_by,
    hanley_mcneil_standard_error,
    judge_flags,
    leave_pair_out_auc,
    net_benefit_gain,
    replay,
    roc_area,
)
from analytics.fitting import (
    BadDraw,
    BadLabel,
    BadParameter,
    PropagationDidNotSettle,
    UnidentifiableFit,
    UnknownGroup,
    UnknownPatient,
    censored_draws,
    cut_at_landmark,
    fit_growth,
    fit_growth_with_censoring,
    local_prior,
    log_score,
    posterior,
    posterior_with_censoring,
    published_prior,
    recalibrate,
    recalibration_covariance,
    score_rows,
    summarise,
    summarise_arrays,
    training_set,
    variance_information,
    variance_names,
)
from analytics.learning import learn_level, training_draws
from analytics.policy import PolicyIsUnfit
from analytics.releases import ReleaseIsUnfit, dump, load, parse
from analytics.releases.prevalence import with_prevalence
from analytics.scalars import is_missing, is_real, is_whole
from analytics.simulation import BadPriors, BadSimulation, SimulationPriors, simulate_cohort
from tests.analytics.cohorts import patients_table, results_table, week

OUTCOME = [True, True, True, False, False, False]
SCORE = [3.0, 2.0, 2.5, 1.0, 2.2, 0.5]
TOLD = [0.7, 0.6, 0.5, 0.2, 0.55, 0.1]

# What nobody means where one number is meant
NO_NUMBERS: tuple[Any, ...] = (
    None, "abc", "0.5", [0.5], {}, float("nan"), 1j, True, np.array([0.3, 0.4]), pd.NaT, pd.NA,
    b"x", (), object(), datetime(2026, 1, 1, tzinfo=UTC), pd.DataFrame({"a": [1]}),
)  # fmt: skip


def cohort_of_a_study(n: int = 24) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "group": np.where(np.arange(n) % 2, "resistant", "remitted"),
            "IL-6": rng.lognormal(0.5, 0.4, n),
            "TNF-α": rng.lognormal(0.7, 0.3, n),
            "QIDS": rng.integers(5, 22, n).astype(float),
        }
    )


def analysed(table: pd.DataFrame, **settings: Any) -> Any:
    asked: dict[str, Any] = {
        "group": "group",
        "resistant": "resistant",
        "markers": ["IL-6", "TNF-α"],
        "severity": "QIDS",
        "seed": 1,
        "n_bootstrap": 100,
    }
    return analyse_study(table, **(asked | settings))


def drawn(n: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "patient_id": np.repeat(np.arange(n), 3),
            "weeks": np.tile([0.0, 2.0, 4.0], n),
            "level": rng.normal(3.4, 0.2, 3 * n) + np.repeat(rng.normal(0, 0.3, n), 3),
        }
    )


def labelled(n: int = 12) -> pd.DataFrame:
    return pd.DataFrame(
        {"patient_id": np.arange(n), "is_resistant": np.arange(n) % 3 == 0, "resolved_weeks": 20.0}
    )


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    ("refusal", "ask"),
    [
        (EvaluationIsUnfit, lambda x: roc_area(OUTCOME, SCORE, level=x)),
        (EvaluationIsUnfit, lambda x: decision_curve(OUTCOME, TOLD, thresholds=[x])),
        (EvaluationIsUnfit, lambda x: calibration_curve(OUTCOME, TOLD, n_groups=x)),
        (EvaluationIsUnfit, lambda x: best_cut_off(OUTCOME, SCORE, seed=1, n_bootstrap=x)),
        (EvaluationIsUnfit, lambda x: best_cut_off(OUTCOME, SCORE, seed=x)),
        (EvaluationIsUnfit, lambda x: best_cut_off(OUTCOME, SCORE, seed=1, criterion=x)),
        (
            EvaluationIsUnfit,
            lambda x: net_benefit_gain(OUTCOME, TOLD, TOLD, seed=1, n_bootstrap=x),
        ),
        (
            EvaluationIsUnfit,
            lambda x: hanley_mcneil_standard_error(x, n_positive=3, n_negative=3),
        ),
        (
            EvaluationIsUnfit,
            lambda x: hanley_mcneil_standard_error(0.7, n_positive=x, n_negative=3),
        ),
        (EvaluationIsUnfit, lambda x: replay({}, weeks=[x])),
        (ComparisonIsUnfit, hedges_correction),
        (ComparisonIsUnfit, lambda x: effect_interval(x, n_first=25, n_second=17)),
        (ComparisonIsUnfit, lambda x: effect_interval(2.5, n_first=25, n_second=x)),
        (EvaluationIsUnfit, lambda x: replay({}, weeks=[4.0], release=x)),
        (ComparisonIsUnfit, lambda x: back_calculate(SEED_STUDY[0], prevalence=x)),
        (ComparisonIsUnfit, back_calculate),
        (ChangeIsUnfit, lambda x: log_variance(within_cv=x, assay_cv=0.05)),
        (ChangeIsUnfit, lambda x: reference_change(within_cv=0.1, assay_cv=0.05, z=x)),
        (ChangeIsUnfit, lambda x: false_alarm_rate(z=1.96, looks=x)),
        (BadSimulation, lambda x: simulate_cohort(n_patients=2, seed=1, scenario="null", weeks=x)),
        (BadPriors, lambda x: SimulationPriors(assay_cv=x)),
        (BadLabel, lambda x: training_set(drawn(), labelled(), landmark_weeks=x)),
        (BadLabel, lambda x: cut_at_landmark(drawn(), labelled(), landmark_weeks=x)),
        (ChangeIsUnfit, lambda x: widened_z(looks=x)),
        (ChangeIsUnfit, lambda x: widened_z(looks=2, draws_before=x)),
        (ChangeIsUnfit, lambda x: widened_z(looks=2, alpha=x)),
        (PolicyIsUnfit, lambda x: Policy(watch_probability=x)),
        (PolicyIsUnfit, lambda x: Policy(planned_looks=x)),
        (BadDraw, lambda x: with_draw(weeks=x)),
        (BadDraw, lambda x: with_draw(level=x)),
    ],
)
def test_what_is_no_number_is_refused_by_name(
    refusal: type[Exception], ask: Callable[[Any], object], value: Any
) -> None:
    with pytest.raises(refusal, match=r"wanted|needed|must be|prior"):
        ask(value)


def with_draw(**changed: Any) -> object:
    given: dict[str, Any] = {"patient_id": 1, "weeks": 3.0, "level": 3.4, "marker": "marker"}
    return summarise(drawn()).with_draw(**(given | changed))


@pytest.mark.parametrize("wrong", [0.0, -1.2])
def test_a_concentration_that_is_none_is_refused_in_a_study(wrong: float) -> None:
    table = cohort_of_a_study()
    table.loc[5, "IL-6"] = wrong
    with pytest.raises(ComparisonIsUnfit, match=rf"IL-6, row 5: {wrong}; wanted: a concentration"):
        analysed(table)


def test_a_concentration_without_end_is_refused_in_a_study() -> None:
    table = cohort_of_a_study()
    table.loc[5, "TNF-α"] = np.inf
    with pytest.raises(ComparisonIsUnfit, match="TNF-α, row 5: inf; wanted: a finite number"):
        analysed(table)


def test_one_name_is_no_list_of_names() -> None:
    table = cohort_of_a_study()
    with pytest.raises(ComparisonIsUnfit, match="measures: 'IL-6'; wanted: a list of names"):
        group_table(table, group="group", resistant="resistant", measures="IL-6")
    with pytest.raises(ComparisonIsUnfit, match="predictors: 'IL-6'; wanted: a list of names"):
        regress(table, outcome="QIDS", predictors="IL-6")
    with pytest.raises(ComparisonIsUnfit, match="markers: 'IL-6'; wanted: a list of names"):
        analysed(table, markers="IL-6")
    with pytest.raises(ComparisonIsUnfit, match="measures, row 1: 'IL-6'; wanted: a list"):
        group_table(table, group="group", resistant="resistant", measures=["IL-6", "IL-6"])
    with pytest.raises(ComparisonIsUnfit, match=r"measures: \[\]; wanted: at least one column"):
        group_table(table, group="group", resistant="resistant", measures=[])
    with pytest.raises(ComparisonIsUnfit, match="QIDS; wanted: a severity that is not a marker"):
        analysed(table, markers=["QIDS", "IL-6"])
    predictions = pd.DataFrame(
        {"is_resistant": OUTCOME, "probability": TOLD, "sex": list("fmfmfm")}
    )
    with pytest.raises(EvaluationIsUnfit, match="by: 'sex'; wanted: a list of names"):
        evaluate_by(predictions, by="sex")
    with pytest.raises(EvaluationIsUnfit, match="by, row 0: 'probability'; wanted: a column that"):
        evaluate_by(predictions, by=["probability"])
    with pytest.raises(BadDraw, match="markers: 'marker' - a list of different words"):
        summarise(drawn(), markers="marker")
    with pytest.raises(BadLabel, match="markers: 'IL-6' - a list of different words"):
        variance_names("IL-6")  # type: ignore[arg-type]


def test_text_and_moments_are_no_measures() -> None:
    table = cohort_of_a_study()
    with pytest.raises(ComparisonIsUnfit, match=r"IL-6, row 0: '\d.*'; wanted: a finite number"):
        group_table(
            table.assign(**{"IL-6": table["IL-6"].astype(str)}),
            group="group",
            resistant="resistant",
            measures=["IL-6"],
        )
    with pytest.raises(EvaluationIsUnfit, match=r"scores, row 0: '3.0'; wanted: a finite number"):
        roc_area(OUTCOME, [str(score) for score in SCORE])
    with pytest.raises(EvaluationIsUnfit, match="scores, row 0"):
        roc_area(OUTCOME, pd.date_range("2026", periods=6))
    with pytest.raises(EvaluationIsUnfit, match="labels, row 0"):
        brier(np.array(OUTCOME, dtype=complex), TOLD)


@pytest.mark.parametrize("given", [None, {"a": [1]}, "x", np.zeros((2, 2)), pd.Series([1.0])])
def test_what_is_no_table_is_refused(given: Any) -> None:
    patients = pd.DataFrame(
        {"patient_id": [1], "followed_weeks": 8.0, "is_resistant": True, "resolved_week": 6.0}
    )
    with pytest.raises(EvaluationIsUnfit, match=r"flags: .*; wanted: a DataFrame with the columns"):
        judge_flags(given, patients)
    with pytest.raises(EvaluationIsUnfit, match=r"predictions: .*; wanted: a DataFrame"):
        evaluate_at_landmarks(given, patients)
    with pytest.raises(ComparisonIsUnfit, match=r"table: .*; wanted: a DataFrame"):
        regress(given, outcome="a", predictors=["b"])
    with pytest.raises(BadDraw, match="wanted: a DataFrame"):
        summarise(given)


def test_a_column_that_is_there_twice_is_refused() -> None:
    draws = drawn()
    with pytest.raises(BadDraw, match="column 'level': 2 columns - one of this name is needed"):
        summarise(pd.concat([draws, draws[["level"]]], axis=1))


def test_series_of_other_patients_or_sorted_otherwise_are_not_paired_by_place() -> None:
    labels, scores = pd.Series(OUTCOME), pd.Series(SCORE)
    assert roc_area(labels, scores) == roc_area(OUTCOME, SCORE)
    with pytest.raises(
        EvaluationIsUnfit, match="scores, row 0: 5; wanted: the index of labels in its order, 0"
    ):
        roc_area(labels, scores[::-1])
    with pytest.raises(EvaluationIsUnfit, match=r"scores, row 5: 9; wanted: .*, 5 here"):
        roc_area(labels, scores.set_axis([*range(5), 9]))
    with pytest.raises(EvaluationIsUnfit, match="scores, row 0: 'a'"):
        roc_area(labels, scores.set_axis(list("abcdef")))
    with pytest.raises(EvaluationIsUnfit, match="second, row 0: 5; wanted: the index of first"):
        compare_roc_areas(OUTCOME, scores, scores[::-1])


def test_leaving_out_pairs_wants_rows_and_a_model() -> None:
    def keep(_: Any, __: Any, rows: Any) -> Any:
        return rows[:, 0]

    with pytest.raises(EvaluationIsUnfit, match=r"features\[:, 0\], row 0: 'x'; wanted: a finite"):
        leave_pair_out_auc(OUTCOME, np.array(["x", *SCORE[1:]], dtype=object), keep)
    with pytest.raises(EvaluationIsUnfit, match=r"features: 'shape \(5, 1\)'; wanted: 6 rows"):
        leave_pair_out_auc(OUTCOME, SCORE[1:], keep)
    with pytest.raises(EvaluationIsUnfit, match="fit_and_score: 3; wanted: a function"):
        leave_pair_out_auc(OUTCOME, SCORE, 3)  # type: ignore[arg-type]
    with pytest.raises(EvaluationIsUnfit, match="fit_and_score, row 0: nan; wanted: a finite"):
        leave_pair_out_auc(OUTCOME, SCORE, lambda *_: np.array([np.nan, 1.0]))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"patient": np.array([0, 1, 2])}, "row 2, column 'patient': 2 - an index from 0 to 1"),
        ({"patient": np.array([0, -1, 1])}, "row 1, column 'patient': -1 - an index from 0"),
        ({"patient": np.array([0.0, 1.0, 1.0])}, "column 'patient': float64 - an array of whole"),
        ({"marker": np.array([0, 0, 1])}, "row 2, column 'marker': 1 - an index from 0 to 0"),
        ({"weeks": np.array([0.0, 1.0])}, r"column 'weeks': shape \(2,\)"),
        ({"weeks": [0.0, 1.0, 2.0]}, "column 'weeks': list - an array of numbers"),
        ({"level": np.array(["a", "b", "c"])}, "column 'level': <U1 - an array of numbers"),
        ({"level": np.array([1.0, np.nan, 2.0])}, "row 1, column 'level': nan - a finite number"),
        ({"level_origin": np.nan}, "level_origin: nan - 1 finite number"),
        ({"level_origin": [1.0, 2.0]}, r"level_origin: \[1.0, 2.0\] - 1 finite number"),
        ({"week_origin": "4"}, "week_origin '4' - a finite number"),
        ({"markers": "m"}, "markers: 'm' - a list of different words"),
    ],
)
def test_rows_that_cannot_be_summed_are_refused(changed: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "patient": np.array([0, 1, 1]),
        "weeks": np.array([0.0, 1.0, 2.0]),
        "level": np.array([1.0, 2.0, 3.0]),
        "patient_ids": np.array(["a", "b"]),
    }
    with pytest.raises(BadDraw, match=message):
        summarise_arrays(**(given | changed))


def test_an_origin_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadDraw, match="level_origin: nan - 1 finite number"):
        summarise(drawn(), level_origin=np.nan)
    with pytest.raises(BadDraw, match="week_origin inf - a finite number is needed"):
        summarise(drawn(), week_origin=np.inf)


def test_ids_of_two_kinds_have_no_order() -> None:
    draws = drawn().astype({"patient_id": object})
    draws.loc[4, "patient_id"] = "seven"
    with pytest.raises(BadDraw, match="row 4, column 'patient_id': 'seven' - one kind of value"):
        summarise(draws)
    with pytest.raises(BadDraw, match="patient_ids: ids of one kind"):
        summarise(drawn(), patient_ids=np.array([0, "one"], dtype=object))
    with pytest.raises(UnidentifiableFit, match="group: int and str; wanted: words, or numbers"):
        fit_growth(summarise(drawn()), group=np.array(["a", *[1] * 11], dtype=object))
    with pytest.raises(UnknownPatient):
        with_draw(patient_id=pd.NA)


def test_a_draw_that_stands_twice_teaches_nothing() -> None:
    draws = drawn()
    with pytest.raises(BadDraw, match="row 36, column 'patient_id': 3 - this draw stands twice"):
        training_set(
            pd.concat([draws, draws[10:11]], ignore_index=True), labelled(), landmark_weeks=12.0
        )


@pytest.mark.parametrize("ask", ["posterior", "information", "censored", "fit", "group"])
def test_rows_are_no_sums(ask: str) -> None:
    rows: Any = drawn()
    statistics = summarise(rows)
    known: Any = {"covariance": 0.1 * np.eye(2), "residual_variance": [0.1]}
    none = censored_draws(
        pd.DataFrame({"patient_id": [], "weeks": [], "limit": [], "is_below": []}).astype(
            {"is_below": bool}
        ),
        statistics=statistics,
    )
    works: dict[str, Callable[[], object]] = {
        "posterior": lambda: posterior(rows, effects=[3.4, 0.0], **known),
        "information": lambda: variance_information(rows, **known),
        "censored": lambda: posterior_with_censoring(rows, none, effects=[3.4, 0.0], **known),
        "fit": lambda: fit_growth_with_censoring(rows, none),
        "group": lambda: fit_growth(statistics).posterior_of(rows),
    }
    with pytest.raises(TypeError, match="DataFrame; wanted: SufficientStatistics"):
        works[ask]()


def test_parameters_that_are_text_are_refused() -> None:
    statistics = summarise(drawn())
    good: dict[str, Any] = {
        "effects": [3.4, 0.0],
        "covariance": 0.1 * np.eye(2),
        "residual_variance": [0.1],
    }
    for name in good:
        with pytest.raises(BadParameter, match=f"{name}: .* - numbers are needed"):
            posterior(statistics, **(good | {name: ["a", "b"]}))
    fit = fit_growth(statistics)
    with pytest.raises(UnknownGroup, match="index 1: wanted: from 0 to 0"):
        fit.under_group(statistics, 1)
    with pytest.raises(ValueError, match="separate_covariances: 'no'; wanted: True or False"):
        fit_growth(statistics, separate_covariances="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [None, 3, b"{}", ["{}"]])
def test_what_is_no_release_is_refused(given: Any) -> None:
    with pytest.raises(ReleaseIsUnfit, match="wanted: the text of a release"):
        parse(given)
    with pytest.raises(ReleaseIsUnfit, match="wanted: a Release"):
        dump(given)
    with pytest.raises(ReleaseIsUnfit, match="wanted: the path of a release's file"):
        load(given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("assay_cv", 7.0),
        ("sil6r_median", 0.0),
        ("lot_weeks", 1e-9),
        ("sil6r_slope_sd_per_week", 2.0),
        ("contrast_scale", 1e300),
        ("resistant_share", 30),
        ("contrast_holds_after_week_12", 1),
    ],
)
def test_a_prior_outside_its_limits_is_refused(name: str, value: Any) -> None:
    with pytest.raises(BadPriors, match=f"{name} is"):
        SimulationPriors(**{name: value})


def test_a_number_is_told_from_what_looks_like_one() -> None:
    assert all(map(is_real, (0, 1.5, np.float32(2), np.int64(3))))
    assert not any(map(is_real, (True, np.True_, "1", None, float("inf"), 10**400, 1j)))
    assert is_whole(3, least=3)
    assert is_whole(np.int64(4), least=3)
    assert not any(is_whole(one, least=3) for one in (2, 3.0, True, "3", None))
    assert all(map(is_missing, (None, float("nan"), pd.NA, pd.NaT)))
    assert not any(map(is_missing, (0, "", [], [None], pd.Series([None]))))


@pytest.mark.parametrize("given", ["published-prior-1", None, {}, 3, CURRENT_POLICY])
def test_what_is_no_release_is_refused_by_name(given: Any) -> None:
    rows: dict[str, Any] = {
        "patient": np.array([0]),
        "weeks": np.array([0.0]),
        "level": np.array([3.4]),
    }
    asked: list[Callable[[], object]] = [
        lambda: score_rows(**rows, n_patients=1, release=given),
        lambda: published_prior(given),
        lambda: local_prior(given, summarise(drawn())),
        lambda: with_prevalence(given, 0.3, sd=0.2, version="a", why="b"),
        lambda: learn_level(cohort(), at=week(8), base=given, version="a"),
        lambda: training_draws(cohort(), at=week(8), release=given),
    ]
    for ask in asked:
        with pytest.raises(TypeError, match=r"(release|base): .*; wanted: a Release, as load"):
            ask()


def cohort() -> History:
    return History(patients=patients_table(), results=results_table([30.0], weeks=[1.0]))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([12], r"rows, place 0: 12 - places from 0 to 11 are needed"),
        ([0, -1], r"rows, place 1: -1 - places from 0 to 11"),
        ([0.0], r"rows: \[0.0\] - places"),
        ([True], r"rows: 1 truth values - .*12 truth values"),
        ("all", r"rows: 'all' - places"),
        ([[0]], r"rows: \[\[0\]\] - places"),
    ],
)
def test_places_that_no_patient_has_are_refused(rows: Any, told: str) -> None:
    data = training_set(drawn(), labelled(), landmark_weeks=12.0)
    with pytest.raises(BadDraw, match=told):
        data.statistics.take(rows)
    with pytest.raises(BadLabel, match=told):
        data.take(rows)


def test_an_outcome_is_not_taken_twice() -> None:
    data = training_set(drawn(), labelled(), landmark_weeks=12.0)
    with pytest.raises(BadLabel, match="rows: 3 stands twice - each patient once"):
        data.take(np.array([1, 3, 3]))
    with pytest.raises(BadDraw, match="each patient once is needed"):
        data.censored.of_patients(np.array([1, 1]))
    assert len(data.take(data.is_resistant)) == 4
    assert len(data.take(np.array([], dtype=int))) == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"patient": [0, 0]}, "column 'patient': list - an array of whole numbers"),
        ({"patient": np.array([0.0, 0.0])}, "column 'patient': float64 - an array of whole"),
        ({"weeks": np.array(["a", "b"])}, "column 'weeks': <U1 - an array of numbers"),
        ({"level": np.array([3.4])}, r"column 'level': shape \(1,\)"),
        ({"marker": np.array([0.0, 0.0])}, "column 'marker': float64 - an array of whole"),
        ({"n_patients": 1.5}, "n_patients: 1.5 - a whole number of patients"),
        ({"n_patients": "1"}, "n_patients: '1' - a whole number of patients"),
    ],
)
def test_rows_that_cannot_be_scored_are_refused(changed: dict[str, Any], told: str) -> None:
    given: dict[str, Any] = {
        "patient": np.array([0, 0]),
        "weeks": np.array([0.0, 1.0]),
        "level": np.array([3.4, 3.5]),
        "n_patients": 1,
        "release": CURRENT_RELEASE,
    }
    with pytest.raises(BadDraw, match=told):
        score_rows(**(given | changed))


@pytest.mark.parametrize("limit", [-1e9, 1e90])
def test_a_limit_too_far_off_to_reckon_with_gives_no_figure(limit: float) -> None:
    statistics = summarise(drawn())
    row = {"patient_id": [1], "weeks": [1.0], "limit": [limit], "is_below": [limit < 0]}
    known: Any = {"effects": [3.4, 0.0], "covariance": np.eye(2), "residual_variance": [0.1]}
    with pytest.raises(PropagationDidNotSettle), np.errstate(all="ignore"):
        posterior_with_censoring(
            statistics, censored_draws(pd.DataFrame(row), statistics=statistics), **known
        )


@pytest.mark.parametrize(
    ("marker", "outcome", "told"),
    [
        ([1.0, 2.0, 3.0], [0, 5, 1], "row 1, outcome: 5 - True or False"),
        ([1.0, 2.0], [True], r"outcome of shape \(1,\) - 2 outcomes"),
        ([1.0, 2.0], ["a", "b"], "outcome: <U1 - True or False"),
        (["a", "b"], [True, False], "log-odds: .* an array of numbers is needed"),
        ([[1.0], [2.0]], [True, False], "one figure a patient"),
    ],
)
def test_what_cannot_be_recalibrated_is_refused(marker: Any, outcome: Any, told: str) -> None:
    with pytest.raises(BadLabel, match=told):
        recalibrate(marker, outcome, offset=0.0)
    with pytest.raises(BadLabel, match=told):
        log_score(marker, outcome)


def test_an_offset_of_other_patients_is_refused() -> None:
    with pytest.raises(BadLabel, match=r"offset of shape \(3,\)"):
        recalibrate(np.zeros(2), np.array([True, False]), offset=np.zeros(3))
    with pytest.raises(BadLabel, match=r"offset of shape \(3,\)"):
        recalibration_covariance(np.zeros(2), (0.0, 1.0), offset=np.zeros(3))
