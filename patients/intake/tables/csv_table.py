"""From the bytes of a CSV file to rows of cells (RFC 4180, with the delimiters that are in use)."""

import csv
import io
from collections.abc import Iterator
from itertools import islice

from patients.intake.tables.charsets import decode
from patients.intake.tables.faults import unreadable
from patients.intake.tables.header import fits
from patients.intake.tables.layout import Layout
from patients.intake.tables.table import COLUMNS_AT_MOST, ROWS_AT_MOST, Row, Table

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_LINES_AT_MOST = 2 * ROWS_AT_MOST  # empty ones and all
_HEADER_AT_MOST = 64 * 1024


def read_csv(body: bytes, *, layout: Layout, charset: str = "") -> Table:
    """Read a CSV file; what its sender says of the character set counts more than the profile.

    Raises
    ------
    FileIsUnreadable
        When the bytes are no such table.
    """
    text = decode(body, charset=charset or layout.charset)
    if (place := text.find("\x00")) >= 0:
        line = text.count("\n", 0, place) + 1
        raise unreadable("holds U+0000, which is no text; save the file as text", row=line)
    text, stated = _without_sep_line(text)
    delimiter = layout.delimiter or stated or _delimiter_of(text, layout)
    if layout.delimiter and stated and stated != layout.delimiter:
        raise unreadable(
            f"its first line states a {_DELIMITERS[stated]} between cells, the laboratory’s "
            f"profile a {_DELIMITERS[layout.delimiter]}"
        )
    rows = _rows(text, delimiter)
    header = next((row for row in rows if not row.is_empty), None)
    if header is None:
        raise unreadable("the file is empty; it must begin with the names of the columns")
    found = []
    for row in rows:
        if row.is_empty:
            continue
        found.append(row)
        if len(found) > ROWS_AT_MOST:
            raise unreadable(f"a file has at most {ROWS_AT_MOST} rows; give it in parts")
    return Table(header, found)


def _without_sep_line(text: str) -> tuple[str, str]:
    """Take the line away by which a spreadsheet is told the delimiter, and does not show."""
    line, end, rest = text[:8].partition("\n")
    stated = line.rstrip("\r").lower()
    if end and stated.startswith("sep=") and stated[4:] in _DELIMITERS:
        return rest + text[8:], stated[4:]
    return text, ""


def _delimiter_of(text: str, layout: Layout) -> str:
    """Find the one sign by which the header line falls into the columns that must be there."""
    head = text[:_HEADER_AT_MOST]
    fitting = []
    for delimiter in _DELIMITERS:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        try:
            lines = islice(reader, _LINES_AT_MOST)
            names = next((cells for cells in lines if any(map(str.strip, cells))), [])
        except csv.Error:
            continue
        if fits(names, layout):
            fitting.append(delimiter)
    if len(fitting) == 1:
        return fitting[0]
    first_line = head.partition("\n")[0]
    return max(_DELIMITERS, key=first_line.count)  # the header will say what is missing


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader, None)
        except csv.Error as fault:
            raise unreadable(_plain_words(str(fault)), row=number) from fault
        if cells is None:
            return
        if number > _LINES_AT_MOST:
            raise unreadable(f"a file has at most {_LINES_AT_MOST} lines, empty ones and all")
        if len(cells) > COLUMNS_AT_MOST:
            raise unreadable(f"has more than {COLUMNS_AT_MOST} cells", row=number)
        yield Row(number, cells)


def _plain_words(fault: str) -> str:
    if "unexpected end of data" in fault:
        return "a quotation mark is opened here and never closed"
    if "field larger" in fault:
        return "a cell is longer than any can be; look for a quotation mark that is not closed"
    return (
        "a quotation mark stands where none can; a cell in quotes ends at its second one, and a "
        "quotation mark within it is written twice"
    )
