"""Reads the columns of the tables that fitting is given, and refuses aloud."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd


class BadDraw(ValueError):
    """A draw that cannot be summed; the message names row, column, value and what is right."""


class BadLabel(ValueError):
    """A label that cannot be used; the message names row, column, value and what is right."""


Refusal = type[BadDraw] | type[BadLabel]


def require(table: pd.DataFrame, columns: Iterable[str], *, refusal: Refusal) -> None:
    """Refuse what is no table, or lacks a column, naming it and all that are needed."""
    needed = tuple(columns)
    _refuse_what_is_no_table(table, needed, refusal)
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise refusal(f"missing column(s) {', '.join(missing)}; wanted: {', '.join(needed)}")


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
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise refusal(
            f"row {row}, column {column!r}: {shown(series.iloc[row])} - a finite number is needed"
        )
    return values


def shown(value: object) -> str:
    """Write a value as it is in a message: text in quotes, numbers bare."""
    return repr(value) if isinstance(value, str) else str(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return np.nan
    return float(value)


def identified(table: pd.DataFrame, column: str, *, refusal: Refusal) -> npt.NDArray[np.object_]:
    """Read a column in which nothing may be missing."""
    missing = table[column].isna().to_numpy()
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise refusal(
            f"row {row}, column {column!r}: {shown(table[column].iloc[row])} - a value is needed"
        )
    return np.asarray(table[column].to_numpy())


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
