"""Arithmetic that serves one patient (plain floats) and a nation (arrays), the same bit for bit.

An operation on an array of one costs ten to fifty times that of a float. So what is worked out
entry by entry is written once, of +, -, *, / and the functions below, and runs over floats where
there are few and over arrays where there are many.
"""

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any, TypeVar, cast

import numpy as np
from scipy import special

from analytics.tables import Bools, Floats, Ints

Number = TypeVar("Number", float, Floats)

FEW = 6  # up to here plain floats are quicker than arrays
CHUNK = 1 << 16  # rows worked on at a time, so that what lies between does not fill the memory


def entry_by_entry(
    work: Callable[..., tuple[Any, ...]], *columns: Floats | Ints | Bools
) -> Sequence[Floats]:
    """Apply a work to columns of one length, as floats row by row where there are few rows.

    Parameters
    ----------
    work : callable
        Takes one float or array for each column, returns a tuple of floats or arrays.
    *columns : array of float

    Returns
    -------
    sequence of array of float
        One column for each entry of the tuple.
    """
    size = len(columns[0])
    if size > CHUNK:
        return _chunk_by_chunk(work, columns, size)
    if not 0 < size <= FEW:
        return work(*columns)
    rows = zip(*[column.tolist() for column in columns], strict=True)
    found = np.array([work(*row) for row in rows], dtype=np.float64).T
    return cast("Sequence[Floats]", found)


def _chunk_by_chunk(
    work: Callable[..., tuple[Any, ...]], columns: tuple[Floats | Ints | Bools, ...], size: int
) -> Sequence[Floats]:
    """Work on some rows after the others; each row's numbers do not depend on which."""
    whole: list[Floats] = []
    for start in range(0, size, CHUNK):
        rows = slice(start, start + CHUNK)
        found = work(*[column[rows] for column in columns])
        whole = whole or [np.empty(size, dtype=np.result_type(one)) for one in found]
        for column, part in zip(whole, found, strict=True):
            column[rows] = part
    return whole


def root(of: Number) -> Number:
    """Give the square root; what is below zero by rounding has the root of zero."""
    if isinstance(of, np.ndarray):
        return np.sqrt(np.maximum(of, 0.0))
    return sqrt(of) if of > 0 else 0.0


def larger(one: Number, other: Number | float) -> Number:
    """Give the larger of two."""
    if isinstance(one, np.ndarray):
        return np.maximum(one, other)
    return one if one > other else other


def smaller(one: Number, other: Number | float) -> Number:
    """Give the smaller of two."""
    if isinstance(one, np.ndarray):
        return np.minimum(one, other)
    return one if one < other else other


def where(holds: Any, one: Any, other: Any) -> Any:
    """Give the one where something holds, and the other where not."""
    if isinstance(holds, np.ndarray):
        return np.where(holds, one, other)
    return one if holds else other


def exp(of: Number) -> Number:
    """Give e to a power, by numpy for floats too: another program's differs in the last bit."""
    return np.exp(of) if isinstance(of, np.ndarray) else float(np.exp(of))


def log(of: Number) -> Number:
    """Give the natural logarithm."""
    return np.log(of) if isinstance(of, np.ndarray) else float(np.log(of))


def log1p(of: Number) -> Number:
    """Give ln(1 + x)."""
    return np.log1p(of) if isinstance(of, np.ndarray) else float(np.log1p(of))


def expit(of: Number) -> Number:
    """Give the probability of log-odds."""
    return special.expit(of) if isinstance(of, np.ndarray) else float(special.expit(of))


def ndtr(of: Number) -> Number:
    """Give the normal probability below a value."""
    return special.ndtr(of) if isinstance(of, np.ndarray) else float(special.ndtr(of))
