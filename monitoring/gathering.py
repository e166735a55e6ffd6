"""Messages of one draw that arrive at one moment are taken in together, in one transaction.

Most of the cost of a small message is that of its transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, InterfaceError

from monitoring import wake
from monitoring.together import Together
from patients.intake.reception import Arrival, NotTogether, Receipt, Sender, take_in_together


@dataclass(frozen=True)
class Arrived:
    """A message, whose it is, and when it came."""

    arrival: Arrival
    sender: Sender
    at: datetime


def _take_in_all(arrived: Sequence[Arrived]) -> list[Receipt | None]:
    """Take in what waits; None says that a message must be taken in by itself."""
    receipts: dict[int, Receipt | None] = {}
    by_sender: dict[Sender, list[int]] = {}
    for place, each in enumerate(arrived):
        by_sender.setdefault(each.sender, []).append(place)
    for sender, places in by_sender.items():
        try:
            taken: Sequence[Receipt | None] = take_in_together(
                [arrived[place].arrival for place in places],
                sender=sender,
                at=max(arrived[place].at for place in places),
            )
        except (NotTogether, DatabaseError, InterfaceError):
            taken = [None] * len(places)  # what is wrong with one of them is told to that one
        receipts |= zip(places, taken, strict=True)
    if any(each is not None and each.changes_record for each in receipts.values()):
        wake.wake_workers()
    return [receipts[place] for place in range(len(arrived))]


gathering = Together(_take_in_all)
