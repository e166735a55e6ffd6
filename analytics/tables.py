"""Reads the six tables that come in at the door, column by column, and refuses aloud."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.moments import EARLIEST_US, LATEST_US, WANTED
from analytics.scalars import is_missing

Column = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]
Table = pd.DataFrame | Mapping[str, Column]

NEVER = np.iinfo(np.int64).min  # NaT: no such time on record
FEW_ROWS = 64  # up to here columns of one value are ready, and some things are quicker as floats


class HistoryIsUnfit(ValueError):
    """A table given to the core holds something it cannot stand on."""

    def __init__(
        self, *, table: str, wanted: str, column: str = "", row: object = None, value: object = None
    ) -> None:
        """Name the table, the row, the column, the value, and what would be right."""
        self.table, self.column, self.row, self.value = table, column, row, value
        self.wanted = wanted
        place = f"{table}.{column}" if column else table
        at_row = "" if row is None else f", row {row}"
        found = "" if row is None and value is None else f": {value!r}"
        super().__init__(f"{place}{at_row}{found}; wanted: {wanted}")


COLUMNS: dict[str, dict[str, str]] = {
    "patients": {
        "patient_id": "id",
        "started_at": "time?",
        "is_bipolar": "flag",
        "is_psychotic": "flag",
        "primary_instrument": "text",
        "rs2228145": "text",
        "ill_since": "time?",
        "severity": "text",
        "earlier_failures": "number?",
        "dose_table": "text",
    },
    "results": {
        "patient_id": "id",
        "analyte": "text",
        "drawn_at": "time",
        "value": "number",
        "unit": "text",
        "comparator": "text",
        "status": "text",
        "segment": "text",
        "laboratory": "text",
        "is_confirmed": "flag",
        "is_overridden": "flag",
        "overridden_reasons": "text",
        "is_duplicate": "flag",
        "is_matrix_wrong": "flag",
        "is_kit_unknown": "flag",
        "haemolysis": "text",
        "freeze_thaw_cycles": "number?",
        "lot": "text",
        "local_hour": "number?",
        "local_day": "number?",
        "is_unsuitable": "flag",
        "is_zero": "flag",
        "is_kept_out": "flag",
        "matrix": "text",
        "assay_cv": "number?",
    },
    "ratings": {"patient_id": "id", "instrument": "text", "rated_at": "time", "total": "number"},
    "trials": {
        "patient_id": "id",
        "trial_id": "id",
        "drug": "text",
        "atc": "text",
        "started_at": "time",
        "stopped_at": "time?",
        "stop_reason": "text",
        "dose_mg": "number?",
        "adequate_from": "time?",
        "kind": "text",
        "adherence": "text",
        "override": "text",
        "least_mg": "number?",
    },
    "doses": {"trial_id": "id", "started_at": "time", "dose_mg": "number"},
    "events": {
        "patient_id": "id",
        "kind": "text",
        "started_at": "time",
        "stopped_at": "time?",
        "drug_atc": "text",
    },
}

# What may be left out of a table, and then is not known: "", NaN, False, never
_ALWAYS = {"patient_id", "analyte", "drawn_at", "value", "comparator", "status", "segment"}
OPTIONAL = {
    *(COLUMNS["results"].keys() - _ALWAYS),
    *(COLUMNS["patients"].keys() - {"patient_id", "started_at"}),
    *("kind", "adherence", "override", "least_mg", "drug_atc"),
}


_TABLES = pd.DataFrame, Mapping


def read_table(table: str, given: Table | None) -> dict[str, Column]:
    """Read the columns of a DataFrame, or of a mapping of arrays, and check what is in them."""
    if given is None:
        return dict(_EMPTY_TABLES[table])
    if not isinstance(given, _TABLES):
        raise HistoryIsUnfit(
            table=table, value=type(given).__name__, wanted="a DataFrame, or a mapping of arrays"
        )
    if isinstance(given, pd.DataFrame):
        names, read, size = tuple(given.columns.tolist()), _FROM_PANDAS, len(given)
    else:
        names, read = tuple(given), _FROM_ARRAY
        size = len(np.atleast_1d(given[names[0]])) if names else 0
    listed, left_out = _plan(table, names)
    if size == 0:
        return dict(_EMPTY_TABLES[table])
    columns, found = _columns_of(given, names), _blank_columns(left_out, size)
    for name, kind in listed:
        values = read[kind](table, name, columns[name])
        if len(values) != size:
            raise HistoryIsUnfit(
                table=table, column=name, value=len(values), wanted=f"{size} rows like the others"
            )
        if kind in _CHECKS:
            _CHECKS[kind](table, name, values)
        found[name] = values
    return found


def _columns_of(given: Table, names: tuple[str, ...]) -> Mapping[str, Any]:
    """Give the arrays behind a table's columns.

    A Series for each column of a patient's tables costs as much as half of the estimate; where
    pandas gives the arrays themselves, they are taken.
    """
    if not isinstance(given, pd.DataFrame):
        return given
    try:
        held = given._mgr
        blocks = [block.values for block in held.blocks]  # noqa: PD011 - of a block, not a frame
        where = zip(names, held.blknos.tolist(), held.blklocs.tolist(), strict=True)
    except AttributeError:
        return {name: given.iloc[:, place].array for place, name in enumerate(names)}
    return {
        name: block if (block := blocks[number]).ndim == 1 else block[place]
        for name, number, place in where
    }


Listed = tuple[tuple[str, str], ...]
Blanks = tuple[tuple[str, tuple[str, ...]], ...]


@lru_cache(maxsize=64)
def _plan(table: str, names: tuple[str, ...]) -> tuple[Listed, Blanks]:
    """Say which columns are to be read, and which left out, by kind; refuse unfit names."""
    left_out, kinds = _left_out(table, names), COLUMNS[table]
    listed = tuple((name, kind) for name, kind in kinds.items() if name not in left_out)
    blank = {kind: tuple(n for n in kinds if n in left_out and kinds[n] == kind) for kind in _EMPTY}
    return listed, tuple((kind, those) for kind, those in blank.items() if those)


def _left_out(table: str, listed: tuple[str, ...]) -> frozenset[str]:
    kinds, names = COLUMNS[table], set(listed)
    left_out = kinds.keys() - names
    if names - kinds.keys() or left_out - OPTIONAL or len(listed) != len(names):
        for name in kinds:
            if name in left_out - OPTIONAL:
                raise HistoryIsUnfit(table=table, column=name, wanted="this column, it is missing")
        extra = sorted(map(str, names - kinds.keys())) or list(listed)
        raise HistoryIsUnfit(table=table, value=extra, wanted=f"only {', '.join(kinds)}, once each")
    return frozenset(left_out)


def column_of(value: object, size: int, dtype: npt.DTypeLike = np.float64) -> Column:
    """Make a column of one value; for a few rows a fifth of the time of numpy's full."""
    column = np.empty(size, dtype=dtype)
    column.fill(value)
    return column


def is_any(wrong: Bools | Ints) -> bool:
    """Tell whether any holds; for a few rows a third of the time of ``any()``."""
    return len(wrong.nonzero()[0]) > 0


def first_row(wrong: Bools) -> int:
    return int(np.argmax(wrong))


def _of_kind(
    dtype: npt.DTypeLike, kind: str, is_right: Callable[[Any], bool], wanted: str
) -> Callable[[str, str, Any], Column]:
    """Make a reader of a column of a DataFrame; what is not of its kind is refused by row."""
    right = np.dtype(dtype)

    def read(table: str, column: str, given: Any) -> Column:
        if given.dtype == right and isinstance(given, np.ndarray):
            return given
        series = pd.Series(given)
        if series.dtype.kind not in kind or series.hasnans:
            _refuse_others(table, column, series, is_right, wanted)
        if right.kind == "f":
            return series.to_numpy(dtype=np.float64, na_value=np.nan)
        return series.to_numpy().astype(right)

    return read


def _refuse_others(
    table: str, column: str, series: "pd.Series[Any]", is_right: Callable[[Any], bool], wanted: str
) -> None:
    for row, value in enumerate(series.tolist()):
        if not is_right(value):
            raise HistoryIsUnfit(table=table, column=column, row=row, value=value, wanted=wanted)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_number(value: Any) -> bool:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, float) or (is_whole and abs(value) < 10**300)  # as floats can hold


def _check_number(table: str, column: str, values: Floats) -> None:
    if len(values) <= FEW_ROWS and all(map(isfinite, values.tolist())):  # quicker for a few
        return
    wrong = ~np.isfinite(values)
    if is_any(wrong):
        row = first_row(wrong)
        raise HistoryIsUnfit(
            table=table, column=column, row=row, value=float(values[row]), wanted="a finite number"
        )


_BELOW_ZERO_TOO = {"local_day"}  # counted from 1970, before which there were days as well


def _check_optional_number(table: str, column: str, values: Floats) -> None:
    wrong = np.isinf(values)
    if column not in _BELOW_ZERO_TOO:
        wrong |= values < 0
    if is_any(wrong):
        row = first_row(wrong)
        raise HistoryIsUnfit(
            table=table,
            column=column,
            row=row,
            value=float(values[row]),
            wanted="a finite number of at least zero, or NaN",
        )


def _read_text(table: str, column: str, given: Any) -> Objects:  # noqa: ARG001
    return np.asarray(given, dtype=object)


def _check_text(table: str, column: str, values: Objects) -> None:
    if len(values) > FEW_ROWS and pd.api.types.infer_dtype(values, skipna=False) == "string":
        return
    listed = values.tolist()
    if set(map(type, listed)) == {str}:
        return
    for row, value in enumerate(listed):
        if not isinstance(value, str):
            raise HistoryIsUnfit(table=table, column=column, row=row, value=value, wanted="text")


def _read_time(table: str, column: str, given: Any) -> Ints:
    if not isinstance(given.dtype, pd.DatetimeTZDtype):
        wanted = "a column of times with a zone (datetime64[us, UTC])"
        _refuse_others(table, column, given := pd.Series(given), _is_moment, wanted)
        given = pd.to_datetime(given, utc=True).array
    try:
        stamps: Ints = (given if given.unit == "us" else given.as_unit("us")).asi8
    except ValueError as error:  # of another age, so far off that no microseconds count it
        raise HistoryIsUnfit(table=table, column=column, value=str(error), wanted=WANTED) from error
    return stamps


def _is_moment(value: Any) -> bool:
    return is_missing(value) or (isinstance(value, datetime) and value.tzinfo is not None)


def _check_time(table: str, column: str, stamps: Ints, *, may_lack: bool = False) -> None:
    if is_blank(stamps):
        return
    if len(stamps) <= FEW_ROWS and all(EARLIEST_US <= s <= LATEST_US for s in stamps.tolist()):
        return  # quicker for a few
    wrong = (stamps < EARLIEST_US) | (stamps > LATEST_US)
    if may_lack:
        wrong &= stamps != NEVER
    if is_any(wrong):
        row = first_row(wrong)
        value = None if stamps[row] == NEVER else str(np.datetime64(int(stamps[row]), "us"))
        raise HistoryIsUnfit(table=table, column=column, row=row, value=value, wanted=WANTED)


def _of_type(dtype: npt.DTypeLike, wanted: str) -> Callable[[str, str, Column], Column]:
    right = np.dtype(dtype)

    def read(table: str, column: str, values: Column) -> Column:
        if not isinstance(values, np.ndarray) or values.dtype != right or values.ndim != 1:
            value = str(getattr(values, "dtype", type(values).__name__))
            raise HistoryIsUnfit(table=table, column=column, value=value, wanted=wanted)
        return values

    return read


_FROM_PANDAS: dict[str, Callable[[str, str, Any], Column]] = {
    "id": _of_kind(np.int64, "i", _is_id, "whole numbers (int64)"),
    "flag": _of_kind(np.bool_, "b", lambda value: isinstance(value, bool), "True or False (bool)"),
    "number": _of_kind(np.float64, "iuf", _is_number, "numbers (float64)"),
    "number?": _of_kind(
        np.float64,
        "iuf",
        lambda value: is_missing(value) or _is_number(value),
        "numbers (float64) or NaN",
    ),
    "text": _read_text,
    "time": _read_time,
    "time?": _read_time,
}
_A_TIME = _of_type(np.int64, "microseconds since 1970 UTC (int64)")
_A_NUMBER = _of_type(np.float64, "numbers (float64)")
_FROM_ARRAY: dict[str, Callable[[str, str, Any], Column]] = {
    "id": _of_type(np.int64, "whole numbers (int64)"),
    "flag": _of_type(np.bool_, "True or False (bool)"),
    "number": _A_NUMBER,
    "number?": _A_NUMBER,
    "text": _of_type(object, "text (object)"),
    "time": _A_TIME,
    "time?": _A_TIME,
}
_CHECKS: dict[str, Callable[[str, str, Column], None]] = {
    "number": _check_number,
    "number?": _check_optional_number,
    "text": _check_text,
    "time": _check_time,
    "time?": partial(_check_time, may_lack=True),
}
_EMPTY: dict[str, Column] = {
    "id": np.empty(0, dtype=np.int64),
    "flag": np.empty(0, dtype=np.bool_),
    "number": np.empty(0, dtype=np.float64),
    "number?": np.empty(0, dtype=np.float64),
    "text": np.empty(0, dtype=object),
    "time": np.empty(0, dtype=np.int64),
    "time?": np.empty(0, dtype=np.int64),
}
_EMPTY_TABLES = {
    table: {name: _EMPTY[kind] for name, kind in kinds.items()} for table, kinds in COLUMNS.items()
}
_NOT_KNOWN: dict[str, Any] = {"flag": False, "number?": np.nan, "text": "", "time?": NEVER}
_FEW_BLANKS = {
    kind: np.full(FEW_ROWS, value, dtype=_EMPTY[kind].dtype) for kind, value in _NOT_KNOWN.items()
}
for _blank in _FEW_BLANKS.values():
    _blank.flags.writeable = False
_BLANK_IDS = frozenset(map(id, _FEW_BLANKS.values()))


def is_blank(column: Column) -> bool:
    """Tell whether a column was left out, so that nothing is known of any row."""
    return id(column.base) in _BLANK_IDS


def _blank_columns(left_out: Blanks, size: int) -> dict[str, Column]:
    """Give columns of which nothing is known: parts of a ready one, or one cell seen often."""
    if size <= FEW_ROWS:
        return dict(_few_blank_columns(left_out, size))
    blank = [(names, np.broadcast_to(_FEW_BLANKS[kind][:1], size)) for kind, names in left_out]
    return {name: column for names, column in blank for name in names}


@lru_cache(maxsize=1024)
def _few_blank_columns(left_out: Blanks, size: int) -> dict[str, Column]:
    return {name: _FEW_BLANKS[kind][:size] for kind, names in left_out for name in names}
