"""The shared form: a draw as any laboratory reports it, whatever dialect its message speaks.

A dialect is a pure function from bytes to these reports. It checks that the message can be read;
what it cannot know (whose the number is, what the code means, which of several times is that of
the draw) it hands on as it was sent. Placing decides, by the profile of the laboratory. What cannot
be placed is kept in this form until a person has looked at it.
"""

import hashlib
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from patients.clocks import comes_twice, is_left_out

_NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f]*$"
_LINE = StringConstraints(strip_whitespace=True, pattern=_NO_CONTROL_CHARACTERS)
Line20 = Annotated[str, _LINE, Field(max_length=20)]
Line50 = Annotated[str, _LINE, Field(max_length=50)]
Line100 = Annotated[str, _LINE, Field(max_length=100)]
Line200 = Annotated[str, _LINE, Field(max_length=200)]
Line500 = Annotated[str, _LINE, Field(max_length=500)]

EARLIEST_YEAR = 1950  # no draw is older; a year before that is a slip of the pen
FARTHEST_ZONE = timedelta(hours=14)  # no clock on earth is farther from UTC
LATEST_YEAR = 9998  # beyond it, another zone is a year that no computer has
# The system of a name that the laboratory chose as the address of a result (a FHIR id)
ADDRESS = ""
UNSTATED = "urn:unstated"  # the system of a name or a number that says none


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Identifier(_Part):
    """A name in some numbering: of a patient, or of a result. An empty system is not stated."""

    system: Line200 = ""
    value: Annotated[str, _LINE, Field(min_length=1, max_length=200)]


def _is_unsaid(said: object) -> bool:
    return not said


class PatientNumber(Identifier):
    """A number by which a laboratory knows a patient, with what it says of the number.

    What is not said is not kept either.

    kind
        What it numbers, in the letters of HL7 table 0203 (MR, PI).
    begins_on, ends_on
        The first and the last day on which it is the patient's.
    is_former
        It is the patient's no more, and nobody says since when.
    """

    system: Annotated[Line200, AfterValidator(lambda stated: stated or UNSTATED)] = UNSTATED
    kind: Annotated[Line20, Field(exclude_if=_is_unsaid)] = ""
    begins_on: Annotated[date | None, Field(exclude_if=_is_unsaid)] = None
    ends_on: Annotated[date | None, Field(exclude_if=_is_unsaid)] = None
    is_former: Annotated[bool, Field(exclude_if=_is_unsaid)] = False

    def was_in_force(self, on: date | None) -> bool:
        """Tell whether it was the patient's on this day; on one that is not known, it may be."""
        if self.is_former or on is None:
            return not self.is_former
        return (self.begins_on or on) <= on <= (self.ends_on or on)


class Code(_Part):
    """What was measured, in some code system; the text is for people and codes of last resort."""

    system: Line200 = ""
    code: Line100 = ""
    text: Line200 = ""

    @property
    def key(self) -> tuple[str, str]:
        """What a profile knows the code by: text stands in where no code was sent."""
        return (self.system, self.code) if self.code else ("", self.text)


class Person(_Part):
    """Who the laboratory says it is: shown beside our patient, never used to find one."""

    family: Line200 = ""
    given: Line200 = ""
    birth_date: Line50 = ""
    sex: Line20 = ""


class TimeRole(StrEnum):
    """Which time of a message this is. `issued` never stands in for the draw."""

    COLLECTED = "collected"  # the specimen's own time: Specimen.collected, SPM-17
    OBSERVED = "observed"  # the result's own time: OBX-14
    EFFECTIVE = "effective"  # Observation.effective, DiagnosticReport.effective
    REQUESTED = "requested"  # the order's time of observation: OBR-7
    ISSUED = "issued"


class Precision(StrEnum):
    """How exactly a time was stated."""

    MINUTE = "minute"  # or finer
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class SeenTime(_Part):
    """One time of a message: as sent and, where it can be read, as a moment.

    `at` is the beginning of what was stated (a day begins at midnight). Without an offset it has
    no zone, and is read in the laboratory's. It is absent when the text is no time at all.
    """

    role: TimeRole
    text: Line100
    at: datetime | None = None
    precision: Precision = Precision.MINUTE

    def in_zone(self, zone: tzinfo, *, days_too: bool = True) -> "SeenTime":
        """Read a time without an offset in this zone; a day may be left for the laboratory's.

        A time that the clocks leave out in spring is none. In the hour that comes twice in autumn
        the first is meant, and it is exact to the day only.
        """
        if self.at is None or self.at.utcoffset() is not None:
            return self
        if self.precision is not Precision.MINUTE and not days_too:
            return self
        at = self.at.replace(tzinfo=zone)
        if self.precision is not Precision.MINUTE:
            return self.model_copy(update={"at": at})
        if is_left_out(at):
            return self.model_copy(update={"at": None})
        if comes_twice(at):
            midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
            return self.model_copy(update={"at": midnight, "precision": Precision.DAY})
        return self.model_copy(update={"at": at})


def is_on_earth(at: datetime) -> bool:
    """Tell whether there is such a zone, where one is stated."""
    return abs(at.utcoffset() or timedelta()) <= FARTHEST_ZONE


Grade = Literal["", "none", "slight", "moderate", "gross"]
Fasting = Literal["", "yes", "no"]


class Specimen(_Part):
    """What is said of the sample, where anything is.

    haemolysis, lipaemia, icterus
        Where the sender itself gives one of four grades; indices, codes and notes are graded by
        specimens.py.
    """

    matrix: Line100 = ""
    tube: Line100 = ""
    conditions: tuple[Line100, ...] = ()
    haemolysis: Grade = ""
    haemolysis_index: Line20 = ""
    lipaemia: Grade = ""
    icterus: Grade = ""
    freeze_thaw_cycles: Annotated[int, Field(ge=0, le=1000)] | None = None
    fasting: Fasting = ""
    storage: Line100 = ""
    processed_at: Line50 = ""
    notes: Line500 = ""


class Measurement(_Part):
    """How a value was measured, where anything is said of that.

    replicate_cv_percent
        The coefficient of variation of the replicates of this sample, in per cent, as sent.
    """

    run: Line100 = ""
    calibrator: Line100 = ""
    dilution: Line50 = ""
    replicate_cv_percent: Annotated[str, Field(pattern=r"^([0-9]{1,20}(\.[0-9]{1,20})?)?$")] = ""

    def in_words(self) -> dict[str, str] | None:
        """Say what was said, and no more."""
        return self.model_dump(exclude_defaults=True) or None


ResultStatus = Literal[
    "registered",
    "preliminary",
    "final",
    "amended",
    "corrected",
    "cancelled",
    "entered-in-error",
    "unknown",
]
Comparator = Literal["", "<", "<=", ">", ">="]


def _within_memory(at: datetime | None) -> datetime | None:
    """Take a year that no laboratory can mean for no time of issue: then the arrival decides."""
    return at if at is not None and is_within_memory(at) else None


def is_within_memory(at: datetime) -> bool:
    """Tell whether a laboratory can mean this year."""
    return EARLIEST_YEAR <= at.year <= LATEST_YEAR


class ResultReport(_Part):
    """One result of a draw, exactly as it was sent.

    names
        By which the laboratory knows this result and will correct it. The system ADDRESS holds
        an id that the laboratory chose itself.
    value
        The digits as sent, or whatever text stood in their place; None when there is none.
    keeps_value
        The status changes, and the value stays the one that was sent before (OBX-11 U).
    issued_at
        When the laboratory said so: FHIR `issued`, OBR-22, MSH-7. Without an offset it is read in
        the laboratory's zone.
    issued_precision
        How exactly; a day begins at `issued_at`.
    pointer
        Where in the message this result stands; it takes no part in comparing reports.
    """

    names: tuple[Identifier, ...] = ()
    codes: Annotated[tuple[Code, ...], Field(min_length=1)]
    value: Line200 | None = None
    comparator: Comparator = ""
    unit: Line50 = ""
    status: ResultStatus = "final"
    keeps_value: bool = False
    issued_at: Annotated[datetime | None, AfterValidator(_within_memory)] = None
    issued_precision: Precision = Precision.MINUTE
    absent_reason: Line100 = ""
    method: Line200 = ""
    kit: Line100 = ""
    lot: Line100 = ""
    measurement: Measurement | None = None
    notes: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    pointer: Line200 = ""

    def in_zone(self, zone: tzinfo, *, days_too: bool = True) -> Self:
        """Read a time of issue without an offset in this zone, as SeenTime does."""
        if self.issued_at is None or not _lacks_zone(self.issued_at):
            return self
        if self.issued_precision is not Precision.MINUTE and not days_too:
            return self
        return self.model_copy(update={"issued_at": self.issued_at.replace(tzinfo=zone)})


class DrawReport(_Part):
    """One draw with its results. Without an accession a draw is known by patient and time."""

    accession: Line100 = ""
    patients: tuple[PatientNumber, ...] = ()
    person: Person | None = None
    times: tuple[SeenTime, ...] = ()
    specimen: Specimen | None = None
    results: Annotated[tuple[ResultReport, ...], Field(min_length=1)]
    pointer: Line200 = ""

    def in_zone(self, zone: tzinfo, *, days_too: bool = True) -> Self:
        """Read every time without an offset in this zone; one with an offset is left alone."""
        if not any(_lacks_zone(time.at) for time in self.times) and not any(
            _lacks_zone(result.issued_at) for result in self.results
        ):
            return self
        return self.model_copy(
            update={
                "times": tuple(time.in_zone(zone, days_too=days_too) for time in self.times),
                "results": tuple(
                    result.in_zone(zone, days_too=days_too) for result in self.results
                ),
            }
        )

    @property
    def sha256(self) -> str:
        """Tell reports apart by what they say, wherever in a message they stand."""
        said = self.model_dump_json(exclude={"pointer": True, "results": {"__all__": {"pointer"}}})
        return hashlib.sha256(said.encode()).hexdigest()


def _lacks_zone(at: datetime | None) -> bool:
    return at is not None and at.utcoffset() is None
