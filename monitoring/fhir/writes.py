"""Writes are taken in together; what became of each is told one by one."""

from collections.abc import Sequence
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
)
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
    wanted = list(enumerate(writes))
    while True:
        try:
            receipt = ingest.receive(
                [draw for _place, write in wanted for draw in write.draws],
                body=body,
                dialect=DIALECT,
                sender=sender,
                at=at,
                asked=asked,
                conditions=[_condition(write) for _place, write in wanted for _draw in write.draws],
                refuse_overlaps=all_or_nothing,
            )
            break
        except (OtherVersion, CorrectionNotAllowed) as fault:
            place = _write_at(fault.place, wanted)
            why = _other_version if isinstance(fault, OtherVersion) else _not_allowed
            refused = why(wanted[place][1])
            if all_or_nothing:
                raise refused from fault
            outcomes[wanted.pop(place)[0]] = refused
        except ToldTooOften as fault:
            raise not_usable(
                "too-costly",
                wanted[_write_at(fault.place, wanted)][1].expression,
                _("one result stands more than %(count)d times in this message; send it in parts")
                % {"count": VERSIONS_AT_MOST},
            ) from fault
        except OverlappingIdentities as fault:
            raise not_fhir(
                "duplicate",
                wanted[_write_at(fault.place, wanted)][1].expression,
                _("this is the same result as another entry; a transaction may name each once"),
            ) from fault
    answers = iter(receipt.answers)
    done = describe(
        [(write, [next(answers) for _draw in write.draws]) for _place, write in wanted],
        message=strict_json.load_again(body),
        sender=sender,
        at=at,
    )
    outcomes |= {place: each for (place, _write), each in zip(wanted, done, strict=True)}
    return [outcomes[place] for place in range(len(writes))]


def _not_allowed(write: Write) -> Refused:
    return Refused(
        [Fault("forbidden", write.expression, str(OutOfScope(UPDATE).detail))], status=403
    )


def _condition(write: Write) -> Condition:
    version = write.version
    return Condition(
        if_none_exists=write.method == "create" and write.condition is not None,
        # Versions are numbers; a tag that is none was never one
        if_version=None if version is None else int(version) if version.isdecimal() else -1,
    )


def _write_at(draw: int, wanted: Sequence[tuple[int, Write]]) -> int:
    """Find the write that a draw of the message belongs to."""
    for place, (_place, write) in enumerate(wanted):
        draw -= len(write.draws)
        if draw < 0:
            return place
    message = "the message has no such draw"
    raise ValueError(message)


def _other_version(write: Write) -> Refused:
    return Refused(
        [
            Fault(
                "conflict",
                write.expression,
                _("If-Match does not name the current version; fetch it and look at it first"),
            )
        ],
        status=412,
    )
