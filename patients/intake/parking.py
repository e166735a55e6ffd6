"""Parked draws leave by a person's word: matched to a patient, or rejected with a reason."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from patients import audit
from patients.intake.naming import Claim, Names
from patients.intake.placing import IfDuplicate, Terms, Unplaceable, place
from patients.intake.profiles import CATALOGUE, PROFILE, Profile
from patients.intake.reports import ADDRESS, DrawReport, ResultReport
from patients.intake.surroundings import WHOSE, Surroundings, draws_question
from patients.models import Clinician, Draw, Parked, ParkedState, Patient, ResultName
from patients.record.draws import write_draws
from patients.record.parking import (
    NoLongerWaiting,
    lock_waiting,
    mark_asked,
    mark_matched,
    mark_rejected,
)
from patients.statements import ask

_LOCK_PATIENTS = """
SELECT id FROM patients_patient WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""


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
    return _place(waiting, {patient.pk}, by=audit.name_of(by), at=at, if_duplicate=if_duplicate)


def _place(
    waiting: Parked, patient_ids: set[int], *, by: str, at: datetime, if_duplicate: IfDuplicate
) -> Draw:
    report = DrawReport.model_validate(waiting.report)
    told = list(waiting.results.order_by("position").values_list("line", flat=True))
    names, around = _look_around(waiting, report, patient_ids)
    received_at = waiting.inbound.received_at
    placed = place(
        report,
        claims=[
            names.of(0, position, result) if result.names else Claim(line)
            for position, (result, line) in enumerate(zip(report.results, told, strict=True))
        ],
        among=around,
        patient_ids=patient_ids,
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
    draw = Draw.objects.get(
        patient__in=patient_ids, public_id=written.public_id, superseded_at=None
    )
    mark_matched(waiting, draw=draw, by=by, at=at)
    return draw


def _look_around(
    waiting: Parked, report: DrawReport, patient_ids: set[int]
) -> tuple[Names, Surroundings]:
    """Claim, lock and read what a message of this draw alone would; in the same order."""
    names = Names([report])
    *claimed, _patient, catalogue, profile, rows = ask(
        *names.claim(laboratory_id=waiting.laboratory_id),
        (_LOCK_PATIENTS, [sorted(patient_ids)]),
        (CATALOGUE, [waiting.laboratory_id]),
        (PROFILE, [waiting.laboratory_id]),
        draws_question(
            [report],
            laboratory_id=waiting.laboratory_id,
            names=names.all,
            patient_ids=sorted(patient_ids),
        ),
    )
    for answer in claimed:
        names.read(answer)
    around = Surroundings(profile=Profile(catalogue, profile), patients=[])
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


# Waiting draws whose patient a number of theirs names by now
_NAMED_BY_NOW = """
SELECT DISTINCT parked.id
  FROM patients_parked AS parked
 CROSS JOIN jsonb_to_recordset(parked.report -> 'patients') AS sent (system text, value text)
  LEFT JOIN patients_numberingalias AS alias
    ON alias.laboratory_id = parked.laboratory_id AND alias.sent = sent.system
  JOIN patients_identifier AS identifier
    ON identifier.system = coalesce(alias.means, sent.system) AND identifier.value = sent.value
 WHERE parked.state = 'waiting' AND parked.reasons @> '["unknown_patient"]'
 ORDER BY parked.id LIMIT %s
"""
RULE = "rule:replay"
REPLAYED_AT_ONCE = 500


def replay_named(*, at: datetime) -> list[Draw]:
    """Place what waited for a patient who is known by now; the rule's name stands in the trail."""
    [rows] = ask((_NAMED_BY_NOW, [REPLAYED_AT_ONCE]))
    return _replay([pk for (pk,) in rows], at=at)


def replay_of_laboratory(*, laboratory_id: int, at: datetime) -> list[Draw]:
    """Try everything again that waits of one laboratory, whose profile has changed."""
    waiting = Parked.objects.filter(laboratory_id=laboratory_id, state=ParkedState.WAITING)
    return _replay(list(waiting.order_by("pk").values_list("pk", flat=True)), at=at)


def _replay(parked_ids: Sequence[int], *, at: datetime) -> list[Draw]:
    """Try some waiting draws again, in the order in which they came.

    A possible duplicate is never decided by a rule, and what still cannot be placed stays with the
    reasons that are true now.
    """
    placed = []
    for parked_id in parked_ids:
        with transaction.atomic():
            try:
                waiting = lock_waiting(parked_id)
            except NoLongerWaiting:
                continue
            if (draw := _place_by_numbers(waiting, at=at)) is not None:
                placed.append(draw)
    return placed


def _place_by_numbers(waiting: Parked, *, at: datetime) -> Draw | None:
    report = DrawReport.model_validate(waiting.report)
    numbers = sorted((each.system, each.value) for each in report.patients)
    [found] = ask(
        (
            WHOSE,
            {
                "laboratory": waiting.laboratory_id,
                "systems": [system for system, _ in numbers],
                "values": [value for _, value in numbers],
            },
        )
    )
    named = {patient_id for _, _, patient_id in found}
    try:
        return _place(waiting, named, by=RULE, at=at, if_duplicate=IfDuplicate.ASK)
    except StillUnplaceable as fault:
        waiting.reasons = list(fault.reasons)
        waiting.save(update_fields=["reasons"])
        return None


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
