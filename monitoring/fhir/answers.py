"""What became of a write, told as FHIR tells it: status, Location, ETag, and the resource."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from patients.intake.fhir.reports import KIND as REPORT
from patients.intake.fhir.writing import Standing, Tree, as_sent, dressed
from patients.intake.receipts import Answer, ResultAnswer, Sender

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
        return (
            f"{ROOT}/{self.kind}/{self.standing.id}/_history/{self.standing.version}"
            if self.kind != REPORT
            else f"{ROOT}/{self.kind}/{self.standing.id}"
        )

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Location": self.location,
            "ETag": self.standing.etag,
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
        return outcome([Fault("informational", self.kind, text)], severity="information")


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
    lines = [
        result.line
        for write, answers in writes
        for answer in answers
        for result in answer.results
        if not _is_first(result.version, result.state) or write.kind == REPORT
    ]
    known = stored.current(sender.laboratory_id, lines) if lines else {}
    updated = [
        result.line
        for write, answers in writes
        for answer in answers
        for result in answer.results
        if write.method == "update" and write.kind != REPORT
    ]
    # An update of what had waited is no creation, though it is the first version on record
    waited = stored.that_waited(sender.laboratory_id, updated, since=at) if updated else set()
    return [
        _describe_report(write, answers, known, message=message, at=at)
        if write.kind == REPORT
        else _describe_result(write, answers[0], known, waited, message=message, at=at)
        for write, answers in writes
    ]


def _repeat(write: Write, answers: Sequence[Answer], *, message: Any, at: datetime) -> Done:
    """Give back what was sent, and nothing by which known and unknown patients could be told."""
    results = [result for answer in answers for result in answer.results]
    resource = as_sent(message, write.expression)
    names = write.draws[0].results[0].names
    given = str(answers[0].id) if write.kind == REPORT else stored.id_of(results[0].line, names)
    standing = Standing(
        id=write.id or given,
        version=max(_version_told(write, result) for result in results),
        at=at,
        status=resource["status"],
    )
    return Done(write.kind, standing, dressed(resource, standing), is_new=True)


def _version_told(write: Write, result: ResultAnswer) -> int:
    """Say which version a sender that may not read has made; what was known looks like new."""
    return 1 if write.method == "create" and result.state == "known" else result.version


def _is_first(version: int, state: str) -> bool:
    return version == 1 and state == "recorded"


def _describe_result(
    write: Write,
    answer: Answer,
    known: dict[UUID, stored.Stored],
    waited: set[UUID],
    *,
    message: Any,
    at: datetime,
) -> Done:
    [result] = answer.results
    found = None if _is_first(result.version, result.state) else known.get(result.line)
    if found is not None and (found.standing.waits or answer.state != "parked"):
        is_first = found.standing.version == 1 and found.standing.at == at
        is_new = bool(found.standing.waits) and is_first
        return Done(write.kind, found.standing, found.resource, answer.reasons, is_new=is_new)
    # What is new; or what waits, although an earlier version is on record
    sent = write.draws[0].results[0]
    standing = Standing(
        id=write.id or (found.standing.id if found else stored.id_of(result.line, sent.names)),
        version=found.standing.version if found else result.version,
        at=found.standing.at if found else at,
        status=sent.status,
        waits="parked" if answer.state == "parked" else "",
    )
    resource = dressed(as_sent(message, write.expression), standing)
    is_new = found is None and result.line not in waited
    return Done(write.kind, standing, resource, answer.reasons, is_new=is_new)


def _describe_report(
    write: Write,
    answers: Sequence[Answer],
    known: dict[UUID, stored.Stored],
    *,
    message: Any,
    at: datetime,
) -> Done:
    results = [known[result.line] for answer in answers for result in answer.results]
    is_new = any(
        result.version == 1 and known[result.line].standing.at == at
        for answer in answers
        for result in answer.results
    )
    resource = as_sent(message, write.expression)
    waits = any(answer.state == "parked" for answer in answers)
    standing = Standing(
        id=write.id or str(answers[0].id),
        version=max(each.standing.version for each in results),
        at=max(each.standing.at for each in results),
        status=resource["status"],
        waits="parked" if waits else "",
    )
    reasons = tuple(dict.fromkeys(reason for answer in answers for reason in answer.reasons))
    resource = report_tree(resource, results, standing)
    return Done(REPORT, standing, resource, reasons, is_new=is_new)


def report_tree(resource: Tree, results: Sequence[stored.Stored], standing: Standing) -> Tree:
    """Give a report back with its results as resources of their own."""
    kept = [each for each in resource.get("contained", []) if each["resourceType"] != "Observation"]
    rest = {name: part for name, part in resource.items() if name not in ("contained", "result")}
    references = [{"reference": f"Observation/{each.standing.id}"} for each in results]
    return dressed(rest | ({"contained": kept} if kept else {}) | {"result": references}, standing)
