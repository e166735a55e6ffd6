"""What a person says of a waiting draw besides whose it is: a question, or that it is set aside."""

from datetime import datetime

from django.db import transaction

from patients import audit
from patients.models import Clinician, Parked
from patients.record.parking import lock_waiting, mark_asked, mark_rejected


class ReasonMissing(Exception):
    """A draw is rejected with a reason, so that the laboratory can be answered."""


@transaction.atomic
def ask_laboratory(*, parked: Parked, question: str, by: Clinician, at: datetime) -> None:
    """Keep what a person asks the laboratory about a waiting draw."""
    waiting = lock_waiting(parked.pk)
    mark_asked(waiting, question=question.strip(), by=audit.name_of(by), at=at)


@transaction.atomic
def reject(*, parked: Parked, reason: str, by: Clinician, at: datetime) -> None:
    """Set a parked draw aside for good, and say why."""
    if not reason.strip():
        raise ReasonMissing
    mark_rejected(lock_waiting(parked.pk), reason=reason.strip(), by=audit.name_of(by), at=at)
