"""From the bytes of an XLSX workbook to rows of cells.

A spreadsheet keeps a number as the binary number nearest to what was typed, and how many decimals
are shown is an ornament: 37.50 is kept as 37.5. It is read as the shortest decimal that means the
same binary number, which is what was typed but for zeros at its end. A formula is no value: what
it last came to may be long out of date, so it is refused.
"""

import io
import lzma
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.read_only import EMPTY_CELL

from patients.intake.tables.faults import FileIsUnreadable, unreadable
from patients.intake.tables.layout import Layout
from patients.intake.tables.table import CELL_AT_MOST, COLUMNS_AT_MOST, ROWS_AT_MOST, Row, Table

# A workbook is a packed folder; a few kilobytes can unpack to gigabytes
UNPACKED_AT_MOST = 6 * 1024 * 1024
PARTS_AT_MOST = 500
CELLS_AT_MOST = 25_000  # ten in each of the rows that a file may have
_TAGS_OF_A_CELL = 8  # a cell with its text in it, opened and closed
_LINES_AT_MOST = 2 * ROWS_AT_MOST
_EXACT_DIGITS = 15  # of a whole number that a spreadsheet keeps
# What zipfile and the packings that it knows say of bytes that are broken
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, NotImplementedError, RuntimeError, ValueError),
)
# In another encoding the bytes would not show what a part declares besides
_IN_UNICODE = re.compile(
    rb"""<\?xml(\s+(version|standalone)\s*=\s*["'][^"']{1,9}["']"""
    rb"""|\s+encoding\s*=\s*["']utf-(8|16)["'])*\s*\?>""",
    re.IGNORECASE,
)
_HEAD = 400
# Of a number format: colours and conditions; words in quotes or behind a backslash; what in them,
# or outside, makes another value of a number; a comma behind the last digit divides by a thousand
_IN_BRACKETS = re.compile(r"\[[^\]]*\]")
_WORDS = re.compile(r'"([^"]*)"|[\\_*](.)')
_CHANGES_A_NUMBER = re.compile(r"[<>≤≥=≈~±‰%0-9]")
_SIGNS = re.compile(r"[<>≤≥=≈~±‰]")
_IN_THOUSANDS = re.compile(r"[0#?],+(?![0#?,])")
_OLD_FORMAT = b"\xd0\xcf\x11\xe0"


def read_xlsx(body: bytes, *, layout: Layout) -> Table:
    """Read the one sheet that holds something, or the one that the layout names.

    Raises
    ------
    FileIsUnreadable
        When the bytes are no such workbook.
    """
    _check_parts(body)
    with warnings.catch_warnings():
        # they tell of ornaments that are not read, and some of them quote a cell
        warnings.simplefilter("ignore")
        try:
            return _read(body, layout)
        except FileIsUnreadable:
            raise
        except Exception as fault:  # openpyxl has as many words as a workbook can be broken
            raise unreadable("is a damaged XLSX file; open it and save it anew") from fault


def _check_parts(body: bytes) -> None:
    """Look at the folder before anything is unpacked."""
    if body.startswith(_OLD_FORMAT):
        raise unreadable(
            "is an old XLS file, or a workbook with a password; save it as XLSX without one"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as folder:
            parts = folder.infolist()
            if len(parts) > PARTS_AT_MOST:
                raise unreadable(f"is a workbook of more than {PARTS_AT_MOST} parts")
            if sum(part.file_size for part in parts) > UNPACKED_AT_MOST:
                megabytes = UNPACKED_AT_MOST // 1024**2
                raise unreadable(
                    f"unpacks to more than {megabytes} MB; give it in parts, or as CSV"
                )
            if "xl/workbook.xml" not in folder.namelist():
                raise unreadable("is no XLSX workbook")
            for part in parts:
                # what it says of its size is not believed beyond this: reading stops there
                if part.filename.endswith((".xml", ".rels")):
                    _check_part(folder.read(part))
    except _DAMAGED as fault:
        raise unreadable("is no XLSX workbook, or a damaged one") from fault


def _check_part(part: bytes) -> None:
    """Refuse what could blow itself up with entities, and what would take long to build.

    For entities nobody else looks: openpyxl is told (in the settings) to read by the parser in C.
    """
    if b"<!D" in part or b"<\x00!\x00D" in part or b"\x00<\x00!\x00D" in part:
        raise unreadable("is a workbook with declarations of its own, which are not read")
    head = part[:_HEAD].replace(b"\x00", b"")
    if b"<?xml" in head and not _IN_UNICODE.search(head):
        raise unreadable("is a workbook in another encoding than UTF-8; save it anew")
    if part.count(b"<c>") + part.count(b"<c ") > CELLS_AT_MOST:
        raise _too_many_cells()
    if part.count(b"<") > _TAGS_OF_A_CELL * CELLS_AT_MOST:
        raise unreadable("is a workbook of more parts than such a table needs; save it as CSV")


def _too_many_cells() -> FileIsUnreadable:
    return unreadable(f"a sheet has at most {CELLS_AT_MOST:,} cells; give it in parts")


def _read(body: bytes, layout: Layout) -> Table:
    workbook = load_workbook(io.BytesIO(body), read_only=True, data_only=False, keep_links=False)
    found: dict[str, list[Row]] = {}
    for sheet in workbook.worksheets:
        if not layout.sheet or sheet.title == layout.sheet:
            sheet.reset_dimensions()
            rows = list(_rows(sheet))
            if rows:
                found[sheet.title] = rows
    if layout.sheet and layout.sheet not in workbook.sheetnames:
        raise unreadable(f"has no sheet “{layout.sheet}”, which the profile names")
    if not found:
        raise unreadable("the workbook is empty; it must begin with the names of the columns")
    if len(found) > 1:
        raise unreadable(
            f"{len(found)} sheets hold something; leave one, or let the profile name the sheet"
        )
    [(header, *rows)] = found.values()
    return Table(header, rows)


def _rows(sheet: Any) -> Iterator[Row]:
    number_of_rows = number_of_cells = 0
    cells_of_rows = sheet.iter_rows(max_row=_LINES_AT_MOST + 1, max_col=COLUMNS_AT_MOST + 1)
    for number, cells in enumerate(cells_of_rows, start=1):
        row = _row(number, cells)
        number_of_cells += len(row.cells)
        if number_of_cells > CELLS_AT_MOST:
            raise _too_many_cells()
        if row.is_empty:
            continue
        number_of_rows += 1
        if number > _LINES_AT_MOST:
            raise unreadable(f"a sheet has at most {_LINES_AT_MOST} lines, empty ones and all")
        if number_of_rows > ROWS_AT_MOST + 1:
            raise unreadable(f"a file has at most {ROWS_AT_MOST} rows; give it in parts")
        if len(row.cells) > COLUMNS_AT_MOST:
            raise unreadable(f"has more than {COLUMNS_AT_MOST} cells", row=number)
        yield row


def _row(number: int, cells: Any) -> Row:
    texts: list[str] = []
    wrong: dict[int, str] = {}
    # Every row comes filled up to the widest that is taken
    width = next((n for n in range(len(cells), 0, -1) if cells[n - 1] is not EMPTY_CELL), 0)
    for place, cell in enumerate(cells[:width]):
        text, fault = _text(cell)
        texts.append(text)
        if fault:
            wrong[place] = fault
    while texts and not texts[-1] and len(texts) - 1 not in wrong:
        texts.pop()
    return Row(number, texts, wrong)


def _text(cell: Any) -> tuple[str, str]:
    """Write a cell as text; where that cannot be done, say why."""
    value = cell.value
    if value is None:
        return "", ""
    if cell.data_type == "f":
        return "", "holds a formula, whose result may be out of date; put its value there"
    if cell.data_type == "e":
        return "", "holds an error of the spreadsheet"
    if isinstance(value, bool):
        return "", "holds TRUE or FALSE, which is no result"
    if isinstance(value, str):
        if len(value) > CELL_AT_MOST:
            return "", f"holds more than {CELL_AT_MOST} characters"
        return value, ""
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format))
    return _time(value, str(cell.number_format))


def _number(value: float, shown_as: str) -> tuple[str, str]:
    if "%" in shown_as:
        return "", "is shown as a percentage, which is another number than the one that is kept"
    if fault := _bent_by(shown_as):
        return "", fault
    text = f"{Decimal(repr(value)):f}"
    if text.endswith(".0"):
        text = text[:-2]
    if len(text) > 60:
        return "", "holds a number that is no concentration"
    whole = text.lstrip("-")
    if whole.isdigit() and len(whole) > _EXACT_DIGITS:
        return "", (
            f"holds a number of more than {_EXACT_DIGITS} digits, which a spreadsheet cannot keep; "
            "make the column one of text and fill it anew"
        )
    if whole.isdigit() and shown_as.strip("0") == "" and len(shown_as) > max(1, len(whole)):
        return "", (
            f"is shown as {whole.zfill(len(shown_as))} and kept as {whole}; make the column one of "
            "text and fill it anew"
        )
    return text, ""


def _bent_by(shown_as: str) -> str:
    """Say of a number format that it shows another value than the one that is kept."""
    of_numbers = _IN_BRACKETS.sub("", shown_as)
    words = "".join(quoted or escaped for quoted, escaped in _WORDS.findall(of_numbers))
    if _CHANGES_A_NUMBER.search(words) or _SIGNS.search(_WORDS.sub("", of_numbers)):
        return "is shown with a sign that is not kept with it; write it as text: “<0.5”"
    if _IN_THOUSANDS.search(_WORDS.sub("", of_numbers)):
        return "is shown in thousands, which is another number than the one that is kept"
    return ""


def _time(value: Any, shown_as: str) -> tuple[str, str]:
    """Write a time of the spreadsheet in ISO 8601; it has no zone and is exact to the second."""
    if isinstance(value, datetime):
        value = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
        if value.time() == time() and "h" not in shown_as.lower():
            return value.date().isoformat(), ""
        return value.isoformat(sep=" "), ""
    if isinstance(value, time):
        return value.replace(microsecond=0).isoformat(), ""
    if isinstance(value, date):
        return value.isoformat(), ""
    return "", "holds a length of time, which is no result"
