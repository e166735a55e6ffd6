"""Which column of a table holds what: the header line, read by the layout."""

from collections.abc import Sequence
from dataclasses import dataclass

from patients.intake.tables.faults import Fault, FileIsUnreadable, shown
from patients.intake.tables.layout import Column, Layout, MappedColumn, name_of
from patients.intake.tables.table import Row

# Without these a result cannot be placed; the first three are always columns. What a profile maps
# must be there as well: a status that is not found must not be read as final
_ALWAYS = (Column.PATIENT, Column.COLLECTED_AT, Column.VALUE)
_OR_CONSTANT = (Column.PATIENT_SYSTEM, Column.ANALYTE, Column.UNIT)


@dataclass(frozen=True)
class Values:
    """A column of values, and what it says of them all."""

    place: int
    column: str
    words: MappedColumn


@dataclass(frozen=True)
class Columns:
    """Where in a row each fact stands."""

    names: list[str]
    places: dict[Column, int]
    values: list[Values]

    def name(self, column: Column) -> str:
        """Give the laboratory's name of a column, or ours where it has none."""
        return self.names[self.places[column]] if column in self.places else column.value

    @property
    def is_wide(self) -> bool:
        """Tell whether a row may hold several results, and leave some of them out."""
        return bool(self.values) and all(each.words.analyte for each in self.values)


def read_header(row: Row, layout: Layout) -> Columns:
    """Find the columns.

    Raises
    ------
    FileIsUnreadable
        When one is missing, unknown or doubled; all of them are named.
    """
    names = [" ".join(cell.split()) for cell in row.cells]
    while names and not names[-1]:
        names.pop()
    known = _known(layout)
    faults: list[Fault] = []
    columns = Columns(names, {}, [])
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        key = name_of(name)
        if place in row.wrong:
            faults.append(Fault(row.number, f"no. {place + 1}", row.wrong[place]))
        elif not key:
            faults.append(Fault(row.number, f"no. {place + 1}", "has no name"))
        elif key in seen:
            faults.append(Fault(row.number, name, f"stands twice, also as no. {seen[key] + 1}"))
        elif key not in known:
            faults.append(Fault(row.number, name, _unknown(layout)))
        else:
            _put(columns, place, name, known[key])
        seen.setdefault(key, place)
    faults += [Fault(row.number, name, "is missing") for name in _missing(columns, layout)]
    if faults:
        raise FileIsUnreadable(faults)
    return columns


def fits(names: Sequence[str], layout: Layout) -> bool:
    """Tell whether a header line split like this holds the columns that must be there."""
    known = _known(layout)
    columns = Columns(list(names), {}, [])
    for place, name in enumerate(names):
        if name_of(name) in known:
            _put(columns, place, name, known[name_of(name)])
    return not _missing(columns, layout)


def _known(layout: Layout) -> dict[str, MappedColumn]:
    """Give the names that a header may hold: the laboratory's, and ours for what it leaves open."""
    mapped = {each.holds for each in layout.columns}
    ours = {
        each.value: MappedColumn(column=each.value, holds=each)
        for each in Column
        if each is not Column.IGNORED and each not in mapped
    }
    return ours | {name_of(each.column): each for each in layout.columns}


def _put(columns: Columns, place: int, name: str, mapped: MappedColumn) -> None:
    if mapped.holds is Column.VALUE:
        columns.values.append(Values(place, name, mapped))
    elif mapped.holds is not Column.IGNORED:
        columns.places.setdefault(mapped.holds, place)


def _missing(columns: Columns, layout: Layout) -> list[str]:
    """Name what is not there, in the laboratory's words where it has any."""
    called = {each.holds: each.column for each in reversed(layout.columns)}
    needed = dict.fromkeys((*_ALWAYS, *_OR_CONSTANT, *called))
    return [
        called.get(each, each.value)
        for each in needed
        if each is not Column.IGNORED and not _is_there(each, columns, layout)
    ]


def _is_there(column: Column, columns: Columns, layout: Layout) -> bool:
    if column is Column.VALUE:
        return bool(columns.values)
    if column in columns.places or (column in _OR_CONSTANT and column in layout.constants):
        return True
    words = [each.words for each in columns.values] or layout.value_columns
    is_of_values = column in {Column.ANALYTE, Column.UNIT} and bool(words)
    return is_of_values and all(getattr(each, column.value) for each in words)


def _unknown(layout: Layout) -> str:
    known = ", ".join(f"“{shown(each.column)}”" for each in _known(layout).values())
    return (
        "is not a column that the laboratory’s profile knows; rename it, or let the profile say "
        f"that it is ignored. Known are {known}"
    )
