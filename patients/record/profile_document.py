"""What may be said of a laboratory in its profile, and what cannot be right."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from django.core.exceptions import ValidationError as Invalid
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from patients import units
from patients.intake.hl7v2.charsets import KNOWN, codec_of
from patients.intake.numberings import is_of_patient, written_kind
from patients.intake.tables.layout import Layout
from patients.models import Analyte
from patients.models.people import check_time_zone

_LINE = StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$")


Line = Annotated[str, _LINE]
Sent = Annotated[Line, Field(max_length=200)]
Name = Annotated[Line, Field(min_length=1, max_length=100)]
AnalyteName = Annotated[Line, Field(min_length=1, max_length=20)]


def _known_zone(name: str) -> str:
    try:
        check_time_zone(name)
    except Invalid as fault:
        raise PydanticCustomError("zone", "{why}", {"why": fault.messages[0]}) from fault
    return name


def _known_unit(unit: str) -> str:
    if not units.is_known(unit):
        known = ", ".join(units.KNOWN_UNITS)
        raise PydanticCustomError("unit", "must be one of {known}", {"known": known})
    return unit


def _known_charset(name: str) -> str:
    if name and codec_of(name) is None:
        raise PydanticCustomError("charset", "must be one of {known}", {"known": ", ".join(KNOWN)})
    return name


Charset = Annotated[Line, Field(max_length=20), AfterValidator(_known_charset)]
Unit = Annotated[str, _LINE, AfterValidator(_known_unit)]
Limit = Annotated[
    Decimal,
    Field(ge=0, max_digits=30, allow_inf_nan=False),
    PlainSerializer(lambda number: f"{number:f}", return_type=str),
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AnalyteCode(_Part):
    """A code of the laboratory and the analyte that it means; without a system, in any."""

    system: Sent = ""
    code: Annotated[Sent, Field(min_length=1)]
    analyte: AnalyteName


class IgnoredCode(_Part):
    """A code of something that nobody here wants; without a system, in any."""

    system: Sent = ""
    code: Annotated[Sent, Field(min_length=1)]


class UnitSpelling(_Part):
    """A unit as the laboratory spells it, and the one that it means."""

    sent: Annotated[Line, Field(min_length=1, max_length=50)]
    means: Unit


def _type_of_patient_number(text: str) -> str:
    kind = written_kind(text)
    if text.strip() and not kind:
        raise PydanticCustomError("type", "must be a code of HL7 table 0203, such as MR or PI")
    if not is_of_patient(kind):
        raise PydanticCustomError(
            "type",
            "{kind} is the type of a visit, an order, a paper or a member of staff; numbers of it "
            "never find a patient",
            {"kind": kind},
        )
    return kind


class Numbering(_Part):
    """A numbering of patients as the laboratory calls it, and as the record does.

    With a type, numbers of that type alone; without one, those of any type that has no entry.
    """

    sent: Sent = ""
    type: Annotated[Line, Field(max_length=20), AfterValidator(_type_of_patient_number)] = ""
    means: Annotated[Sent, Field(min_length=1)]


class KitInUse(_Part):
    """With what an analyte is measured; the limits are given in the unit."""

    analyte: AnalyteName
    name: Name
    lot: Annotated[Line, Field(max_length=100)] = ""
    unit: Unit
    limit_of_detection: Limit | None = None
    upper_limit: Limit | None = None
    cv_percent: Annotated[Limit, Field(le=100)] | None = None
    used_from: date | None = None
    matrix: Literal["", "serum", "plasma", "edta_plasma", "heparin_plasma", "citrate_plasma"] = ""

    @model_validator(mode="after")
    def _check_limits(self) -> Self:
        low, high = self.limit_of_detection, self.upper_limit
        if low is not None and high is not None and high <= low:
            raise PydanticCustomError("limits", "upper_limit must lie above limit_of_detection")
        return self


class ProfileDocument(_Part):
    """What may be said of a laboratory; see docs/reference/laboratory-profile.md."""

    name: Name
    time_zone: Annotated[str, AfterValidator(_known_zone)] | None = None
    is_active: bool | None = None
    pushes_per_minute: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    charset: Charset | None = None
    draw_times: (
        Annotated[
            list[Literal["collected", "observed", "effective", "requested"]], Field(min_length=1)
        ]
        | None
    ) = None
    if_preliminary: Literal["record", "wait"] | None = None
    processing_ids: Annotated[list[Literal["P", "T", "D"]], Field(min_length=1)] | None = None
    silent_after_h: Annotated[int, Field(ge=1, le=10_000)] | None = None
    csv: Layout | None = None
    codes: list[AnalyteCode] | None = None
    ignored_codes: Annotated[list[IgnoredCode], Field(max_length=5_000)] | None = None
    units: list[UnitSpelling] | None = None
    patient_numbers: list[Numbering] | None = None
    kits: list[KitInUse] | None = None

    @model_validator(mode="after")
    def _check_doubles(self) -> Self:
        _refuse_doubles("draw_times", self.draw_times or ())
        _refuse_doubles("codes", ((each.system, each.code) for each in self.codes or ()))
        _refuse_doubles(
            "ignored_codes", ((each.system, each.code) for each in self.ignored_codes or ())
        )
        _refuse_doubles("units", (each.sent for each in self.units or ()))
        _refuse_doubles(
            "patient_numbers", ((each.sent, each.type) for each in self.patient_numbers or ())
        )
        _refuse_doubles("kits", ((each.analyte, each.name, each.lot) for each in self.kits or ()))
        return self


def _refuse_doubles(name: str, keys: Iterable[Hashable]) -> None:
    for key, times in Counter(keys).items():
        if times > 1:
            raise PydanticCustomError(
                "double", "{name}: {key} stands twice", {"name": name, "key": str(key)}
            )


class FaultyProfile(Exception):
    """The document cannot be right; every fault says where it stands."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{where or '/'}: {what}" for where, what in faults))
        self.faults = faults


def read_profile(data: object) -> ProfileDocument:
    """Check a document for shape, its analytes, and that it does not contradict itself."""
    try:
        document = ProfileDocument.model_validate(data)
    except ValidationError as found:
        raise FaultyProfile(
            [
                ("".join(f"/{step}" for step in fault["loc"]), fault["msg"])
                for fault in found.errors(include_url=False, include_input=False)
            ]
        ) from found
    known = set(Analyte.objects.values_list("code", flat=True))
    faults = [
        (f"/{name}/{place}/analyte", f"must be one of {', '.join(sorted(known))}")
        for name in ("codes", "kits")
        for place, each in enumerate(getattr(document, name) or ())
        if each.analyte not in known
    ]
    faults += _contradictions(document)
    if faults:
        raise FaultyProfile(faults)
    return document


def _contradictions(document: ProfileDocument) -> Iterator[tuple[str, str]]:
    """Find units that are some already and would mean others, and codes both wanted and ignored."""
    for place, each in enumerate(document.units or ()):
        if units.is_known(each.sent) and units.power_between(each.sent, each.means) != 0:
            yield f"/units/{place}/sent", f"“{each.sent}” is a unit itself, and not {each.means}"
    wanted = {(each.system, each.code): each.analyte for each in document.codes or ()}
    for place, code in enumerate(document.ignored_codes or ()):
        if (meant := wanted.get((code.system, code.code))) is not None:
            yield f"/ignored_codes/{place}/code", f"“{code.code}” is among the codes, as {meant}"
