"""What is made of constants alone, ready for a few rows: nobody writes to it."""

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

import numpy as np

from analytics.tables import FEW_ROWS, Column, column_of


@lru_cache(maxsize=256)
def _ready(value: Hashable, dtype: Any) -> Column:
    column = column_of(value, FEW_ROWS, dtype)
    column.flags.writeable = False
    return column


Made = TypeVar("Made")


def ready_for_few(make: Callable[[int], Made]) -> Callable[[int], Made]:
    """Keep what is made of constants alone, for each small number of rows."""
    kept = lru_cache(maxsize=FEW_ROWS + 1)(make)

    @wraps(make)
    def give(size: int) -> Made:
        return kept(size) if size <= FEW_ROWS else make(size)

    return give


def constant(value: Hashable, size: int, dtype: type[np.generic] = np.float64) -> Column:
    """Give a column of one value that nobody writes to: a part of a ready one, or one cell."""
    if size <= FEW_ROWS:
        return _ready(value, cast("Hashable", dtype))[:size]
    cell = column_of(value, 1, dtype)
    cell.flags.writeable = False
    return np.broadcast_to(cell, size)
