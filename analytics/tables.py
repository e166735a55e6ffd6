"""Reads the six tables that come in at the door, column by column, and refuses aloud."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Column = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]

NEVER = np.iinfo(np.int64).min  # NaT: no such time on record


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
        "primary_instrument": "text",
        "rs2228145": "text",
    },
    "results": {
        "patient_id": "id",
        "analyte": "text",
        "drawn_at": "time",
        "value": "number",
        "comparator": "text",
        "status": "text",
        "segment": "text",
        "is_confirmed": "flag",
        "is_overridden": "flag",
        "is_duplicate": "flag",
        "is_matrix_wrong": "flag",
        "is_kit_unknown": "flag",
        "haemolysis": "text",
        "freeze_thaw_cycles": "number?",
        "lot": "text",
        "local_hour": "number?",
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
    "events": {"patient_id": "id", "kind": "text", "started_at": "time", "stopped_at": "time?"},
}


# What may be left out of a table, and then is not known: "", NaN, False, never
OPTIONAL = {
    "is_bipolar",
    "primary_instrument",
    "rs2228145",
    "is_confirmed",
    "is_overridden",
    "is_duplicate",
    "is_matrix_wrong",
    "is_kit_unknown",
    "haemolysis",
    "freeze_thaw_cycles",
    "lot",
    "local_hour",
    "kind",
    "adherence",
    "override",
    "least_mg",
}


def read_table(table: str, frame: pd.DataFrame | None) -> dict[str, Column]:
    kinds = COLUMNS[table]
    if frame is None:
        return {name: _EMPTY[kind] for name, kind in kinds.items()}
    names = set(frame.columns)
    left_out = kinds.keys() - names
    if names - kinds.keys() or left_out - OPTIONAL or len(frame.columns) != len(names):
        for name in kinds:
            if name in left_out - OPTIONAL:
                raise HistoryIsUnfit(table=table, column=name, wanted="this column, it is missing")
        extra = sorted(map(str, names - kinds.keys())) or list(frame.columns)
        raise HistoryIsUnfit(table=table, value=extra, wanted=f"only {', '.join(kinds)}, once each")
    if len(frame) == 0:
        return {name: _EMPTY[kind] for name, kind in kinds.items()}
    found = {
        name: _READERS[kind](table, name, frame[name])
        for name, kind in kinds.items()
        if name not in left_out
    }
    return found | {name: _BLANK[kinds[name]](len(frame)) for name in left_out}


def first_row(wrong: Bools) -> int:
    return int(np.argmax(wrong))


def _read_id(table: str, column: str, series: "pd.Series[Any]") -> Column:
    if series.dtype.kind not in "iu":
        raise HistoryIsUnfit(
            table=table, column=column, value=str(series.dtype), wanted="whole numbers (int64)"
        )
    return series.to_numpy(dtype=np.int64)


def _read_number(table: str, column: str, series: "pd.Series[Any]") -> Floats:
    if series.dtype.kind not in "iuf":
        raise HistoryIsUnfit(
            table=table, column=column, value=str(series.dtype), wanted="numbers (float64)"
        )
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = first_row(wrong)
        raise HistoryIsUnfit(
            table=table, column=column, row=row, value=values[row], wanted="a finite number"
        )
    return values


def _read_optional_number(table: str, column: str, series: "pd.Series[Any]") -> Floats:
    if series.dtype == object and series.isna().all():
        return np.full(len(series), np.nan)
    if series.dtype.kind not in "iuf":
        raise HistoryIsUnfit(
            table=table, column=column, value=str(series.dtype), wanted="numbers (float64) or NaN"
        )
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.isinf(values) | (values < 0)
    if wrong.any():
        row = first_row(wrong)
        raise HistoryIsUnfit(
            table=table,
            column=column,
            row=row,
            value=values[row],
            wanted="a finite number of at least zero, or NaN",
        )
    return values


def _read_text(table: str, column: str, series: "pd.Series[Any]") -> Objects:
    values = series.to_numpy(dtype=object)
    if series.dtype != "str" or pd.isna(values).any():
        for row, value in enumerate(values):
            if not isinstance(value, str):
                raise HistoryIsUnfit(
                    table=table, column=column, row=row, value=value, wanted="text"
                )
    return values


def _read_optional_time(table: str, column: str, series: "pd.Series[Any]") -> Ints:
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        stamps = series.to_numpy(dtype="datetime64[us]")
        return stamps.view(np.int64)
    if series.isna().all():
        return np.full(len(series), NEVER)
    first = series.dropna()
    raise HistoryIsUnfit(
        table=table,
        column=column,
        row=int(np.argmax(series.notna().to_numpy())),
        value=first.iloc[0],
        wanted="a column of times with a zone (datetime64[us, UTC])",
    )


def _read_time(table: str, column: str, series: "pd.Series[Any]") -> Ints:
    stamps = _read_optional_time(table, column, series)
    wrong = stamps == NEVER
    if wrong.any():
        raise HistoryIsUnfit(
            table=table, column=column, row=first_row(wrong), value=None, wanted="a time"
        )
    return stamps


def _read_flag(table: str, column: str, series: "pd.Series[Any]") -> Bools:
    if series.dtype != np.bool_:
        raise HistoryIsUnfit(
            table=table, column=column, value=str(series.dtype), wanted="True or False (bool)"
        )
    return series.to_numpy(dtype=np.bool_)


_READERS: dict[str, Callable[[str, str, "pd.Series[Any]"], Column]] = {
    "id": _read_id,
    "flag": _read_flag,
    "number": _read_number,
    "number?": _read_optional_number,
    "text": _read_text,
    "time": _read_time,
    "time?": _read_optional_time,
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
_BLANK: dict[str, Callable[[int], Column]] = {
    "flag": lambda size: np.zeros(size, dtype=np.bool_),
    "number?": lambda size: np.full(size, np.nan),
    "text": lambda size: np.full(size, "", dtype=object),
}
