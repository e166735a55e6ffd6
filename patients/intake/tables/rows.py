"""One row of a table: of which draw it is, and which results it holds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from patients.intake.reports import (
    Code,
    Fasting,
    Grade,
    Identifier,
    Measurement,
    PatientNumber,
    Person,
    Precision,
    ResultReport,
    SeenTime,
    Specimen,
    TimeRole,
)
from patients.intake.tables import cells
from patients.intake.tables.cells import Value
from patients.intake.tables.faults import CellIsWrong, Fault
from patients.intake.tables.header import Columns, Values
from patients.intake.tables.layout import Column, Layout
from patients.intake.tables.table import Row

T = TypeVar("T")
_GRADES: dict[str, Grade] = {
    "": "",
    "none": "none",
    "slight": "slight",
    "moderate": "moderate",
    "gross": "gross",
}
_FASTING: dict[str, Fasting] = {"": "", "yes": "yes", "no": "no"}
_WITHOUT_VALUE = frozenset({"registered", "cancelled", "entered-in-error"})
# The numbering of a laboratory's own numbers of results, where they come in a table
RESULT_NUMBERS = "urn:table:result"
_OF_PERSON = (Column.FAMILY, Column.GIVEN, Column.BIRTH_DATE, Column.SEX)
_OF_SPECIMEN = (
    Column.MATRIX,
    Column.TUBE,
    Column.HAEMOLYSIS,
    Column.HAEMOLYSIS_INDEX,
    Column.LIPAEMIA,
    Column.ICTERUS,
    Column.FREEZE_THAW_CYCLES,
    Column.FASTING,
)
_OF_MEASUREMENT = (
    Column.RUN,
    Column.CALIBRATOR,
    Column.DILUTION,
    Column.REPLICATE_CV_PERCENT,
)
_AT_MOST = {
    Column.PATIENT_SYSTEM: 200,
    Column.PATIENT: 200,
    Column.ACCESSION: 100,
    Column.ANALYTE: 100,
    Column.ANALYTE_SYSTEM: 200,
    Column.UNIT: 50,
    Column.RESULT: 200,
    Column.ABSENT_REASON: 100,
    Column.METHOD: 200,
    Column.KIT: 100,
    Column.LOT: 100,
    Column.RUN: 100,
    Column.CALIBRATOR: 100,
    Column.DILUTION: 50,
    Column.MATRIX: 100,
    Column.TUBE: 100,
    Column.HAEMOLYSIS: 20,
    Column.LIPAEMIA: 20,
    Column.ICTERUS: 20,
    Column.FASTING: 20,
    Column.HAEMOLYSIS_INDEX: 20,
    Column.FAMILY: 200,
    Column.GIVEN: 200,
    Column.BIRTH_DATE: 50,
    Column.SEX: 20,
    Column.NOTES: 2000,
}


@dataclass(frozen=True)
class Facts:
    """What a row says of its draw; rows of one draw must agree in all of it."""

    accession: str
    patient: PatientNumber
    collected: SeenTime
    person: Person | None
    specimen: Specimen | None


@dataclass(frozen=True)
class ReadResult:
    """One result, and where it stands."""

    row: int
    column: str
    report: ResultReport


class RowReader:
    """Reads one row; every fault of it joins the others.

    `given` are the columns that say anything in this table: most tables have few of those that
    there can be, and what is nowhere said is not looked for in every row.
    """

    def __init__(
        self, row: Row, columns: Columns, layout: Layout, given: frozenset[Column]
    ) -> None:
        self.row, self.columns, self.layout, self.given = row, columns, layout, given
        self.faults: list[Fault] = []

    def cell(self, column: Column) -> str:
        """Give what stands in a column, or what is the same in every row."""
        place = self.columns.places.get(column)
        if place is None:
            return self.layout.constants.get(column, "")
        return self._at(place, self.columns.names[place])

    def _at(self, place: int, name: str) -> str:
        if place in self.row.wrong:
            self._say(name, self.row.wrong[place])
            return ""
        return self.row.cells[place] if place < len(self.row.cells) else ""

    def _say(self, name: str, detail: str) -> None:
        """Note what is wrong; of one cell the first thing."""
        if not any(fault.column == name for fault in self.faults):
            self.faults.append(Fault(self.row.number, name, detail))

    def _read(self, name: str, reader: Callable[[], T], instead: T) -> T:
        try:
            return reader()
        except CellIsWrong as wrong:
            self._say(name, str(wrong))
            return instead

    def text(self, column: Column) -> str:
        """Read a line of text."""
        if column not in self.given or not (cell := self.cell(column)):
            return ""
        is_name = column in {Column.PATIENT, Column.ACCESSION, Column.RESULT}
        read = cells.number_of if is_name else cells.line
        at_most = _AT_MOST[column]
        return self._read(self.columns.name(column), lambda: read(cell, at_most=at_most), "")

    def _needed(self, column: Column) -> str:
        before = len(self.faults)
        text = self.text(column)
        if not text and len(self.faults) == before:
            self._say(self.columns.name(column), "must not be empty")
        return text

    def facts(self) -> Facts | None:
        """Read of which draw the row is; None when it has faults."""
        patient, system = self._needed(Column.PATIENT), self._needed(Column.PATIENT_SYSTEM)
        accession, collected = self.text(Column.ACCESSION), self._collected()
        person, specimen = self._person(), self._specimen()
        if self.faults or collected is None:
            return None
        return Facts(
            accession, PatientNumber(system=system, value=patient), collected, person, specimen
        )

    def _collected(self) -> SeenTime | None:
        cell, clock = self.cell(Column.COLLECTED_AT), self.cell(Column.COLLECTED_TIME)
        name = self.columns.name(Column.COLLECTED_AT)
        if not cell.strip():
            self._say(name, "must not be empty")
            return None
        found = self._read(name, lambda: cells.moment(cell, self.layout, clock=clock), None)
        if found is None:
            return None
        return SeenTime(
            role=TimeRole.COLLECTED, text=found.text, at=found.at, precision=found.precision
        )

    def _person(self) -> Person | None:
        if self.given.isdisjoint(_OF_PERSON):
            return None
        said = {each.value: self.text(each) for each in _OF_PERSON}
        return Person(**said) if any(said.values()) else None

    def _specimen(self) -> Specimen | None:
        if self.given.isdisjoint(_OF_SPECIMEN):
            return None
        matrix, index = self.text(Column.MATRIX), self.text(Column.HAEMOLYSIS_INDEX)
        name, cell = (
            self.columns.name(Column.FREEZE_THAW_CYCLES),
            self.cell(Column.FREEZE_THAW_CYCLES),
        )
        cycles = self._read(name, lambda: cells.whole_number(cell, at_most=1000), None)
        tube = self.text(Column.TUBE)
        grades = {
            each.value: self._one_of(each, _GRADES)
            for each in (Column.HAEMOLYSIS, Column.LIPAEMIA, Column.ICTERUS)
        }
        fasting = self._one_of(Column.FASTING, _FASTING)
        if not (matrix or index or tube or any(grades.values()) or fasting) and cycles is None:
            return None
        return Specimen(
            matrix=matrix,
            tube=tube,
            haemolysis_index=index,
            freeze_thaw_cycles=cycles,
            fasting=fasting,
            **grades,
        )

    def _one_of(self, column: Column, words: dict[str, T]) -> T:
        text = self.text(column)
        if text.casefold() not in words:
            known = ", ".join(word for word in words if word)
            self._say(self.columns.name(column), f"“{text}” must be one of {known}, or empty")
        return words.get(text.casefold(), words[""])

    def results(self) -> list[ReadResult]:
        """Read the results; in a wide table an empty cell is none."""
        found = [self._result(each) for each in self.columns.values]
        return [each for each in found if each is not None]

    def _result(self, of: Values) -> ReadResult | None:
        cell = self._at(of.place, of.column)
        # what cannot be read is some value all the same, so that its unit is looked at
        value = self._read(of.column, lambda: cells.value(cell, self.layout), Value(cell))
        if self.columns.is_wide and value == Value(None):
            return None
        value = self._compared(of, value)
        name = self.columns.name(Column.STATUS)
        status = self._read(
            name, lambda: cells.status(self.cell(Column.STATUS), self.layout), "final"
        )
        analyte, unit = self._word(of, Column.ANALYTE), self._word(of, Column.UNIT)
        reason = value.absent_reason or self.text(Column.ABSENT_REASON)
        self._check(of, value, status, unit=unit, reason=reason)
        if not analyte:
            self._say(self.columns.name(Column.ANALYTE), "must not be empty")
        issued = self._issued()
        words = {
            each.value: self._word(of, each) for each in (Column.METHOD, Column.KIT, Column.LOT)
        }
        number, system = self.text(Column.RESULT), self._word(of, Column.ANALYTE_SYSTEM)
        notes, measurement = self.text(Column.NOTES), self._measurement()
        if self.faults:
            return None
        number = f"{number}|{analyte}" if number and len(self.columns.values) > 1 else number
        report = ResultReport(
            names=(Identifier(system=RESULT_NUMBERS, value=number[:200]),) if number else (),
            codes=(Code(system=system, code=analyte),),
            value=value.text,
            comparator=value.comparator,
            unit=unit,
            status=status,
            issued_at=None if issued is None else issued.at,
            issued_precision=Precision.MINUTE if issued is None else issued.precision,
            absent_reason=reason if value.text is None else "",
            notes=notes,
            measurement=measurement,
            pointer=Fault(self.row.number, of.column, "").pointer[:200],
            **words,
        )
        return ReadResult(self.row.number, of.column, report)

    def _word(self, of: Values, column: Column) -> str:
        """Give what the column of values says of all its values, else what the row says."""
        return str(getattr(of.words, column.value)) or self.text(column)

    def _measurement(self) -> Measurement | None:
        if self.given.isdisjoint(_OF_MEASUREMENT):
            return None
        words = {
            each.value: self.text(each) for each in (Column.RUN, Column.CALIBRATOR, Column.DILUTION)
        }
        name, cell = (
            self.columns.name(Column.REPLICATE_CV_PERCENT),
            self.cell(Column.REPLICATE_CV_PERCENT),
        )
        cv = self._read(name, lambda: cells.number(cell, self.layout), "")
        if not (cv or any(words.values())):
            return None
        return Measurement(replicate_cv_percent=cv, **words)

    def _compared(self, of: Values, value: Value) -> Value:
        name = self.columns.name(Column.COMPARATOR)
        cell, none = self.cell(Column.COMPARATOR), Value(None).comparator
        own = self._read(name, lambda: cells.comparator(cell), none)
        if own and value.comparator and own != value.comparator:
            self._say(name, f"says {own}, and the column “{of.column}” says {value.comparator}")
        return value._replace(comparator=own) if own and value.text is not None else value

    def _issued(self) -> cells.Moment | None:
        cell = self.cell(Column.ISSUED_AT)
        if not cell.strip():
            return None
        name = self.columns.name(Column.ISSUED_AT)
        return self._read(name, lambda: cells.moment(cell, self.layout), None)

    def _check(self, of: Values, value: Value, status: str, *, unit: str, reason: str) -> None:
        """Say what is wrong between the cells of a result."""
        if value.text is None:
            if status not in _WITHOUT_VALUE and not reason and not self.faults:
                self._say(
                    of.column,
                    "is empty; only a registered, cancelled or entered-in-error result has no "
                    "value, or one that says in absent_reason why",
                )
            return
        if not unit:
            self._say(
                self.columns.name(Column.UNIT), "is empty; a value without a unit is not read"
            )
        if not self.columns.is_wide and self.text(Column.ABSENT_REASON):
            name = self.columns.name(Column.ABSENT_REASON)
            self._say(name, "says why there is no value, and there is one")
        if status == "registered":
            self._say(
                of.column, "holds a value, but a registered result is pending; is it preliminary?"
            )
