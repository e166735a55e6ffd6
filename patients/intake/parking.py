"""Parked draws leave by a person's word: matched to a patient, or rejected with a reason."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from patients import audit
from patients.intake.naming import Claim, Names
from patients.intake.placing import IfDuplicate, Terms, Unplaceable, drawn_at, place
from patients.intake.reports import ADDRESS, DrawReport, ResultReport
from patients.intake.surroundings import CATALOGUE, Surroundings, draws_question
from patients.models import Clinician, Draw, Parked, Patient, ResultName
from patients.record.draws import write_draws
from patients.record.parking import lock_waiting, mark_matched, mark_rejected
from patients.statements import ask

_LOCK_PATIENT = "SELECT id FROM patients_patient WHERE id = %s FOR NO KEY UPDATE"


class StillUnplaceable(Exception):
    """The patient is known now, but something else still keeps the draw from the record."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


class ReasonMissing(Exception):
    """A draw is rejected with a reason, so that the laboratory can be answered."""


@transaction.atomic
def match(
    *,
    parked: Parked,
    patient: Patient,
    by: Clinician,
    at: datetime,
    if_duplicate: IfDuplicate = IfDuplicate.ASK,
) -> Draw:
    """Put a parked draw on the record of the patient whom a person has named.

    What waited is as old as its message: where the laboratory has said something newer of the same
    result, it becomes an older version.

    Raises
    ------
    NoLongerWaiting
        Somebody else was faster.
    StillUnplaceable
        Something but the patient keeps it from the record.
    """
    waiting = lock_waiting(parked.pk)
    return _place(waiting, patient.pk, by=audit.name_of(by), at=at, if_duplicate=if_duplicate)


def _place(
    waiting: Parked, patient_id: int, *, by: str, at: datetime, if_duplicate: IfDuplicate
) -> Draw:
    report = DrawReport.model_validate(waiting.report)
    told = list(waiting.results.order_by("position").values_list("line", flat=True))
    names, around = _look_around(waiting, report, patient_id)
    received_at = waiting.inbound.received_at
    placed = place(
        report,
        claims=[
            names.of(0, position, result) if result.names else Claim(line)
            for position, (result, line) in enumerate(zip(report.results, told, strict=True))
        ],
        among=around,
        patient_ids={patient_id},
        terms=Terms(at=at, received_at=received_at, if_duplicate=if_duplicate),
    )
    if isinstance(placed, Unplaceable):
        raise StillUnplaceable(placed.reasons)
    [written] = write_draws(
        [placed],
        laboratory_id=waiting.laboratory_id,
        inbound_id=waiting.inbound_id,
        received_at=received_at,
        by=by,
        at=at,
    )
    placed_as = [line.public_id for line in placed.lines]
    _rename(waiting, names, list(zip(report.results, told, placed_as, strict=True)))
    draw = Draw.objects.get(patient=patient_id, public_id=written.public_id, superseded_at=None)
    mark_matched(waiting, draw=draw, by=by, at=at)
    return draw


def _look_around(
    waiting: Parked, report: DrawReport, patient_id: int
) -> tuple[Names, Surroundings]:
    """Claim, lock and read what a message of this draw alone would; in the same order."""
    names = Names([report])
    *claimed, _patient, catalogue, rows = ask(
        *names.claim(laboratory_id=waiting.laboratory_id),
        (_LOCK_PATIENT, [patient_id]),
        (CATALOGUE, [waiting.laboratory_id]),
        draws_question(
            [report],
            [drawn_at(report)],
            laboratory_id=waiting.laboratory_id,
            names=names.all,
            patient_id=patient_id,
        ),
    )
    for answer in claimed:
        names.read(answer)
    around = Surroundings(catalogue=catalogue, patients=[])
    around.take_in(rows)
    return names, around


def _rename(
    waiting: Parked, names: Names, placed_as: Sequence[tuple[ResultReport, UUID, UUID]]
) -> None:
    """Let every name of a result mean it, and those by which it was said to wait as well."""
    rename = names.rename(
        [(result, line) for result, _was, line in placed_as], laboratory_id=waiting.laboratory_id
    )
    if rename:
        ask(*rename)
    ResultName.objects.bulk_create(
        ResultName(laboratory_id=waiting.laboratory_id, system=ADDRESS, value=str(was), line=line)
        for _result, was, line in placed_as
        if was != line
    )


@transaction.atomic
def reject(*, parked: Parked, reason: str, by: Clinician, at: datetime) -> None:
    """Set a parked draw aside for good, and say why."""
    if not reason.strip():
        raise ReasonMissing
    mark_rejected(lock_waiting(parked.pk), reason=reason.strip(), by=audit.name_of(by), at=at)
