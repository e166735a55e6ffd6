"""Draws and results on the record: new ones, corrected ones, retracted ones."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from patients import audit
from patients.models import Draw, Result
from patients.record.versions import count_up
from patients.statements import ask

# One statement writes any number of draws with their results, their one audit line and the new
# versions of their patients: a push costs one round trip, and a list of 500 draws costs one too.
# All write accessions in one order, so that no two messages wait for each other in a circle.
_WRITE_DRAWS = """
WITH draw AS (
    INSERT INTO patients_draw (public_id, patient_id, laboratory_id, accession, collected_at,
                               inbound_id, recorded_at, recorded_by, superseded_reason)
    SELECT public_id, patient_id, %(laboratory)s, accession, collected_at,
           %(inbound)s, %(at)s, %(by)s, ''
      FROM json_to_recordset(%(draws)s::json)
        AS new (public_id uuid, patient_id bigint, accession text, collected_at timestamptz)
     ORDER BY accession
    RETURNING id, public_id, patient_id
), result AS (
    INSERT INTO patients_result (draw_id, analyte_id, version, status, comparator, value,
                                 sent_value, sent_unit, method, lot,
                                 inbound_id, recorded_at, recorded_by, superseded_reason)
    SELECT draw.id, analyte_id, 1, status, comparator, value,
           sent_value, sent_unit, method, lot, NULL, %(at)s, %(by)s, ''
      FROM json_to_recordset(%(results)s::json)
        AS new (public_id uuid, analyte_id bigint, status text, comparator text, value numeric,
                sent_value text, sent_unit text, method text, lot text)
      JOIN draw USING (public_id)
), trail AS (
    INSERT INTO patients_audit (at, by, verb, patient_id, subject, detail)
    SELECT %(at)s, %(by)s, 'record_draws', CASE WHEN count(*) = 1 THEN min(patient_id) END,
           'message:' || %(inbound)s, jsonb_build_object('draws', count(*)) FROM draw
)
UPDATE patients_patient
   SET history_version = history_version + 1, stale_since = coalesce(stale_since, %(at)s)
 WHERE id = ANY(%(patients)s)
"""


@dataclass(frozen=True)
class PlacedResult:
    """One result as it goes on the record."""

    analyte_id: int
    status: str
    comparator: str
    value: Decimal | None
    sent_value: str
    sent_unit: str
    method: str
    lot: str

    @property
    def reading(self) -> tuple[str, Decimal | None]:
        """What was measured: 37.50 ng/mL, 37.5 ng/mL and 37500 pg/mL are the same reading."""
        return self.comparator, self.value

    def says_the_same_as(self, other: "PlacedResult") -> bool:
        """Tell whether a message brings nothing new.

        A repeat that only calls a correction by its name is no second correction.
        """
        is_same_status = self.status == other.status or (
            {self.status, other.status} == {"final", "corrected"}
        )
        return (
            is_same_status
            and self.reading == other.reading
            and (self.method, self.lot) == (other.method, other.lot)
        )

    def comes_too_late_for(self, other: "PlacedResult") -> bool:
        """Tell whether this is a preliminary value that was overtaken by the final one."""
        return self.status == "preliminary" and other.status != "preliminary"


@dataclass(frozen=True)
class ResultOnRecord:
    """The current version of a result."""

    pk: int
    version: int
    placed: PlacedResult


@dataclass
class DrawOnRecord:
    """A draw that the laboratory has reported before."""

    pk: int
    public_id: UUID
    patient_id: int
    collected_at: datetime
    results: dict[int, ResultOnRecord] = field(default_factory=dict)


@dataclass(frozen=True)
class Placed:
    """A draw whose patient, analytes and units are known, ready for the record."""

    accession: str
    collected_at: datetime
    patient_id: int
    results: tuple[PlacedResult, ...]
    on_record: DrawOnRecord | None


@dataclass(frozen=True)
class Written:
    """What became of one panel: the draw's name, and whether the record changed."""

    public_id: UUID
    state: str


def record_draws(
    new: Sequence[Placed], *, laboratory_id: int, inbound_id: int, by: str, at: datetime
) -> list[Written]:
    """Put draws that the laboratory has not reported before on the record."""
    if not new:
        return []
    public_ids = [uuid4() for _ in new]
    ask(
        (
            _WRITE_DRAWS,
            {
                "laboratory": laboratory_id,
                "inbound": inbound_id,
                "at": at,
                "by": by,
                "patients": [each.patient_id for each in new],
                "draws": _as_rows(
                    {
                        "public_id": public_id,
                        "patient_id": each.patient_id,
                        "accession": each.accession,
                        "collected_at": each.collected_at,
                    }
                    for public_id, each in zip(public_ids, new, strict=True)
                ),
                "results": _as_rows(
                    {"public_id": public_id, **vars(result)}
                    for public_id, each in zip(public_ids, new, strict=True)
                    for result in each.results
                ),
            },
        )
    )
    return [Written(public_id, "recorded") for public_id in public_ids]


def _as_rows(rows: Iterable[dict[str, Any]]) -> str:
    """Write rows as one parameter; a decimal travels as its digits."""
    return json.dumps(list(rows), default=str)


def amend_draw(placed: Placed, *, inbound_id: int, by: str, at: datetime) -> Written:
    """Bring a draw on record to what the laboratory says now; the earlier versions stay.

    What the message does not mention is left as it is.
    """
    known = placed.on_record
    if known is None:
        message = f"{placed.accession} is not on record, so there is nothing to amend"
        raise ValueError(message)
    news = [each for each in placed.results if not _is_known(each, known)]
    has_moved = known.collected_at != placed.collected_at
    if not news and not has_moved:
        return Written(known.public_id, "known")
    draw = Draw.objects.get(pk=known.pk)
    if has_moved:
        draw = _move(draw, placed, inbound_id=inbound_id, by=by, at=at)
    for result in news:
        _record_version(draw, result, inbound_id=inbound_id, by=by, at=at)
    corrects = has_moved or any(_corrects(each, known) for each in news)
    audit.write(
        verb="correct_draw" if corrects else "add_results",
        subject=f"draw:{known.public_id}",
        by=by,
        at=at,
        patient_id=placed.patient_id,
    )
    count_up([placed.patient_id], at=at)
    return Written(known.public_id, "corrected" if corrects else "recorded")


def _is_known(result: PlacedResult, draw: DrawOnRecord) -> bool:
    before = draw.results.get(result.analyte_id)
    return before is not None and (
        result.says_the_same_as(before.placed) or result.comes_too_late_for(before.placed)
    )


def _corrects(result: PlacedResult, draw: DrawOnRecord) -> bool:
    """A preliminary value that becomes final unchanged is news, but no correction."""
    before = draw.results.get(result.analyte_id)
    return before is not None and result.reading != before.placed.reading


def _record_version(
    draw: Draw, result: PlacedResult, *, inbound_id: int, by: str, at: datetime
) -> None:
    """Add a version; the one before, if any, steps down first so that one row is current."""
    before = Result.objects.filter(
        draw=draw, analyte_id=result.analyte_id, superseded_at=None
    ).first()
    if before is not None:
        before.superseded_at = at
        before.superseded_reason = f"the laboratory sent it as {result.status}"
        before.save()
    version = Result.objects.create(
        draw=draw,
        version=1 if before is None else before.version + 1,
        analyte_id=result.analyte_id,
        status=result.status,
        comparator=result.comparator,
        value=result.value,
        sent_value=result.sent_value,
        sent_unit=result.sent_unit,
        method=result.method,
        lot=result.lot,
        inbound_id=inbound_id,
        recorded_at=at,
        recorded_by=by,
    )
    if before is not None:
        before.superseded_by = version
        before.save()


def _move(draw: Draw, placed: Placed, *, inbound_id: int, by: str, at: datetime) -> Draw:
    """Replace a draw whose time of collection was wrong, and take its results along.

    The new row keeps the public name, by which the laboratory and the pages know the draw.
    """
    reason = "the laboratory sent another time of collection"
    Draw.objects.filter(pk=draw.pk).update(superseded_at=at, superseded_reason=reason)
    moved = Draw.objects.create(
        public_id=draw.public_id,
        patient_id=draw.patient_id,
        laboratory_id=draw.laboratory_id,
        accession=draw.accession,
        collected_at=placed.collected_at,
        inbound_id=inbound_id,
        recorded_at=at,
        recorded_by=by,
    )
    Draw.objects.filter(pk=draw.pk).update(superseded_by=moved)
    for result in Result.objects.filter(draw=draw, superseded_at=None):
        before = result.pk
        Result.objects.filter(pk=before).update(superseded_at=at, superseded_reason=reason)
        result.pk = None
        result.draw, result.inbound_id = moved, result.inbound_id or draw.inbound_id
        result.recorded_at, result.recorded_by = at, by
        result.save(force_insert=True)
        Result.objects.filter(pk=before).update(superseded_by=result.pk)
    return moved
