"""The empty table that a laboratory fills in: its own columns in its own words."""

import csv
import io

from patients.intake.tables.layout import Column, Layout

_USUAL = (
    Column.ACCESSION,
    Column.PATIENT_SYSTEM,
    Column.PATIENT,
    Column.COLLECTED_AT,
    Column.ANALYTE,
    Column.VALUE,
    Column.UNIT,
    Column.STATUS,
)
_MAY_STAND_IN_VALUES = {Column.ANALYTE, Column.UNIT}
# So that a spreadsheet takes the file for what it is
_MARK = "\ufeff"


def template_of(layout: Layout) -> bytes:
    """Write the header line, in UTF-8 and with the delimiter of the layout."""
    mapped = {each.holds for each in layout.columns}
    by_values = {
        column
        for column in _MAY_STAND_IN_VALUES
        if layout.value_columns
        and all(getattr(each, column.value) for each in layout.value_columns)
    }
    names = [each.column for each in layout.columns if each.holds is not Column.IGNORED]
    names += [
        each.value
        for each in _USUAL
        if each not in mapped and each not in layout.constants and each not in by_values
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=layout.delimiter or ",", lineterminator="\r\n").writerow(names)
    return (_MARK + text.getvalue()).encode()
