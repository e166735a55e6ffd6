"""Writes are taken in together; what became of each is told one by one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext as _

from monitoring import ingest
from monitoring.api.permissions import OutOfScope
from monitoring.fhir.answers import Done, NotKept, describe
from patients.intake import strict_json
from patients.intake.fhir.faults import Fault, Refused, not_fhir, not_usable
from patients.intake.fhir.interactions import Write
from patients.intake.receipts import (
    VERSIONS_AT_MOST,
    Condition,
    CorrectionNotAllowed,
    OtherVersion,
    OverlappingIdentities,
    Sender,
    ToldTooOften,
    WholeReport,
)
from patients.intake.report_names import REPORT
from patients.intake.retractions import in_parts
from patients.scopes import UPDATE

DIALECT = "fhir"


def take_in(
    writes: Sequence[Write],
    *,
    body: bytes,
    asked: str,
    sender: Sender,
    at: datetime,
    all_or_nothing: bool = True,
) -> list[Done | NotKept | Refused]:
    """Take in the writes of one message.

    Raises
    ------
    Refused
        When all or nothing is to be taken in, and one of them must not be.
    """
    outcomes: dict[int, Done | NotKept | Refused] = {}
    wanted = [
        (place, _complete(write, laboratory_id=sender.laboratory_id))
        for place, write in enumerate(writes)
    ]
    while True:
        try:
            receipt = ingest.receive(
                [draw for _place, write in wanted for draw in write.draws],
                body=body,
                dialect=DIALECT,
                sender=sender,
                at=at,
                asked=asked,
                conditions=[
                    condition for _place, write in wanted for condition in _conditions(write)
                ],
                refuse_overlaps=all_or_nothing,
            )
            break
        except (OtherVersion, CorrectionNotAllowed, OverlappingIdentities, ToldTooOften) as fault:
            place = _write_at(fault.place, wanted)
            refused = _why(fault, wanted[place][1])
            if all_or_nothing or isinstance(fault, ToldTooOften):
                raise refused from fault
            outcomes[wanted.pop(place)[0]] = refused
    answers = iter(receipt.answers)
    done = describe(
        [(write, [next(answers) for _draw in write.draws]) for _place, write in wanted],
        message=strict_json.load_again(body),
        sender=sender,
        at=receipt.at,
    )
    outcomes |= {place: each for (place, _write), each in zip(wanted, done, strict=True)}
    return [outcomes[place] for place in range(len(writes))]


def _why(fault: Exception, write: Write) -> Refused:
    """Say of a write why it is not taken in."""
    if isinstance(fault, ToldTooOften):
        text = _("one result stands more than %(count)d times in this message; send it in parts")
        return not_usable("too-costly", write.expression, text % {"count": VERSIONS_AT_MOST})
    if isinstance(fault, OverlappingIdentities):
        text = _("this is the same result as another entry; a transaction may name each once")
        return not_fhir("duplicate", write.expression, text)
    if isinstance(fault, OtherVersion):
        text = _("If-Match does not name the current version; fetch it and look at it first")
        return Refused([Fault("conflict", write.expression, text)], status=412)
    text = str(OutOfScope(UPDATE).detail)
    return Refused([Fault("forbidden", write.expression, text)], status=403)


def _conditions(write: Write) -> list[Condition]:
    """Say under which condition each draw of a write is taken in; those of a report share one."""
    own = Condition(
        if_none_exists=write.method == "create" and write.condition is not None,
        if_versions=_versions(write.versions) if write.versions else None,
        listed_as=write.listed_as,
    )
    if write.kind != REPORT:
        return [own]
    report = WholeReport(write.report_names, named_by_us="" if write.id else REPORT)
    return [replace(own, of_report=report, part=code) for code in write.codes]


def _complete(write: Write, *, laboratory_id: int) -> Write:
    """Find the results of a report that takes back all of them without naming any."""
    if write.whole is None:
        return write
    draws = in_parts(write.whole, laboratory_id=laboratory_id)
    return replace(write, draws=tuple(draws), codes=("",) * len(draws))


def _versions(etags: Sequence[str]) -> frozenset[int]:
    """Read ETags as versions, which are numbers; a tag that is none was never one."""
    return frozenset(int(each) if each.isdecimal() else -1 for each in etags if each != "*")


def _write_at(draw: int, wanted: Sequence[tuple[int, Write]]) -> int:
    """Find the write that a draw of the message belongs to."""
    for place, (_place, write) in enumerate(wanted):
        draw -= len(write.draws)
        if draw < 0:
            return place
    message = "the message has no such draw"
    raise ValueError(message)
