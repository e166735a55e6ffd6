"""The profile of a laboratory as one document: read, compared, changed.

A document may leave fields out; what it leaves out stays as it is. A list that is given replaces
the whole list. The command and the pages change a profile by such documents and by nothing else.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from django.core.exceptions import ValidationError as Invalid
from django.db import transaction
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

from patients import audit, units
from patients.intake.tables.layout import Layout
from patients.models import (
    Analyte,
    AnalyteAlias,
    Draw,
    Kit,
    Laboratory,
    NumberingAlias,
    UnitAlias,
)
from patients.models.people import check_time_zone
from patients.record.versions import count_up

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
    try:
        "".encode(name or "utf-8")
    except LookupError:
        raise PydanticCustomError(
            "charset", "must be a character set such as UTF-8 or ISO-8859-1"
        ) from None
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


class Numbering(_Part):
    """A numbering of patients as the laboratory calls it, and as the record does."""

    sent: Sent = ""
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
        _refuse_doubles("patient_numbers", (each.sent for each in self.patient_numbers or ()))
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


def profile_of(laboratory: Laboratory) -> ProfileDocument:
    """Write the present profile of a laboratory as a document that leaves nothing out."""
    codes = AnalyteAlias.objects.filter(laboratory=laboratory).order_by("pk")
    kits = Kit.objects.filter(laboratory=laboratory).order_by("pk")
    return ProfileDocument(
        **{name: getattr(laboratory, name) for name in ("name", *_FIELDS)},
        csv=Layout.model_validate(laboratory.csv),
        codes=[
            AnalyteCode(system=each.system, code=each.code, analyte=each.analyte.code)
            for each in codes.select_related("analyte")
        ],
        ignored_codes=[IgnoredCode.model_validate(each) for each in laboratory.ignored_codes],
        units=[
            UnitSpelling(sent=each.sent, means=each.means)
            for each in UnitAlias.objects.filter(laboratory=laboratory).order_by("pk")
        ],
        patient_numbers=[
            Numbering(sent=each.sent, means=each.means)
            for each in NumberingAlias.objects.filter(laboratory=laboratory).order_by("pk")
        ],
        kits=[
            KitInUse(
                analyte=each.analyte.code,
                **{name: getattr(each, name) for name in _OF_KITS},
            )
            for each in kits.select_related("analyte")
        ],
    )


_FIELDS = (
    "time_zone",
    "is_active",
    "pushes_per_minute",
    "charset",
    "draw_times",
    "if_preliminary",
    "processing_ids",
    "silent_after_h",
)
_MAY_BE_EMPTY = frozenset({"pushes_per_minute", "silent_after_h"})
_LISTS = ("codes", "ignored_codes", "units", "patient_numbers", "kits")
_OF_KITS = (
    "name",
    "lot",
    "unit",
    "limit_of_detection",
    "upper_limit",
    "cv_percent",
    "used_from",
    "matrix",
)


def differences(document: ProfileDocument, laboratory: Laboratory | None) -> list[str]:
    """Say in words what the document would change."""
    given = document.model_fields_set - {"name"}
    if laboratory is None:
        return [f"the laboratory “{document.name}” is new"]
    before = profile_of(laboratory)
    said = []
    for name in (*_FIELDS, "csv", *_LISTS):
        now, was = getattr(document, name), getattr(before, name)
        if name not in given or now == was or (now is None and name not in _MAY_BE_EMPTY):
            continue
        if name in _LISTS:
            said.extend(_of_list(name, was or [], now or []))
        elif name == "csv":
            template = "as the template"
            said.append(f"csv: {_words(was) or template} becomes {_words(now) or template}")
        else:
            said.append(f"{name}: {was!r} becomes {now!r}")
    return said


def _of_list(name: str, was: list[Any], now: list[Any]) -> list[str]:
    gone, come = [e for e in was if e not in now], [e for e in now if e not in was]
    return [f"{name}: {_words(each)} is added" for each in come] + [
        f"{name}: {_words(each)} is removed" for each in gone
    ]


def _words(part: BaseModel) -> str:
    said = part.model_dump(mode="json", exclude_defaults=True)
    return ", ".join(f"{name} {value!r}" for name, value in said.items())


def refuse_other_letters(name: str) -> None:
    """Refuse a name that differs from the one on record in capitals only: a slip, not another."""
    known = Laboratory.objects.filter(name__iexact=name).exclude(name=name).first()
    if known is not None:
        message = f"“{name}” is on record as “{known.name}”; write it so, or choose another name"
        raise FaultyProfile([("/name", message)])


@transaction.atomic
def load_profile(
    document: ProfileDocument, *, by: str, at: datetime
) -> tuple[Laboratory, list[str]]:
    """Create the laboratory, or bring its profile to what the document says; say what changed.

    The same document again changes nothing.
    """
    refuse_other_letters(document.name)
    laboratory, is_new = Laboratory.objects.get_or_create(name=document.name)
    laboratory = Laboratory.objects.select_for_update().get(pk=laboratory.pk)
    changed = differences(document, None if is_new else laboratory)
    if not changed:
        return laboratory, []
    given = document.model_fields_set
    for name in _FIELDS:
        value = getattr(document, name)
        if name in given and (value is not None or name in _MAY_BE_EMPTY):
            setattr(laboratory, name, value)
    if document.csv is not None:
        laboratory.csv = document.csv.model_dump(mode="json", exclude_defaults=True)
    if document.ignored_codes is not None:
        laboratory.ignored_codes = [each.model_dump() for each in document.ignored_codes]
    laboratory.profile_version += 1  # what waits under an earlier one is tried again
    laboratory.save()
    analytes = {each.code: each for each in Analyte.objects.all()}
    _replace_lists(laboratory, document, analytes)
    if any(each.startswith("kits") for each in changed):
        # Limits, variation and fluid of a kit decide what its results are worth
        measured = Draw.objects.filter(laboratory=laboratory, superseded_at=None)
        count_up(measured.values_list("patient_id", flat=True).distinct(), at=at)
    audit.write(
        verb="add_laboratory" if is_new else "change_laboratory",
        subject=f"laboratory:{laboratory.pk}",
        by=by,
        at=at,
        fields=sorted(given - {"name"}),
    )
    return laboratory, changed


def _replace_lists(
    laboratory: Laboratory, document: ProfileDocument, analytes: dict[str, Analyte]
) -> None:
    if document.codes is not None:
        AnalyteAlias.objects.filter(laboratory=laboratory).delete()
        AnalyteAlias.objects.bulk_create(
            AnalyteAlias(
                laboratory=laboratory,
                system=each.system,
                code=each.code,
                analyte=analytes[each.analyte],
            )
            for each in document.codes
        )
    if document.units is not None:
        UnitAlias.objects.filter(laboratory=laboratory).delete()
        UnitAlias.objects.bulk_create(
            UnitAlias(laboratory=laboratory, sent=each.sent, means=each.means)
            for each in document.units
        )
    if document.patient_numbers is not None:
        NumberingAlias.objects.filter(laboratory=laboratory).delete()
        NumberingAlias.objects.bulk_create(
            NumberingAlias(laboratory=laboratory, sent=each.sent, means=each.means)
            for each in document.patient_numbers
        )
    if document.kits is not None:
        Kit.objects.filter(laboratory=laboratory).delete()
        Kit.objects.bulk_create(
            Kit(
                laboratory=laboratory,
                analyte=analytes[each.analyte],
                **{name: getattr(each, name) for name in _OF_KITS},
            )
            for each in document.kits
        )
