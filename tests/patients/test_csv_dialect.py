"""From the bytes of a CSV file to reports of draws, or to every fault with its row and column."""

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from patients.intake.reports import DrawReport
from patients.intake.tables.faults import FileIsUnreadable
from patients.intake.tables.layout import Layout
from patients.intake.tables.reading import Kind, Reading, read_table
from tests.patients.tables import CASES, body_of, layout_of, table_of


def read(case: dict[str, Any]) -> Reading:
    charset = str(case.get("charset", ""))
    return read_table(body_of(case), kind=Kind.CSV, layout=layout_of(case), charset=charset)


def said_of(draw: DrawReport, name: str) -> Any:
    """Look a fact up by its name, in the plain form in which cases are written."""
    match name:
        case "patients":
            return [[each.system, each.value] for each in draw.patients]
        case "results":
            return len(draw.results)
        case "results.0.codes":
            return [list(code.key) for code in draw.results[0].codes]
        case "results.0.names":
            return [[each.system, each.value] for each in draw.results[0].names]
        case "moments.0":
            first = draw.times[0]
            return [first.at.isoformat() if first.at else None, first.precision.value]
    found: Any = draw.model_dump(mode="json")
    for step in name.split("."):
        found = found[int(step)] if isinstance(found, list) else found[step]
    return found


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case["name"]) for case in CASES if "refused" not in case],
)
def test_a_file_is_read_as_the_case_says(case: dict[str, Any]) -> None:
    reading = read(case)

    assert [fault.pointer for fault in reading.faults] == case.get("faults", [])
    assert list(reading.without_result) == case.get("without_result", [])
    expected = dict(case.get("read", {}))
    if expected:
        assert len(reading.reports) == expected.pop("draws", 1)
        first = reading.reports[0]
        assert {name: said_of(first, name) for name in expected} == expected


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["name"]) for case in CASES if "refused" in case]
)
def test_a_file_that_is_no_table_is_refused_with_every_fault(case: dict[str, Any]) -> None:
    with pytest.raises(FileIsUnreadable) as refused:
        read(case)

    assert [fault.pointer for fault in refused.value.faults] == case["refused"]


def test_there_are_more_than_a_hundred_cases() -> None:
    assert len(CASES) > 100
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (
            {"rows": [{"value": "37,50"}]},
            "row 2, column “value”: “37,50” has a decimal comma; in the files of this laboratory "
            "it is a point: “37.50”",
        ),
        (
            {"rows": [{"status": "F"}]},
            "row 2, column “status”: “F” must be one of registered, preliminary, final, amended, "
            "corrected, cancelled, entered-in-error, or empty for final",
        ),
        (
            {"rows": [{"patient": "1.23E+11"}]},
            "row 2, column “patient”: “1.23E+11” is a number that a spreadsheet has shortened; "
            "make the column one of text and fill it anew",
        ),
    ],
)
def test_a_fault_says_where_what_and_what_would_be_right(case: dict[str, Any], told: str) -> None:
    assert [str(fault) for fault in read(case).faults] == [told]


def test_a_result_that_is_repeated_stands_once_with_both_its_rows() -> None:
    reading = read({"rows": [{}, {}]})

    [[places]] = reading.places
    assert [place.row for place in places] == [2, 3]


@pytest.mark.parametrize(
    "wrong",
    [
        {"delimiter": "|"},
        {"decimal": ",", "delimiter": ","},
        {"charset": "klingon"},
        {"time_format": "%d %B %Y"},
        {"time_format": "%H:%M"},
        {"clock_format": "%M"},
        {"time_zone": "Mars/Olympus"},
        {"columns": [{"column": "a", "holds": "patient"}, {"column": "A", "holds": "value"}]},
        {"columns": [{"column": "a", "holds": "patient"}, {"column": "b", "holds": "patient"}]},
        {"columns": [{"column": "a", "holds": "value"}, {"column": "b", "holds": "value"}]},
        {"columns": [{"column": "a", "holds": "patient", "unit": "ng/mL"}]},
        {"columns": [{"column": "a", "holds": "colour"}]},
        {"constants": {"value": "1"}},
        {"statuses": {"F": "finished"}},
        {"colour": "red"},
    ],
)
def test_a_layout_that_cannot_be_right_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Layout.model_validate(wrong)


WIDE = Layout.model_validate(
    {
        "decimal": ",",
        "time_format": "%d.%m.%Y",
        "columns": [
            {"column": "a", "holds": "value", "analyte": "sIL-6R", "unit": "ng/mL"},
            {"column": "b", "holds": "value", "analyte": "IL-6", "unit": "pg/mL"},
        ],
        "constants": {"patient_system": "urn:clinic:mrn"},
        "absent": {"n.d.": "not-performed"},
    }
)
PIECES = st.sampled_from(
    [
        *("accession", "patient", "patient_system", "collected_at", "analyte", "value", "unit"),
        *(
            ",",
            ";",
            "\t",
            "\n",
            "\r",
            "\r\n",
            '"',
            "<",
            "-",
            " ",
            "0",
            "37,5",
            "37.5",
            "2026-11-02",
        ),
        *(
            "status",
            "final",
            "cancelled",
            "a",
            "b",
            "n.d.",
            "sep=;\n",
            "\ufeff",
            "\x00",
            "𝟛",
            "=1+1",
        ),
    ]
)


@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(max_size=300).map(str.encode),
        st.lists(PIECES, max_size=60).map(lambda pieces: "".join(pieces).encode()),
        st.lists(PIECES, max_size=40).map(lambda p: (table_of({}) + "".join(p)).encode()),
    ),
    st.sampled_from([Layout(), WIDE]),
    st.sampled_from(["", "utf-16", "iso-8859-1", "shift_jis"]),
)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_comes_is_read_or_refused(body: bytes, layout: Layout, charset: str) -> None:
    try:
        reading = read_table(body, kind=Kind.CSV, layout=layout, charset=charset)
    except FileIsUnreadable:
        return
    assert len(reading.reports) == len(reading.places)


cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@given(st.dictionaries(st.sampled_from([*table_of({}).split("\r\n")[0].split(",")]), cell))
@settings(max_examples=300, deadline=None)
def test_whatever_stands_in_a_cell_is_read_or_named(change: dict[str, str]) -> None:
    body = table_of(change).encode()
    try:
        reading = read_table(body, kind=Kind.CSV)
    except FileIsUnreadable:
        return
    assert reading.reports or reading.faults


BIG = 5 * 1024 * 1024
_HEAD, _ROW = table_of({}).encode().split(b"\r\n")[:2]
HUGE = {
    "rows": _HEAD + b"\n" + (_ROW + b"\n") * (BIG // len(_ROW)),
    "quotation marks": b'"' * BIG,
    "an open quotation mark": _HEAD + b'\n"' + b"a" * BIG,
    "delimiters": b"," * BIG,
    "empty lines": b"\n" * BIG,
    "one word": b"a" * BIG,
    "carriage returns": b"\r" * BIG,
    "wide empty rows": _HEAD + b"\n" + (b"," * 190 + b"\n") * (BIG // 191),
    "wide rows of faults": _HEAD + b"\n" + (b"x," * 190 + b"\n") * (BIG // 381),
    "a header of many columns": b",".join(b"c%d" % n for n in range(BIG // 8)),
    "long cells": _HEAD + b"\n" + (b"a" * 100_000 + b"\n") * (BIG // 100_001),
    "long numbers": _HEAD + b"\n" + (_ROW.replace(b"37.50", b"9" * 1000) + b"\n") * 4500,
    "versions of one result": _HEAD
    + b"\n"
    + b"".join(_ROW.replace(b"37.50", b"%d" % n) + b"\n" for n in range(5000)),
}


@pytest.mark.parametrize("name", HUGE)
def test_five_megabytes_of_anything_are_answered_within_two_seconds(name: str) -> None:
    began = time.process_time()
    with suppress(FileIsUnreadable):
        read_table(HUGE[name][:BIG], kind=Kind.CSV)
    assert time.process_time() - began < 2
