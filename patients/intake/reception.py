"""A message is taken in: stored as it came, read, placed on the record or parked, all at once."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from patients.intake.receipts import (
    ALWAYS,
    Answer,
    Condition,
    CorrectionNotAllowed,
    Receipt,
    ResultAnswer,
    Sender,
)
from patients.intake.reports import DrawReport
from patients.intake.surroundings import Message
from patients.intake.taking import Taking

__all__ = ["Answer", "Condition", "Receipt", "ResultAnswer", "Sender", "rehearse", "take_in"]

NEW_STATES = frozenset({"recorded", "corrected"})
# A late result becomes an older version: that changes what is known of an earlier one, too
CORRECTIONS = frozenset({"corrected", "late"})


@transaction.atomic
def take_in(
    reports: Sequence[DrawReport],
    *,
    body: bytes,
    dialect: str,
    sender: Sender,
    at: datetime,
    asked: str = "",
    conditions: Sequence[Condition] = (),
    refuse_overlaps: bool = False,
) -> Receipt:
    """Take in one message: all of its draws are recorded, corrected, known or parked, or none is.

    Several identical messages at once come out as one; so do different messages about one patient,
    whose row is locked before anything on the record is read, and different messages about one
    name, which is claimed before.

    Parameters
    ----------
    asked
        What was asked for beside the body (method, address, conditions), where the same bytes may
        mean different things.
    conditions
        One for each report; none means that all are taken in.
    refuse_overlaps
        Refuse the message when two of its draws are the same result.

    Raises
    ------
    OtherVersion
        A condition names another version than the current one. Nothing is stored.
    OverlappingIdentities
        Two draws are the same result, and that was to be refused. Nothing is stored.
    CorrectionNotAllowed
        A result would be corrected, and the sender may not do that. Nothing is stored.
    """
    reports = [report.in_zone(sender.zone) for report in reports]
    taking = Taking(reports, conditions or [ALWAYS] * len(reports), sender=sender, at=at)
    digest = hashlib.sha256(asked.encode() + body if asked else body).hexdigest()
    inbound_id = taking.look_around(Message(body, dialect, digest))
    if inbound_id is None:
        answers = _for_eyes_of(sender, taking.repeat(digest))
        return Receipt(answers, is_new=False, changes_record=False)
    answers = taking.place_all(inbound_id, refuse_overlaps=refuse_overlaps)
    if not sender.may_update:
        for place, answer in enumerate(answers):
            if CORRECTIONS & {result.state for result in answer.results}:
                raise CorrectionNotAllowed(place)
    states = {answer.state for answer in answers}
    return Receipt(
        _for_eyes_of(sender, answers),
        is_new=bool(states & NEW_STATES) or taking.parks_anew,
        changes_record=bool(states - {"known", "parked", "ignored"}),
    )


def _for_eyes_of(sender: Sender, answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """Tell a sender that may not read no more than that its draws were received."""
    if sender.may_read:
        return answers
    return tuple(replace(answer, state="received", reasons=()) for answer in answers)


def rehearse(
    reports: Sequence[DrawReport],
    *,
    body: bytes,
    dialect: str,
    sender: Sender,
    at: datetime,
    asked: str = "",
) -> Receipt:
    """Say what would become of a message: it is taken in, and all of it is taken back.

    What is told is what would have happened at this moment, for nothing else decides it.
    """
    with transaction.atomic():
        receipt = take_in(reports, body=body, dialect=dialect, sender=sender, at=at, asked=asked)
        transaction.set_rollback(True)
    return receipt
