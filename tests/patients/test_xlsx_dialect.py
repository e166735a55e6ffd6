"""From the bytes of an XLSX workbook to reports of draws; what a spreadsheet bends is refused."""

import io
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from datetime import time as clock
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from patients.intake.tables.faults import FileIsUnreadable
from patients.intake.tables.layout import Layout
from patients.intake.tables.reading import Kind, Reading, read_table
from tests.patients.tables import BASE


def workbook_of(
    *changes: dict[str, Any], formats: dict[str, str] | None = None, more: Callable[[Any], Any] = id
) -> bytes:
    """Write a workbook of the plain row with some cells changed, one row for each change."""
    book = Workbook()
    sheet = book.active
    rows = [dict(BASE) | change for change in changes]
    names = list(dict.fromkeys(name for row in rows for name in row))
    sheet.append(names)
    for row in rows:
        sheet.append([row.get(name) for name in names])
        for name, form in (formats or {}).items():
            sheet.cell(sheet.max_row, names.index(name) + 1).number_format = form
    more(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read(body: bytes, **layout: Any) -> Reading:
    return read_table(body, kind=Kind.XLSX, layout=Layout.model_validate(layout))


def told(reading: Reading) -> list[str]:
    return [str(fault) for fault in reading.faults]


@pytest.mark.parametrize(
    ("kept", "text"),
    [(37.5, "37.5"), (37, "37"), (0.1, "0.1"), (37.50000001, "37.50000001"), ("37.50", "37.50")],
)
def test_a_number_is_the_shortest_that_the_spreadsheet_could_mean(kept: Any, text: str) -> None:
    [report] = read(workbook_of({"value": kept})).reports

    assert report.results[0].value == text


def test_text_may_hold_what_a_number_cannot() -> None:
    [report] = read(workbook_of({"value": "<0.5"})).reports

    assert (report.results[0].comparator, report.results[0].value) == ("<", "0.5")


def test_a_number_has_a_decimal_point_whatever_sign_the_profile_says() -> None:
    [report] = read(workbook_of({"value": 37.5}), decimal=",", delimiter=";").reports

    assert report.results[0].value == "37.5"


@pytest.mark.parametrize(
    ("kept", "shown_as", "moment", "precision"),
    [
        (
            datetime.fromisoformat("2026-11-02T08:10"),
            "DD.MM.YYYY HH:MM",
            "2026-11-02T08:10:00",
            "minute",
        ),
        (datetime.fromisoformat("2026-11-02"), "DD.MM.YYYY", "2026-11-02T00:00:00", "day"),
        (date(2026, 11, 2), "YYYY-MM-DD", "2026-11-02T00:00:00", "day"),
    ],
)
def test_a_date_of_the_spreadsheet_is_a_time_without_a_zone(
    kept: Any, shown_as: str, moment: str, precision: str
) -> None:
    [report] = read(workbook_of({"collected_at": kept}, formats={"collected_at": shown_as})).reports

    [seen] = report.times
    assert seen.at is not None
    assert (seen.at.isoformat(), seen.precision) == (moment, precision)


def test_day_and_time_may_stand_in_two_columns() -> None:
    body = workbook_of({"collected_at": date(2026, 11, 2), "collected_time": clock(8, 10)})

    [report] = read(body).reports
    assert report.times[0].at == datetime.fromisoformat("2026-11-02T08:10")


@pytest.mark.parametrize(
    ("change", "shown_as", "fault"),
    [
        ({"value": "=30+7.5"}, {}, "row 2, column “value”: holds a formula"),
        ({"value": "#N/A"}, {}, "row 2, column “value”: holds an error"),
        ({"value": True}, {}, "row 2, column “value”: holds TRUE or FALSE"),
        ({"value": 0.5}, {"value": "0.00%"}, "row 2, column “value”: is shown as a percentage"),
        ({"value": -3}, {}, "row 2, column “value”: “-3” is below zero"),
        ({"patient": 42}, {"patient": "0000"}, "row 2, column “patient”: is shown as 0042"),
        (
            {"accession": 12345678901234567},
            {},
            "row 2, column “accession”: holds a number of more than 15 digits",
        ),
    ],
)
def test_what_a_spreadsheet_bends_is_refused_by_its_cell(
    change: dict[str, Any], shown_as: dict[str, str], fault: str
) -> None:
    reading = read(workbook_of(change, formats=shown_as))

    [said] = told(reading)
    assert said.startswith(fault)


def test_a_whole_number_may_be_a_name() -> None:
    [report] = read(workbook_of({"patient": 42})).reports

    assert report.patients[0].value == "42"


def other_sheet(book: Any) -> None:
    book.create_sheet("Notes")["A1"] = "do not read"


def test_two_sheets_with_something_in_them_are_one_too_many() -> None:
    with pytest.raises(FileIsUnreadable, match="2 sheets hold something"):
        read(workbook_of({}, more=other_sheet))


def test_the_profile_may_name_the_sheet() -> None:
    assert len(read(workbook_of({}, more=other_sheet), sheet="Sheet").reports) == 1
    with pytest.raises(FileIsUnreadable, match="no sheet “Results”"):
        read(workbook_of({}), sheet="Results")


def test_an_empty_sheet_beside_it_does_no_harm() -> None:
    assert read(workbook_of({}, more=lambda book: book.create_sheet("Empty"))).reports


def packed(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, part in parts.items():
            folder.writestr(name.replace("__", "/"), part)
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "no XLSX workbook"),
        (b"accession,value", "no XLSX workbook"),
        (b"\xd0\xcf\x11\xe0 old", "old XLS file, or a workbook with a password"),
        (packed(readme=b"hello"), "no XLSX workbook"),
        (packed(**{"xl__workbook.xml": b"<x/>"}), "damaged"),
        (packed(**{"xl__workbook.xml": b"0" * 40_000_000}), "unpacks to more than"),
        (
            packed(**{"xl__workbook.xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}),
            "declarations",
        ),
        (
            packed(**{"xl__workbook.xml": b'<?xml version="1.0" encoding="cp037"?><x/>'}),
            "another encoding",
        ),
        (
            packed(
                **{"xl__workbook.xml": '<?xml version="1.0" encoding="cp500"?>'.encode("utf-16")}
            ),
            "another encoding",
        ),
        (packed(**{"xl__workbook.xml": b"<?xml" + b" " * 500 + b"?><x/>"}), "another encoding"),
        (packed(**{f"p{n}": b"" for n in range(600)}), "more than 500 parts"),
        (workbook_of({})[:-200], "no XLSX workbook"),
    ],
)
def test_what_is_no_workbook_is_refused(body: bytes, fault: str) -> None:
    with pytest.raises(FileIsUnreadable, match=fault):
        read(body)


WHOLE = workbook_of({}, {"accession": "A-18", "value": 39.1})


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6))
@settings(max_examples=150, deadline=None)
def test_a_damaged_workbook_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    body = bytearray(WHOLE)
    for place, byte in changes:
        body[place] = byte
    with suppress(FileIsUnreadable):
        read(bytes(body))


def test_a_workbook_with_a_part_cut_short_is_refused() -> None:
    # the head of the first part says that it begins behind the end of the file
    body = bytearray(WHOLE)
    body[29] = 255

    with pytest.raises(FileIsUnreadable, match="damaged"):
        read(bytes(body))


def many(book: Any) -> None:
    for _ in range(5_100):
        book.active.append(list(BASE.values()))


def sparse(book: Any) -> None:
    book.active["A1000000"] = "far below"


def wide(book: Any) -> None:
    for row in range(2, 400):
        for column in range(1, 200):
            book.active.cell(row, column, row * column)


def dense(part: str, name: str) -> bytes:
    """Put a part of nearly six megabytes in the place of one of a plain workbook."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as old, zipfile.ZipFile(file, "w") as new:
        for each in old.namelist():
            new.writestr(each, part if each == name else old.read(each))
    return file.getvalue()


_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_CELLS = "<row>" + "<c><v>1</v></c>" * 190 + "</row>"
_UNSEEN = "<x:row>" + "<x:c><x:v>1</x:v></x:c>" * 190 + "</x:row>"  # cells by a name of their own
_STRING = "<si><t>a</t></si>"
_SHEET = "xl/worksheets/sheet1.xml"
_BY_A_NAME = _MAIN.replace("xmlns=", "xmlns:x=")
DENSE = {
    "cells": (_SHEET, f"<worksheet {_MAIN}><sheetData>{_CELLS * 2_000}</sheetData></worksheet>"),
    "cells by a name of their own": (
        _SHEET,
        f"<x:worksheet {_BY_A_NAME}><x:sheetData>{_UNSEEN * 1_000}</x:sheetData></x:worksheet>",
    ),
    "strings": ("xl/sharedStrings.xml", f"<sst {_MAIN}>{_STRING * 350_000}</sst>"),
}


@pytest.mark.parametrize("kind", DENSE)
def test_a_dense_workbook_is_answered_within_two_seconds(kind: str) -> None:
    name, part = DENSE[kind]
    body = dense(part, name)

    began = time.process_time()
    with suppress(FileIsUnreadable):
        read(body)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("more", [many, sparse, wide])
def test_a_large_workbook_is_answered_within_two_seconds(more: Callable[[Any], Any]) -> None:
    body = workbook_of({}, more=more)

    began = time.process_time()
    with suppress(FileIsUnreadable):
        read(body)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("form", [r"\<0.0", '"<"0.0', "0.0,", "#,##0,,", '"≥"0', '0.0"e3"'])
def test_a_number_that_is_shown_as_another_is_refused(form: str) -> None:
    reading = read(workbook_of({"value": 0.5}, formats={"value": form}))

    [fault] = told(reading)
    assert "is shown" in fault


@pytest.mark.parametrize(
    "form", ["General", "#,##0.00", "[Red]0.0", "[<1]0.00;0.0", '0.0" ng/mL"', "0.00E+00"]
)
def test_a_number_that_is_adorned_is_read(form: str) -> None:
    [report] = read(workbook_of({"value": 0.5}, formats={"value": form})).reports

    assert report.results[0].value == "0.5"
