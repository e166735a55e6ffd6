"""A message is taken in: stored as it came, read, placed on the record or parked, all at once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from patients.intake.placing import Unplaceable, look_around, place, read_draws, whose
from patients.intake.reports import DrawReport
from patients.models import Parked, ParkedState
from patients.record.draws import Placed, Written, amend_draw, record_draws
from patients.record.parking import park

NEW_STATES = frozenset({"recorded", "corrected", "parked"})


@dataclass(frozen=True)
class Sender:
    """The laboratory whose key was shown at the door."""

    laboratory_id: int
    key_id: int | None
    zone: ZoneInfo

    @property
    def name(self) -> str:
        return f"laboratory:{self.laboratory_id}"


@dataclass(frozen=True)
class Answer:
    """What became of one draw."""

    id: UUID
    accession: str
    state: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """What became of a message, draw by draw, and whether it changed anything."""

    answers: tuple[Answer, ...]
    is_new: bool
    changes_record: bool


# Of several identical messages at once one is stored; the others wait here until it is
# committed, and are then known
_STORE = """
INSERT INTO patients_inbound (laboratory_id, key_id, received_at, dialect, sha256, body)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (laboratory_id, sha256) DO NOTHING RETURNING id
"""


@transaction.atomic
def take_in(
    reports: Sequence[DrawReport], *, body: bytes, dialect: str, sender: Sender, at: datetime
) -> Receipt:
    """Take in one message: all of its draws are recorded, corrected, known or parked, or none is.

    Several identical messages at once come out as one; so do different messages about one patient,
    whose row is locked before anything on the record is read.
    """
    reports = [report.in_zone(sender.zone) for report in reports]
    sha256 = hashlib.sha256(body).hexdigest()
    around, [stored] = look_around(
        reports,
        laboratory_id=sender.laboratory_id,
        first=[(_STORE, [sender.laboratory_id, sender.key_id, at, dialect, sha256, body])],
    )
    if not stored:
        return Receipt(_repeat_answers(reports, sender), is_new=False, changes_record=False)
    [(inbound_id,)] = stored
    found = [
        place(report, among=around, patient_ids=whose(report, among=around), at=at)
        for report in reports
    ]
    answers = _write(found, sender=sender, inbound_id=inbound_id, at=at)
    states = {answer.state for answer in answers}
    return Receipt(
        answers, is_new=bool(states & NEW_STATES), changes_record=bool(states - {"known", "parked"})
    )


def _write(
    found: Sequence[Placed | Unplaceable], *, sender: Sender, inbound_id: int, at: datetime
) -> tuple[Answer, ...]:
    """Write what was found, and answer in the order of the message."""
    new = [each for each in found if isinstance(each, Placed) and each.on_record is None]
    written = iter(
        record_draws(
            new,
            laboratory_id=sender.laboratory_id,
            inbound_id=inbound_id,
            by=sender.name,
            at=at,
        )
    )
    parked = park(
        [
            (
                each.report.accession,
                each.report.sha256,
                each.report.model_dump(mode="json"),
                each.reasons,
            )
            for each in found
            if isinstance(each, Unplaceable)
        ],
        laboratory_id=sender.laboratory_id,
        inbound_id=inbound_id,
        by=sender.name,
        at=at,
    )
    answers = []
    for each in found:
        if isinstance(each, Unplaceable):
            answers.append(_answer_parked(parked[each.report.sha256]))
            continue
        done: Written = (
            next(written)
            if each.on_record is None
            else amend_draw(each, inbound_id=inbound_id, by=sender.name, at=at)
        )
        answers.append(Answer(done.public_id, each.accession, done.state))
    return tuple(answers)


def _answer_parked(parked: Parked) -> Answer:
    match parked.state:
        case ParkedState.MATCHED if parked.draw is not None:
            return Answer(parked.draw.public_id, parked.accession, "known")
        case ParkedState.REJECTED:
            return Answer(parked.public_id, parked.accession, "parked", ("rejected",))
        case _:
            return Answer(parked.public_id, parked.accession, "parked", tuple(parked.reasons))


def _repeat_answers(reports: Sequence[DrawReport], sender: Sender) -> tuple[Answer, ...]:
    """Answer a message that was taken in before: the same names, and nothing new.

    A draw that was corrected since stays corrected: these bytes are an old message, not a new wish.
    """
    accessions = [report.accession for report in reports]
    waiting = list(
        Parked.objects.select_related("draw")
        .filter(laboratory_id=sender.laboratory_id, accession__in=accessions)
        .order_by("pk")
    )
    # The digest of a report depends on how it is read, which may have changed since; its accession
    # does not
    parked = {each.accession: each for each in waiting} | {each.sha256: each for each in waiting}
    draws = read_draws(sender.laboratory_id, accessions)

    def answer(report: DrawReport) -> Answer:
        if report.sha256 not in parked and report.accession in draws:
            return Answer(draws[report.accession].public_id, report.accession, "known")
        return _answer_parked(parked.get(report.sha256) or parked[report.accession])

    return tuple(answer(report) for report in reports)
