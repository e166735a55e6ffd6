"""A panel: one draw as the JSON door takes it, checked for shape and not yet for sense."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StringConstraints,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from patients.intake.reports import (
    EARLIEST_YEAR,
    DrawReport,
    Precision,
    SeenTime,
    TimeRole,
    is_on_earth,
)

DRAWS_AT_MOST = 500
RESULTS_AT_MOST = 50  # of one draw
RESULTS_OF_A_MESSAGE_AT_MOST = 5_000
DIGITS_AT_MOST = 20
_DIGITS = r"^[0-9]{1,20}(\.[0-9]{1,20})?$"
_A_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?\Z", re.ASCII)

_NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f]*$"
_LINE = StringConstraints(strip_whitespace=True, pattern=_NO_CONTROL_CHARACTERS)
Name = Annotated[str, _LINE, Field(min_length=1, max_length=200)]
Short = Annotated[str, _LINE, Field(min_length=1, max_length=100)]
Unit = Annotated[str, _LINE, Field(min_length=1, max_length=50)]
Remark = Annotated[str, _LINE, Field(max_length=200)]


def _as_sent(value: object) -> object:
    """Keep a number exactly as it was written, whether it came in quotes or not."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise PydanticCustomError("value_type", "must be a number, best in quotes: “37.50”")
    if isinstance(value, Decimal) and abs(value.adjusted()) > DIGITS_AT_MOST:
        return "out of range"  # never written out: 1e999999999 would fill the memory
    text = format(value, "f") if isinstance(value, Decimal) else str(value).strip()
    if text.startswith(("<", ">", "≤", "≥")):
        raise PydanticCustomError(
            "value_comparator", "must hold the number alone; “<” or “>” goes into comparator"
        )
    return text


def _is_a_concentration(text: str) -> str:
    if text.startswith("-"):
        raise PydanticCustomError("value_negative", "must not be below zero")
    if _A_NUMBER.match(text) is None:
        raise PydanticCustomError(
            "value_form",
            "must be a number written in digits with a decimal point, such as “37.50”; at most "
            "{digits} digits on either side of the point",
            {"digits": DIGITS_AT_MOST},
        )
    return text


SentValue = Annotated[
    str,
    BeforeValidator(_as_sent),
    AfterValidator(_is_a_concentration),
    WithJsonSchema({"type": "string", "pattern": _DIGITS, "examples": ["37.50"]}),
]


def _with_a_clock_time(value: object) -> object:
    """Refuse a bare date or a count of seconds: the hour of a draw matters."""
    if not isinstance(value, str) or len(value) < len("2026-11-02T08:10"):
        raise PydanticCustomError(
            "time_form",
            "must be a date with a time in ISO 8601, such as “2026-11-02T08:10:00+01:00”",
        )
    return value


def _has_a_zone_of_earth(at: datetime) -> datetime:
    if not is_on_earth(at):
        raise PydanticCustomError("time_zone", "must have an offset between -14:00 and +14:00")
    return at


def _is_within_memory(at: datetime) -> datetime:
    if at.year < EARLIEST_YEAR:
        raise PydanticCustomError(
            "time_too_early",
            "must not lie before {year}; check the year",
            {"year": EARLIEST_YEAR},
        )
    return at


CollectedAt = Annotated[
    datetime,
    BeforeValidator(_with_a_clock_time),
    AfterValidator(_is_within_memory),
    AfterValidator(_has_a_zone_of_earth),
    PlainSerializer(lambda at: at.isoformat(), return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-11-02T08:10:00+01:00"]}
    ),
]


_LESS_THAN_A_MINUTE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_AS_A_MOMENT = TypeAdapter(datetime)


def _as_time_of_draw(value: object) -> object:
    """Read when the blood was taken; what is no time of a draw but a time is left to a person."""
    if isinstance(value, SeenTime):
        return value
    found = _LESS_THAN_A_MINUTE.fullmatch(value) if isinstance(value, str) else None
    moment = _with_a_clock_time(value) if found is None else None
    try:
        if found is None:
            at = _AS_A_MOMENT.validate_python(moment)
        else:
            year, month, day = (int(part or 1) for part in found.groups())
            at = datetime(year, month, day)  # noqa: DTZ001 - in the laboratory's zone
    except ValueError as fault:
        raise PydanticCustomError("datetime_parsing", "is no time") from fault
    if found is None:
        at = _has_a_zone_of_earth(at)
        return SeenTime(role=TimeRole.COLLECTED, text=at.isoformat(), at=at)
    is_day, is_month = found[3] is not None, found[2] is not None
    precision = Precision.DAY if is_day else Precision.MONTH if is_month else Precision.YEAR
    return SeenTime(role=TimeRole.COLLECTED, text=found[0], at=at, precision=precision)


TimeOfDraw = Annotated[
    SeenTime,
    BeforeValidator(_as_time_of_draw),
    WithJsonSchema({"type": "string", "examples": ["2026-11-02T08:10:00+01:00"]}),
]


class _Part(BaseModel):
    """An unknown field is a fault: a misspelt name must not be dropped in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PatientReference(_Part):
    """The number by which the laboratory knows the patient, and whose number it is."""

    system: Name = Field(examples=["urn:clinic:mrn"])
    value: Short = Field(examples=["0042"])
    family: Annotated[str, _LINE, Field(max_length=200)] = Field(
        default="",
        description="Who the laboratory thinks it is. It finds nobody; where it contradicts the "
        "record, the clinic is warned.",
    )
    given: Annotated[str, _LINE, Field(max_length=200)] = ""
    birth_date: Annotated[str, _LINE, Field(max_length=50)] = Field(
        default="", examples=["1980-05-01"]
    )
    sex: Annotated[str, _LINE, Field(max_length=20)] = Field(default="", examples=["female"])

    def person(self) -> dict[str, str] | None:
        """Say who it is said to be, where anything is said."""
        said = self.model_dump(include={"family", "given", "birth_date", "sex"})
        return said if any(said.values()) else None


_TAKES_BACK = ("cancelled", "entered-in-error")


def fault_of_value_and_unit(
    status: object, value: object, unit: object
) -> PydanticCustomError | None:
    """Tell what is wrong between these three, whatever each of them holds."""
    if status in _TAKES_BACK:  # a value that comes along is kept as sent, and is never a point
        return None
    if value is None and unit is None:
        return PydanticCustomError("value_and_unit_missing", "value is missing, and so is its unit")
    if value is None:
        return PydanticCustomError(
            "value_missing",
            "value is missing; only a cancelled or entered-in-error result has none",
        )
    if unit is None:
        return PydanticCustomError(
            "unit_missing", "unit is missing; a value without a unit is not read"
        )
    return None


def fault_of_names(names: Sequence[str], *, kind: str, text: str) -> PydanticCustomError | None:
    """Tell which names stand more than once where each may stand once."""
    if len(set(names)) == len(names):
        return None
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    return PydanticCustomError(kind, text, {"names": ", ".join(twice)})


def fault_of_analytes(codes: Sequence[str]) -> PydanticCustomError | None:
    return fault_of_names(
        codes,
        kind="analyte_twice",
        text="each analyte may stand once in a draw; twice here: {names}",
    )


def fault_of_accessions(accessions: Sequence[str]) -> PydanticCustomError | None:
    return fault_of_names(
        accessions,
        kind="accession_twice",
        text="each accession may stand once in a message; twice here: {names}",
    )


_TEXTS_OF_A_RESULT = frozenset({"method", "kit", "lot", "run", "calibrator", "dilution"})


class PanelResult(_Part):
    """One analyte of the draw. Only a cancelled result may come without a value."""

    analyte: Short = Field(examples=["sIL-6R"])
    value: SentValue | None = Field(
        default=None, description="The number as printed; 37.50 stays 37.50."
    )
    unit: Unit | None = Field(
        default=None, description="Compulsory with a value.", examples=["ng/mL"]
    )
    comparator: Literal["<", "<=", ">", ">="] | None = Field(
        default=None, description="For a value beyond what the assay can measure."
    )
    status: Literal[
        "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error"
    ] = "final"
    issued_at: CollectedAt | None = Field(
        default=None,
        description="When the laboratory said so. Of two versions the one issued later counts, "
        "whichever comes first; without it the status decides, and an original that comes after "
        "its correction is taken for late.",
    )
    method: Remark = ""
    kit: Annotated[str, _LINE, Field(max_length=100)] = ""
    lot: Annotated[str, _LINE, Field(max_length=100)] = ""
    run: Annotated[str, _LINE, Field(max_length=100)] = Field(
        default="", description="In which run (plate, batch) it was measured."
    )
    calibrator: Annotated[str, _LINE, Field(max_length=100)] = Field(
        default="", description="Lot of the calibrator, or its name."
    )
    dilution: Annotated[str, _LINE, Field(max_length=50)] = Field(default="", examples=["1:100"])
    replicate_cv_percent: SentValue | None = Field(
        default=None,
        description="Coefficient of variation of the replicates of this sample, in per cent.",
        examples=["4.2"],
    )

    @model_validator(mode="before")
    @classmethod
    def _read_null_as_absent(cls, data: Any) -> Any:
        if isinstance(data, dict) and None in data.values():
            return {
                name: part
                for name, part in data.items()
                if not (part is None and name in _TEXTS_OF_A_RESULT)
            }
        return data

    @model_validator(mode="after")
    def _check_value_and_unit(self) -> Self:
        if fault := fault_of_value_and_unit(self.status, self.value, self.unit):
            raise fault
        return self

    def as_reported(self) -> dict[str, Any]:
        """Say the same in the words of the shared form."""
        return {
            "codes": ({"code": self.analyte},),
            "value": self.value,
            "comparator": self.comparator or "",
            "unit": self.unit or "",
            "status": self.status,
            "issued_at": self.issued_at,
            "method": self.method,
            "kit": self.kit,
            "lot": self.lot,
            "measurement": self._measurement(),
        }

    def _measurement(self) -> dict[str, str] | None:
        said = {
            "run": self.run,
            "calibrator": self.calibrator,
            "dilution": self.dilution,
            "replicate_cv_percent": self.replicate_cv_percent or "",
        }
        return said if any(said.values()) else None


class PanelSpecimen(_Part):
    """What was seen of the sample. It decides whether a draw may be scored."""

    matrix: Annotated[str, _LINE, Field(max_length=100)] = Field(
        default="", description="In what was measured.", examples=["serum", "EDTA plasma"]
    )
    tube: Annotated[str, _LINE, Field(max_length=100)] = ""
    haemolysis: Literal["none", "slight", "moderate", "gross"] | None = None
    haemolysis_index: Annotated[str, _LINE, Field(max_length=20)] = Field(
        default="",
        description="Free haemoglobin in mg/dL, or pluses; graded where haemolysis is not given.",
        examples=["120", "2+"],
    )
    lipaemia: Literal["none", "slight", "moderate", "gross"] | None = None
    icterus: Literal["none", "slight", "moderate", "gross"] | None = None
    freeze_thaw_cycles: Annotated[StrictInt, Field(ge=0, le=1000)] | None = None
    fasting: StrictBool | None = None
    storage: Annotated[str, _LINE, Field(max_length=100)] = Field(default="", examples=["-80 Cel"])
    processed_at: CollectedAt | None = None
    conditions: Annotated[
        list[Annotated[str, _LINE, Field(min_length=1, max_length=100)]], Field(max_length=20)
    ] = Field(default=[], description="Codes of HL7 table 0493 or words.", examples=[["HEM"]])
    notes: Annotated[str, _LINE, Field(max_length=500)] = ""

    def as_reported(self) -> dict[str, Any]:
        """Say the same in the words of the shared form."""
        said = self.model_dump(exclude_none=True)
        if self.fasting is not None:
            said["fasting"] = "yes" if self.fasting else "no"
        return said | {"conditions": tuple(self.conditions)}


class Panel(_Part):
    """One draw with its results."""

    accession: Short = Field(
        description="The laboratory's own number of the sample.", examples=["A-17"]
    )
    patient: PatientReference
    collected_at: TimeOfDraw = Field(
        description="When the blood was taken. Without an offset it is read in the laboratory's "
        "own time zone. A day alone is kept as a day; with a month or a year alone the draw waits "
        "for a person."
    )
    specimen: PanelSpecimen | None = None
    results: list[PanelResult] = Field(min_length=1, max_length=RESULTS_AT_MOST)

    @model_validator(mode="after")
    def _check_analytes(self) -> Self:
        if fault := fault_of_analytes([result.analyte for result in self.results]):
            raise fault
        return self

    def as_report(self, *, pointer: str) -> DrawReport:
        """Say the same in the shared form."""
        return DrawReport.model_validate(  # all at once is faster than part by part
            {
                "accession": self.accession,
                "patients": ({"system": self.patient.system, "value": self.patient.value},),
                "person": self.patient.person(),
                "times": (self.collected_at,),
                "specimen": None if self.specimen is None else self.specimen.as_reported(),
                "results": tuple(result.as_reported() for result in self.results),
                "pointer": pointer,
            }
        )


class PanelList(_Part):
    """Several draws in one message; all are taken or none."""

    draws: list[Panel] = Field(
        min_length=1,
        max_length=DRAWS_AT_MOST,
        description=f"At most {RESULTS_OF_A_MESSAGE_AT_MOST} results in all of them together.",
    )


class PanelShell(_Part):
    """The list alone: each of its draws is read by itself, until the faults are enough."""

    draws: list[Any] = Field(min_length=1, max_length=DRAWS_AT_MOST)
