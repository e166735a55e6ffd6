"""What became of a write, told as FHIR tells it: status, Location, ETag, and the resource."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.http import http_date
from django.utils.translation import gettext as _

from monitoring.fhir import stored
from monitoring.fhir.outcomes import outcome
from monitoring.fhir.requests import Wish
from patients.intake.fhir.faults import Fault
from patients.intake.fhir.interactions import Write
from patients.intake.fhir.writing import Standing, Tree, as_sent, dressed
from patients.intake.receipts import Answer, Sender
from patients.intake.report_names import REPORT
from patients.intake.report_versions import began_at, lines_named_after, version_of

ROOT = "/fhir"
_WAITING = "it waits for a person"


@dataclass(frozen=True)
class Done:
    """What became of one write."""

    kind: str
    standing: Standing
    resource: Tree
    reasons: tuple[str, ...] = ()
    is_new: bool = False

    @property
    def status(self) -> int:
        return 201 if self.is_new else 200

    @property
    def location(self) -> str:
        address = f"{ROOT}/{self.kind}/{self.standing.id}"
        has_history = self.kind != REPORT and self.standing.version
        return f"{address}/_history/{self.standing.version}" if has_history else address

    @property
    def headers(self) -> dict[str, str]:
        etag = {"ETag": self.standing.etag} if self.standing.version else {}
        return etag | {
            "Location": self.location,
            "Last-Modified": http_date(self.standing.at.timestamp()),
        }

    def body(self, wish: Wish) -> Tree | None:
        """Give back what the client would like."""
        if wish == "minimal":
            return None
        return self.resource if wish == "representation" else self.outcome

    @property
    def outcome(self) -> Tree:
        """Say in words what was done."""
        if self.standing.waits:
            why = [Fault("incomplete", self.kind, each) for each in self.reasons]
            return outcome(why or [Fault("incomplete", self.kind, _(_WAITING))], severity="warning")
        text = _("taken in") if self.is_new else _("known, or a new version of what was known")
        said = [text, *self.reasons]  # which results came late
        faults = [Fault("informational", self.kind, each) for each in said]
        return outcome(faults, severity="information")


@dataclass(frozen=True)
class NotKept:
    """A write of which nothing is kept: no fault of the sender's.

    Its codes are ignored by the laboratory's profile, or it holds no value of its own.
    """

    expression: str
    why: str = ""

    @property
    def outcome(self) -> Tree:
        """Say so."""
        ignored = _("not kept: the profile of the laboratory says that this code is ignored")
        fault = Fault("informational", self.expression, self.why or ignored)
        return outcome([fault], severity="information")


def describe(
    writes: Sequence[tuple[Write, Sequence[Answer]]],
    *,
    message: Any,
    sender: Sender,
    at: datetime,
) -> list[Done | NotKept]:
    """Describe what became of the writes of one message.

    What is new is described from the message itself; only what was known, or has become another
    version, is looked up. A sender that may not read is told what it has said itself.
    """
    kept = [
        (write, [answer for answer in answers if len(answer.results) > 0])
        for write, answers in writes
    ]
    done = iter(_describe_kept([each for each in kept if each[1]], message, sender=sender, at=at))
    return [
        next(done) if answers else NotKept(write.expression, _why_not(all_answers))
        for (write, answers), (_write, all_answers) in zip(kept, writes, strict=True)
    ]


def _why_not(answers: Sequence[Answer]) -> str:
    """Say of what was seen of a sample where it has gone; of an ignored code nothing more."""
    if all(answer.state == "ignored" for answer in answers):
        return ""
    return _("not a result of its own: kept with the draw of its sample")


def _describe_kept(
    writes: Sequence[tuple[Write, Sequence[Answer]]], message: Any, *, sender: Sender, at: datetime
) -> list[Done]:
    if not sender.may_read:
        return [_repeat(write, answers, message=message, at=at) for write, answers in writes]
    stands = _standing_of(writes, sender=sender, at=at)
    return [
        _describe_report(write, answers, stands, message=message, at=at)
        if write.kind == REPORT
        else _describe_result(write, answers[0], stands, message=message, at=at)
        for write, answers in writes
    ]


@dataclass(frozen=True)
class _Standing:
    """How things stand once a message is taken in, as far as it is not told by the message."""

    known: dict[UUID, stored.Stored]
    waited: set[UUID]
    began: dict[UUID, datetime]
    of_report: dict[str, list[UUID]]
    laboratory_id: int


def _standing_of(
    writes: Sequence[tuple[Write, Sequence[Answer]]], *, sender: Sender, at: datetime
) -> _Standing:
    laboratory_id = sender.laboratory_id
    results = [(write, each) for write, answers in writes for a in answers for each in a.results]
    of_report: dict[str, list[UUID]] = {}
    for write, answers in writes:
        if write.kind == REPORT:
            own = [result.line for answer in answers for result in answer.results]
            others = (
                lines_named_after(write.report_names, laboratory_id=laboratory_id)
                if write.method == "update"
                else []
            )
            of_report[write.expression] = list(dict.fromkeys([*own, *others]))
    of_reports = [line for lines in of_report.values() for line in lines]
    lines = of_reports + [
        result.line
        for write, result in results
        if write.kind != REPORT and not _is_first(result.version, result.state)
    ]
    updated = [result.line for write, result in results if write.method == "update"]
    return _Standing(
        known=stored.current(laboratory_id, lines) if lines else {},
        # An update of what had waited is no creation, though it is the first version on record
        waited=stored.that_waited(laboratory_id, updated, since=at) if updated else set(),
        began=began_at(of_reports, laboratory_id=laboratory_id) if of_reports else {},
        of_report=of_report,
        laboratory_id=laboratory_id,
    )


def _repeat(write: Write, answers: Sequence[Answer], *, message: Any, at: datetime) -> Done:
    """Give back what was sent, and nothing by which known and unknown patients could be told."""
    results = [result for answer in answers for result in answer.results]
    resource = as_sent(message, write.expression)
    names = write.draws[0].results[0].names
    given = str(answers[0].id) if write.kind == REPORT else stored.id_of(results[0].line, names)
    standing = Standing(
        id=write.id or given,
        # what an update has made would tell whether its patient is known
        version=1 if write.method == "create" else 0,
        at=at,
        status=resource["status"],
    )
    return Done(write.kind, standing, dressed(resource, standing), is_new=True)


def _is_first(version: int, state: str) -> bool:
    return version == 1 and state == "recorded"


def _describe_result(
    write: Write, answer: Answer, stands: _Standing, *, message: Any, at: datetime
) -> Done:
    [result] = answer.results
    found = None if _is_first(result.version, result.state) else stands.known.get(result.line)
    if found is not None and (found.standing.waits or answer.state != "parked"):
        is_first = found.standing.version == 1 and found.standing.at == at
        is_new = bool(found.standing.waits) and is_first
        return Done(write.kind, found.standing, found.resource, answer.reasons, is_new=is_new)
    sent = write.draws[0].results[0]
    standing = Standing(
        id=write.id or (found.standing.id if found else stored.id_of(result.line, sent.names)),
        version=0 if found else result.version,
        at=at,
        status=sent.status,
        waits="parked" if answer.state == "parked" else "",
    )
    is_new = result.line not in stands.waited
    if found is not None:  # it waits beside the version that is on record, and is none itself
        since = stored.parked_at(stands.laboratory_id, answer.id) or at
        standing, is_new = replace(standing, at=since), write.method == "create" and since == at
    resource = dressed(as_sent(message, write.expression), standing)
    return Done(write.kind, standing, resource, answer.reasons, is_new=is_new)


def _describe_report(
    write: Write, answers: Sequence[Answer], stands: _Standing, *, message: Any, at: datetime
) -> Done:
    found = [
        stands.known[line] for line in stands.of_report[write.expression] if line in stands.known
    ]
    newest = max(found, key=lambda each: each.standing.at)
    is_new = any(
        result.version == 1
        and stands.known[result.line].standing.at == at
        and result.line not in stands.waited
        for answer in answers
        for result in answer.results
    )
    waits = any(answer.state == "parked" for answer in answers)
    # Of a message that has changed nothing the report is told that counts
    is_told = waits or newest.standing.at == at or newest.report is None
    resource = as_sent(message, write.expression) if is_told else newest.report
    assert resource is not None  # noqa: S101 - see is_told
    standing = Standing(
        id=write.id or str(answers[0].id),
        version=report_version(found, stands.began),
        at=newest.standing.at,
        status=resource["status"],
        waits="parked" if waits else "",
    )
    reasons = tuple(dict.fromkeys(reason for answer in answers for reason in answer.reasons))
    resource = report_tree(resource, found, standing)
    return Done(REPORT, standing, resource, reasons, is_new=is_new)


def report_version(found: Sequence[stored.Stored], began: Mapping[UUID, datetime]) -> int:
    """Give the version of the report of these results."""
    return version_of({each.line: each.standing.version for each in found}, began)


def report_tree(resource: Tree, results: Sequence[stored.Stored], standing: Standing) -> Tree:
    """Give a report back with its results as resources of their own."""
    kept = [each for each in resource.get("contained", []) if each["resourceType"] != "Observation"]
    rest = {name: part for name, part in resource.items() if name not in ("contained", "result")}
    references = [{"reference": f"Observation/{each.standing.id}"} for each in results]
    return dressed(rest | ({"contained": kept} if kept else {}) | {"result": references}, standing)
