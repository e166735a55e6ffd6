"""From words and ids to positions, and the order of rows."""

from functools import cache

import numpy as np
import pandas as pd

from analytics.ready import constant
from analytics.segments import labels
from analytics.tables import FEW_ROWS, NEVER, Column, HistoryIsUnfit, Ints, first_row, is_any


def order_of(*keys: Ints) -> Ints:
    """Give the order of rows by keys; most tables come in it, and are not sorted again.

    Parameters
    ----------
    *keys : array of int
        The first decides first.

    Returns
    -------
    array of int
        Positions; rows that are equal keep theirs.
    """
    size = len(keys[0])
    if size > FEW_ROWS and _is_in_order(keys):
        return np.arange(size)
    order: Ints = np.lexsort(keys[::-1])
    return order


def in_order(column: Column, order: Ints) -> Column:
    """Give a column in an order; one cell that is seen often stays one cell.

    Parameters
    ----------
    column : array
    order : array of int
        Positions.

    Returns
    -------
    array
        One of its own, or of a single cell that nobody can write to.
    """
    if len(column) > FEW_ROWS and column.strides == (0,) and _is_fixed(column.base):
        return column
    return column[order]


def _is_fixed(base: object) -> bool:
    return isinstance(base, np.ndarray) and not base.flags.writeable


def _is_in_order(keys: tuple[Ints, ...]) -> bool:
    same = np.ones(len(keys[0]) - 1, dtype=np.bool_)
    for key in keys:
        if is_any(same & (key[1:] < key[:-1])):
            return False
        same &= key[1:] == key[:-1]
    return True


def positions_of(table: str, wanted: Ints, ids: Ints, *, column: str = "patient_id") -> Ints:
    """Find whose each row is.

    Parameters
    ----------
    table, column : str
        Where the ids stand, for the refusal.
    wanted : array of int
        The id of each row.
    ids : array of int
        Those that are known, ascending.

    Returns
    -------
    array of int
        Positions in `ids`.

    Raises
    ------
    HistoryIsUnfit
        An id is not known.
    """
    if len(wanted) == 0:
        return wanted
    found = ids.searchsorted(wanted)
    unknown = (
        ids.take(found, mode="clip") != wanted if len(ids) else np.ones(len(wanted), dtype=np.bool_)
    )
    if is_any(unknown):
        row = first_row(unknown)
        raise HistoryIsUnfit(
            table=table,
            column=column,
            row=row,
            value=int(wanted[row]),
            wanted=f"a {column} of the {column.removesuffix('_id')}s table",
        )
    return found


@cache
def _places(known: tuple[str, ...]) -> dict[str, int]:
    return {word: place for place, word in enumerate(known)}


@cache
def _index(known: tuple[str, ...]) -> pd.Index:
    return pd.Index(known, dtype=object)


def codes_of(table: str, given: dict[str, Column], column: str, known: tuple[str, ...]) -> Ints:
    """Turn a column of words into their places among those that are known.

    Parameters
    ----------
    table, column : str
        Where the words stand.
    given : dict
        The columns of the table.
    known : tuple of str

    Returns
    -------
    array of int

    Raises
    ------
    HistoryIsUnfit
        A word is not known.
    """
    if len(given[column]) > FEW_ROWS:
        codes = _index(known).get_indexer(pd.Index(given[column], dtype=object)).astype(np.int64)
        if not is_any(codes < 0):
            is_one_word = codes.min() == codes.max()
            return constant(int(codes[0]), len(codes), np.int64) if is_one_word else codes
    places, words = _places(known), given[column].tolist()
    try:
        if 0 < len(words) <= FEW_ROWS and len(set(words)) == 1:
            return constant(places[words[0]], len(words), np.int64)
        return np.array([places[word] for word in words], dtype=np.int64)
    except KeyError:
        row = next(row for row, word in enumerate(words) if word not in places)
        raise HistoryIsUnfit(
            table=table,
            column=column,
            row=row,
            value=words[row],
            wanted=" or ".join(repr(word) for word in known),
        ) from None


def order_of_trials(given: dict[str, Column], patient: Ints) -> Ints:
    """Order trials by patient and start; of those of one day by facts, and never by their ids.

    The one that ran longer comes later, and last the one that runs still.

    Parameters
    ----------
    given : dict
        The columns of the trials.
    patient : array of int
        Whose they are.

    Returns
    -------
    array of int
    """
    started, stopped = given["started_at"], given["stopped_at"]
    ends = np.where(stopped == NEVER, np.iinfo(np.int64).max, stopped)
    order = np.lexsort((ends, started, patient))
    same = [column[order][1:] == column[order][:-1] for column in (ends, started, patient)]
    if not is_any(same[0] & same[1] & same[2]):
        return order
    names = ("override", "adherence", "stop_reason", "kind", "drug", "atc")
    codes = [labels(given[name])[0] for name in names]
    return np.lexsort((given["trial_id"], given["dose_mg"], *codes, ends, started, patient))
