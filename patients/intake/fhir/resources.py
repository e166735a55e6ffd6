"""The resources of FHIR R4 that a laboratory sends; the required code sets are kept to the letter.

What is neither read nor kept (a performer, a reference range) is checked for its type only.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, StrictInt, model_validator

from patients.intake.fhir.datatypes import (
    Annotation,
    Code,
    CodeableConcept,
    Date,
    DateTime,
    DomainResource,
    Element,
    Identifier,
    Instant,
    Opaque,
    Period,
    Quantity,
    Reference,
    Resource,
    Text,
    Uri,
    broken,
)

ENTRIES_AT_MOST = 500
ObservationStatus = Literal[
    "registered",
    "preliminary",
    "final",
    "amended",
    "corrected",
    "cancelled",
    "entered-in-error",
    "unknown",
]
_VALUES = (
    "value_quantity",
    "value_codeable_concept",
    "value_string",
    "value_boolean",
    "value_integer",
    "value_range",
    "value_ratio",
    "value_sampled_data",
    "value_time",
    "value_date_time",
    "value_period",
)
_TIMES = ("effective_date_time", "effective_period", "effective_timing", "effective_instant")


class ReferenceRange(Element):
    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None
    applies_to: tuple[CodeableConcept, ...] = ()
    age: Opaque | None = None
    text: Text | None = None


class _Valued(Element):
    """A code and at most one value: an Observation, or a component of one."""

    code: CodeableConcept
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: Text | None = None
    value_boolean: StrictBool | None = None
    value_integer: StrictInt | None = None
    value_range: Opaque | None = None
    value_ratio: Opaque | None = None
    value_sampled_data: Opaque | None = None
    value_time: Text | None = None
    value_date_time: DateTime | None = None
    value_period: Period | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: tuple[CodeableConcept, ...] = ()
    reference_range: tuple[ReferenceRange, ...] = ()

    @property
    def value_kinds(self) -> list[str]:
        return [name for name in _VALUES if name in self.model_fields_set]

    @model_validator(mode="after")
    def _check_one_value(self) -> Self:
        kinds = self.value_kinds
        if len(kinds) > 1:
            raise broken("structure", "must stand once: one value[x] is all", at="value[x]")
        if kinds and self.data_absent_reason is not None:
            raise broken(
                "invariant", "must not stand beside a value (obs-6)", at="dataAbsentReason"
            )
        return self


class Component(_Valued):
    pass


class Observation(DomainResource, _Valued):
    resource_type: Literal["Observation"]
    identifier: tuple[Identifier, ...] = ()
    based_on: tuple[Reference, ...] = ()
    part_of: tuple[Reference, ...] = ()
    status: ObservationStatus
    category: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None
    focus: tuple[Reference, ...] = ()
    encounter: Reference | None = None
    effective_date_time: DateTime | None = None
    effective_period: Period | None = None
    effective_timing: Opaque | None = None
    effective_instant: Instant | None = None
    issued: Instant | None = None
    performer: tuple[Reference, ...] = ()
    note: tuple[Annotation, ...] = ()
    body_site: CodeableConcept | None = None
    method: CodeableConcept | None = None
    specimen: Reference | None = None
    device: Reference | None = None
    has_member: tuple[Reference, ...] = ()
    derived_from: tuple[Reference, ...] = ()
    component: tuple[Component, ...] = ()

    @model_validator(mode="after")
    def _check_one_time(self) -> Self:
        if sum(name in self.model_fields_set for name in _TIMES) > 1:
            raise broken("structure", "must stand once: one effective[x] is all", at="effective[x]")
        return self

    @property
    def is_panel(self) -> bool:
        """A heading over other Observations, with no value of its own."""
        return bool(self.has_member) and not self.value_kinds and not self.component


class DiagnosticReport(DomainResource):
    resource_type: Literal["DiagnosticReport"]
    identifier: tuple[Identifier, ...] = ()
    based_on: tuple[Reference, ...] = ()
    status: Literal[
        "registered",
        "partial",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "appended",
        "cancelled",
        "entered-in-error",
        "unknown",
    ]
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept
    subject: Reference | None = None
    encounter: Reference | None = None
    effective_date_time: DateTime | None = None
    effective_period: Period | None = None
    issued: Instant | None = None
    performer: tuple[Reference, ...] = ()
    results_interpreter: tuple[Reference, ...] = ()
    specimen: tuple[Reference, ...] = ()
    result: tuple[Reference, ...] = ()
    imaging_study: tuple[Reference, ...] = ()
    media: tuple[Opaque, ...] = ()
    conclusion: Text | None = None
    conclusion_code: tuple[CodeableConcept, ...] = ()
    presented_form: tuple[Opaque, ...] = ()

    @model_validator(mode="after")
    def _check_one_time(self) -> Self:
        if self.effective_date_time is not None and self.effective_period is not None:
            raise broken("structure", "must stand once: one effective[x] is all", at="effective[x]")
        return self


class Collection(Element):
    collector: Reference | None = None
    collected_date_time: DateTime | None = None
    collected_period: Period | None = None
    duration: Opaque | None = None
    quantity: Quantity | None = None
    method: CodeableConcept | None = None
    body_site: CodeableConcept | None = None
    fasting_status_codeable_concept: CodeableConcept | None = None
    fasting_status_duration: Opaque | None = None

    @model_validator(mode="after")
    def _check_one_time(self) -> Self:
        if self.collected_date_time is not None and self.collected_period is not None:
            raise broken("structure", "must stand once: one collected[x] is all", at="collected[x]")
        return self


class Processing(Element):
    description: Text | None = None
    procedure: CodeableConcept | None = None
    additive: tuple[Reference, ...] = ()
    time_date_time: DateTime | None = None
    time_period: Period | None = None


class Container(Element):
    identifier: tuple[Identifier, ...] = ()
    description: Text | None = None
    type: CodeableConcept | None = None
    capacity: Quantity | None = None
    specimen_quantity: Quantity | None = None
    additive_codeable_concept: CodeableConcept | None = None
    additive_reference: Reference | None = None


class Specimen(DomainResource):
    resource_type: Literal["Specimen"]
    identifier: tuple[Identifier, ...] = ()
    accession_identifier: Identifier | None = None
    status: Literal["available", "unavailable", "unsatisfactory", "entered-in-error"] | None = None
    type: CodeableConcept | None = None
    subject: Reference | None = None
    received_time: DateTime | None = None
    parent: tuple[Reference, ...] = ()
    request: tuple[Reference, ...] = ()
    collection: Collection | None = None
    processing: tuple[Processing, ...] = ()
    container: tuple[Container, ...] = ()
    condition: tuple[CodeableConcept, ...] = ()
    note: tuple[Annotation, ...] = ()


class HumanName(Element):
    use: Literal["usual", "official", "temp", "nickname", "anonymous", "old", "maiden"] | None = (
        None
    )
    text: Text | None = None
    family: Text | None = None
    given: tuple[Text, ...] = ()
    prefix: tuple[Text, ...] = ()
    suffix: tuple[Text, ...] = ()
    period: Period | None = None


class Patient(DomainResource):
    """Used to find the person among ours, and never to enrol or change anybody."""

    resource_type: Literal["Patient"]
    identifier: tuple[Identifier, ...] = ()
    active: StrictBool | None = None
    name: tuple[HumanName, ...] = ()
    telecom: tuple[Opaque, ...] = ()
    gender: Literal["male", "female", "other", "unknown"] | None = None
    birth_date: Date | None = None
    deceased_boolean: StrictBool | None = None
    deceased_date_time: DateTime | None = None
    address: tuple[Opaque, ...] = ()
    marital_status: CodeableConcept | None = None
    multiple_birth_boolean: StrictBool | None = None
    multiple_birth_integer: StrictInt | None = None
    photo: tuple[Opaque, ...] = ()
    contact: tuple[Opaque, ...] = ()
    communication: tuple[Opaque, ...] = ()
    general_practitioner: tuple[Reference, ...] = ()
    managing_organization: Reference | None = None
    link: tuple[Opaque, ...] = ()


class DeviceName(Element):
    name: Text
    type: Code


class Device(DomainResource):
    """The kit or the analyser; its name and its lot are read."""

    resource_type: Literal["Device"]
    identifier: tuple[Identifier, ...] = ()
    definition: Reference | None = None
    udi_carrier: tuple[Opaque, ...] = ()
    status: Literal["active", "inactive", "entered-in-error", "unknown"] | None = None
    status_reason: tuple[CodeableConcept, ...] = ()
    distinct_identifier: Text | None = None
    manufacturer: Text | None = None
    manufacture_date: DateTime | None = None
    expiration_date: DateTime | None = None
    lot_number: Text | None = None
    serial_number: Text | None = None
    device_name: tuple[DeviceName, ...] = ()
    model_number: Text | None = None
    part_number: Text | None = None
    type: CodeableConcept | None = None
    specialization: tuple[Opaque, ...] = ()
    version: tuple[Opaque, ...] = ()
    property: tuple[Opaque, ...] = ()
    patient: Reference | None = None
    owner: Reference | None = None
    contact: tuple[Opaque, ...] = ()
    location: Reference | None = None
    url: Uri | None = None
    note: tuple[Annotation, ...] = ()
    safety: tuple[CodeableConcept, ...] = ()
    parent: Reference | None = None


class Request(Element):
    method: Literal["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]
    url: Uri
    if_none_match: Text | None = None
    if_modified_since: Instant | None = None
    if_match: Text | None = None
    if_none_exist: Text | None = None


class Entry(Element):
    link: tuple[Opaque, ...] = ()
    full_url: Uri | None = None
    resource: Opaque | None = None
    search: Opaque | None = None
    request: Request
    response: Opaque | None = None


class Bundle(Resource):
    resource_type: Literal["Bundle"]
    identifier: Identifier | None = None
    type: Literal[
        "document",
        "message",
        "transaction",
        "transaction-response",
        "batch",
        "batch-response",
        "history",
        "searchset",
        "collection",
    ]
    timestamp: Instant | None = None
    total: StrictInt | None = None
    link: tuple[Opaque, ...] = ()
    entry: Annotated[tuple[Opaque, ...], Field(max_length=ENTRIES_AT_MOST)] = ()
    signature: Opaque | None = None
