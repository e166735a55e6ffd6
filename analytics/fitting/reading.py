"""Reads the columns of the tables that fitting is given, and refuses aloud."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.scalars import is_real


class BadDraw(ValueError):
    """A draw that cannot be summed; the message names row, column, value and what is right."""


class BadLabel(ValueError):
    """A label that cannot be used; the message names row, column, value and what is right."""


LARGEST = 1e100  # its square and the sum of many squares are still numbers
_TOO_LARGE = f", of at most {LARGEST:g}"
Refusal = type[BadDraw] | type[BadLabel]


def require(table: pd.DataFrame, columns: Iterable[str], *, refusal: Refusal) -> None:
    """Refuse what is no table, or lacks a column, naming it and all that are needed."""
    needed = tuple(columns)
    _refuse_what_is_no_table(table, needed, refusal)
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise refusal(f"missing column(s) {', '.join(missing)}; wanted: {', '.join(needed)}")
    for name in table.columns:
        if (times := int((table.columns == name).sum())) > 1:
            raise refusal(f"column {name!r}: {times} columns - one of this name is needed")


def _refuse_what_is_no_table(given: object, needed: tuple[str, ...], refusal: Refusal) -> None:
    if not isinstance(given, pd.DataFrame):
        kind = type(given).__name__
        raise refusal(f"{kind}; wanted: a DataFrame with the columns {', '.join(needed)}")


def numbers(table: pd.DataFrame, column: str, *, refusal: Refusal) -> npt.NDArray[np.float64]:
    """Read a column of finite numbers.

    Parameters
    ----------
    table : DataFrame
        The table given, whole, so that the row named is the caller's.
    column : str
    refusal : type
        The exception to raise.

    Returns
    -------
    ndarray of float
    """
    series = table[column]
    if series.dtype.kind in "iuf":
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = np.array([_number(value) for value in series], dtype=np.float64)
    bad = ~(np.abs(values) < LARGEST)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise refusal(
            f"row {row}, column {column!r}: {shown(series.iloc[row])} - a finite number is needed"
            f"{_TOO_LARGE if np.isfinite(values[row]) else ''}"
        )
    return values


def shown(value: object) -> str:
    """Write a value as it is in a message: text in quotes, numbers bare."""
    return repr(str(value)) if isinstance(value, str) else str(value)


def _number(value: Any) -> float:
    return float(value) if is_real(value) else np.nan


def identified(table: pd.DataFrame, column: str, *, refusal: Refusal) -> npt.NDArray[np.object_]:
    """Read a column in which nothing may be missing."""
    series = table[column]
    missing = series.isna().to_numpy()
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise refusal(
            f"row {row}, column {column!r}: {shown(series.iloc[row])} - a value is needed"
        )
    values = np.asarray(series.to_numpy())
    if values.dtype == object and len(values):
        _refuse_mixed(values.tolist(), column, refusal)
    return values


def _refuse_mixed(values: list[Any], column: str, refusal: Refusal) -> None:
    """Refuse a column that holds words and numbers side by side, which have no order."""
    if len(set(map(_kind_of, set(map(type, values))))) == 1 and isinstance(values[0], Hashable):
        return
    kinds = [_kind_of(type(value)) for value in values]
    [(usual, _)] = Counter(kinds).most_common(1)  # of as many, the first
    for row, value in enumerate(values):
        if kinds[row] is not usual or not isinstance(value, Hashable):
            raise refusal(
                f"row {row}, column {column!r}: {shown(value)} - one kind of value is needed, "
                "words or numbers"
            )


def _kind_of(given: type[Any]) -> type[Any]:
    """Give the kind that values are ordered with: all numbers are one."""
    return Real if issubclass(given, Real) else given


def real(value: float, *, name: str, refusal: Refusal) -> float:
    """Read one finite number."""
    if not is_real(value) or not abs(float(value)) < LARGEST:
        said = f"a finite number{_TOO_LARGE if is_real(value) else ''} is needed"
        raise refusal(f"{name} {shown(value)} - {said}")
    return float(value)


def names(
    given: Sequence[str],
    *,
    name: str,
    refusal: type[ValueError],
    example: tuple[str, ...] = ("sIL-6R", "IL-6"),
) -> tuple[str, ...]:
    """Read a list of different words; one bare word is none."""
    wanted = f"a list of different words is needed, such as {example}"
    if isinstance(given, str | bytes) or not isinstance(given, Sequence | pd.Index | np.ndarray):
        raise refusal(f"{name}: {given!r} - {wanted}")
    words = tuple(given)
    for place, word in enumerate(words):
        if not isinstance(word, str) or word in words[:place]:
            raise refusal(f"{name}, place {place}: {shown(word)} - {wanted}")
    return words


def truths(table: pd.DataFrame, column: str, *, refusal: Refusal) -> npt.NDArray[np.bool_]:
    """Read a column of True and False."""
    series = table[column]
    if series.dtype != np.bool_:
        for row, value in enumerate(series):
            if not isinstance(value, bool | np.bool_):
                raise refusal(
                    f"row {row}, column {column!r}: {shown(value)} - True or False is needed"
                )
    return np.asarray(series.to_numpy(), dtype=np.bool_)


def refuse_unreal(column: str, values: npt.NDArray[np.float64], size: tuple[int, ...]) -> None:
    """Refuse a column of an array's kind that is not finite numbers of a shape."""
    refuse_misshapen(column, values, size, kinds="iuf", wanted="numbers")
    bad = ~(np.abs(values) < LARGEST)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise BadDraw(
            f"row {row}, column {column!r}: {values[row]} - a finite number is needed"
            f"{_TOO_LARGE if np.isfinite(values[row]) else ''}"
        )


def refuse_no_index(
    column: str, codes: npt.NDArray[np.int64], length: int, size: tuple[int, ...]
) -> None:
    """Refuse a column that is not of places in a list of some length."""
    refuse_misshapen(column, codes, size, kinds="iu", wanted="whole numbers")
    bad = (codes < 0) | (codes >= length)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        wanted = f"an index from 0 to {length - 1} is needed"
        raise BadDraw(f"row {row}, column {column!r}: {codes[row]} - {wanted}")


def refuse_misshapen(
    column: str, values: object, size: tuple[int, ...], *, kinds: str, wanted: str
) -> None:
    """Refuse what is no array of one of the kinds, or not of the shape."""
    if not isinstance(values, np.ndarray) or values.dtype.kind not in kinds:
        given = getattr(values, "dtype", type(values).__name__)
        raise BadDraw(f"column {column!r}: {given} - an array of {wanted} is needed")
    if values.ndim != 1 or values.shape != size:
        raise BadDraw(f"column {column!r}: shape {values.shape} - {size} as `patient` is needed")


def positions(given: object, size: int, *, refusal: Refusal) -> npt.NDArray[np.int64]:
    """Read which of some patients are meant.

    Parameters
    ----------
    given : ndarray or sequence
        Their places, counted from 0, in the order wanted, or a truth value for each patient.
    size : int
        How many patients there are.
    refusal : type
        The exception to raise.

    Returns
    -------
    ndarray of int
    """
    rows = np.asarray(given)
    wanted = f"places from 0 to {size - 1} are needed, or {size} truth values, one a patient"
    if rows.shape == (0,):
        return np.zeros(0, dtype=np.int64)
    if rows.ndim != 1 or rows.dtype.kind not in "iub":
        raise refusal(f"rows: {given!r} - {wanted}")
    if rows.dtype.kind == "b":
        if len(rows) != size:
            raise refusal(f"rows: {len(rows)} truth values - {wanted}")
        return np.flatnonzero(rows)
    bad = (rows < 0) | (rows >= size)
    if bad.any():
        raise refusal(f"rows, place {int(np.argmax(bad))}: {rows[bad][0]} - {wanted}")
    return rows.astype(np.int64)
