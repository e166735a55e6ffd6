"""What waits of one result: every version of it, and the one that is the laboratory's last word."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from patients.intake.reports import DrawReport, ResultReport
from patients.models import Parked, ParkedResult, ParkedState
from patients.record.results import Word


@dataclass(frozen=True)
class Waiting:
    """One version of a result that waits, was placed or was set aside, numbered as it came."""

    line: UUID
    version: int
    parked: Parked
    report: DrawReport
    said: ResultReport

    @property
    def word(self) -> Word:
        """How surely and when it was said."""
        said = self.said
        received_at = self.parked.inbound.received_at
        return Word(said.status, said.issued_at, received_at, said.issued_precision)


def waiting_of(laboratory_id: int, lines: Sequence[UUID]) -> dict[UUID, list[Waiting]]:
    """Read what was parked of these results, each in the order in which it came.

    A draw is read once however many of its results are asked for; the bytes of its message are not.
    """
    found: dict[UUID, list[Waiting]] = {}
    rows = list(
        ParkedResult.objects.filter(parked__laboratory_id=laboratory_id, line__in=lines)
        .order_by("pk")
        .values_list("line", "position", "parked_id")
    )
    if not rows:
        return found
    parked = (
        Parked.objects.select_related("inbound")
        .defer("inbound__body")
        .in_bulk({parked_id for _line, _position, parked_id in rows})
    )
    reports = {pk: DrawReport.model_validate(each.report) for pk, each in parked.items()}
    for line, position, parked_id in rows:
        versions = found.setdefault(line, [])
        report = reports[parked_id]
        said = report.results[position]
        versions.append(Waiting(line, len(versions) + 1, parked[parked_id], report, said))
    return found


def last_word(versions: Sequence[Waiting]) -> Waiting:
    """Give the version that counts: by issue and status, as on the record, not by arrival.

    What a person has set aside counts only where there is nothing else.
    """
    kept = [each for each in versions if each.parked.state != ParkedState.REJECTED] or versions
    last = kept[0]
    for each in kept[1:]:
        if not each.word.is_older_than(last.word):
            last = each
    return last
