"""What is known of a cohort, checked once and aloud, and turned into sorted numpy columns.

The first step of the core: six tables come in at the door, everything after it
works on arrays whose order does not depend on the order of the rows given.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from analytics.coding import codes_of, in_order, order_of, order_of_trials, positions_of
from analytics.columns import (
    ADHERENCES,
    ANALYTES,
    COMPARATORS,
    EVENT_KINDS,
    GENOTYPES,
    HAEMOLYSES,
    IL6R_BLOCKER_DAYS,
    OVERRIDES,
    SEVERITIES,
    STATUSES,
    TRIAL_KINDS,
    DoseColumns,
    EventColumns,
    RatingColumns,
    ResultColumns,
    SpecimenColumns,
    TrialColumns,
    freeze,
)
from analytics.measures import refuse_out_of_bounds, refuse_totals, refuse_units
from analytics.reasons import CAUTIONING, CAUTIONS
from analytics.segments import labels, name_segments
from analytics.tables import (
    COLUMNS,
    NEVER,
    Bools,
    Column,
    Floats,
    HistoryIsUnfit,
    Ints,
    Objects,
    Table,
    first_row,
    is_any,
    is_blank,
    read_table,
)

Known = TypeVar("Known")
Columns = TypeVar("Columns")
_BLOCKER = EVENT_KINDS.index("il6r_blocker")


@dataclass(frozen=True)
class History:
    """All that is known of a cohort, as six tables, validated on construction.

    Parameters
    ----------
    patients, results, ratings, trials, events, doses : DataFrame or mapping of arrays
        Columns as in :data:`COLUMNS`. Rows may come in any order and tables may
        be empty (or None); the columns of :data:`OPTIONAL` may be left out. ``is_confirmed``
        says that a person has checked an implausible result, ``is_overridden`` that a person
        scores a draw in spite of its cautions (of those alone that ``overridden_reasons`` names,
        divided by spaces, where it names any), ``is_zero`` that a laboratory reported 0 (shown,
        never scored), ``is_kept_out`` that a person keeps the draw out; a ``segment`` that is the
        ``laboratory`` alone does not state its kit.
        Values are canonical: sIL-6R in ng/mL, IL-6 and TNF-α in pg/mL, hs-CRP in mg/L (``unit``
        may say so, and is checked); times carry a zone.
        A mapping spares the DataFrame: of each column an array of int64, float64, bool or
        text (object), times as int64 microseconds since 1970 UTC, ``NEVER`` for none.

    Raises
    ------
    HistoryIsUnfit
        A column is missing or unknown, a value is infinite, zero, negative or
        not of its kind, a time is naive, a row is duplicated, or it names a
        patient who is not in ``patients``. The message says where, and what
        would be right.
    """

    patients: Table
    results: Table | None = None
    ratings: Table | None = None
    trials: Table | None = None
    events: Table | None = None
    doses: Table | None = None
    patient_ids: Ints = field(init=False, repr=False, compare=False)
    started_us: Ints = field(init=False, repr=False, compare=False)
    result_columns: ResultColumns = field(init=False, repr=False, compare=False)
    rating_columns: RatingColumns = field(init=False, repr=False, compare=False)
    trial_columns: TrialColumns = field(init=False, repr=False, compare=False)
    event_columns: EventColumns = field(init=False, repr=False, compare=False)
    dose_columns: DoseColumns = field(init=False, repr=False, compare=False)
    is_bipolar: Bools = field(init=False, repr=False, compare=False)
    is_psychotic: Bools = field(init=False, repr=False, compare=False)  # a disorder of F20 to F29
    primary_instrument: Objects = field(init=False, repr=False, compare=False)
    genotype: Ints = field(init=False, repr=False, compare=False)  # position in GENOTYPES
    ill_since_us: Ints = field(init=False, repr=False, compare=False)
    severity: Ints = field(init=False, repr=False, compare=False)  # position in SEVERITIES
    earlier_failures: Floats = field(init=False, repr=False, compare=False)  # NaN: not known
    dose_table: Objects = field(init=False, repr=False, compare=False)  # version; "": the default

    def __post_init__(self) -> None:
        """Read every column once; whatever is wrong is refused here."""
        given = read_table("patients", self.patients)
        earlier = given["earlier_failures"]
        no_count = (earlier < 0) | (earlier % 1 > 0)
        counted = "a number of trials, whole, or none"
        _refuse("patients", given, "earlier_failures", no_count, counted)
        order = given["patient_id"].argsort(kind="stable")
        ids = given["patient_id"][order]
        _refuse_repeats("patients", given, order, [ids], "each patient_id once")
        trials = _columns("trials", self.trials, ids, _trials, _NO_TRIALS)
        known = {
            "patient_ids": ids,
            "started_us": given["started_at"][order],
            "is_bipolar": given["is_bipolar"][order],
            "is_psychotic": given["is_psychotic"][order],
            "primary_instrument": given["primary_instrument"][order],
            "genotype": codes_of("patients", given, "rs2228145", GENOTYPES)[order],
            "ill_since_us": given["ill_since"][order],
            "severity": codes_of("patients", given, "severity", SEVERITIES)[order],
            "earlier_failures": given["earlier_failures"][order],
            "dose_table": given["dose_table"][order],
            "dose_columns": _columns("doses", self.doses, trials, _doses, _NO_DOSES),
            "result_columns": _columns("results", self.results, ids, _results, _NO_RESULTS),
            "rating_columns": _columns("ratings", self.ratings, ids, _ratings, _NO_RATINGS),
            "trial_columns": trials,
            "event_columns": _columns("events", self.events, ids, _events, _NO_EVENTS),
        }
        freeze(*known.values())
        self.__dict__.update(known)  # it is frozen from here on


def _columns(
    table: str,
    given: Table | None,
    known: Known,
    read: Callable[[dict[str, Column], Known], Columns],
    nothing: Columns,
) -> Columns:
    """Read a table that refers to what is known; one without rows was read once for all."""
    if given is None:
        return nothing
    columns = read_table(table, given)
    return read(columns, known) if any(map(len, columns.values())) else nothing


def _results(given: dict[str, Column], ids: Ints) -> ResultColumns:
    table = "results"
    patient = positions_of(table, given["patient_id"], ids)
    value = given["value"]
    is_zero = given["is_zero"]
    wanted = "a concentration above zero, or 0 with is_zero"
    _refuse(table, given, "value", (value <= 0) & ~((value == 0) & is_zero), wanted)
    _refuse(table, given, "value", is_zero & (value > 0), "0 where is_zero says so")
    if is_any(is_zero):
        value = np.where(is_zero, np.nan, value)
    analyte = codes_of(table, given, "analyte", ANALYTES)
    refuse_units(given, analyte)
    refuse_out_of_bounds(given)
    comparator = codes_of(table, given, "comparator", COMPARATORS)
    status = codes_of(table, given, "status", STATUSES)
    drawn = given["drawn_at"]
    names, is_kit_assumed, told_us = name_segments(given, patient, analyte)
    segment, segments = labels(names)
    order = order_of(patient, drawn, analyte, segment)
    keys = [in_order(column, order) for column in (drawn, patient, analyte, segment)]
    _refuse_repeats(
        table, given, order, keys, "one result per patient, analyte, drawn_at and segment"
    )
    return ResultColumns(
        patient=keys[1],
        drawn_us=keys[0],
        analyte=keys[2],
        value=in_order(value, order),
        comparator=in_order(comparator, order),
        is_preliminary=in_order(status, order) == STATUSES.index("preliminary"),
        is_confirmed=in_order(given["is_confirmed"], order),
        segment=keys[3],
        segments=segments,
        is_kit_assumed=in_order(is_kit_assumed, order),
        told_us=told_us,
        assay_cv=in_order(given["assay_cv"], order),
        local_day=in_order(given["local_day"], order),
        waives=_waives(given, order),
        specimens=_specimens(given, order),
    )


def _waives(given: dict[str, Column], order: Ints) -> Ints:
    """Give the cautions in spite of which each result is scored, as a bit mask."""
    overridden, named = given["is_overridden"], given["overridden_reasons"]
    if not is_any(overridden):
        return np.broadcast_to(np.int64(0), len(overridden))
    [rows] = overridden.nonzero()
    masks, unknown = [], np.zeros(len(overridden), dtype=np.bool_)
    for row, text in zip(rows.tolist(), named[rows].tolist(), strict=True):
        codes = text.split()
        unknown[row] = not CAUTIONS.keys() >= set(codes)
        masks.append(sum(CAUTIONS.get(code, 0) for code in codes) or CAUTIONING)
    wanted = f"cautions divided by spaces, of {', '.join(CAUTIONS)}"
    _refuse("results", given, "overridden_reasons", unknown, wanted)
    waives = np.zeros(len(overridden), dtype=np.int64)
    waives[rows] = masks
    return waives[order]


_SPECIMEN_FLAGS = (
    "is_duplicate",
    "is_matrix_wrong",
    "is_kit_unknown",
    "is_unsuitable",
    "is_zero",
    "is_kept_out",
)
_OF_SPECIMENS = (*_SPECIMEN_FLAGS, "haemolysis", "freeze_thaw_cycles", "lot", "local_hour")


def _specimens(given: dict[str, Column], order: Ints) -> SpecimenColumns | None:
    if all(is_blank(given[name]) for name in _OF_SPECIMENS):
        return None
    flags = [given[name] for name in _SPECIMEN_FLAGS]
    numbers = given["freeze_thaw_cycles"], given["local_hour"]
    haemolysis = codes_of("results", given, "haemolysis", HAEMOLYSES)
    is_known = any(map(is_any, (*flags, haemolysis, *(one == one for one in numbers))))
    if not (is_known or any(given["lot"].tolist())):
        return None
    freeze_thaw_cycles, local_hour = (number[order] for number in numbers)
    return SpecimenColumns(
        **{name: flag[order] for name, flag in zip(_SPECIMEN_FLAGS, flags, strict=True)},
        haemolysis=haemolysis[order],
        freeze_thaw_cycles=freeze_thaw_cycles,
        lot=given["lot"][order],
        local_hour=local_hour,
    )


def _ratings(given: dict[str, Column], ids: Ints) -> RatingColumns:
    patient = positions_of("ratings", given["patient_id"], ids)
    total = given["total"]
    refuse_totals(total, given["instrument"].tolist())
    instrument, instruments = labels(given["instrument"])
    rated = given["rated_at"]
    order = np.lexsort((rated, instrument, patient))
    keys = [column[order] for column in (rated, patient, instrument)]
    wanted = "one rating per patient, instrument and rated_at, the one that holds"
    _refuse_repeats("ratings", given, order, keys, wanted)
    return RatingColumns(
        patient=keys[1],
        instrument=keys[2],
        rated_us=keys[0],
        total=total[order],
        instruments=instruments,
    )


def _trials(given: dict[str, Column], ids: Ints) -> TrialColumns:
    table = "trials"
    patient = positions_of(table, given["patient_id"], ids)
    started, stopped = given["started_at"], given["stopped_at"]
    wrong = (stopped != NEVER) & (stopped < started)
    _refuse(table, given, "stopped_at", wrong, "a stop that is not before the start")
    order = order_of_trials(given, patient)
    by_id = np.argsort(given["trial_id"], kind="stable")
    _refuse_repeats(table, given, by_id, [given["trial_id"][by_id]], "each trial_id once")
    _refuse_overlaps(given, patient)
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
        kind=codes_of(table, given, "kind", TRIAL_KINDS)[order],
        adherence=codes_of(table, given, "adherence", ADHERENCES)[order],
        override=codes_of(table, given, "override", OVERRIDES)[order],
        least_mg=given["least_mg"][order],
    )


def _refuse_overlaps(given: dict[str, Column], patient: Ints) -> None:
    """Refuse two trials of one drug at one time: a change of dose is no new trial."""
    atc, started, stopped = given["atc"], given["started_at"], given["stopped_at"]
    if len(atc) < 2:
        return
    ends = np.where(stopped == NEVER, np.iinfo(np.int64).max, stopped)
    order = np.lexsort((ends, started, code := labels(atc)[0], patient))
    same = (patient[order][1:] == patient[order][:-1]) & (code[order][1:] == code[order][:-1])
    before, after = order[:-1], order[1:]
    overlaps = same & ((stopped[before] == NEVER) | (stopped[before] > started[after]))
    overlaps &= atc[before] != ""
    if is_any(overlaps):
        row = int(after[first_row(overlaps)])
        raise HistoryIsUnfit(
            table="trials",
            column="started_at",
            row=row,
            value=_shown("trials", "started_at", started[row]),
            wanted="a start after the stop of the earlier trial of the same drug; "
            "a change of dose is a dose step, not a trial",
        )


def _doses(given: dict[str, Column], trials: TrialColumns) -> DoseColumns:
    table, wanted = "doses", given["trial_id"]
    by_id = np.argsort(trials.trial_id, kind="stable")
    place = positions_of(table, wanted, trials.trial_id[by_id], column="trial_id")
    trial = by_id[place] if len(wanted) else wanted
    _refuse(table, given, "dose_mg", given["dose_mg"] <= 0, "a daily dose in mg above zero")
    early = given["started_at"] < trials.started_us[trial] if len(trial) else np.zeros(0, np.bool_)
    _refuse(table, given, "started_at", early, "a day that is not before the start of the trial")
    order = np.lexsort((given["started_at"], trial))
    keys = [trial[order], given["started_at"][order]]
    _refuse_repeats(table, given, order, keys, "one dose per trial and day")
    return DoseColumns(trial=keys[0], started_us=keys[1], dose_mg=given["dose_mg"][order])


def _events(given: dict[str, Column], ids: Ints) -> EventColumns:
    table, atc = "events", given["drug_atc"]
    patient = positions_of(table, given["patient_id"], ids)
    kind = codes_of(table, given, "kind", EVENT_KINDS)
    if any(codes := atc.tolist()):
        # What the drug is stands before what it was called
        kind = kind.copy()
        kind[[bool(code) and code in IL6R_BLOCKER_DAYS for code in codes]] = _BLOCKER
    started, stopped = given["started_at"], given["stopped_at"]
    wrong = (stopped != NEVER) & (stopped < started)
    _refuse(table, given, "stopped_at", wrong, "a stop that is not before the start")
    order = np.lexsort((atc, stopped, kind, started, patient))
    keys = [column[order] for column in (started, patient, kind, stopped, atc)]
    _refuse_repeats(table, given, order, keys, "each event once")
    return EventColumns(
        patient=keys[1],
        kind=keys[2],
        started_us=keys[0],
        stopped_us=keys[3],
        atc=atc[order],
    )


def _refuse(table: str, given: dict[str, Column], column: str, wrong: Bools, wanted: str) -> None:
    if not is_any(wrong):
        return
    row = first_row(wrong)
    value = _shown(table, column, given[column][row])
    raise HistoryIsUnfit(table=table, column=column, row=row, value=value, wanted=wanted)


def _shown(table: str, column: str, value: Any) -> object:
    """Write a value as whoever gave it would: a time as a time, a number as a number."""
    if COLUMNS[table][column].startswith("time"):
        if value == NEVER:
            return None
        return f"{np.datetime64(int(value), 'us')}Z"
    return value.item() if isinstance(value, np.generic) else value


def _refuse_repeats(
    table: str, given: dict[str, Column], order: Ints, keys: list[Column], wanted: str
) -> None:
    if len(order) < 2:
        return
    same = keys[0][1:] == keys[0][:-1]
    for key in keys[1:]:
        if not is_any(same):
            return
        same &= key[1:] == key[:-1]
    if is_any(same):
        row = int(order[first_row(same) + 1])
        value = {name: _shown(table, name, given[name][row]) for name in _KEYS[table]}
        raise HistoryIsUnfit(table=table, row=row, value=value, wanted=wanted)


_KEYS = {
    "patients": ("patient_id",),
    "results": ("patient_id", "analyte", "drawn_at", "segment"),
    "trials": ("trial_id",),
    "doses": ("trial_id", "started_at"),
    "ratings": ("patient_id", "instrument", "rated_at", "total"),
    "events": ("patient_id", "kind", "started_at", "stopped_at", "drug_atc"),
}
_NO_IDS = np.empty(0, dtype=np.int64)
_NO_RESULTS = _results(read_table("results", None), _NO_IDS)
_NO_RATINGS = _ratings(read_table("ratings", None), _NO_IDS)
_NO_TRIALS = _trials(read_table("trials", None), _NO_IDS)
_NO_EVENTS = _events(read_table("events", None), _NO_IDS)
_NO_DOSES = _doses(read_table("doses", None), _NO_TRIALS)
