"""The same questions at each landmark week and in each subgroup, of patients still unresolved."""

from collections.abc import Sequence

import pandas as pd

from analytics.evaluation.calibration import CalibrationIsUndefined, brier, calibrate
from analytics.evaluation.inputs import (
    EvaluationIsUnfit,
    FloatArray,
    need_columns,
    read_column,
    read_level,
    read_names,
    read_outcomes,
    refuse_row,
    refuse_what_names_nothing,
)
from analytics.evaluation.roc import roc_area

FIGURES = (
    "auc", "auc_low", "auc_high", "brier", "brier_of_prevalence", "brier_gain", "intercept",
    "intercept_low", "intercept_high", "slope", "slope_low", "slope_high",
)  # fmt: skip
_IN_GROUP = "a value, so that the row belongs to a group"
_TOLD = ("n", "n_positive", *FIGURES, "left_out")


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
    by = read_names(by, column="by")
    read_level(level)
    need_columns(predictions, ("is_resistant", "probability", *by), name="predictions")
    _refuse_taken(by, (*_TOLD, "is_resistant", "probability"))
    outcome = read_outcomes(predictions, "is_resistant", name="predictions")
    told = _read_probabilities(predictions)
    for column in by:
        refuse_what_names_nothing(predictions, column, name="predictions", wanted=_IN_GROUP)
    table = predictions.assign(is_resistant=outcome, probability=told)
    groups = table.groupby(list(by), observed=True) if by else [((), table)]
    rows = [dict(zip(by, key, strict=True)) | _figures(group, level=level) for key, group in groups]
    return pd.DataFrame(rows, columns=[*by, *_TOLD])


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
        patient_id, landmark_week, probability; one row per patient and landmark. May have
        is_apparent, as :func:`replay` says it of patients whose outcomes taught the model.
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
        would credit the model with what had already happened. Where predictions have is_apparent,
        n_apparent counts those among n: with any, the figures are apparent and judge nothing.

    Raises
    ------
    EvaluationIsUnfit
        A column is missing, a patient has no outcome or two, or a prediction is repeated.
    """
    by = read_names(by, column="by")
    read_level(level)
    need_columns(predictions, _PREDICTION, name="predictions")
    need_columns(outcomes, (*_OUTCOME, *by), name="outcomes")
    _refuse_taken(by, (*_TOLD, *_PREDICTION, *_OUTCOME, "n_resolved", "n_apparent"))
    if len(predictions) == 0:
        raise EvaluationIsUnfit(
            column="predictions", value="no rows", wanted="at least one prediction"
        )
    for table, name in ((predictions, "predictions"), (outcomes, "outcomes")):
        refuse_what_names_nothing(table, "patient_id", name=name)
    for column in by:
        refuse_what_names_nothing(outcomes, column, name="outcomes", wanted=_IN_GROUP)
    week, or_none = "a week since the first dose", "a week since the first dose, or nothing"
    at = read_column(predictions, "landmark_week", name="predictions", wanted=week)
    outcome = read_outcomes(outcomes, "is_resistant", name="outcomes")
    resolved_week = read_column(
        outcomes, "resolved_week", name="outcomes", wanted=or_none, may_be_missing=True
    )
    told = _read_probabilities(predictions)
    _refuse_repeats(predictions, ["patient_id", "landmark_week"], name="predictions")
    _refuse_repeats(outcomes, ["patient_id"], name="outcomes")
    refuse_row(
        predictions,
        "patient_id",
        ~predictions["patient_id"].isin(outcomes["patient_id"]),
        name="predictions",
        wanted="a patient whose outcome is in the table of outcomes",
    )
    known = outcomes[[*_OUTCOME, *by]].assign(is_resistant=outcome, resolved_week=resolved_week)
    asked = predictions[list(_PREDICTION)].assign(landmark_week=at, probability=told)
    if "is_apparent" in predictions:
        apparent = read_outcomes(
            predictions, "is_apparent", name="predictions", wanted="True (has taught it) or False"
        )
        asked = asked.assign(n_apparent=apparent.astype("int64"))
    both = asked.merge(known, on="patient_id")
    return _of_unresolved(both, by, level=level)


_PREDICTION = ("patient_id", "landmark_week", "probability")
_OUTCOME = ("patient_id", "is_resistant", "resolved_week")


def _of_unresolved(table: pd.DataFrame, by: tuple[str, ...], *, level: float) -> pd.DataFrame:
    """Evaluate at each landmark those still unresolved there, and count the others."""
    resolved = table["resolved_week"] <= table["landmark_week"]
    groups = ["landmark_week", *by]
    table = table.assign(n_resolved=resolved)
    counts = ["n_resolved"]
    if "n_apparent" in table:
        table["n_apparent"] = table["n_apparent"].where(~resolved, 0)
        counts.append("n_apparent")
    left = table.groupby(groups, observed=True)[counts].sum().reset_index()
    evaluated = evaluate_by(table[~resolved], by=groups, level=level)
    both = left.merge(evaluated, on=groups, how="left")
    both[["n", "n_positive"]] = both[["n", "n_positive"]].fillna(0).astype("int64")
    return both.assign(left_out=both["left_out"].fillna("nobody is unresolved"))


def _refuse_taken(by: tuple[str, ...], taken: tuple[str, ...]) -> None:
    """Refuse to group by a column of the table that is given back, or by what is evaluated."""
    for row, name in enumerate(by):
        if name in taken:
            raise EvaluationIsUnfit(
                column="by", row=row, value=name, wanted=f"a column that is none of {taken}"
            )


def _read_probabilities(predictions: pd.DataFrame) -> FloatArray:
    wanted = "a probability above 0 and below 1"
    told = read_column(predictions, "probability", name="predictions", wanted=wanted)
    wrong = pd.Series((told <= 0) | (told >= 1))
    refuse_row(predictions, "probability", wrong, name="predictions", wanted=wanted)
    return told


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
