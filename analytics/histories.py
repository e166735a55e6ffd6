"""What is known of a cohort, checked once and aloud, and turned into sorted numpy columns.

The first step of the core: five tables come in at the door, everything after it
works on arrays whose order does not depend on the order of the rows given.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from analytics.tables import (
    COLUMNS,
    NEVER,
    Bools,
    Column,
    Floats,
    HistoryIsUnfit,
    Ints,
    Objects,
    first_row,
    read_table,
)

US_PER_DAY = 86_400_000_000
US_PER_WEEK = 7 * US_PER_DAY
SIL6R, IL6, TNF, CRP = "sIL-6R", "IL-6", "TNF-α", "hs-CRP"
ANALYTES = (SIL6R, IL6, TNF, CRP)
UNITS = {SIL6R: "ng/mL", IL6: "pg/mL", TNF: "pg/mL", CRP: "mg/L"}
COMPARATORS = ("", "<", "<=", ">", ">=")
STATUSES = ("preliminary", "final", "corrected")
EVENT_KINDS = (
    "infection",
    "il6r_blocker",
    "biologic",
    "steroid",
    "vaccination",
    "surgery",
    "ect",
    "pregnancy",
    "exercise",
    "other",
)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class TimeIsNaive(ValueError):
    """A moment without a time zone names no moment."""


@dataclass(frozen=True, slots=True)
class ResultColumns:
    """Results sorted by patient, time, analyte, segment; ``patient`` is a position."""

    patient: Ints
    drawn_us: Ints
    analyte: Ints  # position in ANALYTES
    value: Floats
    comparator: Ints  # position in COMPARATORS
    is_preliminary: Bools
    is_confirmed: Bools  # by a person, or by a corrected report
    segment: Ints  # position in segments
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RatingColumns:
    """Ratings sorted by patient, instrument, time."""

    patient: Ints
    instrument: Ints  # position in instruments
    rated_us: Ints
    total: Floats
    instruments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrialColumns:
    """Trials sorted by patient, start, id."""

    patient: Ints
    trial_id: Ints
    started_us: Ints
    stopped_us: Ints
    adequate_us: Ints
    dose_mg: Floats
    drug: Objects
    atc: Objects
    stop_reason: Objects


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Events sorted by patient, start, kind."""

    patient: Ints
    kind: Ints  # position in EVENT_KINDS
    started_us: Ints
    stopped_us: Ints


@dataclass(frozen=True)
class History:
    """All that is known of a cohort, as five tables, validated on construction.

    Parameters
    ----------
    patients, results, ratings, trials, events : DataFrame
        Columns as in :data:`COLUMNS`. Rows may come in any order and tables may
        be empty (or None); ``results.is_confirmed`` may be left out and says that a person has
        checked an implausible result. Values are canonical: sIL-6R in ng/mL, IL-6 and TNF-α in
        pg/mL, hs-CRP in mg/L; times carry a zone.

    Raises
    ------
    HistoryIsUnfit
        A column is missing or unknown, a value is infinite, zero, negative or
        not of its kind, a time is naive, a row is duplicated, or it names a
        patient who is not in ``patients``. The message says where, and what
        would be right.
    """

    patients: pd.DataFrame
    results: pd.DataFrame | None = None
    ratings: pd.DataFrame | None = None
    trials: pd.DataFrame | None = None
    events: pd.DataFrame | None = None
    patient_ids: Ints = field(init=False, repr=False, compare=False)
    started_us: Ints = field(init=False, repr=False, compare=False)
    result_columns: ResultColumns = field(init=False, repr=False, compare=False)
    rating_columns: RatingColumns = field(init=False, repr=False, compare=False)
    trial_columns: TrialColumns = field(init=False, repr=False, compare=False)
    event_columns: EventColumns = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read every column once; whatever is wrong is refused here."""
        given = read_table("patients", self.patients)
        order = np.argsort(given["patient_id"], kind="stable")
        ids = given["patient_id"][order]
        _refuse_repeats("patients", given, order, [ids], "each patient_id once")
        known = {
            "patient_ids": ids,
            "started_us": given["started_at"][order],
            "result_columns": _results(read_table("results", self.results), ids),
            "rating_columns": _ratings(read_table("ratings", self.ratings), ids),
            "trial_columns": _trials(read_table("trials", self.trials), ids),
            "event_columns": _events(read_table("events", self.events), ids),
        }
        for name, value in known.items():
            object.__setattr__(self, name, value)


def microseconds(moment: datetime) -> int:
    """Turn an aware datetime into microseconds since 1970 UTC.

    Raises
    ------
    TimeIsNaive
        The datetime has no time zone.
    """
    if moment.tzinfo is None:
        raise TimeIsNaive(f"{moment!r}; wanted: a datetime with a time zone")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _results(given: dict[str, Column], ids: Ints) -> ResultColumns:
    table = "results"
    patient = _positions(table, given["patient_id"], ids)
    value = given["value"]
    _refuse(table, given, "value", value <= 0, "a concentration above zero")
    analyte = _codes(table, given, "analyte", ANALYTES)
    comparator = _codes(table, given, "comparator", COMPARATORS)
    status = _codes(table, given, "status", STATUSES)
    segment, segments = _labels(given["segment"])
    drawn = given["drawn_at"]
    order = np.lexsort((segment, analyte, drawn, patient))
    keys = [column[order] for column in (patient, drawn, analyte, segment)]
    _refuse_repeats(
        table, given, order, keys, "one result per patient, analyte, drawn_at and segment"
    )
    return ResultColumns(
        patient=keys[0],
        drawn_us=keys[1],
        analyte=keys[2],
        value=value[order],
        comparator=comparator[order],
        is_preliminary=status[order] == STATUSES.index("preliminary"),
        is_confirmed=(given["is_confirmed"] | (status == STATUSES.index("corrected")))[order],
        segment=keys[3],
        segments=segments,
    )


def _ratings(given: dict[str, Column], ids: Ints) -> RatingColumns:
    patient = _positions("ratings", given["patient_id"], ids)
    total = given["total"]
    wrong = (total < 0) | (total != np.floor(total))
    _refuse("ratings", given, "total", wrong, "whole scale points of at least zero")
    instrument, instruments = _labels(given["instrument"])
    rated = given["rated_at"]
    order = np.lexsort((total, rated, instrument, patient))
    return RatingColumns(
        patient=patient[order],
        instrument=instrument[order],
        rated_us=rated[order],
        total=total[order],
        instruments=instruments,
    )


def _trials(given: dict[str, Column], ids: Ints) -> TrialColumns:
    table = "trials"
    patient = _positions(table, given["patient_id"], ids)
    started, stopped = given["started_at"], given["stopped_at"]
    wrong = (stopped != NEVER) & (stopped < started)
    _refuse(table, given, "stopped_at", wrong, "a stop that is not before the start")
    order = np.lexsort((given["trial_id"], started, patient))
    by_id = np.argsort(given["trial_id"], kind="stable")
    _refuse_repeats(table, given, by_id, [given["trial_id"][by_id]], "each trial_id once")
    return TrialColumns(
        patient=patient[order],
        trial_id=given["trial_id"][order],
        started_us=started[order],
        stopped_us=stopped[order],
        adequate_us=given["adequate_from"][order],
        dose_mg=given["dose_mg"][order],
        drug=given["drug"][order],
        atc=given["atc"][order],
        stop_reason=given["stop_reason"][order],
    )


def _events(given: dict[str, Column], ids: Ints) -> EventColumns:
    table = "events"
    patient = _positions(table, given["patient_id"], ids)
    kind = _codes(table, given, "kind", EVENT_KINDS)
    started, stopped = given["started_at"], given["stopped_at"]
    wrong = (stopped != NEVER) & (stopped < started)
    _refuse(table, given, "stopped_at", wrong, "a stop that is not before the start")
    order = np.lexsort((stopped, kind, started, patient))
    return EventColumns(
        patient=patient[order],
        kind=kind[order],
        started_us=started[order],
        stopped_us=stopped[order],
    )


def _positions(table: str, wanted: Ints, ids: Ints) -> Ints:
    if len(wanted) == 0:
        return wanted
    found = np.searchsorted(ids, wanted)
    unknown = (
        (found == len(ids)) | (ids[np.minimum(found, len(ids) - 1)] != wanted)
        if len(ids)
        else np.ones(len(wanted), dtype=np.bool_)
    )
    if unknown.any():
        row = first_row(unknown)
        raise HistoryIsUnfit(
            table=table,
            column="patient_id",
            row=row,
            value=int(wanted[row]),
            wanted="a patient_id of the patients table",
        )
    return found


def _codes(table: str, given: dict[str, Column], column: str, known: tuple[str, ...]) -> Ints:
    places = {word: place for place, word in enumerate(known)}
    words = given[column].tolist()
    try:
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


def _labels(words: Objects) -> tuple[Ints, tuple[str, ...]]:
    listed = words.tolist()
    labels = tuple(sorted(set(listed)))
    places = {word: place for place, word in enumerate(labels)}
    return np.array([places[word] for word in listed], dtype=np.int64), labels


def _refuse(table: str, given: dict[str, Column], column: str, wrong: Bools, wanted: str) -> None:
    if not wrong.any():
        return
    row = first_row(wrong)
    value = given[column][row]
    if COLUMNS[table][column].startswith("time"):
        value = np.datetime64(int(value), "us")
    raise HistoryIsUnfit(table=table, column=column, row=row, value=value, wanted=wanted)


def _refuse_repeats(
    table: str, given: dict[str, Column], order: Ints, keys: list[Column], wanted: str
) -> None:
    if len(order) < 2:
        return
    same = keys[0][1:] == keys[0][:-1]
    for key in keys[1:]:
        same &= key[1:] == key[:-1]
    if same.any():
        row = int(order[first_row(same) + 1])
        value = {name: column[row] for name, column in given.items() if name in _KEYS[table]}
        raise HistoryIsUnfit(table=table, row=row, value=value, wanted=wanted)


_KEYS = {
    "patients": ("patient_id",),
    "results": ("patient_id", "analyte", "drawn_at", "segment"),
    "trials": ("trial_id",),
}
