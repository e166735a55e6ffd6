"""The data types of FHIR R4 that a result is made of; an unknown element is a fault.

Extensions and the ids of elements are taken out before these are asked (json_rules.py).
"""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from patients.intake.fhir.times import NoTime, read_time

UCUM = "http://unitsofmeasure.org"
DIGITS_AT_MOST = 20  # before and after the point
Comparator = Literal["<", "<=", ">", ">="]  # in the order of the JSON door

Text = Annotated[str, StringConstraints(max_length=1_000_000)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[^\s]+(\s[^\s]+)*$", max_length=1000)]
Uri = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=10_000)]
Opaque = dict[str, Any]  # a type that is neither read nor kept; only its being an object is checked


def broken(code: str, message: str, *, at: str = "") -> PydanticCustomError:
    """Make a fault that carries FHIR's code for it, and the element when it is one below."""
    return PydanticCustomError("fhir", message, {"code": code, "at": at})


def _check_time(text: str) -> str:
    try:
        read_time(text)
    except NoTime as fault:
        raise broken("value", str(fault)) from fault
    return text


def _check_instant(text: str) -> str:
    _check_time(text)
    if "T" not in text:
        raise broken("value", "must name the second and the zone: 2026-11-02T08:10:00+01:00")
    return text


def _check_date(text: str) -> str:
    _check_time(text)
    if "T" in text:
        raise broken("value", "must be a date without a time")
    return text


DateTime = Annotated[Text, AfterValidator(_check_time)]
Instant = Annotated[Text, AfterValidator(_check_instant)]
Date = Annotated[Text, AfterValidator(_check_date)]


def _check_number(value: object) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise broken("structure", "must be a number, without quotes")
    return value


Number = Annotated[Any, AfterValidator(_check_number)]


class Element(BaseModel):
    """A part of a resource, named as FHIR names it."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=False,
        validate_by_alias=True,
    )


class Period(Element):
    start: DateTime | None = None
    end: DateTime | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.start is not None and self.end is not None:
            start, end = read_time(self.start), read_time(self.end)
            are_exact = start.precision == end.precision == "minute"
            ends_first = start.at > end.at if are_exact else self.start[:10] > self.end[:10]
            # “2026-11” ends with November, whatever day of it the start is
            if ends_first and not self.start.startswith(self.end):
                raise broken("invariant", "must not end before it starts (per-1)")
        return self


class Coding(Element):
    system: Uri | None = None
    version: Text | None = None
    code: Code | None = None
    display: Text | None = None
    user_selected: StrictBool | None = None


class CodeableConcept(Element):
    coding: tuple[Coding, ...] = ()
    text: Text | None = None


class Identifier(Element):
    use: Literal["usual", "official", "temp", "secondary", "old"] | None = None
    type: CodeableConcept | None = None
    system: Uri | None = None
    value: Text | None = None
    period: Period | None = None
    assigner: "Reference | None" = None


class Reference(Element):
    reference: Text | None = None
    type: Uri | None = None
    identifier: Identifier | None = None
    display: Text | None = None


class Quantity(Element):
    value: Number | None = None
    comparator: Comparator | None = None
    unit: Text | None = None
    system: Uri | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _check_code_has_a_system(self) -> Self:
        if self.code is not None and self.system is None:
            raise broken("invariant", "must name the system of its code (qty-3)")
        return self


class Annotation(Element):
    author_string: Text | None = None
    author_reference: Reference | None = None
    time: DateTime | None = None
    text: Text


class Narrative(Element):
    status: Literal["generated", "extensions", "additional", "empty"]
    div: Text


class Meta(Element):
    version_id: Id | None = None
    last_updated: Instant | None = None
    source: Uri | None = None
    profile: tuple[Uri, ...] = ()
    security: tuple[Coding, ...] = ()
    tag: tuple[Coding, ...] = ()


class Resource(Element):
    """What every resource may have."""

    id: Id | None = None
    meta: Meta | None = None
    language: Code | None = None


class DomainResource(Resource):
    """What every resource with a text may have."""

    text: Narrative | None = None
    contained: Annotated[tuple[Opaque, ...], Field(max_length=100)] = ()
