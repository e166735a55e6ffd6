"""What may be evaluated: labels and scores in step, checked once and refused by row."""

from collections.abc import Hashable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.scalars import UNSAID, is_missing, is_real, is_whole

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
MOST_WHOLE = 2**53  # beyond it two whole numbers may be one float
Choice = TypeVar("Choice", bound=StrEnum)


class EvaluationIsUnfit(ValueError):
    """Something cannot be evaluated as given; the message names it and what would be right."""

    def __init__(
        self,
        *,
        wanted: str,
        column: str,
        row: Hashable | None = None,
        value: object = UNSAID,
    ) -> None:
        """Name the column, the row, the value, and what would be right."""
        is_said = row is not None or value is not UNSAID
        value = None if value is UNSAID else value
        self.column, self.row, self.value, self.wanted = column, row, value, wanted
        at_row = "" if row is None else f", row {row}"
        found = f": {value!r}" if is_said else ""
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
        if not _is_outcome(value):
            raise EvaluationIsUnfit(
                column=column, row=row, value=value, wanted="1 (resistant) or 0 (not)"
            )
    return given.astype(np.bool_)


def refuse_out_of_step(labels: npt.ArrayLike, **scores: npt.ArrayLike) -> None:
    """Refuse scores whose rows are not those of the labels, in their order.

    Values are taken by place; two Series of other patients, or of the same sorted differently,
    would be paired wrongly without a word. What has no index has places alone.
    """
    indexed = [
        (column, given.index)
        for column, given in {"labels": labels, **scores}.items()
        if isinstance(given, pd.Series)
    ]
    for column, index in indexed[1:]:
        first, of_first = indexed[0]
        if len(index) == len(of_first) and not index.equals(of_first):
            pairs = zip(index, of_first, strict=True)
            row, (own, other) = next(
                (row, pair)
                for row, pair in enumerate(pairs)
                if not (pair[0] == pair[1] or all(map(is_missing, pair)))
            )
            raise EvaluationIsUnfit(
                column=column,
                value=own,
                row=row,
                wanted=f"the index of {first} in its order, {other!r} here; or no index, "
                "as of to_numpy()",
            )


def read_numbers(values: npt.ArrayLike, *, column: str, n: int) -> FloatArray:
    """Read finite numbers, one for each label."""
    given = np.asarray(values)
    if given.ndim != 1 or len(given) != n:
        raise EvaluationIsUnfit(
            column=column, value=f"shape {given.shape}", wanted=f"{n} values, one for each label"
        )
    if given.dtype.kind in "iufb":
        numbers = given.astype(np.float64)
        wrong = ~np.isfinite(numbers)
        if given.dtype.kind in "iu":
            wrong = np.abs(numbers) > MOST_WHOLE
    else:
        given = np.asarray(values, dtype=object)
        wrong = np.array([not _is_number(value) for value in given.tolist()], dtype=np.bool_)
        numbers = np.where(wrong, np.nan, given).astype(np.float64)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise EvaluationIsUnfit(
            column=column,
            row=row,
            value=given.tolist()[row],
            wanted=f"a finite number, or a whole one of at most {MOST_WHOLE}",
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
    return read_share(level, column="level", wanted="a level between 0 and 1")


def read_share(share: float, *, column: str, wanted: str = "a share between 0 and 1") -> float:
    """Read one number above 0 and below 1."""
    if not is_real(share) or not 0 < share < 1:
        raise EvaluationIsUnfit(column=column, value=share, wanted=wanted)
    return share


def need_whole(number: int, *, column: str, least: int, wanted: str | None = None) -> int:
    """Refuse what is no whole number, or too small."""
    if not is_whole(number, least=least):
        raise EvaluationIsUnfit(
            column=column,
            value=number,
            wanted=wanted or f"at least {least}, a whole number",
        )
    return int(number)


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
    """Refuse what is no table, or lacks a column, or has it twice."""
    if not isinstance(table, pd.DataFrame):
        raise EvaluationIsUnfit(
            column=name,
            value=type(table).__name__,
            wanted=f"a DataFrame with the columns {', '.join(columns)}",
        )
    for column in columns:
        times = int((table.columns == column).sum())
        if times == 0:
            raise EvaluationIsUnfit(column=f"{name}.{column}", wanted="this column, it is missing")
        if times > 1:
            raise EvaluationIsUnfit(
                column=f"{name}.{column}", value=f"{times} columns", wanted="one of this name"
            )


def read_names(given: Sequence[str], *, column: str) -> tuple[str, ...]:
    """Read a list of the names of columns; one bare word is none."""
    wanted = "a list of names of columns, such as ['sex'], each once"
    if isinstance(given, str | bytes) or not isinstance(given, Sequence | pd.Index | np.ndarray):
        raise EvaluationIsUnfit(column=column, value=given, wanted=wanted)
    names = list(given)
    for row, one in enumerate(names):
        if not isinstance(one, str) or one in names[:row]:
            raise EvaluationIsUnfit(column=column, row=row, value=one, wanted=wanted)
    return tuple(names)


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


def refuse_what_names_nothing(
    table: pd.DataFrame, column: str, *, name: str, wanted: str = "an id"
) -> None:
    """Refuse a table at the first cell that is empty, or holds a list."""
    wrong = [
        not isinstance(value, Hashable) or is_missing(value) for value in table[column].tolist()
    ]
    refuse_row(table, column, pd.Series(wrong, dtype=bool), name=name, wanted=wanted)


def read_outcomes(
    table: pd.DataFrame, column: str, *, name: str, wanted: str = "1 (resistant) or 0 (not)"
) -> BoolArray:
    """Read outcomes; the first that is neither 0 nor 1, False nor True is refused."""
    wrong = [not _is_outcome(value) for value in table[column].tolist()]
    refuse_row(table, column, pd.Series(wrong, dtype=bool), name=name, wanted=wanted)
    return table[column].to_numpy().astype(np.bool_)


def read_column(
    table: pd.DataFrame,
    column: str,
    *,
    name: str,
    wanted: str,
    low: float = -np.inf,
    may_be_missing: bool = False,
) -> FloatArray:
    """Read numbers; the first that is not finite or below `low` is refused. NaN: missing."""
    values = table[column]
    if values.dtype.kind in "iuf":
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        right = np.isfinite(numbers) & (numbers >= low)
    else:
        listed = values.tolist()
        right = np.array([is_real(value) and value >= low for value in listed], dtype=np.bool_)
    if may_be_missing:
        right |= values.isna().to_numpy(dtype=bool)
    refuse_row(table, column, pd.Series(~right), name=name, wanted=wanted)
    return pd.to_numeric(values.astype(object)).to_numpy(dtype=np.float64, na_value=np.nan)


def need_seed(seed: int) -> int:
    """Refuse a seed that would not give the same numbers again."""
    return need_whole(seed, column="seed", least=0, wanted="a whole number from 0 on")


def need_one_of(kind: type[Choice], given: str, *, column: str) -> Choice:
    """Refuse a word that is none of the choices, and list them."""
    if not isinstance(given, str) or given not in list(kind):
        wanted = " or ".join(repr(one.value) for one in kind)
        raise EvaluationIsUnfit(column=column, value=given, wanted=wanted)
    return kind(given)


def _is_outcome(value: Any) -> bool:
    return isinstance(value, bool | int | float | np.number | np.bool_) and value in (0, 1)


def _is_number(value: Any) -> bool:
    """Tell whether a cell is a finite number; a decimal is, text and moments are not."""
    if isinstance(value, int | np.integer) and abs(int(value)) > MOST_WHOLE:
        return False
    return isinstance(value, bool | np.bool_) or is_real(value) or _is_finite_decimal(value)


def _is_finite_decimal(value: Any) -> bool:
    return isinstance(value, Decimal) and value.is_finite()
