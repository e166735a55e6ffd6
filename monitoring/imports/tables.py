"""From the bytes of a CSV file to rows whose every cell is known by row and column."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from patients.intake.tables.csv_table import read_csv
from patients.intake.tables.faults import CellIsWrong, FileIsUnreadable

T = TypeVar("T")

ROWS_AT_MOST = 100_000


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it stands, what stands there, and what would be right.

    Rows are numbered as a spreadsheet does it; row 0 is the file.
    """

    row: int
    column: str
    value: str
    wanted: str

    def __str__(self) -> str:
        if not self.row:
            return self.wanted
        place = f"row {self.row}, {self.column}" if self.column else f"row {self.row}"
        found = f" “{self.value}”" if self.value else ""
        return f"{place}:{found} {self.wanted}"


class FileIsFaulty(Exception):
    """Something in the file is wrong, so nothing of it was taken; every fault is named."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Row:
    """One row of the file, by column, without the blanks around its cells."""

    number: int
    cells: Mapping[str, str]

    def read(self, column: str, reader: Callable[[str], T], faults: list[Fault]) -> T | None:
        """Read one cell; a fault joins the others, so that one run names them all."""
        try:
            return reader(self.cells[column])
        except CellIsWrong as wrong:
            faults.append(self.fault(column, str(wrong)))
            return None

    def fault(self, column: str, wanted: str) -> Fault:
        return Fault(self.number, column, self.cells.get(column, ""), wanted)


def read_table(data: bytes, *, required: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """Read the rows of a CSV file, as the laboratories' files are read, but in UTF-8.

    Raises
    ------
    FileIsFaulty
        When the file is not such a table, or its columns are not those asked for.
    """
    try:
        table = read_csv(
            data,
            charset="UTF-8",
            fits=lambda names: set(required) <= set(_names_of(names)),
            rows_at_most=ROWS_AT_MOST,
        )
    except FileIsUnreadable as fault:
        faults = [Fault(each.row, each.column, "", each.detail) for each in fault.faults]
        raise FileIsFaulty(faults) from fault
    names = _names_of(table.header.cells)
    _check_header(names, row=table.header.number, required=required, optional=optional)
    rows, faults = [], []
    for row in table.rows:
        if len(row.cells) != len(names):
            wanted = f"holds {len(row.cells)} cells; the header has {len(names)} columns"
            faults.append(Fault(row.number, "", "", wanted))
            continue
        cells = dict(zip(names, map(str.strip, row.cells), strict=True))
        rows.append(Row(row.number, cells))
    if faults:
        raise FileIsFaulty(faults)
    if not rows:
        raise FileIsFaulty([Fault(table.header.number, "", "", "there is no row below the header")])
    return rows


def _names_of(header: Sequence[str]) -> list[str]:
    return [name.strip().lower() for name in header]


def _check_header(
    names: Sequence[str], *, row: int, required: Sequence[str], optional: Sequence[str]
) -> None:
    known = ", ".join([*required, *optional])
    faults = [
        Fault(row, name, "", f"this column is missing; the columns are {known}")
        for name in required
        if name not in names
    ]
    faults += [
        Fault(row, "header", name, f"is not a column of this file; the columns are {known}")
        for name in dict.fromkeys(names)
        if name not in {*required, *optional}
    ]
    faults += [
        Fault(row, "header", name, "stands twice")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if faults:
        raise FileIsFaulty(faults)
