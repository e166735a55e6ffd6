"""From the bytes of a message to the bytes of its acknowledgement, whatever line they came by."""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from monitoring import ingest
from patients.intake.hl7v2 import acknowledgement
from patients.intake.hl7v2.faults import ErrorCode, Place, Refused, refuse
from patients.intake.hl7v2.reading import check_processing_id, read_hl7v2
from patients.intake.profiles import message_rules
from patients.intake.receipts import LATE, VERSIONS_AT_MOST, Answer, Sender, ToldTooOften
from patients.intake.retractions import in_parts
from patients.scopes import CREATE, UPDATE, written

DIALECT = "hl7v2"
NEEDS = CREATE + UPDATE  # any message may correct
logger = logging.getLogger(__name__)


def answer(body: bytes, *, charset: str, sender: Sender, at: datetime) -> bytes:
    """Take a message in and acknowledge it; AA is written only after the commit.

    When the database is away nothing is acknowledged: what it raises is the caller's, who then
    leaves the message with the laboratory.
    """
    try:
        rules = message_rules(laboratory_id=sender.laboratory_id)
        read = read_hl7v2(
            body, charset=charset or rules.charset, zone=sender.zone, knows=rules.knows
        )
        check_processing_id(read, taken=rules.processing_ids)
    except Refused as refused:
        logger.info("A message of laboratory %d is refused", sender.laboratory_id)
        return acknowledgement.refuse(body, refused, at=at)
    reports = [
        part
        for report in read.reports
        for part in in_parts(report, laboratory_id=sender.laboratory_id)
    ]
    try:
        receipt = ingest.receive(reports, body=body, dialect=DIALECT, sender=sender, at=at)
    except ToldTooOften:
        detail = f"one order stands more than {VERSIONS_AT_MOST} times in this message"
        too_often = refuse(ErrorCode.INTERNAL, Place("OBR"), detail)
        return acknowledgement.refuse(body, too_often, at=at)
    return acknowledgement.acknowledge(read.message.header, at=at, words=_say(receipt.answers))


def refuse_for_scope(body: bytes, *, at: datetime) -> bytes:
    """Reject a message of a sender that may not do what any message may do."""
    detail = f"this line needs the scope {written(NEEDS)}"
    return acknowledgement.refuse(
        body, refuse(ErrorCode.UNSUPPORTED_TYPE, Place("MSH"), detail), at=at
    )


def _say(answers: Sequence[Answer]) -> str:
    """Say what became of the draws, so that a laboratory's log tells parked from recorded."""
    states = Counter(each.state for each in answers)
    said = [f"{count} {state}" for state, count in states.items()]
    late = sum(reason.startswith(f"{LATE}: ") for each in answers for reason in each.reasons)
    said += [f"{late} results late"] if late else []
    ignored = sum(len(each.ignored) for each in answers if each.state != "ignored")
    return ", ".join([*said, *([f"{ignored} results ignored"] if ignored else [])])


def code_of(acknowledgement_: bytes) -> str:
    """Find in an acknowledgement whether it says AA, AE or AR."""
    return acknowledgement_.partition(b"\rMSA|")[2][:2].decode("latin-1")
