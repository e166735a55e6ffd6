"""One part of a page or a printed report: a title, a sentence, and a table of plain text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One part: a title, a sentence, and a table of plain text."""

    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def labelled(self) -> list[list[tuple[str, str]]]:
        """Give each row's cells under the names of their columns, for a narrow page."""
        return [list(zip(self.head, row, strict=True)) for row in self.rows]

    @property
    def anchor(self) -> str:
        return self.title.lower().replace(" ", "-").replace(",", "")
