"""What could be known at a moment, where a later fact says something of an earlier one."""

from dataclasses import replace

from analytics.histories import History
from analytics.tables import read_table


def known_by(history: History, at_us: int) -> History:
    """Give a history without what later results tell of earlier ones: their kit or their fluid.

    Parameters
    ----------
    history : History
        The cohort.
    at_us : int
        The moment, in microseconds since 1970 UTC.

    Returns
    -------
    History
        Itself, unless a later result has told an earlier one; then without later results.
    """
    if at_us >= history.result_columns.told_us:
        return history
    given = read_table("results", history.results)
    is_known = given["drawn_at"] <= at_us
    return replace(history, results={name: column[is_known] for name, column in given.items()})
