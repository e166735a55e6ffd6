"""A file as rows of cells, whatever it was written by."""

from collections.abc import Sequence
from dataclasses import dataclass, field

ROWS_AT_MOST = 2_500
COLUMNS_AT_MOST = 200
CELL_AT_MOST = 2_000


@dataclass(frozen=True)
class Row:
    """One row, as a spreadsheet numbers it; `wrong` are cells that no text can stand for."""

    number: int
    cells: Sequence[str]
    wrong: dict[int, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing stands in it."""
        return not self.wrong and not any(cell and not cell.isspace() for cell in self.cells)


@dataclass(frozen=True)
class Table:
    """The header and the rows below it that are not empty.

    A spreadsheet's numbers have a decimal point by their nature; a text has the sign of the layout.
    """

    header: Row
    rows: list[Row]
