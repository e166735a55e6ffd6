"""A message is taken in: stored as it came, read, placed on the record or parked, all at once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from patients.intake.receipts import (
    ALWAYS,
    Answer,
    Condition,
    CorrectionNotAllowed,
    OverlappingIdentities,
    Receipt,
    ResultAnswer,
    Sender,
    ToldTooOften,
)
from patients.intake.reports import DrawReport
from patients.intake.surroundings import Message
from patients.intake.taking import Taking
from patients.intake.told import RECEIVED

__all__ = ["Answer", "Condition", "Receipt", "ResultAnswer", "Sender", "rehearse", "take_in"]

NEW_STATES = frozenset({"recorded", "corrected"})


class NotTogether(Exception):
    """Messages that have arrived together must be taken in one by one."""


@dataclass(frozen=True)
class Arrival:
    """A message of one draw at the door; `asked` as for `take_in`."""

    report: DrawReport
    body: bytes
    dialect: str
    asked: str = ""

    @property
    def digest(self) -> str:
        return digest_of(self.body, self.asked)


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

    A sender who may not read is refused nothing for what the record holds: that would tell it. What
    others are refused waits, and the answer is the same for known and unknown patients.

    Raises
    ------
    OtherVersion
        A condition names another version than the current one. Nothing is stored.
    OverlappingIdentities
        Two draws are the same result, and that was to be refused. Nothing is stored.
    CorrectionNotAllowed
        A result would be corrected, and the sender may not do that. Nothing is stored.
    ToldTooOften
        One draw or result stands so often in the message that it is no ordinary one. Nothing is
        stored.
    """
    reports = [report.in_zone(sender.zone) for report in reports]
    taking = Taking(
        reports,
        conditions or [ALWAYS] * len(reports),
        sender=sender,
        at=at,
        tells_what_is_known=sender.may_read,
    )
    [inbound_id] = taking.look_around([Message(body, dialect, digest_of(body, asked))])
    if inbound_id is None:
        taking.repeat(digest_of(body, asked))
        told = taking.for_eyes_of_sender()
        return Receipt(told, at, is_new=False, changes_record=False)
    taking.place_all([inbound_id] * len(reports), refuse_overlaps=refuse_overlaps)
    places = range(len(reports))
    return _receipt(taking, places, taking.for_eyes_of_sender())


@transaction.atomic
def take_in_together(arrivals: Sequence[Arrival], *, sender: Sender, at: datetime) -> list[Receipt]:
    """Take in several messages of one sender, each of one draw, in one transaction.

    What becomes of them is what `take_in` would do with one after the other.

    Raises
    ------
    NotTogether
        One of them was stored before, or two of them touch each other, or one is to be refused.
        Nothing is stored; each is to be taken in by itself.
    """
    messages = [Message(each.body, each.dialect, each.digest) for each in arrivals]
    if len({each.sha256 for each in messages}) < len(messages):
        raise NotTogether
    taking = Taking(
        [each.report.in_zone(sender.zone) for each in arrivals],
        [ALWAYS] * len(arrivals),
        sender=sender,
        at=at,
        tells_what_is_known=True,  # to us, who then take each in by itself
    )
    inbound_ids = taking.look_around(messages)
    new = [each for each in inbound_ids if each is not None]
    if len(new) < len(messages):
        raise NotTogether
    try:
        taking.place_all(new, refuse_overlaps=True)
    except (OverlappingIdentities, CorrectionNotAllowed, ToldTooOften) as fault:
        raise NotTogether from fault
    told = taking.for_eyes_of_sender()
    return [_receipt(taking, [place], (answer,)) for place, answer in enumerate(told)]


def digest_of(body: bytes, asked: str) -> str:
    """Give the digest by which a message is known again."""
    return hashlib.sha256(asked.encode() + body if asked else body).hexdigest()


def _receipt(taking: Taking, places: Sequence[int], told: tuple[Answer, ...]) -> Receipt:
    """Say what became of some draws of messages that were not known before."""
    states = {taking.answers[place].state for place in places}
    brings_news = bool(states & NEW_STATES) or not taking.parked_anew.isdisjoint(places)
    if not taking.sender.may_read:  # for whom everything is news, that is not ignored
        brings_news = any(answer.state == RECEIVED for answer in told)
    return Receipt(
        told,
        taking.at,
        is_new=brings_news,
        changes_record=bool(states - {"known", "parked", "ignored"}),
    )


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
