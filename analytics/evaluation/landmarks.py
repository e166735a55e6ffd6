"""The same questions at each landmark week and in each subgroup, of patients still unresolved."""

from collections.abc import Sequence

import pandas as pd

from analytics.evaluation.calibration import CalibrationIsUndefined, brier, calibrate
from analytics.evaluation.inputs import (
    EvaluationIsUnfit,
    need_columns,
    refuse_row,
    refuse_what_is_no_number,
    refuse_what_is_no_outcome,
)
from analytics.evaluation.roc import roc_area

FIGURES = (
    "auc", "auc_low", "auc_high", "brier", "brier_of_prevalence", "brier_gain", "intercept",
    "intercept_low", "intercept_high", "slope", "slope_low", "slope_high",
)  # fmt: skip


def evaluate_by(
    predictions: pd.DataFrame, *, by: Sequence[str], level: float = 0.95
) -> pd.DataFrame:
    """Evaluate probabilities in each group of a table.

    Parameters
    ----------
    predictions : DataFrame
        is_resistant (the outcome), probability (above 0, below 1), and the columns of `by`.
    by : sequence of str
        Columns that make the groups, such as landmark_week and sex; may be empty.
    level : float, default: 0.95
        Confidence level of all intervals.

    Returns
    -------
    DataFrame
        One row per group in order: the columns of `by`, n, n_positive, the figures of
        :func:`roc_area` and :func:`calibrate` (NaN where a group cannot carry them), and
        `left_out`, which says why ("" if nothing is).

    Raises
    ------
    EvaluationIsUnfit
        A column is missing, or a value is.
    """
    need_columns(predictions, ("is_resistant", "probability", *by), name="predictions")
    refuse_what_is_no_outcome(predictions, "is_resistant", name="predictions")
    _refuse_what_is_no_probability(predictions)
    for column in by:
        empty = predictions[column].isna()
        refuse_row(
            predictions,
            column,
            empty,
            name="predictions",
            wanted="a value, so that the row belongs to a group",
        )
    groups = predictions.groupby(list(by)) if by else [((), predictions)]
    rows = [dict(zip(by, key, strict=True)) | _figures(group, level=level) for key, group in groups]
    return pd.DataFrame(rows, columns=[*by, "n", "n_positive", *FIGURES, "left_out"])


def evaluate_at_landmarks(
    predictions: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    by: Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Evaluate probabilities at each landmark among the patients still unresolved there.

    Parameters
    ----------
    predictions : DataFrame
        patient_id, landmark_week, probability; one row per patient and landmark.
    outcomes : DataFrame
        patient_id, is_resistant, resolved_week (the week from which the outcome is known; NaN:
        not before the end), and the columns of `by`.
    by : sequence of str
        Subgroups besides the landmark.
    level : float, default: 0.95
        Confidence level of all intervals.

    Returns
    -------
    DataFrame
        As :func:`evaluate_by`, with landmark_week first, and n_resolved: how many predictions
        were left out because the outcome was known at or before the landmark. Counting them
        would credit the model with what had already happened.

    Raises
    ------
    EvaluationIsUnfit
        A column is missing, a patient has no outcome or two, or a prediction is repeated.
    """
    need_columns(predictions, ("patient_id", "landmark_week", "probability"), name="predictions")
    need_columns(outcomes, ("patient_id", "is_resistant", "resolved_week", *by), name="outcomes")
    if len(predictions) == 0:
        raise EvaluationIsUnfit(
            column="predictions", value="no rows", wanted="at least one prediction"
        )
    week, or_none = "a week since the first dose", "a week since the first dose, or nothing"
    refuse_what_is_no_number(predictions, "landmark_week", name="predictions", wanted=week)
    refuse_what_is_no_outcome(outcomes, "is_resistant", name="outcomes")
    refuse_what_is_no_number(
        outcomes,
        "resolved_week",
        name="outcomes",
        wanted=or_none,
        may_be_missing=True,
    )
    _refuse_what_is_no_probability(predictions)
    _refuse_repeats(predictions, ["patient_id", "landmark_week"], name="predictions")
    _refuse_repeats(outcomes, ["patient_id"], name="outcomes")
    unknown = ~predictions["patient_id"].isin(outcomes["patient_id"])
    refuse_row(
        predictions,
        "patient_id",
        unknown,
        name="predictions",
        wanted="a patient whose outcome is in the table of outcomes",
    )
    wanted = ["patient_id", "is_resistant", "resolved_week", *by]
    table = predictions[["patient_id", "landmark_week", "probability"]].merge(
        outcomes[wanted], on="patient_id"
    )
    resolved = table["resolved_week"] <= table["landmark_week"]
    groups = ["landmark_week", *by]
    left = table.assign(n_resolved=resolved).groupby(groups)["n_resolved"].sum().reset_index()
    evaluated = evaluate_by(table[~resolved], by=groups, level=level)
    both = left.merge(evaluated, on=groups, how="left")
    both[["n", "n_positive"]] = both[["n", "n_positive"]].fillna(0).astype("int64")
    return both.assign(left_out=both["left_out"].fillna("nobody is unresolved"))


def _refuse_what_is_no_probability(predictions: pd.DataFrame) -> None:
    wanted = "a probability above 0 and below 1"
    refuse_what_is_no_number(predictions, "probability", name="predictions", wanted=wanted)
    told = predictions["probability"].astype(float)
    refuse_row(
        predictions, "probability", (told <= 0) | (told >= 1), name="predictions", wanted=wanted
    )


def _refuse_repeats(table: pd.DataFrame, columns: list[str], *, name: str) -> None:
    wanted = f"each {' and '.join(columns)} once"
    refuse_row(table, columns[0], table.duplicated(columns), name=name, wanted=wanted)


def _figures(group: pd.DataFrame, *, level: float) -> dict[str, object]:
    """Measure what a group can carry, and say what it cannot."""
    labels, told = group["is_resistant"], group["probability"]
    found: dict[str, object] = {"n": len(group), "n_positive": int(labels.sum()), "left_out": ""}
    found["brier"] = brier(labels, told)
    if min(labels.sum(), len(labels) - labels.sum()) < 2:
        return found | {"left_out": "fewer than two of either outcome"}
    area = roc_area(labels, told, level=level)
    found |= {"auc": area.auc, "auc_low": area.low, "auc_high": area.high}
    if told.nunique() < 2:
        return found | {"left_out": "all probabilities are equal"}
    try:
        fit = calibrate(labels, told, level=level)
    except CalibrationIsUndefined:
        return found | {"left_out": "the probabilities separate the outcomes"}
    return found | {name: getattr(fit, name) for name in FIGURES[3:]}
