"""What a client asks for: one resource to be created or updated, with everything it is tied to."""

import re
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from patients.intake.fhir.conditions import read_condition, terms_of, without_address
from patients.intake.fhir.datatypes import DomainResource
from patients.intake.fhir.faults import Fault, Refused, not_fhir, not_usable
from patients.intake.fhir.json_rules import clean
from patients.intake.fhir.reading import BARE, RETRACTED, Wrapping, address, report_of
from patients.intake.fhir.reports import (
    ID,
    name_within,
    names_of_report,
    results_of,
    taken_back,
    taken_back_by,
)
from patients.intake.fhir.resources import DiagnosticReport, Observation
from patients.intake.fhir.surroundings import (
    CONTEXT_ONLY,
    READ_BY_TYPE,
    Surroundings,
    read_resource,
)
from patients.intake.reports import DrawReport, Identifier

STORED = frozenset({"Observation", "DiagnosticReport"})
_ETAG = re.compile(r'(?:W/)?"([^"]{1,64})"')


class Asked(NamedTuple):
    """A request, or an entry of a Bundle: what is to happen at which address."""

    method: str
    kind: str
    id: str | None
    query: str
    if_none_exist: str | None = None
    if_match: str | None = None

    @property
    def terms(self) -> list[tuple[str, str]]:
        """The terms of its query; how the answer should look is none."""
        return terms_of(self.query)


@dataclass(frozen=True)
class Write:
    """A resource that is to be stored.

    condition
        The name by which an earlier result is looked for: a create is then only made when there is
        none, an update goes to the one there is.
    versions
        The versions that the client has seen (If-Match); any other refuses the update. `*` is any
        that there is.
    report_names
        Of a report: how the names of its results begin.
    codes
        Of a report: what each of its results is called within it.
    whole
        Of a report that takes back all of its results without naming any: what it says of each.
    listed_as
        Of a result that a report of the same Bundle lists: what it is called after the report.
    """

    method: Literal["create", "update"]
    kind: str
    id: str | None
    draws: tuple[DrawReport, ...]
    condition: Identifier | None = None
    versions: tuple[str, ...] = ()
    expression: str = ""
    report_names: tuple[Identifier, ...] = ()
    codes: tuple[str, ...] = ()
    whole: DrawReport | None = None
    listed_as: tuple[Identifier, ...] = ()

    @property
    def identities(self) -> set[Identifier]:
        """Every name of a result that this writes; no two writes of a transaction share one."""
        return {name for draw in self.draws for result in draw.results for name in result.names}


@dataclass(frozen=True)
class Context:
    """A resource that only helps to understand the others: used, and not stored."""

    kind: str
    detail: str


def read_address(method: str, url: str, *, root: str) -> Asked:
    """Take an entry's address apart: a type, a type with an id, or a type with a condition."""
    path, _, query = url.partition("?")
    kind, _, client_id = path.strip("/").partition("/")
    if "/" in client_id or (client_id and ID.fullmatch(client_id) is None):
        raise not_fhir("invalid", root, "url must be a type, or a type with an id")
    return Asked(method, kind, client_id or None, query)


def read_write(
    asked: Asked,
    resource: DomainResource | None,
    *,
    root: str,
    around: Surroundings,
    wrapping: Wrapping = BARE,
) -> Write | Context:
    """Read what is to be written, with the condition under which."""
    if resource is None:
        return Context(asked.kind, "not stored: it changes nothing in what a result says")
    _refuse_other_kind(type(resource).__name__, asked, root=root)
    if asked.kind not in STORED:
        return Context(asked.kind, "not stored: used only to place the results sent with it")
    assert isinstance(resource, Observation | DiagnosticReport)  # noqa: S101 - see STORED
    condition, own = _condition(asked, resource, root=root)
    versions = _versions(asked.if_match, root=root)
    blank = Write(
        method="update" if asked.method == "PUT" else "create",
        kind=asked.kind,
        id=asked.id if asked.method == "PUT" else None,
        draws=(),
        condition=condition,
        versions=versions,
        expression=root,
    )
    own_names = tuple(name for name in (own, condition) if name is not None)
    if isinstance(resource, DiagnosticReport):
        names = tuple(dict.fromkeys([*names_of_report(resource.identifier, own), *own_names]))
        return _read_report(resource, blank, names, around=around)
    if any(each.get("resourceType") == "Observation" for each in resource.contained):
        raise not_usable("not-supported", f"{root}.contained", _CONTAINED_IN_RESULT)
    if resource.is_panel:
        return Context(asked.kind, "not stored: a heading without a value; its members are results")
    draw = report_of(resource, root=root, around=around, wrapping=wrapping, names=own_names)
    return replace(blank, draws=(draw,), listed_as=wrapping.listed_as)


def _read_report(
    report: DiagnosticReport,
    blank: Write,
    names: tuple[Identifier, ...],
    *,
    around: Surroundings,
) -> Write | Context:
    """Read the results of a report, or those that it takes back."""
    root = blank.expression
    parts = results_of(report, names, root=root, around=around)
    chosen = names[:1] if blank.id is not None else names
    report_names = tuple(name_within(name, "", root=root) for name in chosen)
    whole: DrawReport | None = None
    if report.status in RETRACTED:
        parts += taken_back_by(report, root=root, around=around)
        if not parts and not report.result and report_names:
            words = report_names[0].value.removesuffix("#")
            whole = taken_back(report, report_names, words=words, root=root, around=around)
    if not parts and whole is None:
        if not _results_stand_elsewhere(report, around):
            raise not_usable("required", root, _NO_RESULT)
        return Context(blank.kind, "not stored itself: its results are sent as Observations")
    return replace(
        blank,
        draws=tuple(draw for _code, draw in parts),
        codes=tuple(code for code, _draw in parts),
        report_names=report_names,
        whole=whole,
    )


def _results_stand_elsewhere(report: DiagnosticReport, around: Surroundings) -> bool:
    """Tell whether a report only lists results that are sent for themselves.

    One that is taken back says something of its results, so they must stand beside it or be named.
    """
    references = [each.reference or "" for each in report.result]
    if report.status in RETRACTED:
        return bool(references) and all(each in around.known for each in references)
    if not references:
        return bool(around.known)
    return not any(each.startswith("#") for each in references)


def _refuse_other_kind(kind: str, asked: Asked, *, root: str) -> None:
    if kind != asked.kind:
        raise not_fhir("invalid", root, f"a resource {kind} cannot be sent to {asked.kind[:60]}")


def _condition(
    asked: Asked, resource: Observation | DiagnosticReport, *, root: str
) -> tuple[Identifier | None, Identifier | None]:
    """Find the name to look for, and the address that the client chose for the resource."""
    of = resource.identifier
    if asked.method == "POST":
        if asked.id is not None:
            raise not_fhir("invalid", root, "POST goes to a type; to choose the id, use PUT")
        if_none_exist = without_address(asked.if_none_exist or "", kind=asked.kind)
        conditions = [
            found
            for query in (asked.query, if_none_exist)
            if query and (found := read_condition(query, root=root, of=of)) is not None
        ]
        if len(set(conditions)) > 1:
            raise not_fhir("invalid", root, "the address and If-None-Exist name two conditions")
        if asked.if_none_exist is not None and not conditions:
            raise not_fhir("required", root, "If-None-Exist must be identifier=system|value")
        return (conditions[0] if conditions else None), None
    condition = read_condition(asked.query, root=root, of=of)
    if asked.id is None and condition is None:
        raise not_fhir("required", root, "PUT must name an id, or a condition: ?identifier=…")
    if asked.id is not None:
        if condition is not None:
            raise not_fhir("invalid", root, "PUT names an id or a condition, not both")
        if resource.id != asked.id:
            raise not_fhir(
                "invalid", f"{root}.id", "id must be the same in the address and in the resource"
            )
    return condition, address(resource.id) if resource.id is not None else None


def _versions(if_match: str | None, *, root: str) -> tuple[str, ...]:
    """Read If-Match: one ETag, several with commas, or `*` for any version that there is."""
    if if_match is None:
        return ()
    if if_match.strip() == "*":
        return ("*",)
    found = [_ETAG.fullmatch(each.strip()) for each in if_match.split(",")]
    versions = tuple(each[1] for each in found if each is not None)
    if len(versions) < len(found):
        raise not_fhir(
            "invalid", root, 'If-Match must be an ETag as it was sent: W/"1"; or several, or *'
        )
    return versions


def read_single(asked: Asked, data: Any) -> Write | Context:
    """Read a request whose body is the resource itself."""
    root = data.get("resourceType") if isinstance(data, dict) else None
    if not isinstance(root, str) or (root not in READ_BY_TYPE and root not in CONTEXT_ONLY):
        raise not_fhir("structure", asked.kind, f"the body must be a resource: {asked.kind}")
    _refuse_other_kind(root, asked, root=root)
    faults = clean(data, root=root)
    if faults:
        raise refused_by_json_rules(faults)
    return read_write(asked, read_resource(data, root=root), root=root, around=Surroundings())


_CONTAINED_IN_RESULT = (
    "results are taken by themselves or contained in a DiagnosticReport, not in an Observation"
)
_NO_RESULT = (
    "this report has no result, or takes back results that it does not contain; send each of them "
    "contained in it, or as an Observation"
)


def refused_by_json_rules(faults: list[Fault]) -> Refused:
    """Refuse what no FHIR may hold; too much of it is another matter."""
    return Refused(faults, status=422 if faults[0].code == "too-costly" else 400)
