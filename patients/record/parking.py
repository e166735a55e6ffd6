"""What waits for a person: parked when it cannot be placed, matched or rejected by a name."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from patients import audit
from patients.models import Draw, Parked, ParkedState
from patients.statements import ask

# One JSON text carries any number of draws; as arrays of texts each would be quoted in Python.
# They are numbered as they stand in their message, and tried again in that order
_PARK = """
INSERT INTO patients_parked (id, public_id, laboratory_id, inbound_id, accession, sha256, report,
                             reasons, profile_version, parked_at, state, ended_by, ended_reason,
                             question, asked_by)
SELECT id, public_id, %(laboratory)s, inbound_id, accession, sha256, report, reasons,
       profile_version, %(at)s, 'waiting', '', '', '', ''
  FROM (SELECT nextval(pg_get_serial_sequence('patients_parked', 'id')) AS id, new.*
          FROM json_to_recordset(%(draws)s::json)
            AS new (public_id uuid, inbound_id bigint, accession text, sha256 text, report jsonb,
                    reasons jsonb, profile_version int)) AS numbered
 ORDER BY sha256
    ON CONFLICT (laboratory_id, sha256) DO NOTHING
RETURNING id, public_id, sha256
"""
_NAME = """
INSERT INTO patients_parkedresult (parked_id, position, line)
SELECT parked.id, line.position - 1, line.line
  FROM json_to_recordset(%(parked)s::json) AS parked (id bigint, lines json)
 CROSS JOIN LATERAL (
        SELECT value::uuid AS line, position
          FROM json_array_elements_text(parked.lines) WITH ORDINALITY AS each (value, position)
       ) AS line
"""


class NoLongerWaiting(Exception):
    """Somebody else has matched or rejected this draw in the meantime."""


@dataclass(frozen=True)
class ToPark:
    """A draw that cannot be placed; `lines` are the public names of its results."""

    inbound_id: int
    accession: str
    sha256: str
    report: dict[str, Any]
    reasons: tuple[str, ...]
    lines: tuple[UUID, ...]
    profile_version: int


@dataclass(frozen=True)
class InParking:
    """A draw that was parked, now or before, with the public names of its results."""

    parked: Parked
    lines: tuple[UUID, ...]


def park(
    draws: Sequence[ToPark], *, laboratory_id: int, by: str, at: datetime
) -> tuple[dict[str, InParking], set[str]]:
    """Park draws; give them back by digest, and say which are new.

    The same draw in another message is parked once. All park in one order, so that of two
    messages that hold the same draws neither waits for the other in a circle.
    """
    if not draws:
        return {}, set()
    by_digest: dict[str, ToPark] = {}
    for each in draws:
        by_digest.setdefault(each.sha256, each)
    asked = {
        "laboratory": laboratory_id,
        "at": at,
        "draws": json.dumps([_row_of(each) for each in by_digest.values()]),
    }
    [rows] = ask((_PARK, asked))
    found = {
        sha256: InParking(
            Parked(pk=pk, public_id=public_id, reasons=list(by_digest[sha256].reasons)),
            by_digest[sha256].lines,
        )
        for pk, public_id, sha256 in sorted(rows)
    }
    if found:
        named = [
            {"id": each.parked.pk, "lines": [str(line) for line in each.lines]}
            for each in found.values()
        ]
        ask((_NAME, {"parked": json.dumps(named)}))
    audit.write_all(
        [
            {"verb": "park_draw", "subject": f"parked:{each.parked.public_id}"}
            for each in found.values()
        ],
        by=by,
        at=at,
    )
    known = Parked.objects.filter(
        laboratory_id=laboratory_id, sha256__in=[each for each in by_digest if each not in found]
    )
    new = set(found)
    for parked in known.select_related("draw").prefetch_related("results"):
        found[parked.sha256] = in_parking(parked)
    return found, new


def in_parking(parked: Parked) -> InParking:
    """Give a draw of the queue with the names of its results."""
    results = sorted(parked.results.all(), key=lambda each: each.position)
    return InParking(parked, tuple(each.line for each in results))


def _row_of(draw: ToPark) -> dict[str, Any]:
    return {
        "public_id": str(uuid4()),
        "inbound_id": draw.inbound_id,
        "accession": draw.accession,
        "sha256": draw.sha256,
        "report": draw.report,
        "reasons": list(draw.reasons),
        "profile_version": draw.profile_version,
    }


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
