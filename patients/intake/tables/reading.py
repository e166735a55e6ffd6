"""From the bytes of a table to reports of draws: rows of one sample are one draw."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

from patients.intake.reports import DrawReport, ResultReport
from patients.intake.tables.csv_table import read_csv
from patients.intake.tables.faults import FAULTS_AT_MOST, Fault, unreadable
from patients.intake.tables.header import Columns, fits, read_header
from patients.intake.tables.layout import TEMPLATE, Column, Layout
from patients.intake.tables.rows import Facts, ReadResult, RowReader
from patients.intake.tables.table import Table
from patients.intake.tables.xlsx_table import read_xlsx

RESULTS_AT_MOST = 2_500
# A result and its corrections may stand in one file; each of them is placed after the one before
VERSIONS_AT_MOST = 10


class Kind(StrEnum):
    """What a file is written in; also the name of its dialect on record."""

    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True)
class Place:
    """Where a result stands."""

    row: int
    column: str


@dataclass(frozen=True)
class Reading:
    """What a file says: its draws with the places of their results, and what is wrong with it.

    A result has several places when it is repeated word for word. `without_result` are rows of a
    wide table in which no cell holds a value. `read_as` is how the file was read: the same bytes
    read in another way are another message.
    """

    reports: tuple[DrawReport, ...]
    places: tuple[tuple[tuple[Place, ...], ...], ...]
    faults: tuple[Fault, ...]
    without_result: tuple[int, ...]
    read_as: str = ""


@dataclass
class _Draw:
    """The rows of one draw, on their way to a report or, with corrections, to several."""

    facts: Facts
    row: int
    # per version: the results of that version by their code
    versions: list[dict[object, ReadResult]] = field(default_factory=list)
    repeats: dict[int, list[Place]] = field(default_factory=dict)


def read_table(body: bytes, *, kind: Kind, layout: Layout = TEMPLATE, charset: str = "") -> Reading:
    """Read a file.

    Raises
    ------
    FileIsUnreadable
        When not one of its rows can be read. What is wrong with single rows is in the answer.
    """
    table = _table_of(body, kind=kind, layout=layout, charset=charset)
    if kind is Kind.XLSX:  # a number in a spreadsheet has no sign of its own; see xlsx_table
        layout = layout.model_copy(update={"decimal": "."})
    columns = read_header(table.header, layout)
    if not table.rows:
        raise unreadable("there is no row below the names of the columns", row=table.header.number)
    reading = _Gathering(columns, layout).gather(table)
    return replace(reading, read_as=f"{charset} {layout.model_dump_json()}")


def _table_of(body: bytes, *, kind: Kind, layout: Layout, charset: str = "") -> Table:
    if kind is Kind.CSV:
        # what its sender says of the character set counts more than the profile
        return read_csv(
            body,
            charset=charset or layout.charset,
            delimiter=layout.delimiter,
            fits=partial(fits, layout=layout),
        )
    return read_xlsx(body, layout=layout)


def part_of_table(
    body: bytes, report: DrawReport, *, kind: Kind, layout: Layout
) -> list[Sequence[str]]:
    """Give the header and the rows in which a draw stands, without those of others.

    Raises
    ------
    FileIsUnreadable
        When the layout has changed since, so that the file cannot be read any more.
    """
    table = _table_of(body, kind=kind, layout=layout)
    stands = {result.pointer.split("/")[2] for result in report.results}
    return [table.header.cells, *(r.cells for r in table.rows if str(r.number) in stands)]


class _Gathering:
    def __init__(self, columns: Columns, layout: Layout) -> None:
        self.columns, self.layout = columns, layout
        self.given = frozenset([*columns.places, *layout.constants])
        self.draws: dict[object, _Draw] = {}
        self.faults: list[Fault] = []
        self.without_result: list[int] = []
        self.n_results = 0

    def gather(self, table: Table) -> Reading:
        width = len(self.columns.names)
        for row in table.rows:
            if len(self.faults) >= FAULTS_AT_MOST:
                detail = f"is not looked at: there are {FAULTS_AT_MOST} faults above it"
                self.faults.append(Fault(row.number, "", detail))
                break
            if any(cell.strip() for cell in row.cells[width:]):
                detail = f"has {len(row.cells)} cells; there are {width} columns"
                self.faults.append(Fault(row.number, "", detail))
            elif len(row.cells) < width and not row.wrong and len(row.cells) == 1 < width:
                detail = f"has one cell; there are {width} columns. Is the delimiter another?"
                self.faults.append(Fault(row.number, "", detail))
            else:
                self._take(RowReader(row, self.columns, self.layout, self.given))
        drafts = [(draw, version) for draw in self.draws.values() for version in draw.versions]
        return Reading(
            reports=tuple(_report(draw, version.values()) for draw, version in drafts),
            places=tuple(_places(draw, version.values()) for draw, version in drafts),
            faults=tuple(self.faults),
            without_result=tuple(self.without_result),
        )

    def _take(self, reader: RowReader) -> None:
        facts, results = reader.facts(), reader.results()
        if reader.faults or facts is None:
            self.faults += reader.faults
            return
        number = reader.row.number
        if not results:
            self._note_empty(reader)
            return
        self.n_results += len(results)
        if self.n_results > RESULTS_AT_MOST:
            raise unreadable(f"a file has at most {RESULTS_AT_MOST} results; give it in parts")
        key = facts.accession or (facts.patient, facts.collected.at)
        draw = self.draws.setdefault(key, _Draw(facts, number))
        if disagreements := _apart(draw, facts):
            self.faults += [self._disagreement(each, draw, number) for each in disagreements]
            return
        for result in results:
            if (fault := _add(draw, result)) is not None:
                self.faults.append(fault)

    def _note_empty(self, reader: RowReader) -> None:
        if reader.cell(Column.STATUS).strip():
            detail = "says how a result stands, but no cell of the row says which"
            name = self.columns.name(Column.STATUS)
            self.faults.append(Fault(reader.row.number, name, detail))
        else:
            self.without_result.append(reader.row.number)

    def _disagreement(self, column: Column, draw: _Draw, number: int) -> Fault:
        detail = f"is another than in row {draw.row}, which has the same accession"
        return Fault(number, self.columns.name(column), detail)


def _apart(draw: _Draw, facts: Facts) -> list[Column]:
    """Say in which columns two rows of one draw disagree."""
    pairs = {
        Column.PATIENT_SYSTEM: (draw.facts.patient.system, facts.patient.system),
        Column.PATIENT: (draw.facts.patient.value, facts.patient.value),
        Column.COLLECTED_AT: (_when(draw.facts), _when(facts)),
        Column.FAMILY: (draw.facts.person, facts.person),
        Column.MATRIX: (draw.facts.specimen, facts.specimen),
    }
    return [column for column, (one, other) in pairs.items() if one != other]


def _when(facts: Facts) -> tuple[object, object]:
    return facts.collected.at, facts.collected.precision


def _said(report: ResultReport) -> ResultReport:
    return report.model_copy(update={"pointer": ""})


def _add(draw: _Draw, result: ReadResult) -> Fault | None:
    """Put a result to the others of its draw; say what is wrong when it stands there twice."""
    key = result.report.codes
    before = [version[key] for version in draw.versions if key in version]
    for other in before:
        if _said(other.report) == _said(result.report):
            place = Place(result.row, result.column)
            draw.repeats.setdefault(id(other), []).append(place)
            return None
        if _is_unordered(other.report, result.report):
            detail = (
                f"says otherwise than row {other.row} of the same draw and analyte, and nothing "
                "says which counts; give one of them another status or a later issued_at"
            )
            return Fault(result.row, result.column, detail)
    if len(before) >= VERSIONS_AT_MOST:
        detail = f"a result may stand {VERSIONS_AT_MOST} times in a file; give it in parts"
        return Fault(result.row, result.column, detail)
    if len(before) == len(draw.versions):
        draw.versions.append({})
    draw.versions[len(before)][key] = result
    return None


def _is_unordered(one: ResultReport, other: ResultReport) -> bool:
    """Tell whether two results of one draw and analyte are alike in all that could order them."""
    return (one.names, one.status, one.issued_at) == (other.names, other.status, other.issued_at)


def _report(draw: _Draw, results: Iterable[ReadResult]) -> DrawReport:
    facts, found = draw.facts, tuple(results)
    return DrawReport(
        accession=facts.accession,
        patients=(facts.patient,),
        person=facts.person,
        times=(facts.collected,),
        specimen=facts.specimen,
        results=tuple(each.report for each in found),
        pointer=f"/rows/{found[0].row}",
    )


def _places(draw: _Draw, results: Iterable[ReadResult]) -> tuple[tuple[Place, ...], ...]:
    return tuple(
        (Place(each.row, each.column), *draw.repeats.get(id(each), ())) for each in results
    )
