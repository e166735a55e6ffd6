"""A laboratory reads its own results back: one by its id, or all that have an identifier."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode
from uuid import UUID

from django.utils.http import http_date
from django.utils.translation import gettext as _

from monitoring.fhir import stored
from monitoring.fhir.answers import report_tree, report_version
from patients.intake.fhir.conditions import read_token
from patients.intake.fhir.faults import Fault, Refused, not_fhir
from patients.intake.fhir.writing import Tree, instant
from patients.intake.report_versions import began_at

OBSERVATION = "Observation"
_SEARCHED = frozenset({"identifier", "_id"})
# Clients write these beside a search; they say how much of it is told, and in what order
_OF_THE_PAGE = frozenset({"_count", "_sort", "_total"})


@dataclass(frozen=True)
class Found:
    """A resource, or a Bundle of them, with the headers that belong to it."""

    resource: Tree
    headers: dict[str, str] = field(default_factory=dict)


def read(laboratory_id: int, resource_id: str) -> Found:
    """Give the current version of a result."""
    return _found(_current(laboratory_id, resource_id))


def _current(laboratory_id: int, resource_id: str) -> stored.Stored:
    line = stored.line_of(laboratory_id, resource_id)
    found = stored.current(laboratory_id, [line]) if line is not None else {}
    if line is None or line not in found:
        raise _nothing()
    return found[line]


def read_version(laboratory_id: int, resource_id: str, version: str) -> Found:
    """Give one version of a result."""
    for each in _history(laboratory_id, resource_id):
        if str(each.standing.version) == version:
            return _found(each)
    raise _nothing()


def read_history(laboratory_id: int, resource_id: str, *, base: str) -> Found:
    """Give every version of a result: the one that counts, then the others, the newest first."""
    current = _current(laboratory_id, resource_id).standing.version
    versions = sorted(
        _history(laboratory_id, resource_id), key=lambda each: each.standing.version != current
    )
    entries = [
        {
            "fullUrl": f"{base}/{OBSERVATION}/{each.standing.id}",
            "resource": each.resource,
            "request": {
                "method": "POST" if each.standing.version == 1 else "PUT",
                "url": OBSERVATION
                if each.standing.version == 1
                else f"{OBSERVATION}/{each.standing.id}",
            },
            "response": {
                "status": "201" if each.standing.version == 1 else "200",
                "etag": each.standing.etag,
                "lastModified": instant(each.standing.at),
            },
        }
        for each in versions
    ]
    return Found(_bundle("history", entries))


def _history(laboratory_id: int, resource_id: str) -> list[stored.Stored]:
    line = stored.line_of(laboratory_id, resource_id)
    versions = stored.history(laboratory_id, line) if line is not None else []
    if not versions:
        raise _nothing()
    return versions


def search(
    laboratory_id: int,
    terms: Sequence[tuple[str, str]],
    *,
    base: str,
    is_lenient: bool = False,
) -> Found:
    """Give the results that have an identifier; no other search is known.

    `base` is the address of the door as this client sees it. A client that asks to be lenient is
    told in `link` which of its terms were used.

    Raises
    ------
    Refused
        When the search is another one: to leave a term out would be to answer another question.
    """
    at_most = _at_most(terms)
    counted = [(name, value) for name, value in terms if name == "_count"]
    terms = [(name, value) for name, value in terms if name not in _OF_THE_PAGE]
    if is_lenient:
        terms = [(name, value) for name, value in terms if name in _SEARCHED]
    if len(terms) != 1 or terms[0][0] not in _SEARCHED:
        raise not_fhir(
            "not-supported",
            "",
            _("search for one identifier=system|value, or one _id, and only it"),
        )
    name, value = terms[0]
    lines = _lines(laboratory_id, name, value)
    found = stored.current(laboratory_id, lines)
    entries = [
        {
            "fullUrl": f"{base}/{OBSERVATION}/{each.standing.id}",
            "resource": each.resource,
            "search": {"mode": "match"},
        }
        for each in found.values()
    ]
    link = [{"relation": "self", "url": f"{base}/{OBSERVATION}?{urlencode(terms + counted)}"}]
    told = _bundle("searchset", entries[:at_most]) | {"total": len(entries)}
    return Found({**told, "link": link})


def _at_most(terms: Sequence[tuple[str, str]]) -> int | None:
    """Say how many of the results found are asked for; None for all of them."""
    counts = [value for name, value in terms if name == "_count"]
    if not counts:
        return None
    if len(counts) > 1 or not re.fullmatch(r"[0-9]{1,9}", counts[0]):
        raise not_fhir("invalid", "", _("_count must be a whole number, and stand once"))
    return int(counts[0])


def read_report(laboratory_id: int, resource_id: str) -> Found:
    """Give a report as it was sent, with its results as they are now."""
    lines = stored.lines_of_report(laboratory_id, resource_id)
    found = list(stored.current(laboratory_id, lines).values())
    told = [each for each in found if each.report is not None]
    if not told:
        raise _nothing()
    report = max(told, key=lambda each: each.standing.at).report
    assert report is not None  # noqa: S101 - see told
    newest = max((each.standing for each in found), key=lambda each: each.at)
    standing = replace(
        newest,
        id=resource_id,
        version=report_version(found, began_at(lines, laboratory_id=laboratory_id)),
        status=report["status"],
        waits=next((each.standing.waits for each in found if each.standing.waits), ""),
    )
    return Found(report_tree(report, found, standing), {"ETag": standing.etag})


def _lines(laboratory_id: int, name: str, value: str) -> list[UUID]:
    if not value.isprintable():
        raise not_fhir("invalid", "", _("%s holds a character that no name has") % name)
    if name == "_id":
        line = stored.line_of(laboratory_id, value)
    elif "|" in value:
        line = stored.line_named(laboratory_id, read_token(value, root=""))
    else:
        return stored.lines_valued(laboratory_id, value.strip())
    return [] if line is None else [line]


def _bundle(kind: str, entries: list[Tree]) -> Tree:
    bundle: Tree = {"resourceType": "Bundle", "type": kind, "total": len(entries)}
    return bundle | ({"entry": entries} if entries else {})


def _found(each: stored.Stored) -> Found:
    return Found(
        each.resource,
        {"ETag": each.standing.etag, "Last-Modified": http_date(each.standing.at.timestamp())},
    )


def _nothing() -> Refused:
    return Refused(
        [Fault("not-found", "", _("This laboratory has nothing under this id."))], status=404
    )
