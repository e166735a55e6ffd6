"""Whether a single figure that was given is a number at all: what refusals ask first."""

from math import isfinite
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

UNSAID = object()  # of a refusal that has no value to show; None is a value like any


def is_real(given: object) -> bool:
    """Tell whether something is a finite number; text and truth values are none.

    Parameters
    ----------
    given : object

    Returns
    -------
    bool
    """
    if isinstance(given, bool | np.bool_) or not isinstance(given, Real):
        return False
    try:
        return isfinite(float(given))
    except OverflowError:  # a whole number too large for a float
        return False


def is_whole(given: object, *, least: int) -> bool:
    """Tell whether something is a whole number from `least` on, and of its type too.

    Parameters
    ----------
    given : object
    least : int

    Returns
    -------
    bool
        False for 3.0: whoever counts, counts in whole numbers.
    """
    if isinstance(given, bool) or not isinstance(given, int | np.integer):
        return False
    return least <= int(given)


def is_missing(given: Any) -> bool:
    """Tell whether a cell of a table is empty: None, NaN, NaT or NA."""
    return given is None or (bool(pd.api.types.is_scalar(given)) and bool(pd.isna(given)))
