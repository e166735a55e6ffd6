"""What is wrong with a file: by row and column, as a spreadsheet counts and names them."""

from collections.abc import Sequence
from dataclasses import dataclass

HEADER_ROW = 1
SHOWN_AT_MOST = 60
FAULTS_AT_MOST = 1_000


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it stands and what would be right. Row 0 is the file."""

    row: int
    column: str
    detail: str

    def __str__(self) -> str:
        if not self.row:
            return self.detail
        place = f"row {self.row}, column “{shown(self.column)}”" if self.column else self.place
        return f"{place}: {self.detail}"

    @property
    def place(self) -> str:
        """Name the row."""
        return f"row {self.row}"

    @property
    def pointer(self) -> str:
        """Point into the file as JSON pointers point into a message."""
        if not self.row:
            return ""
        column = self.column.replace("~", "~0").replace("/", "~1")
        return f"/rows/{self.row}/{column}" if column else f"/rows/{self.row}"


class FileIsUnreadable(Exception):
    """Not one row of the file can be read; every fault is named."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults[:3])))
        self.faults = tuple(faults)


class CellIsWrong(Exception):
    """A cell holds what its column cannot; says what would be right."""


def unreadable(detail: str, *, row: int = 0, column: str = "") -> FileIsUnreadable:
    """Make the refusal of a whole file for one reason."""
    return FileIsUnreadable([Fault(row, column, detail)])


def shown(text: str) -> str:
    """Write what stands in a cell into a sentence: not too long, and on one line."""
    line = "".join(each if each.isprintable() else "·" for each in text[:SHOWN_AT_MOST])
    return f"{line}…" if len(text) > SHOWN_AT_MOST else line
