"""Messages of one draw that arrive at one moment are taken in together, in one transaction.

Most of the cost of a small message is that of its transaction.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring import wake
from monitoring.together import Together
from patients.intake.reception import Arrival, NotTogether, Receipt, Sender, take_in_together

logger = logging.getLogger(__name__)


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
        except Exception as fault:
            # Whatever is wrong with one of them is found again, and told to that one alone
            if not isinstance(fault, NotTogether):
                logger.warning("%d messages go one by one: %s", len(places), type(fault).__name__)
            taken = [None] * len(places)
        receipts |= zip(places, taken, strict=True)
    if any(each is not None and each.changes_record for each in receipts.values()):
        wake.wake_workers()
    return [receipts[place] for place in range(len(arrived))]


# About what the pushes of a few busy connections take to be read; who is alone waits for nobody
PATIENCE_S = 0.008
gathering = Together(_take_in_all, patience_s=PATIENCE_S)
