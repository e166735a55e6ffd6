"""Whether a value can be one of what was measured: its unit, and the range of its scale."""

import numpy as np

from analytics.changes import MOST_CV
from analytics.columns import ANALYTES, UNITS
from analytics.tables import (
    Bools,
    Column,
    Floats,
    HistoryIsUnfit,
    Ints,
    first_row,
    is_any,
    is_blank,
)
from instruments import INSTRUMENTS


def refuse_units(given: dict[str, Column], analyte: Ints) -> None:
    """Refuse a value in another unit than its analyte's, where units are stated.

    Parameters
    ----------
    given : dict
        The columns of the results.
    analyte : array of int
        Position in :data:`ANALYTES`.

    Raises
    ------
    HistoryIsUnfit
    """
    if is_blank(given["unit"]):
        return
    rows = zip(given["unit"].tolist(), analyte.tolist(), strict=True)
    for row, (unit, code) in enumerate(rows):
        name = ANALYTES[code]
        if unit not in ("", UNITS[name]):
            raise HistoryIsUnfit(
                table="results",
                column="unit",
                row=row,
                value=unit,
                wanted=f"{UNITS[name]!r}, the unit of {name}, with the value converted to it",
            )


FARTHEST_DAY = 100_000.0  # from 1970: years 1696 to 2243


def _is_day(given: Floats, most: float) -> Bools:
    is_day: Bools = (given == np.floor(given)) & (np.abs(given) <= most)
    return is_day


# What a column of the results may hold besides being a number of at least zero or unknown
_BOUNDS = (
    ("assay_cv", np.less_equal, MOST_CV, f"a fraction of at most {MOST_CV}, 0.07 for 7 %"),
    ("local_hour", np.less, 24.0, "an hour of the day from 0 to below 24"),
    ("local_day", _is_day, FARTHEST_DAY, "a day, a whole number counted from 1970-01-01"),
)


def refuse_out_of_bounds(given: dict[str, Column]) -> None:
    """Refuse what is in another unit than a fraction, or than the hours of a day.

    Parameters
    ----------
    given : dict
        The columns of the results.

    Raises
    ------
    HistoryIsUnfit
    """
    for column, is_right, most, wanted in _BOUNDS:
        if is_blank(given[column]):
            continue
        wrong = ~(is_right(given[column], most) | np.isnan(given[column]))
        if is_any(wrong):
            row = first_row(wrong)
            value = float(given[column][row])
            raise HistoryIsUnfit(
                table="results", column=column, row=row, value=value, wanted=wanted
            )


def refuse_totals(total: Floats, scales: list[str]) -> None:
    """Refuse a total that no filling in of its scale adds up to.

    Parameters
    ----------
    total : array of float
        Of each rating.
    scales : list of str
        The scale of each; one that is not declared has no highest total.

    Raises
    ------
    HistoryIsUnfit
    """
    highest = {name: INSTRUMENTS[name].highest_total for name in set(scales) & INSTRUMENTS.keys()}
    most = np.array([highest.get(name, np.inf) for name in scales], dtype=np.float64)
    wrong = (total < 0) | (total > most) | (total != np.floor(total))
    if is_any(wrong):
        row = first_row(wrong)
        name = scales[row]
        wanted = f"from zero to {highest[name]}, as {name} has" if name in highest else "from zero"
        raise HistoryIsUnfit(
            table="ratings",
            column="total",
            row=row,
            value=float(total[row]),
            wanted=f"whole scale points {wanted}",
        )
