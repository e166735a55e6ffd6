"""From the bytes of a CSV file to rows of cells (RFC 4180, with the delimiters that are in use)."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from patients.intake.tables.charsets import decode
from patients.intake.tables.faults import unreadable
from patients.intake.tables.table import COLUMNS_AT_MOST, ROWS_AT_MOST, Row, Table

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_HEADER_AT_MOST = 64 * 1024
FitsHeader = Callable[[Sequence[str]], bool]


def read_csv(
    body: bytes,
    *,
    charset: str,
    delimiter: str = "",
    fits: FitsHeader,
    rows_at_most: int = ROWS_AT_MOST,
) -> Table:
    """Read a CSV file, of a laboratory or of a clinic.

    Parameters
    ----------
    charset
        Unless the file begins with a byte-order mark.
    delimiter
        What it must be; empty: found by the header line.
    fits
        Tells whether a header line split in one way holds the columns that must be there.
    rows_at_most
        Below the header; of lines, empty ones and all, there may be twice as many.

    Raises
    ------
    FileIsUnreadable
        When the bytes are no such table.
    """
    text = decode(body, charset=charset)
    if (place := text.find("\x00")) >= 0:
        line = text.count("\n", 0, place) + 1
        raise unreadable("holds U+0000, which is no text; save the file as text", row=line)
    text, stated = _without_sep_line(text)
    if delimiter and stated and stated != delimiter:
        raise unreadable(
            f"its first line states a {_DELIMITERS[stated]} between cells, the laboratory’s "
            f"profile a {_DELIMITERS[delimiter]}"
        )
    delimiter = delimiter or stated or _delimiter_of(text, fits)
    rows = _rows(text, delimiter, at_most=2 * rows_at_most)
    header = next((row for row in rows if not row.is_empty), None)
    if header is None:
        raise unreadable("the file is empty; it must begin with the names of the columns")
    found = []
    for row in rows:
        if row.is_empty:
            continue
        found.append(row)
        if len(found) > rows_at_most:
            raise unreadable(f"a file has at most {rows_at_most} rows; give it in parts")
    return Table(header, found)


def _without_sep_line(text: str) -> tuple[str, str]:
    """Take the line away by which a spreadsheet is told the delimiter, and does not show."""
    line, end, rest = text[:8].partition("\n")
    stated = line.rstrip("\r").lower()
    if end and stated.startswith("sep=") and stated[4:] in _DELIMITERS:
        return rest + text[8:], stated[4:]
    return text, ""


def _delimiter_of(text: str, fits: FitsHeader) -> str:
    """Find the one sign by which the header line falls into the columns that must be there."""
    head = text[:_HEADER_AT_MOST]
    fitting = []
    for delimiter in _DELIMITERS:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        try:
            lines = islice(reader, 2 * ROWS_AT_MOST)
            names = next((cells for cells in lines if any(map(str.strip, cells))), [])
        except csv.Error:
            continue
        if fits(names):
            fitting.append(delimiter)
    if len(fitting) == 1:
        return fitting[0]
    first_line = head.partition("\n")[0]
    return max(_DELIMITERS, key=first_line.count)  # the header will say what is missing


def _rows(text: str, delimiter: str, *, at_most: int) -> Iterator[Row]:
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
        if number > at_most:
            raise unreadable(f"a file has at most {at_most} lines, empty ones and all")
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
