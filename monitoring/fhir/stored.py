"""What the record holds of a laboratory's own results, ready to be given back to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from patients.intake import strict_json
from patients.intake.fhir.writing import (
    ANALYTES,
    Plain,
    Standing,
    Tree,
    as_sent,
    dressed,
    from_record,
    is_report,
)
from patients.intake.report_names import REPORT, is_of_report
from patients.intake.reports import ADDRESS, Code, Identifier
from patients.intake.waiting import Waiting, last_word, waiting_of
from patients.models import Inbound, Parked, ParkedResult, ParkedState, Result, ResultName

DIALECT = "fhir"
# Of a draw that was placed only what its laboratory's profile ignores is still but parked
_WAITS = {
    ParkedState.WAITING: "parked",
    ParkedState.REJECTED: "rejected",
    ParkedState.MATCHED: "ignored",
}


@dataclass(frozen=True)
class Stored:
    """One version of a result, as it is given back."""

    line: UUID
    standing: Standing
    resource: Tree
    report: Tree | None = None  # the DiagnosticReport that brought it, if one did


def line_of(laboratory_id: int, resource_id: str) -> UUID | None:
    """Find the result that an id means: one that the laboratory chose, or one that we gave."""
    named = ResultName.objects.filter(
        laboratory_id=laboratory_id, system=ADDRESS, value=resource_id
    ).first()
    if named is not None:
        return named.line
    try:
        return UUID(resource_id)
    except ValueError:
        return None


def line_named(laboratory_id: int, name: Identifier) -> UUID | None:
    """Find the result that an identifier names."""
    found = ResultName.objects.filter(
        laboratory_id=laboratory_id, system=name.system, value=name.value
    ).first()
    return None if found is None else found.line


def lines_of_report(laboratory_id: int, resource_id: str) -> list[UUID]:
    """Find the results of a report: by the id that the laboratory chose, or by that of the draw."""
    named = ResultName.objects.filter(
        laboratory_id=laboratory_id, system=REPORT, value__startswith=f"{resource_id}#"
    )
    if lines := list(dict.fromkeys(named.order_by("pk").values_list("line", flat=True))):
        return lines
    try:
        public_id = UUID(resource_id)
    except ValueError:
        return []
    placed = Result.objects.filter(draw__laboratory_id=laboratory_id, superseded_at=None)
    waiting = ParkedResult.objects.filter(parked__laboratory_id=laboratory_id)
    waited = (
        waiting.filter(parked__public_id=public_id).order_by("pk").values_list("line", flat=True)
    )
    return [
        *placed.filter(draw__public_id=public_id)
        .order_by("pk")
        .values_list("public_id", flat=True),
        *_as_placed(laboratory_id, list(waited)),
    ]


def _as_placed(laboratory_id: int, waited: Sequence[UUID]) -> list[UUID]:
    """Give results that have waited by the names by which they are on record, where they are."""
    names = ResultName.objects.filter(
        laboratory_id=laboratory_id, system=ADDRESS, value__in=[str(line) for line in waited]
    )
    placed = dict(names.values_list("value", "line"))
    return list(dict.fromkeys(placed.get(str(line), line) for line in waited))


def lines_valued(laboratory_id: int, value: str) -> list[UUID]:
    """Find the results that have an identifier of this value, whatever its system."""
    found = ResultName.objects.filter(laboratory_id=laboratory_id, value=value)
    return list(dict.fromkeys(name.line for name in found.exclude(system=ADDRESS).order_by("pk")))


def that_waited(laboratory_id: int, lines: Sequence[UUID], *, since: datetime) -> set[UUID]:
    """Tell which of these results had waited for a person before that moment."""
    waited = ParkedResult.objects.filter(
        parked__laboratory_id=laboratory_id, line__in=lines, parked__parked_at__lt=since
    )
    return set(waited.values_list("line", flat=True))


def parked_at(laboratory_id: int, public_id: UUID) -> datetime | None:
    """Say since when a draw waits; None when it does not."""
    parked = Parked.objects.filter(laboratory_id=laboratory_id, public_id=public_id)
    return parked.values_list("parked_at", flat=True).first()


def current(laboratory_id: int, lines: Sequence[UUID]) -> dict[UUID, Stored]:
    """Give the current version of each of these results that is the laboratory's own."""
    names = _names(laboratory_id, lines)
    waiting = [last_word(each) for each in waiting_of(laboratory_id, lines).values()]
    results = list(_results(laboratory_id, lines).filter(superseded_at=None))
    messages = _messages([each.parked.inbound for each in waiting] + _inbound_of(results))
    found = {each.line: _of_parked(each, names, messages) for each in waiting}
    for result in results:
        found[result.public_id] = _of_result(result, names, messages)
    return found


def history(laboratory_id: int, line: UUID) -> list[Stored]:
    """Give every version of a result, the newest first; a parked one until it is placed."""
    names = _names(laboratory_id, [line])
    results = list(_results(laboratory_id, [line]).order_by("-version"))
    if results:
        messages = _messages(_inbound_of(results))
        return [_of_result(result, names, messages) for result in results]
    waiting = waiting_of(laboratory_id, [line]).get(line, [])
    messages = _messages([each.parked.inbound for each in waiting])
    return [_of_parked(each, names, messages) for each in reversed(waiting)]


def _results(laboratory_id: int, lines: Sequence[UUID]) -> QuerySet[Result]:
    # A message of megabytes must not come once with each of its hundreds of results
    return (
        Result.objects.filter(draw__laboratory_id=laboratory_id, public_id__in=lines)
        .select_related("draw__inbound", "draw__laboratory", "inbound", "analyte")
        .defer("draw__inbound__body", "inbound__body")
    )


def _inbound_of(results: Iterable[Result]) -> list[Inbound | None]:
    return [each.inbound or each.draw.inbound for each in results]


def _messages(brought_by: Iterable[Inbound | None]) -> dict[int, Any]:
    """Read the messages that came as FHIR, each once."""
    ids = {each.pk for each in brought_by if each is not None and each.dialect == DIALECT}
    bodies = Inbound.objects.filter(pk__in=ids).values_list("pk", "body") if ids else ()
    return {pk: strict_json.load_again(bytes(body)) for pk, body in bodies}


def _names(laboratory_id: int, lines: Sequence[UUID]) -> dict[UUID, tuple[Identifier, ...]]:
    names: dict[UUID, tuple[Identifier, ...]] = {}
    found = ResultName.objects.filter(laboratory_id=laboratory_id, line__in=lines, is_alias=False)
    for each in found.order_by("pk"):
        names[each.line] = (
            *names.get(each.line, ()),
            Identifier(system=each.system, value=each.value),
        )
    return names


def id_of(line: UUID, names: Iterable[Identifier]) -> str:
    """Give the id under which a result is known: the laboratory's own choice, or ours."""
    return next((name.value for name in names if name.system == ADDRESS), str(line))


def _of_result(
    result: Result, names: dict[UUID, tuple[Identifier, ...]], messages: dict[int, Any]
) -> Stored:
    own = names.get(result.public_id, ())
    inbound = result.inbound or result.draw.inbound
    resource = _from_message(inbound, result.pointer, messages)
    if resource is None:
        draw = result.draw
        resource = from_record(
            Plain(
                names=tuple(name for name in own if name.system and not is_of_report(name)),
                code=Code(system=ANALYTES, code=result.analyte.code, text=result.analyte.name),
                patient=None,  # what we know the patient by may be news to the laboratory
                accession=draw.accession,
                collected_at=draw.collected_at.astimezone(ZoneInfo(draw.laboratory.time_zone)),
                is_exact=draw.collected_precision != "day",
                value=result.sent_value,
                comparator=result.comparator,
                unit=result.sent_unit,
                issued_at=result.issued_at if result.issued_precision == "minute" else None,
                absent_reason=result.absent_reason,
                method=result.method,
                notes=result.notes,
            )
        )
    standing = Standing(
        id_of(result.public_id, own), result.version, result.recorded_at, result.status
    )
    return Stored(
        result.public_id,
        standing,
        dressed(resource, standing),
        _report_of(inbound, result.pointer, messages),
    )


def _of_parked(
    each: Waiting,
    names: dict[UUID, tuple[Identifier, ...]],
    messages: dict[int, Any],
) -> Stored:
    own = names.get(each.line, ())
    parked, report, said = each.parked, each.report, each.said
    resource = _from_message(parked.inbound, said.pointer, messages)
    if resource is None:
        resource = from_record(
            Plain(
                names=said.names,
                code=said.codes[0],
                patient=report.patients[0] if report.patients else None,
                accession=report.accession,
                collected_at=None,
                is_exact=False,
                value=said.value or "",
                comparator=said.comparator,
                unit=said.unit,
                issued_at=said.issued_at if said.issued_precision == "minute" else None,
                absent_reason=said.absent_reason,
                method=said.method,
                notes=said.notes,
            )
        )
    standing = Standing(
        id_of(each.line, own),
        each.version,
        parked.parked_at,
        said.status,
        _WAITS[ParkedState(parked.state)],
    )
    return Stored(
        each.line,
        standing,
        dressed(resource, standing),
        _report_of(parked.inbound, said.pointer, messages),
    )


def _from_message(inbound: Inbound | None, pointer: str, messages: dict[int, Any]) -> Tree | None:
    """Find a result in the message that brought it, when that was FHIR.

    A report that takes back results brings none of them.
    """
    if inbound is None or inbound.pk not in messages or not pointer:
        return None
    message = messages[inbound.pk]
    return None if is_report(message, pointer) else as_sent(message, pointer)


def _report_of(inbound: Inbound | None, pointer: str, messages: dict[int, Any]) -> Tree | None:
    if inbound is None or inbound.pk not in messages or not pointer:
        return None
    message = messages[inbound.pk]
    if is_report(message, pointer):
        return as_sent(message, pointer)
    parent, _, last = pointer.rpartition(".")
    return as_sent(message, parent) if last.startswith("contained[") else None
