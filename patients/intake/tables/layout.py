"""How the tables of one laboratory are laid out: part of its profile, stated and never guessed."""

import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from patients.intake.reports import ResultStatus
from patients.intake.tables.charsets import KNOWN, codec_of

_LINE = StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$")
Line50 = Annotated[str, _LINE, Field(max_length=50)]
Line200 = Annotated[str, _LINE, Field(max_length=200)]
Word = Annotated[str, _LINE, Field(min_length=1, max_length=100)]
_DIRECTIVES = re.compile(r"%([a-zA-Z%])")


class Column(StrEnum):
    """What a column can hold. Of these names the template is made."""

    ACCESSION = "accession"
    PATIENT_SYSTEM = "patient_system"
    PATIENT = "patient"
    COLLECTED_AT = "collected_at"
    COLLECTED_TIME = "collected_time"  # where day and time stand in two columns
    ANALYTE = "analyte"
    ANALYTE_SYSTEM = "analyte_system"
    COMPARATOR = "comparator"
    VALUE = "value"
    UNIT = "unit"
    STATUS = "status"
    ISSUED_AT = "issued_at"
    RESULT = "result"  # the laboratory's own number of the result
    ABSENT_REASON = "absent_reason"
    METHOD = "method"
    KIT = "kit"
    LOT = "lot"
    RUN = "run"
    CALIBRATOR = "calibrator"
    DILUTION = "dilution"
    REPLICATE_CV_PERCENT = "replicate_cv_percent"
    MATRIX = "matrix"
    TUBE = "tube"
    HAEMOLYSIS = "haemolysis"
    HAEMOLYSIS_INDEX = "haemolysis_index"
    LIPAEMIA = "lipaemia"
    ICTERUS = "icterus"
    FREEZE_THAW_CYCLES = "freeze_thaw_cycles"
    FASTING = "fasting"
    FAMILY = "family"
    GIVEN = "given"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    NOTES = "notes"
    IGNORED = "ignored"


# What each result of a wide table may have as a word of its own
OF_A_RESULT = (
    Column.ANALYTE,
    Column.ANALYTE_SYSTEM,
    Column.UNIT,
    Column.METHOD,
    Column.KIT,
    Column.LOT,
)
_NEVER_CONSTANT = {
    Column.ACCESSION,
    Column.PATIENT,
    Column.COLLECTED_AT,
    Column.COLLECTED_TIME,
    Column.COMPARATOR,
    Column.VALUE,
    Column.RESULT,
    Column.ISSUED_AT,
    Column.IGNORED,
}


def _known_charset(name: str) -> str:
    if codec_of(name) is None:
        raise PydanticCustomError("charset", "must be one of {known}", {"known": ", ".join(KNOWN)})
    return name


def _known_zone(name: str) -> str:
    if name and name not in available_timezones():
        raise PydanticCustomError("zone", "must be a time zone such as Europe/Berlin")
    return name


def _a_form_of_time(form: str) -> str:
    """Take only what reads the same in every language of a computer."""
    if not form:
        return form
    used = _DIRECTIVES.findall(form)
    if set(used) - set("dmYyHMSz") or not {"d", "m"} <= set(used) or not {"Y", "y"} & set(used):
        raise PydanticCustomError(
            "time_form",
            "must hold %d, %m and %Y (or %y), and may hold %H, %M, %S and %z: “%d.%m.%Y %H:%M”",
        )
    return form


def _a_form_of_clock_time(form: str) -> str:
    if form and (set(_DIRECTIVES.findall(form)) - set("HMS") or "%H" not in form):
        raise PydanticCustomError("time_form", "must hold %H and may hold %M and %S: “%H:%M”")
    return form


def name_of(header: str) -> str:
    """Compare names of columns without regard to case, line breaks and doubled blanks."""
    return " ".join(header.split()).casefold()


def _refuse_doubles(what: str, names: Iterable[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise PydanticCustomError(
                "double", "columns: {what} “{name}” stands twice", {"what": what, "name": name}
            )


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MappedColumn(_Part):
    """What a column of the laboratory holds, in our words.

    A column that `holds` values may say itself of which analyte, in which unit and by which method
    they are: a wide table has one column per analyte.
    """

    column: Word
    holds: Column
    analyte: Line200 = ""
    analyte_system: Line200 = ""
    unit: Line50 = ""
    method: Line200 = ""
    kit: Line200 = ""
    lot: Line200 = ""

    @model_validator(mode="after")
    def _check_words(self) -> Self:
        if self.holds is not Column.VALUE and any(getattr(self, each) for each in OF_A_RESULT):
            raise PydanticCustomError(
                "words", "only a column that holds “value” may name analyte, unit, method, kit, lot"
            )
        return self


class Layout(_Part):
    """The layout of a laboratory's tables; without one, the template's.

    Attributes
    ----------
    delimiter
        Between the cells of a CSV file. Empty: by the header line.
    decimal
        The sign before the decimals of a value, in text. Nothing else is read as one.
    charset
        Of a CSV file that has no byte-order mark and whose sender states none.
    time_format, clock_format
        How `collected_at` and `issued_at`, and `collected_time`, are written. ISO 8601 is always
        read as well.
    time_zone
        Of times without an offset. Empty: the laboratory's.
    sheet
        Which sheet of an XLSX file. Empty: the only one that holds anything.
    constants
        What stands in no column because it is the same in every row.
    statuses, absent
        The laboratory's words for a status, and for the reason why there is no value.
    """

    delimiter: Literal["", ",", ";", "\t"] = ""
    decimal: Literal[".", ","] = "."
    charset: Annotated[Line50, AfterValidator(_known_charset)] = "UTF-8"
    time_format: Annotated[Line50, AfterValidator(_a_form_of_time)] = ""
    clock_format: Annotated[Line50, AfterValidator(_a_form_of_clock_time)] = ""
    time_zone: Annotated[Line50, AfterValidator(_known_zone)] = ""
    sheet: Annotated[Line50, Field(max_length=31)] = ""
    columns: Annotated[list[MappedColumn], Field(max_length=200)] = []
    constants: dict[Column, Word] = {}
    statuses: dict[Word, ResultStatus] = {}
    absent: dict[Word, Word] = {}

    @model_validator(mode="after")
    def _check_columns(self) -> Self:
        _refuse_doubles("column", (name_of(each.column) for each in self.columns))
        _refuse_doubles(
            "holds", (each.holds for each in self.columns if each.holds not in _MAY_REPEAT)
        )
        if wrong := _NEVER_CONSTANT & self.constants.keys():
            raise PydanticCustomError(
                "constants", "{names} cannot be constant", {"names": ", ".join(sorted(wrong))}
            )
        if len(self.value_columns) > 1 and not all(each.analyte for each in self.value_columns):
            raise PydanticCustomError(
                "analyte", "where several columns hold values, each must name its analyte"
            )
        if self.decimal == "," and self.delimiter == ",":
            raise PydanticCustomError(
                "delimiter", "must not be the decimal sign; “;” is usual where decimals have commas"
            )
        return self

    @property
    def value_columns(self) -> list[MappedColumn]:
        """Give the columns that hold values."""
        return [each for each in self.columns if each.holds is Column.VALUE]


_MAY_REPEAT = {Column.VALUE, Column.IGNORED}
TEMPLATE = Layout()
