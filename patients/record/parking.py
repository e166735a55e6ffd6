"""What waits for a person: parked when it cannot be placed, matched or rejected by a name."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from patients import audit
from patients.models import Draw, Parked, ParkedState


class NoLongerWaiting(Exception):
    """Somebody else has matched or rejected this draw in the meantime."""


def park(
    reports: Sequence[tuple[str, str, dict[str, object], Sequence[str]]],
    *,
    laboratory_id: int,
    inbound_id: int,
    by: str,
    at: datetime,
) -> dict[str, Parked]:
    """Park draws, each given as accession, digest, report and reasons; give them back by digest.

    The same draw in another message is parked once. All park in one order, so that of two
    messages that hold the same draws neither waits for the other in a circle.
    """
    if not reports:
        return {}
    parked = Parked.objects.bulk_create(
        [
            Parked(
                public_id=uuid4(),
                laboratory_id=laboratory_id,
                inbound_id=inbound_id,
                accession=accession,
                sha256=sha256,
                report=report,
                reasons=list(reasons),
                parked_at=at,
            )
            for accession, sha256, report, reasons in sorted(reports, key=lambda each: each[1])
        ],
        ignore_conflicts=True,
    )
    names = [each.sha256 for each in parked]
    on_record = {
        each.sha256: each
        for each in Parked.objects.filter(laboratory_id=laboratory_id, sha256__in=names)
    }
    for each in parked:
        if on_record[each.sha256].public_id == each.public_id:
            audit.write(verb="park_draw", subject=f"parked:{each.public_id}", by=by, at=at)
    return on_record


def lock_waiting(parked_id: int) -> Parked:
    """Take a waiting draw, or say that it waits no longer."""
    parked = Parked.objects.select_for_update(of=("self",)).get(pk=parked_id)
    if parked.state != ParkedState.WAITING:
        raise NoLongerWaiting(str(parked))
    return parked


def mark_matched(parked: Parked, *, draw: Draw, by: str, at: datetime) -> None:
    """Say that the draw is on the record now."""
    parked.state, parked.draw = ParkedState.MATCHED, draw
    parked.ended_at, parked.ended_by = at, by
    parked.save()
    audit.write(
        verb="match_parked",
        subject=f"parked:{parked.public_id}",
        by=by,
        at=at,
        patient_id=draw.patient_id,
    )


def mark_rejected(parked: Parked, *, reason: str, by: str, at: datetime) -> None:
    """Say that the draw is not ours, or not usable, and why. It stays readable."""
    parked.state = ParkedState.REJECTED
    parked.ended_at, parked.ended_by, parked.ended_reason = at, by, reason
    parked.save()
    audit.write(verb="reject_parked", subject=f"parked:{parked.public_id}", by=by, at=at)
