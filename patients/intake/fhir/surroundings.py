"""What a result points to, and where it is found: contained, or elsewhere in its Bundle."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from patients.intake.fhir.datatypes import DomainResource, Reference
from patients.intake.fhir.faults import Fault, Refused, faults_in
from patients.intake.fhir.resources import (
    Device,
    DiagnosticReport,
    Observation,
    Patient,
    Specimen,
)

Read = TypeVar("Read", bound=DomainResource)
READ_BY_TYPE: dict[str, type[DomainResource]] = {
    "Observation": Observation,
    "DiagnosticReport": DiagnosticReport,
    "Specimen": Specimen,
    "Patient": Patient,
    "Device": Device,
}
# Sent along by whole systems; they change nothing in what a result says
CONTEXT_ONLY = frozenset(
    {
        "Practitioner",
        "PractitionerRole",
        "Organization",
        "ServiceRequest",
        "Task",
        "Encounter",
        "Location",
        "Provenance",
        "RelatedPerson",
    }
)


@dataclass(frozen=True)
class Surroundings:
    """Everything that a reference can find, by each of its names."""

    known: dict[str, DomainResource] = field(default_factory=dict)

    def find(self, reference: Reference | None, kind: type[Read]) -> Read | None:
        """Follow a reference to a resource of this type; None when it leads out of the message."""
        if reference is None or reference.reference is None:
            return None
        found = self.known.get(reference.reference)
        return found if isinstance(found, kind) else None

    def within(self, contained: dict[str, DomainResource]) -> "Surroundings":
        """See what a resource contains before what stands around it."""
        return Surroundings({**self.known, **contained}) if contained else self


def read_resource(data: Any, *, root: str) -> DomainResource | None:
    """Check one resource against its model; None when it is of a type that is only passed along."""
    kind = data.get("resourceType") if isinstance(data, dict) else None
    if not isinstance(kind, str):
        raise Refused(
            [Fault("structure", root, f"{root} must be a resource with its resourceType")],
            status=400,
        )
    if kind in CONTEXT_ONLY:
        return None
    model = READ_BY_TYPE.get(kind)
    if model is None:
        raise Refused(
            [Fault("not-supported", root, f"{kind[:60]} is not a type of resource taken here")],
            status=422,
        )
    try:
        return model.model_validate(data)
    except ValidationError as found:
        raise Refused(faults_in(found, root=root), status=400) from found


def read_contained(resource: DomainResource, *, root: str) -> dict[str, DomainResource]:
    """Read what a resource contains, by the names by which it is referred to."""
    known: dict[str, DomainResource] = {}
    names: set[str] = set()
    for place, data in enumerate(resource.contained):
        here = f"{root}.contained[{place}]"
        name = data.get("id")
        if not isinstance(name, str):
            raise _refuse("required", f"{here}.id", "a contained resource must have an id")
        if name in names:
            raise _refuse("duplicate", f"{here}.id", "two contained resources have the same id")
        names.add(name)
        if "contained" in data:
            raise _refuse("invariant", here, "must not contain resources itself (dom-2)")
        kind = data.get("resourceType")
        if not isinstance(kind, str):
            raise _refuse("structure", here, "contained must hold resources with a resourceType")
        if kind not in READ_BY_TYPE:
            continue
        read = read_resource(data, root=here)
        if read is not None:
            known[f"#{name}"] = read
    return known


def _refuse(code: str, expression: str, detail: str) -> Refused:
    return Refused([Fault(code, expression, detail)], status=400)


def around(entries: Sequence[tuple[str | None, DomainResource]]) -> Surroundings:
    """Let the entries of a Bundle be found by their fullUrl, and by type and id."""
    known: dict[str, DomainResource] = {}
    for full_url, resource in entries:
        if full_url is not None:
            known[full_url] = resource
        if resource.id is not None:
            known.setdefault(f"{type(resource).__name__}/{resource.id}", resource)
    return Surroundings(known)
