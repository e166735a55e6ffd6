"""Bundles: a transaction is taken whole or not at all, a batch entry by entry."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from patients.intake.fhir.datatypes import DomainResource, Reference
from patients.intake.fhir.faults import Fault, Refused, faults_in, not_fhir, not_usable
from patients.intake.fhir.interactions import (
    Asked,
    Context,
    Write,
    read_address,
    read_write,
    refused_by_json_rules,
)
from patients.intake.fhir.json_rules import clean
from patients.intake.fhir.reading import BARE, Wrapping, address
from patients.intake.fhir.reports import names_of_report, part_of
from patients.intake.fhir.resources import Bundle, DiagnosticReport, Entry, Observation
from patients.intake.fhir.surroundings import Surroundings, around, read_resource
from patients.intake.report_names import after_report
from patients.intake.reports import Identifier

CONTAINED_AT_MOST = 1_000
READS_AT_MOST = 50  # for each the message that brought the result is read again


@dataclass(frozen=True)
class Fetch:
    """An entry that asks for something to be read."""

    asked: Asked


Step = Write | Context | Fetch | Refused


@dataclass(frozen=True)
class ReadBundle:
    """What a Bundle asks for, entry by entry."""

    kind: Literal["transaction", "batch"]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class _Read:
    """An entry whose resource was read, or what is wrong with it."""

    entry: Entry | None = None
    resource: DomainResource | None = None
    fault: Refused | None = None


def read_bundle(data: Any) -> ReadBundle:
    """Read a Bundle.

    Raises
    ------
    Refused
        When it is no transaction and no batch, or a transaction of which any entry is at fault.
    """
    bundle = _read_shell(data)
    entries = [_read_entry(each, root=_root(place)) for place, each in enumerate(bundle.entry)]
    _refuse_same_addresses(entries)
    surroundings = around(
        [
            (each.entry.full_url, each.resource)
            for each in entries
            if each.entry is not None and each.resource is not None
        ]
    )
    wrappings = _wrappings(entries, surroundings)
    steps = tuple(
        _step(each, root=_root(place), around=surroundings, wrappings=wrappings)
        for place, each in enumerate(entries)
    )
    if sum(isinstance(step, Fetch) for step in steps) > READS_AT_MOST:
        detail = f"a Bundle reads at most {READS_AT_MOST} results; send fewer at once"
        raise not_usable("too-costly", "Bundle.entry", detail)
    if bundle.type == "transaction":
        _refuse_any_fault(steps)
        _refuse_overlaps(steps)
        return ReadBundle("transaction", steps)
    return ReadBundle("batch", steps)


def _root(place: int) -> str:
    return f"Bundle.entry[{place}]"


def _read_shell(data: Any) -> Bundle:
    """Read the Bundle without what its entries hold: each of them stands for itself."""
    if not isinstance(data, dict) or data.get("resourceType") != "Bundle":
        raise not_fhir("structure", "Bundle", "the body must be a resource: Bundle")
    entries = data.pop("entry", [])
    if _contained_in(entries) > CONTAINED_AT_MOST:
        detail = f"reports of a Bundle contain at most {CONTAINED_AT_MOST} results in all of them"
        raise not_usable("too-costly", "Bundle.entry", f"{detail}; send fewer at once")
    faults = clean(data, root="Bundle")
    if faults:
        raise refused_by_json_rules(faults)
    try:
        bundle = Bundle.model_validate(data | {"entry": entries})
    except ValidationError as found:
        named = faults_in(found, root="Bundle")
        raise Refused(
            named, status=422 if any(each.code == "too-costly" for each in named) else 400
        ) from found
    if bundle.type not in ("transaction", "batch"):
        raise not_usable(
            "not-supported", "Bundle.type", f"a {bundle.type} is not taken: transaction or batch"
        )
    return bundle


def _contained_in(entries: Any) -> int:
    """Count the results that stand within others, before any of them is read."""
    count = 0
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        contained = resource.get("contained") if isinstance(resource, dict) else None
        for each in contained if isinstance(contained, list) else ():
            count += isinstance(each, dict) and each.get("resourceType") == "Observation"
    return count


def _read_entry(data: dict[str, Any], *, root: str) -> _Read:
    try:
        resource = data.pop("resource", None)
        if resource is not None and not isinstance(resource, dict):
            raise not_fhir("structure", f"{root}.resource", "resource must be an object in braces")
        faults = clean(data, root=root) if data or resource is None else []
        if resource is not None:
            faults += clean(resource, root=f"{root}.resource")
        if faults:
            raise refused_by_json_rules(faults)
        entry = Entry.model_validate(data)
        read = None
        if resource is not None:
            read = read_resource(resource, root=f"{root}.resource")
        elif entry.request.method in ("POST", "PUT"):
            raise not_fhir("required", f"{root}.resource", "resource is missing")
        return _Read(entry, read)
    except ValidationError as found:
        return _Read(fault=Refused(faults_in(found, root=root), status=400))
    except Refused as fault:
        return _Read(fault=fault)


def _wrappings(entries: list[_Read], around: Surroundings) -> dict[int, Wrapping]:
    """Find for each result the first report that lists it, or a heading over it, if one does."""
    found: dict[int, Wrapping] = {}
    for each in entries:
        report = each.resource
        if not isinstance(report, DiagnosticReport):
            continue
        names, seen = _names_of(each), dict[str, int]()
        waiting: list[Reference] = list(reversed(report.result))
        while waiting:
            resource = around.known.get(waiting.pop().reference or "")
            if resource is not None and id(resource) not in found:
                part = part_of(resource, seen) if isinstance(resource, Observation) else ""
                listed_as = tuple(filter(None, (_name_after(name, part) for name in names)))
                found[id(resource)] = Wrapping(report, listed_as)
                waiting.extend(reversed(getattr(resource, "has_member", ())))
    return found


def _names_of(read: _Read) -> tuple[Identifier, ...]:
    """Give the names of the report of an entry, with the address to which it is put."""
    assert read.entry is not None and isinstance(read.resource, DiagnosticReport)  # noqa: S101, PT018
    request, client_id = read.entry.request, read.resource.id
    is_put_there = request.method == "PUT" and request.url.endswith(f"/{client_id}")
    own = address(client_id) if client_id is not None and is_put_there else None
    return names_of_report(read.resource.identifier, own)


def _name_after(report: Identifier, part: str) -> Identifier | None:
    system, value = after_report(report, part)
    is_short = max(len(system), len(value)) <= 200
    return Identifier(system=system, value=" ".join(value.split())) if part and is_short else None


def _step(read: _Read, *, root: str, around: Surroundings, wrappings: dict[int, Wrapping]) -> Step:
    if read.entry is None:
        return read.fault or not_fhir("structure", root, "the entry cannot be read")
    request = read.entry.request
    try:
        asked = read_address(request.method, request.url, root=f"{root}.request.url")
        if request.method in ("GET", "HEAD"):
            return Fetch(asked)
        if request.method not in ("POST", "PUT"):
            raise Refused(
                [
                    Fault(
                        "not-supported",
                        f"{root}.request.method",
                        f"{request.method} is not done here: a result is corrected or retracted by "
                        "sending it again",
                    )
                ],
                status=405,
            )
        asked = asked._replace(if_none_exist=request.if_none_exist, if_match=request.if_match)
        return read_write(
            asked,
            read.resource,
            root=f"{root}.resource",
            around=around,
            wrapping=wrappings.get(id(read.resource), BARE),
        )
    except Refused as fault:
        return fault


def _refuse_same_addresses(entries: list[_Read]) -> None:
    seen: set[str] = set()
    for place, each in enumerate(entries):
        url = each.entry.full_url if each.entry is not None else None
        if url is None:
            continue
        if url in seen:
            raise not_fhir(
                "duplicate",
                f"{_root(place)}.fullUrl",
                "fullUrl must be unique in a Bundle (bdl-7)",
            )
        seen.add(url)


def _refuse_any_fault(steps: tuple[Step, ...]) -> None:
    found = [step for step in steps if isinstance(step, Refused)]
    if found:
        raise Refused(
            [fault for each in found for fault in each.faults],
            status=min(each.status for each in found),
        )


def _refuse_overlaps(steps: tuple[Step, ...]) -> None:
    """Two entries of a transaction that name one result would depend on their order."""
    seen: dict[object, int] = {}
    for place, step in enumerate(steps):
        if not isinstance(step, Write):
            continue
        for name in step.identities:
            if name in seen:
                raise not_fhir(
                    "duplicate",
                    _root(place),
                    f"entry {place} and entry {seen[name]} are one and the same result; a "
                    "transaction may name each only once",
                )
            seen[name] = place
