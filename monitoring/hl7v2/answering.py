"""From the bytes of a message to the bytes of its acknowledgement, whatever line they came by."""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from monitoring import ingest
from patients.intake.hl7v2 import acknowledgement
from patients.intake.hl7v2.faults import Refused
from patients.intake.hl7v2.reading import check_processing_id, read_hl7v2
from patients.intake.profiles import message_rules
from patients.intake.reception import Answer, Sender

DIALECT = "hl7v2"
logger = logging.getLogger(__name__)


def answer(body: bytes, *, charset: str, sender: Sender, at: datetime) -> bytes:
    """Take a message in and acknowledge it; AA is written only after the commit.

    When the database is away nothing is acknowledged: what it raises is the caller's, who then
    leaves the message with the laboratory.
    """
    try:
        rules = message_rules(laboratory_id=sender.laboratory_id)
        read = read_hl7v2(body, charset=charset or rules.charset)
        check_processing_id(read, taken=rules.processing_ids)
    except Refused as refused:
        logger.info("A message of laboratory %d is refused", sender.laboratory_id)
        return acknowledgement.refuse(body, refused, at=at)
    receipt = ingest.receive(read.reports, body=body, dialect=DIALECT, sender=sender, at=at)
    return acknowledgement.acknowledge(read.message.header, at=at, words=_say(receipt.answers))


def _say(answers: Sequence[Answer]) -> str:
    """Say what became of the draws, so that a laboratory's log tells parked from recorded."""
    states = Counter(each.state for each in answers)
    return ", ".join(f"{count} {state}" for state, count in states.items())
