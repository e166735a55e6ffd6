"""Parked draws leave by a person's word: matched to a patient, or rejected with a reason."""

from datetime import datetime

from django.db import transaction
from django.db.models.functions import Coalesce

from patients import audit
from patients.intake.placing import Reason, Unplaceable, look_around, place
from patients.intake.reports import DrawReport
from patients.models import Clinician, Draw, Parked, Patient, Result
from patients.record.draws import Placed, amend_draw, record_draws
from patients.record.parking import lock_waiting, mark_matched, mark_rejected
from patients.record.versions import lock


class StillUnplaceable(Exception):
    """The patient is known now, but something else still keeps the draw from the record."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


class ReasonMissing(Exception):
    """A draw is rejected with a reason, so that the laboratory can be answered."""


@transaction.atomic
def match(*, parked: Parked, patient: Patient, by: Clinician, at: datetime) -> Draw:
    """Put a parked draw on the record of the patient whom a person has named."""
    waiting = lock_waiting(parked.pk)
    lock(patient.pk)
    report = DrawReport.model_validate(waiting.report)
    # A person has said whose it is. Whoever else its numbers name is neither asked for nor locked,
    # so that of two people who match draws crosswise neither waits for the other
    nameless = report.model_copy(update={"patients": ()})
    around, _ = look_around([nameless], laboratory_id=waiting.laboratory_id)
    placed = place(report, among=around, patient_ids={patient.pk}, at=at)
    if isinstance(placed, Unplaceable):
        raise StillUnplaceable(placed.reasons)
    if _is_overtaken(placed, since=waiting.parked_at):
        raise StillUnplaceable((Reason.NEWER_ON_RECORD.value,))
    name = audit.name_of(by)
    if placed.on_record is None:
        record_draws(
            [placed],
            laboratory_id=waiting.laboratory_id,
            inbound_id=waiting.inbound_id,
            by=name,
            at=at,
        )
    else:
        amend_draw(placed, inbound_id=waiting.inbound_id, by=name, at=at)
    draw = Draw.objects.get(
        laboratory=waiting.laboratory_id, accession=report.accession, superseded_at=None
    )
    mark_matched(waiting, draw=draw, by=name, at=at)
    return draw


def _is_overtaken(placed: Placed, *, since: datetime) -> bool:
    """Tell whether the laboratory has said something else of this draw since it was parked.

    What waited is then the older word, and must not replace the newer one on the record.
    """
    known = placed.on_record
    if known is None:
        return False
    before = {analyte_id: result.placed for analyte_id, result in known.results.items()}
    differs = known.collected_at != placed.collected_at or any(
        result.analyte_id in before and not result.says_the_same_as(before[result.analyte_id])
        for result in placed.results
    )
    return (
        differs
        and Result.objects.alias(
            brought_at=Coalesce("inbound__received_at", "draw__inbound__received_at")
        )
        .filter(draw=known.pk, brought_at__gt=since)
        .filter(analyte__in=[result.analyte_id for result in placed.results])
        .exists()
    )


@transaction.atomic
def reject(*, parked: Parked, reason: str, by: Clinician, at: datetime) -> None:
    """Set a parked draw aside for good, and say why."""
    if not reason.strip():
        raise ReasonMissing
    mark_rejected(lock_waiting(parked.pk), reason=reason.strip(), by=audit.name_of(by), at=at)
