"""From the bytes of a CSV file to rows whose every cell is known by line and column."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

ROWS_AT_MOST = 100_000


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it stands, what stands there, and what would be right."""

    line: int
    column: str
    value: str
    wanted: str

    def __str__(self) -> str:
        place = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        found = f" “{self.value}”" if self.value else ""
        return f"{place}:{found} {self.wanted}"


class FileIsFaulty(Exception):
    """Something in the file is wrong, so nothing of it was taken; every fault is named."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class CellIsWrong(Exception):
    """A cell holds what its column cannot; says what would be right."""


@dataclass(frozen=True)
class Row:
    """One row of the file, by column, without the blanks around its cells."""

    line: int
    cells: Mapping[str, str]

    def read(self, column: str, reader: Callable[[str], T], faults: list[Fault]) -> T | None:
        """Read one cell; a fault joins the others, so that one run names them all."""
        try:
            return reader(self.cells[column])
        except CellIsWrong as wrong:
            faults.append(self.fault(column, str(wrong)))
            return None

    def fault(self, column: str, wanted: str) -> Fault:
        return Fault(self.line, column, self.cells.get(column, ""), wanted)


def read_table(data: bytes, *, required: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """Read the rows of a CSV file in UTF-8, with commas or semicolons between the cells.

    Raises
    ------
    FileIsFaulty
        When the file is not such a table, or its columns are not those asked for.
    """
    lines = _lines_of(_decode(data))
    line, header = next(lines, (1, []))
    names = [name.strip().lower() for name in header]
    _check_header(names, line=line, required=required, optional=optional)
    rows, faults = [], []
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            wanted = f"holds {len(cells)} cells; the header has {len(names)} columns"
            faults.append(Fault(line, "", "", wanted))
            continue
        rows.append(Row(line, dict(zip(names, map(str.strip, cells), strict=True))))
    if faults:
        raise FileIsFaulty(faults)
    if not rows:
        raise FileIsFaulty([Fault(2, "", "", "there is no row below the header")])
    if len(rows) > ROWS_AT_MOST:
        wanted = f"a file has at most {ROWS_AT_MOST} rows; give it in parts"
        raise FileIsFaulty([Fault(rows[ROWS_AT_MOST].line, "", "", wanted)])
    return rows


def _decode(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data[: fault.start].count(b"\n") + 1
        raise FileIsFaulty([Fault(line, "", "", "is not UTF-8; save the file as UTF-8")]) from fault
    if (place := text.find("\x00")) >= 0:  # no database takes it, and no text file has it
        line = text[:place].count("\n") + 1
        raise FileIsFaulty([Fault(line, "", "", "holds a NUL; save the file as text in UTF-8")])
    return text


def _lines_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give each record with the line it begins on; a cell in quotes may run over several."""
    first_line = text.partition("\n")[0]
    delimiter = ";" if first_line.count(";") > first_line.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as fault:
        wanted = f"cannot be read as CSV ({fault})"
        raise FileIsFaulty([Fault(begins, "", "", wanted)]) from fault


def _check_header(
    names: Sequence[str], *, line: int, required: Sequence[str], optional: Sequence[str]
) -> None:
    known = ", ".join([*required, *optional])
    faults = [
        Fault(line, name, "", f"this column is missing; the columns are {known}")
        for name in required
        if name not in names
    ]
    faults += [
        Fault(line, "header", name, f"is not a column of this file; the columns are {known}")
        for name in dict.fromkeys(names)
        if name not in {*required, *optional}
    ]
    faults += [
        Fault(line, "header", name, "stands twice")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if faults:
        raise FileIsFaulty(faults)
