"""Figures at the edge of what a float holds, and words that would pass for figures, are refused."""

import numpy as np
import pandas as pd
import pytest

from analytics.changes import ChangeIsUnfit, false_alarm_rate, widened_z
from analytics.evaluation import EvaluationIsUnfit, evaluate_at_landmarks, roc_area
from analytics.fitting import BadDraw, UnidentifiableFit, UnknownPatient, fit_growth, summarise
from analytics.releases.approval import NotApproved, read_approval

OUTCOME = [1, 1, 1, 0, 0, 0]


def drawn(level: float = 3.4) -> pd.DataFrame:
    return pd.DataFrame(
        {"patient_id": [1, 1, 2, 2], "weeks": [0.0, 2, 0, 2], "level": [3.3, level, 3.5, 3.4]}
    )


def test_a_level_whose_square_is_no_number_is_refused() -> None:
    told = r"row 1, column 'level': 1e\+160 - a finite number is needed, of at most 1e\+100"
    with pytest.raises(BadDraw, match=told):
        summarise(drawn(1e160))
    statistics = summarise(drawn())
    with pytest.raises(BadDraw, match=r"level 1e\+160 - a finite number, of at most 1e\+100"):
        statistics.with_draw(patient_id=1, weeks=1.0, level=1e160, marker=statistics.markers[0])


def test_true_is_not_patient_1() -> None:
    statistics = summarise(drawn())
    with pytest.raises(UnknownPatient, match="patient True"):
        statistics.with_draw(patient_id=True, weeks=1.0, level=3.0, marker=statistics.markers[0])


@pytest.mark.parametrize("kind", [np.int64, object])
def test_whole_scores_that_one_float_holds_together_are_refused(kind: type) -> None:
    # IEEE 754: a double holds every whole number to 2^53, and of 2^60 + 1 only 2^60.
    assert roc_area(OUTCOME, (2**53 - np.arange(6)).astype(kind)).auc == 1.0
    with pytest.raises(EvaluationIsUnfit, match=f"scores, row 0: {2**60}; wanted: .* at most"):
        roc_area(OUTCOME, (2**60 + np.arange(6)).astype(kind))


def test_a_number_of_looks_that_nobody_takes_is_refused() -> None:
    assert widened_z(looks=10**9) > widened_z(looks=10**6)
    with pytest.raises(ChangeIsUnfit, match="looks: over 1000000000; wanted"):
        widened_z(looks=10**400)
    with pytest.raises(ChangeIsUnfit, match="looks: over 1000000000; wanted"):
        false_alarm_rate(z=2.0, looks=10**400)


@pytest.mark.parametrize("odd", [5, "yes", None, np.nan])
def test_whether_a_patient_taught_the_model_is_true_or_false(odd: object) -> None:
    predictions = pd.DataFrame(
        {
            "patient_id": [1, 2],
            "landmark_week": 4.0,
            "probability": 0.3,
            "is_apparent": pd.Series([True, odd], dtype=object),
        }
    )
    outcomes = pd.DataFrame(
        {"patient_id": [1, 2], "is_resistant": [1, 0], "resolved_week": [12.0, 12.0]}
    )

    with pytest.raises(EvaluationIsUnfit, match=r"predictions.is_apparent, row 1: .*; wanted: Tr"):
        evaluate_at_landmarks(predictions, outcomes)
    fit = evaluate_at_landmarks(predictions.assign(is_apparent=[True, False]), outcomes)
    assert fit["n_apparent"].tolist() == [1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"release": "a", "release": "b"}', "says 'release' twice; wanted: each field once"),
        ("{", "not JSON"),
    ],
)
def test_an_approval_that_says_two_things_is_none(text: str, told: str) -> None:
    with pytest.raises(NotApproved, match=told):
        read_approval(text)


def test_none_is_a_value_and_is_shown() -> None:
    with pytest.raises(EvaluationIsUnfit, match="level: None; wanted: a level between 0 and 1"):
        roc_area(OUTCOME, [3, 2, 2, 1, 1, 0], level=None)  # type: ignore[arg-type]


def test_the_odd_one_in_a_column_is_named_and_not_the_first_that_differs_from_it() -> None:
    draws = drawn().assign(patient_id=pd.Series(["1", 1, 2, 2], dtype=object))

    with pytest.raises(BadDraw, match="row 0, column 'patient_id': '1' - one kind of value"):
        summarise(draws)


def test_an_id_in_a_refusal_is_written_as_it_was_given() -> None:
    statistics = summarise(drawn().assign(patient_id=["a", "a", "b", "b"]))

    with pytest.raises(UnidentifiableFit, match="group of patient 'b': not in the index"):
        fit_growth(statistics, group=pd.Series({"a": 0, "c": 1}))
