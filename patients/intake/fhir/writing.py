"""From what was taken in back to resources: as it was sent, under the name that it has here.

What came as FHIR is given back as it came, with its extensions; what came in another tongue is put
together from the record. On top of either lies what this side decides: the id, the version, when
it was taken in, the status, and whether it waits for a person.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from patients.intake.fhir.datatypes import UCUM
from patients.intake.reports import UNSTATED, Code, Identifier

Tree = dict[str, Any]
STATES = "urn:soundings:state"
ANALYTES = "urn:soundings:analyte"
_WAITS = {
    "parked": "waits for a person",
    "rejected": "set aside by a person",
    "ignored": "not kept: the laboratory's profile ignores its code",
}
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
_STEP = re.compile(r"([A-Za-z]+)(?:\[(\d+)\])?")
_INHERITED = ("subject", "effectiveDateTime", "effectivePeriod", "issued")
_LABORATORY = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "laboratory",
        }
    ]
}


@dataclass(frozen=True)
class Plain:
    """A result by the columns of the record, for one that did not come as FHIR."""

    names: tuple[Identifier, ...]
    code: Code
    patient: Identifier | None
    accession: str
    collected_at: datetime | None
    is_exact: bool
    value: str
    comparator: str
    unit: str
    issued_at: datetime | None
    absent_reason: str
    method: str
    notes: str


@dataclass(frozen=True)
class Standing:
    """What this side says of a resource.

    Attributes
    ----------
    version
        0 is none: what waits to replace what is on record is no version of it yet.
    """

    id: str
    version: int
    at: datetime
    status: str
    waits: str = ""  # parked, rejected or ignored; empty for what is on record

    @property
    def etag(self) -> str:
        return f'W/"{self.version}"'


def dressed(resource: Tree, standing: Standing) -> Tree:
    """Lay over a resource what this side says of it."""
    meta = {
        **resource.get("meta", {}),
        "versionId": str(standing.version),
        "lastUpdated": instant(standing.at),
    }
    if not standing.version:
        del meta["versionId"]
    tags = [tag for tag in meta.pop("tag", []) if tag.get("system") != STATES]
    if standing.waits:
        tags.append({"system": STATES, "code": standing.waits, "display": _WAITS[standing.waits]})
    if tags:
        meta["tag"] = tags
    rest = {
        name: part
        for name, part in resource.items()
        if name not in ("resourceType", "id", "meta", "status")
    }
    return {
        "resourceType": resource["resourceType"],
        "id": standing.id,
        "meta": meta,
        "status": standing.status,
        **rest,
    }


def instant(at: datetime) -> str:
    """Write a moment as FHIR does."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# As it was sent


def as_sent(message: Any, pointer: str) -> Tree:
    """Find the resource in its message, and give it what it had from its surroundings."""
    steps = _STEP.findall(pointer)
    resource: Tree = dict(_follow(message, steps))
    if steps[-1][0] == "contained":
        report = _follow(message, steps[:-1])
        resource = _on_its_own(resource, report)
    entries = message.get("entry", []) if isinstance(message, dict) else []
    return _without_bundle(resource, entries) if entries else resource


def is_report(message: Any, pointer: str) -> bool:
    """Tell whether a pointer names a report, and not a result."""
    found = _follow(message, _STEP.findall(pointer))
    return isinstance(found, dict) and found.get("resourceType") == "DiagnosticReport"


def _follow(message: Any, steps: list[tuple[str, str]]) -> Any:
    """Go down from the root, whose own name is the first step."""
    found = message
    for name, place in steps[1:]:
        found = found[name][int(place)] if place else found[name]
    return found


def _on_its_own(resource: Tree, report: Tree) -> Tree:
    """Take a result out of its report, with everything that it had from it."""
    lent = {name: report[name] for name in _INHERITED if name in report and name not in resource}
    if "effectiveInstant" in resource or "effectiveTiming" in resource:
        lent = {name: part for name, part in lent.items() if not name.startswith("effective")}
    specimens = report.get("specimen", [])
    if len(specimens) == 1 and "specimen" not in resource:
        lent["specimen"] = specimens[0]
    alone = {name: part for name, part in resource.items() if name != "id"} | lent
    needed = [
        each
        for each in report.get("contained", [])
        if f"#{each.get('id')}" in set(_references(alone))
    ]
    return alone | ({"contained": needed} if needed else {})


def _without_bundle(resource: Tree, entries: Sequence[Tree]) -> Tree:
    """Replace the names that entries had only within their Bundle."""
    transient = {
        element: url
        for element in ("subject", "specimen", "device")
        if (url := resource.get(element, {}).get("reference", "")).startswith("urn:")
    }
    if not transient:
        return resource
    contained = list(resource.get("contained", []))
    changed = dict(resource)
    for element, url in transient.items():
        found = next((each.get("resource") for each in entries if each.get("fullUrl") == url), None)
        if found is None:
            continue
        if element == "subject":
            numbers = found.get("identifier", [])
            changed[element] = {"identifier": numbers[0]} if numbers else {"display": "unnamed"}
        else:
            contained.append({**found, "id": element})
            changed[element] = {"reference": f"#{element}"}
    return changed | ({"contained": contained} if contained else {})


def _references(tree: Any) -> Iterable[str]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(node.get("reference"), str):
                yield node["reference"]
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


# From the record


def from_record(plain: Plain) -> Tree:
    """Put a result together that came in another tongue."""
    coding = {
        "system": plain.code.system or ANALYTES,
        "code": plain.code.code,
        "display": plain.code.text,
    }
    parts: Tree = {
        "resourceType": "Observation",
        "identifier": [identifier_tree(name) for name in plain.names],
        "category": [_LABORATORY],
        "code": {"coding": [_without_empty(coding)]},
        "subject": {"identifier": identifier_tree(plain.patient)} if plain.patient else None,
        "issued": instant(plain.issued_at) if plain.issued_at else None,
        "method": {"text": plain.method} if plain.method else None,
        "note": [{"text": plain.notes}] if plain.notes else None,
        "specimen": ({"identifier": {"value": plain.accession}} if plain.accession else None),
    }
    if plain.collected_at is not None:
        parts["effectiveDateTime"] = (
            instant(plain.collected_at) if plain.is_exact else plain.collected_at.date().isoformat()
        )
    if _NUMBER.fullmatch(plain.value):
        parts["valueQuantity"] = _quantity(plain)
    elif plain.value:
        parts["valueString"] = plain.value
    elif plain.absent_reason:
        parts["dataAbsentReason"] = {"text": plain.absent_reason}
    return _without_empty(parts)


def _quantity(plain: Plain) -> Tree:
    return _without_empty(
        {
            "value": Decimal(plain.value),
            "comparator": plain.comparator,
            "unit": plain.unit,
            "system": UCUM if plain.unit else "",
            "code": plain.unit,
        }
    )


def identifier_tree(name: Identifier) -> Tree:
    """Write a name as FHIR does; one whose system was never stated has none."""
    tree: Tree = {} if name.system in ("", UNSTATED) else {"system": name.system}
    return tree | {"value": name.value}


def _without_empty(tree: Tree) -> Tree:
    return {name: part for name, part in tree.items() if part}
