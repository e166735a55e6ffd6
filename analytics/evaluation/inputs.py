"""What may be evaluated: labels and scores in step, checked once and refused by row."""

from collections.abc import Hashable
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Choice = TypeVar("Choice", bound=StrEnum)


class EvaluationIsUnfit(ValueError):
    """Something cannot be evaluated as given; the message names it and what would be right."""

    def __init__(
        self,
        *,
        wanted: str,
        column: str,
        row: Hashable | None = None,
        value: object = None,
    ) -> None:
        """Name the column, the row, the value, and what would be right."""
        self.column, self.row, self.value, self.wanted = column, row, value, wanted
        at_row = "" if row is None else f", row {row}"
        found = "" if row is None and value is None else f": {value!r}"
        super().__init__(f"{column}{at_row}{found}; wanted: {wanted}")


def read_labels(labels: npt.ArrayLike, *, column: str = "labels") -> BoolArray:
    """Read outcomes as booleans; 0, 1, False and True are outcomes, nothing else is."""
    given = np.asarray(labels)
    if given.ndim != 1:
        raise EvaluationIsUnfit(
            column=column, value=f"{given.ndim} dimensions", wanted="one value per patient"
        )
    if given.dtype == np.bool_:
        return given
    for row, value in enumerate(given.tolist()):
        if pd.isna(value) or isinstance(value, str) or value not in (0, 1):
            raise EvaluationIsUnfit(
                column=column, row=row, value=value, wanted="1 (resistant) or 0 (not)"
            )
    return given.astype(np.bool_)


def read_numbers(values: npt.ArrayLike, *, column: str, n: int) -> FloatArray:
    """Read finite numbers, one for each label."""
    given = np.asarray(values, dtype=object)
    if given.ndim != 1 or len(given) != n:
        raise EvaluationIsUnfit(
            column=column, value=f"shape {given.shape}", wanted=f"{n} values, one for each label"
        )
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        row = next(place for place, value in enumerate(given) if not _is_number(value))
        raise EvaluationIsUnfit(
            column=column, row=row, value=given[row], wanted="a finite number"
        ) from None
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        row = int(wrong[0])
        raise EvaluationIsUnfit(
            column=column, row=row, value=float(numbers[row]), wanted="a finite number"
        )
    return numbers


def read_probabilities(
    values: npt.ArrayLike, *, n: int, is_open: bool, column: str = "probabilities"
) -> FloatArray:
    """Read probabilities; with `is_open` neither 0 nor 1, whose log-odds are not finite."""
    numbers = read_numbers(values, column=column, n=n)
    outside = (numbers <= 0) | (numbers >= 1) if is_open else (numbers < 0) | (numbers > 1)
    if outside.any():
        row = int(np.argmax(outside))
        wanted = "a probability above 0 and below 1" if is_open else "a probability from 0 to 1"
        raise EvaluationIsUnfit(column=column, row=row, value=float(numbers[row]), wanted=wanted)
    return numbers


def read_level(level: float) -> float:
    """Read the confidence level of an interval."""
    if not 0 < level < 1:
        raise EvaluationIsUnfit(column="level", value=level, wanted="a level between 0 and 1")
    return level


def need_both(labels: BoolArray, *, at_least: int, column: str = "labels") -> tuple[int, int]:
    """Count positives and negatives, and refuse if either are too few."""
    positive = int(labels.sum())
    negative = len(labels) - positive
    if min(positive, negative) < at_least:
        raise EvaluationIsUnfit(
            column=column,
            value=f"{positive} positive and {negative} negative",
            wanted=f"at least {at_least} of each",
        )
    return positive, negative


def need_columns(table: pd.DataFrame, columns: tuple[str, ...], *, name: str) -> None:
    """Refuse a table that lacks a column."""
    for column in columns:
        if column not in table.columns:
            raise EvaluationIsUnfit(column=f"{name}.{column}", wanted="this column, it is missing")


def refuse_row(
    table: pd.DataFrame, column: str, wrong: "pd.Series[bool]", *, name: str, wanted: str
) -> None:
    """Refuse a table at the first row that is wrong, naming its index and its value."""
    at = np.flatnonzero(wrong.to_numpy(dtype=bool))
    if len(at):
        place = int(at[0])
        raise EvaluationIsUnfit(
            column=f"{name}.{column}",
            row=table.index[place],
            value=table[column].tolist()[place],
            wanted=wanted,
        )


def refuse_what_is_no_outcome(table: pd.DataFrame, column: str, *, name: str) -> None:
    """Refuse a table at the first outcome that is neither 0 nor 1, False nor True."""
    wrong = [
        bool(pd.isna(value)) or isinstance(value, str) or value not in (0, 1)
        for value in table[column].tolist()
    ]
    refuse_row(table, column, pd.Series(wrong), name=name, wanted="1 (resistant) or 0 (not)")


def refuse_what_is_no_number(
    table: pd.DataFrame,
    column: str,
    *,
    name: str,
    wanted: str,
    low: float = -np.inf,
    may_be_missing: bool = False,
) -> None:
    """Refuse a table at the first value that is no finite number from `low` on."""
    values = table[column]
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    is_text = np.array([isinstance(value, str) for value in values.tolist()], dtype=bool)
    right = np.isfinite(numbers) & (numbers >= low) & ~is_text
    if may_be_missing:
        right |= values.isna().to_numpy(dtype=bool)
    refuse_row(table, column, pd.Series(~right), name=name, wanted=wanted)


def need_seed(seed: int) -> int:
    """Refuse a seed that would not give the same numbers again."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise EvaluationIsUnfit(column="seed", value=seed, wanted="a whole number from 0 on")
    return int(seed)


def need_one_of(kind: type[Choice], given: str, *, column: str) -> Choice:
    """Refuse a word that is none of the choices, and list them."""
    if given not in list(kind):
        wanted = " or ".join(repr(one.value) for one in kind)
        raise EvaluationIsUnfit(column=column, value=given, wanted=wanted)
    return kind(given)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
