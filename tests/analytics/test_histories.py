"""What comes in at the door is checked once, and refused aloud."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from analytics import (
    NEVER,
    History,
    HistoryIsUnfit,
    TimeIsNaive,
    TimeIsOffTheRecord,
    estimate_cohort,
)
from analytics.tables import Column
from tests.analytics.cohorts import (
    MONDAY,
    events_table,
    patients_table,
    ratings_table,
    results_table,
    trials_table,
    week,
)

Change = Callable[[pd.DataFrame], pd.DataFrame]


def mixed(column: str, values: list[object]) -> Change:
    return lambda frame: frame.assign(**{column: pd.Series(values, dtype=object)})


def put(column: str, value: object, *, row: int = 1) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].tolist()
        values[row] = value
        return frame.assign(**{column: pd.Series(values, dtype=frame[column].dtype)})

    return change


@pytest.mark.parametrize(
    ("change", "row", "column", "wanted"),
    [
        (put("value", np.inf), 1, "value", "finite"),
        (put("value", np.nan), 1, "value", "finite"),
        (put("value", -3.0), 1, "value", "above zero"),
        (put("value", 0.0), 1, "value", "above zero"),
        (put("analyte", "IL6"), 1, "analyte", "'sIL-6R'"),
        (put("comparator", "~"), 1, "comparator", "'<='"),
        (put("status", "cancelled"), 1, "status", "'final'"),
        (put("patient_id", 99), 1, "patient_id", "patients table"),
        (put("drawn_at", pd.NaT), 1, "drawn_at", "a time"),
        (put("drawn_at", week(0)), 1, "", "one result per patient"),
        (lambda f: f.assign(value=f["value"].astype(str)), 0, "value", "numbers"),
        (mixed("value", [30.0, "31", 32.0]), 1, "value", "numbers"),
        (mixed("value", [30.0, 31, None]), 2, "value", "numbers"),
        (mixed("assay_cv", [None, 0.07, "7 %"]), 2, "assay_cv", "numbers (float64) or NaN"),
        (lambda f: f.assign(assay_cv=[0.07, 7.0, 0.07]), 1, "assay_cv", "0.07 for 7 %"),
        (lambda f: f.assign(local_hour=[8.0, 8.5, 24.0]), 2, "local_hour", "below 24"),
        (lambda f: f.assign(local_day=[20458.0, np.nan, 0.5]), 2, "local_day", "whole number"),
        (lambda f: f.assign(local_day=[20458.0, 1e300, -1.0]), 1, "local_day", "whole number"),
        (lambda f: f.assign(patient_id=1.0), 0, "patient_id", "whole numbers"),
        (mixed("patient_id", [1, 1, "1"]), 2, "patient_id", "whole numbers"),
        (mixed("patient_id", [1, 2**63, 1]), 1, "patient_id", "whole numbers"),
        (mixed("drawn_at", [week(0), week(2).replace(tzinfo=None), None]), 1, "drawn_at", "a zone"),
        (mixed("is_confirmed", [True, None, False]), 1, "is_confirmed", "True or False"),
        (lambda f: f.assign(analyte=7), 0, "analyte", "text"),
        (lambda f: f.drop(columns="status"), None, "status", "missing"),
        (lambda f: f.assign(units="ng/mL"), None, "", "only patient_id"),
        (lambda f: f.assign(drawn_at=f["drawn_at"].dt.tz_localize(None)), 0, "drawn_at", "a zone"),
        (lambda f: f.assign(is_confirmed=1), 0, "is_confirmed", "True or False"),
    ],
)
def test_an_unfit_result_is_refused_by_row_column_value_and_remedy(
    change: Change, row: int | None, column: str, wanted: str
) -> None:
    results = change(results_table([30, 31, 32]))

    with pytest.raises(HistoryIsUnfit) as refused:
        History(patients=patients_table(), results=results)

    assert refused.value.table == "results"
    assert (refused.value.row, refused.value.column) == (row, column)
    assert wanted in str(refused.value)


def test_the_refusal_shows_the_value_that_was_found() -> None:
    results = results_table([30, -3.25])

    with pytest.raises(HistoryIsUnfit, match=r"results\.value, row 1: .*-3\.25.*above zero"):
        History(patients=patients_table(), results=results)


def test_the_same_analyte_may_be_measured_in_two_laboratories() -> None:
    both = pd.concat([results_table([30]), results_table([44], segment="2/kit")])

    history = History(patients=patients_table(), results=both)

    assert len(history.result_columns.value) == 2


@pytest.mark.parametrize("total", [3.5, -1.0, 28.0])
def test_a_rating_is_whole_points_of_its_scale(total: float) -> None:
    ratings = ratings_table([12, total], weeks=[0, 2])

    with pytest.raises(HistoryIsUnfit, match=r"row 1.*whole scale points from zero to 27"):
        History(patients=patients_table(), ratings=ratings)


def test_a_scale_that_is_not_declared_has_no_highest_total() -> None:
    ratings = ratings_table([12, 99], weeks=[0, 2], instrument="our own")

    history = History(patients=patients_table(), ratings=ratings)

    assert history.rating_columns.total.tolist() == [12, 99]


def test_columns_of_mixed_kinds_are_read_where_every_value_is_right() -> None:
    results = results_table([30, 31, 32])
    zone = ZoneInfo("Asia/Tokyo")
    drawn = [
        at.astimezone(zone) if place == 1 else at for place, at in enumerate(map(week, range(3)))
    ]
    given = results.assign(
        value=pd.Series([30, 31.0, 32], dtype=object),
        patient_id=pd.Series([1, 1, 1], dtype=object),
        drawn_at=pd.Series(drawn, dtype=object),
        is_confirmed=pd.Series([True, False, False], dtype=object),
        assay_cv=pd.Series([None, 0.07, None], dtype=object),
    )

    read = History(patients=patients_table(), results=given).result_columns

    plain = History(patients=patients_table(), results=results).result_columns
    assert read.value.tolist() == plain.value.tolist()
    assert read.drawn_us.tolist() == plain.drawn_us.tolist()
    assert read.is_confirmed.tolist() == [True, False, False]
    assert np.isnan(read.assay_cv).tolist() == [True, False, True]


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(HistoryIsUnfit, match="patients: 'list'; wanted: a DataFrame"):
        History(patients=[1, 2])  # type: ignore[arg-type]


def test_a_trial_does_not_stop_before_it_starts() -> None:
    trials = trials_table([(0, 4), (6, 5)])

    with pytest.raises(HistoryIsUnfit, match="stopped_at, row 1"):
        History(patients=patients_table(), trials=trials)


def test_a_trial_is_told_once() -> None:
    trials = pd.concat([trials_table(), trials_table()], ignore_index=True)

    with pytest.raises(HistoryIsUnfit, match="each trial_id once"):
        History(patients=patients_table(), trials=trials)


def test_a_patient_is_told_once() -> None:
    with pytest.raises(HistoryIsUnfit, match="each patient_id once"):
        History(patients=patients_table([4, 2, 4]))


def test_two_totals_of_one_scale_at_one_moment_are_refused_and_not_chosen_from() -> None:
    ratings = ratings_table([18, 16, 7], weeks=[0, 4, 4])

    for rows in (ratings, ratings.iloc[::-1].reset_index(drop=True)):
        with pytest.raises(HistoryIsUnfit, match="wanted: one rating per patient") as refused:
            History(patients=patients_table(), ratings=rows)
        assert refused.value.table == "ratings"
        assert f"{week(4):%Y-%m-%d}" in str(refused.value.value)


def test_two_scales_at_one_moment_are_two_ratings() -> None:
    own, other = (ratings_table([20], weeks=[4], instrument=name) for name in ("MADRS", "HDRS-17"))
    both = pd.concat([own, other], ignore_index=True)

    assert len(History(patients=patients_table(), ratings=both).rating_columns.total) == 2


def test_an_event_is_told_once() -> None:
    twice = pd.concat([events_table("infection", start=1)] * 2, ignore_index=True)

    with pytest.raises(HistoryIsUnfit, match=r"events, row 1: .*'infection'.*wanted: each event"):
        History(patients=patients_table(), events=twice)


def test_an_event_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(HistoryIsUnfit, match=r"events\.kind, row 0: 'flu'"):
        History(patients=patients_table(), events=events_table("flu", start=1))


def test_any_zone_will_do_and_means_the_same_moment() -> None:
    results = results_table([30, 40])
    tokyo = results.assign(drawn_at=results["drawn_at"].dt.tz_convert("Asia/Tokyo"))

    there = History(patients=patients_table(), results=tokyo)

    here = History(patients=patients_table(), results=results)
    assert np.array_equal(there.result_columns.drawn_us, here.result_columns.drawn_us)


def test_the_moment_of_an_estimate_has_a_zone() -> None:
    history = History(patients=patients_table())

    with pytest.raises(TimeIsNaive):
        estimate_cohort(history, at=datetime(2026, 1, 5))  # noqa: DTZ001


@pytest.mark.parametrize("year", [1, 1026, 1899, 2201, 9999])
def test_a_time_of_another_age_is_refused_and_spoils_no_other_patient(year: int) -> None:
    mistyped = ratings_table([18, 17], weeks=[0, 2])
    times = mistyped["rated_at"].astype(object)
    times.iloc[1] = datetime(year, 1, 5, 12, tzinfo=UTC)

    with pytest.raises(
        HistoryIsUnfit,
        match=rf"ratings.rated_at, row 1: '{year:04}-01-05T12.*wanted: a time from 1900 to 2200",
    ):
        History(patients=patients_table(), ratings=mistyped.assign(rated_at=times))
    with pytest.raises(TimeIsOffTheRecord, match=f"{year:04}-01-05.*wanted: a time from 1900"):
        estimate_cohort(History(patients=patients_table()), at=datetime(year, 1, 5, tzinfo=UTC))
    with pytest.raises(HistoryIsUnfit, match=r"patients.started_at, row 0"):
        History(patients=patients_table(started_at=datetime(year, 1, 5, tzinfo=UTC)))


def test_a_cohort_and_a_patient_alone_are_one_to_the_ends_of_the_record() -> None:
    ids, totals = [1, 2, 3], [[18, 17, 17], [18, 9, 8], [16, 16, 15]]
    tables = [
        ratings_table(each, weeks=[0, 2, 4], patient_id=pid)
        for pid, each in zip(ids, totals, strict=True)
    ]
    first = ratings_table([18], weeks=[0]).assign(
        rated_at=pd.Series([datetime(1900, 1, 1, tzinfo=UTC)], dtype="datetime64[us, UTC]")
    )
    ratings = pd.concat([first, *tables], ignore_index=True)
    at = datetime(2199, 12, 31, tzinfo=UTC)
    whole = estimate_cohort(History(patients=patients_table(ids), ratings=ratings), at=at)

    for pid, found in zip(ids, whole, strict=True):
        own = ratings[ratings["patient_id"] == pid]
        (alone,) = estimate_cohort(History(patients=patients_table([pid]), ratings=own), at=at)
        assert alone == found


def test_tables_may_be_empty() -> None:
    empty = results_table([]).iloc[:0]

    history = History(patients=patients_table(), results=empty)

    assert len(list(estimate_cohort(history, at=MONDAY))) == 1


def test_nobody_is_a_cohort_too() -> None:
    history = History(patients=patients_table([]))

    estimates = estimate_cohort(history, at=MONDAY)

    assert list(estimates) == []
    assert estimates.table.empty


def as_arrays(frame: pd.DataFrame) -> dict[str, Column]:
    """Give the columns as the second door takes them: times as microseconds since 1970 UTC."""
    kinds = COLUMNS_OF_RESULTS if "value" in frame else COLUMNS_OF_PATIENTS
    return {
        name: frame[name].to_numpy(dtype=kind).view(np.int64)
        if kind == "datetime64[us]"
        else frame[name].to_numpy(dtype=kind)
        for name, kind in kinds.items()
    }


COLUMNS_OF_PATIENTS = {"patient_id": "int64", "started_at": "datetime64[us]"}
COLUMNS_OF_RESULTS = {
    "patient_id": "int64",
    "analyte": "object",
    "drawn_at": "datetime64[us]",
    "value": "float64",
    "comparator": "object",
    "status": "object",
    "segment": "object",
}


def test_arrays_tell_the_same_as_data_frames() -> None:
    frames = patients_table(), results_table([30, 34, 33], weeks=[0, 4, 8])

    by_frame, by_array = (
        estimate_cohort(History(patients=patients, results=results), at=week(12))
        for patients, results in (frames, tuple(map(as_arrays, frames)))
    )

    assert list(by_frame) == list(by_array)


@pytest.mark.parametrize(
    ("change", "column", "wanted"),
    [
        ({"value": np.array([30.0, np.nan])}, "value", "finite"),
        ({"value": np.array([30, 31])}, "value", "numbers"),
        ({"value": np.array([30.0])}, "value", "2 rows"),
        ({"value": [30.0, 31.0]}, "value", "numbers"),
        ({"drawn_at": np.array(["2026-01-05"] * 2, dtype="datetime64[us]")}, "drawn_at", "micros"),
        ({"drawn_at": np.array([0, NEVER])}, "drawn_at", "a time"),
        ({"analyte": np.array(["sIL-6R", None], dtype=object)}, "analyte", "text"),
        ({"units": np.array(["ng/mL"] * 2, dtype=object)}, "", "only patient_id"),
    ],
)
def test_unfit_arrays_are_refused_like_data_frames(
    change: dict[str, Column], column: str, wanted: str
) -> None:
    results = as_arrays(results_table([30, 31])) | change

    with pytest.raises(HistoryIsUnfit) as refused:
        History(patients=as_arrays(patients_table()), results=results)

    assert (refused.value.table, refused.value.column) == ("results", column)
    assert wanted in str(refused.value)


def test_a_stated_unit_is_checked() -> None:
    right = results_table([30.0, 31.0], unit="ng/mL")
    wrong = right.assign(unit=["ng/mL", "pg/mL"])

    History(patients=patients_table(), results=right)

    with pytest.raises(HistoryIsUnfit, match=r"results.unit, row 1: 'pg/mL'; wanted: 'ng/mL'"):
        History(patients=patients_table(), results=wrong)


def test_refusals_show_times_and_numbers_as_they_were_given() -> None:
    table = results_table([30.0, 31.0], weeks=[0, 0])

    with pytest.raises(HistoryIsUnfit) as refused:
        History(patients=patients_table(), results=table)

    assert "{'patient_id': 1, 'analyte': 'sIL-6R', 'drawn_at': '2026-01-05T00:00:00" in str(
        refused.value
    )


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("analyte", "IL-10", r"results.analyte, row 77: 'IL-10'; wanted: 'sIL-6R' or"),
        ("analyte", 6, r"results.analyte, row 77: 6; wanted: text"),
        ("status", "draft", r"results.status, row 77: 'draft'; wanted: 'preliminary' or"),
        ("value", -1.0, r"results.value, row 77: -1.0; wanted: a concentration above zero"),
        ("patient_id", 5, r"results.patient_id, row 77: 5; wanted: a patient_id"),
    ],
)
def test_a_fault_in_a_long_table_is_named_like_one_in_a_short(
    column: str, value: object, told: str
) -> None:
    table = results_table(np.linspace(20, 40, 120).tolist())
    cells = table[column].tolist()
    cells[77] = value
    dtype = object if table[column].dtype == "str" else table[column].dtype
    table[column] = pd.Series(cells, dtype=dtype)

    with pytest.raises(HistoryIsUnfit, match=told):
        History(patients=patients_table(), results=table)


def test_a_row_that_is_there_twice_is_found_in_a_long_table_in_any_order() -> None:
    table = results_table(np.linspace(20, 40, 120).tolist())
    twice = pd.concat([table, table.iloc[[7]]], ignore_index=True)

    for rows in (twice, twice.sort_values("drawn_at", kind="stable").reset_index(drop=True)):
        with pytest.raises(HistoryIsUnfit, match="wanted: one result per patient, analyte"):
            History(patients=patients_table(), results=rows)


def test_a_long_table_in_another_order_is_the_same_history() -> None:
    table = results_table(np.linspace(20, 40, 120).tolist())
    turned = table.iloc[::-1].reset_index(drop=True)

    one, other = (
        History(patients=patients_table(), results=rows).result_columns for rows in (table, turned)
    )

    assert one.drawn_us.tolist() == other.drawn_us.tolist()
    assert one.value.tolist() == other.value.tolist()


@pytest.mark.parametrize("wrong", [0.5, -1.0])
def test_half_a_failed_treatment_is_refused(wrong: float) -> None:
    patients = patients_table().assign(earlier_failures=wrong)

    with pytest.raises(HistoryIsUnfit, match=rf"earlier_failures, row 0: {wrong}; wanted: a "):
        History(patients=patients)


def test_a_column_of_one_value_stays_one_cell_however_many_the_rows() -> None:
    results = results_table([30.0] * 100, weeks=range(100))

    columns = History(patients=patients_table(), results=results).result_columns

    told = (columns.comparator, columns.segment, columns.analyte)
    untold = (columns.assay_cv, columns.local_day, columns.is_kit_assumed)
    for column in (*told, *untold):
        assert column.strides == (0,)
        assert len(column) == 100


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("value", 10**400),
        ("assay_cv", np.array([1, 2])),
        ("drawn_at", np.array([1, 2])),
        ("drawn_at", pd.Series([1, 2])),
        ("drawn_at", pd.Period("2026-01-05", freq="D")),
    ],
)
def test_a_cell_that_no_table_holds_is_refused_by_row(column: str, cell: object) -> None:
    results = results_table([30.0, 31.0], assay_cv=[None, None])
    cells: list[Any] = [results[column].tolist()[0], cell]
    results = results.assign(**{column: pd.Series(cells, dtype=object)})

    told = rf"(?s)results\.{column}, row 1: .*wanted: (a col|num)"
    with pytest.raises(HistoryIsUnfit, match=told):
        History(patients=patients_table(), results=results)


def test_a_time_that_no_microseconds_count_and_a_column_that_is_none_are_refused() -> None:
    far = pd.Series(np.array([10**14], dtype="M8[s]")).dt.tz_localize("UTC")

    with pytest.raises(HistoryIsUnfit, match=r"results.drawn_at: .*wanted: a time from 1900"):
        History(patients=patients_table(), results=results_table([30.0]).assign(drawn_at=far))
    with pytest.raises(HistoryIsUnfit, match=r"patients.patient_id: 'int'; wanted: whole numbers"):
        History(patients={"patient_id": 5, "started_at": 5})  # type: ignore[dict-item]
