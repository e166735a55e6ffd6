"""What waits for a person: parked when it cannot be placed, matched or rejected by a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from patients import audit
from patients.models import Draw, Parked, ParkedResult, ParkedState


class NoLongerWaiting(Exception):
    """Somebody else has matched or rejected this draw in the meantime."""


@dataclass(frozen=True)
class ToPark:
    """A draw that cannot be placed; `lines` are the public names of its results."""

    accession: str
    sha256: str
    report: dict[str, Any]
    reasons: tuple[str, ...]
    lines: tuple[UUID, ...]
    profile_version: int


def park(
    draws: Sequence[ToPark], *, laboratory_id: int, inbound_id: int, by: str, at: datetime
) -> tuple[dict[str, Parked], bool]:
    """Park draws; give them back by digest, with their results, and say whether any is new.

    The same draw in another message is parked once. All park in one order, so that of two
    messages that hold the same draws neither waits for the other in a circle.
    """
    if not draws:
        return {}, False
    by_digest = {each.sha256: each for each in draws}
    asked = Parked.objects.bulk_create(
        [
            Parked(
                public_id=uuid4(),
                laboratory_id=laboratory_id,
                inbound_id=inbound_id,
                accession=each.accession,
                sha256=each.sha256,
                report=each.report,
                reasons=list(each.reasons),
                profile_version=each.profile_version,
                parked_at=at,
            )
            for _, each in sorted(by_digest.items())
        ],
        ignore_conflicts=True,
    )
    found = Parked.objects.filter(laboratory_id=laboratory_id, sha256__in=list(by_digest))
    mine = {each.public_id for each in asked}
    new = [each for each in found if each.public_id in mine]
    ParkedResult.objects.bulk_create(
        ParkedResult(parked=each, position=position, line=line)
        for each in new
        for position, line in enumerate(by_digest[each.sha256].lines)
    )
    audit.write_all(
        [{"verb": "park_draw", "subject": f"parked:{each.public_id}"} for each in new],
        by=by,
        at=at,
    )
    whole = found.all().select_related("draw").prefetch_related("results")
    return {each.sha256: each for each in whole}, bool(new)


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


def mark_asked(parked: Parked, *, question: str, by: str, at: datetime) -> None:
    """Keep what the laboratory is asked; the draw goes on waiting."""
    parked.question, parked.asked_by, parked.asked_at = question, by, at
    parked.save()
    audit.write(verb="ask_about_parked", subject=f"parked:{parked.public_id}", by=by, at=at)


def mark_tried(parked: Parked, *, reasons: Sequence[str], profile_version: int) -> None:
    """Say what still keeps the draw, under this profile of its laboratory."""
    parked.reasons, parked.profile_version = list(reasons), profile_version
    parked.save(update_fields=["reasons", "profile_version"])


def mark_rejected(parked: Parked, *, reason: str, by: str, at: datetime) -> None:
    """Say that the draw is not ours, or not usable, and why. It stays readable."""
    parked.state = ParkedState.REJECTED
    parked.ended_at, parked.ended_by, parked.ended_reason = at, by, reason
    parked.save()
    audit.write(verb="reject_parked", subject=f"parked:{parked.public_id}", by=by, at=at)
