"""Parked draws leave by a person's word: matched to a patient, or rejected with a reason."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, OuterRef, QuerySet, Subquery

from patients import audit
from patients.intake.finding import IfDuplicate, Terms
from patients.intake.naming import Claim, Names, names_in
from patients.intake.persons import Told, note_contradictions
from patients.intake.placing import Unplaceable, draw_taken_back, place, whose
from patients.intake.profiles import PROFILE, read_profile, without_ignored
from patients.intake.reasons import Reason
from patients.intake.renaming import rename_placed
from patients.intake.reports import DrawReport
from patients.intake.retractions import parts_of, retractions_question, takes_back
from patients.intake.samples import added_to_record, tells_of_sample_alone, waits_for_draw
from patients.intake.surroundings import (
    LOCK_PATIENTS,
    WHOSE,
    Surroundings,
    asked_numbers,
    draws_question,
)
from patients.intake.waiting_draws import DRAW_HAS_COME, NAMED_BY_NOW
from patients.models import (
    Clinician,
    Draw,
    Laboratory,
    Parked,
    ParkedState,
    Patient,
    ResultName,
)
from patients.record.draws import write_draws
from patients.record.parking import (
    NoLongerWaiting,
    ToPark,
    lock_waiting,
    mark_matched,
    mark_rejected,
    mark_tried,
    park,
)
from patients.statements import ask

logger = logging.getLogger(__name__)


class StillUnplaceable(Exception):
    """The patient is known now, but something else still keeps the draw from the record."""

    def __init__(self, reasons: tuple[str, ...], *, profile_version: int) -> None:
        super().__init__(", ".join(reasons))
        self.reasons, self.profile_version = reasons, profile_version


class AllIsIgnored(Exception):
    """The laboratory's profile ignores every code of the draw, so there is nothing to place."""


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
    waiting: Parked,
    patient_ids: set[int],
    *,
    by: str,
    at: datetime,
    if_duplicate: IfDuplicate,
    named: Sequence[tuple[Any, ...]] = (),
) -> Draw:
    """Place what waits: for a person of whom they say, for a rule of whom its numbers name."""
    whole = DrawReport.model_validate(waiting.report)
    parts = parts_of(whole, laboratory_id=waiting.laboratory_id)
    with transaction.atomic():  # all of its parts, or none
        for part in parts.on_record:
            told, retractions = _place_part(
                waiting,
                part,
                patient_ids,
                by=by,
                at=at,
                if_duplicate=if_duplicate,
                named=named,
            )
    if parts.on_record != [whole]:
        _keep_for(parts.waiting, waiting, by=by, at=at)
    draw = _close(waiting, told, by=by, at=at)
    if not takes_back(whole):
        take_back(retractions, at=at)
    return draw


def _keep_for(
    results: Mapping[UUID, DrawReport], waiting: Parked, *, by: str, at: datetime
) -> None:
    """Let a retraction of a whole report go on waiting for those of its results that wait."""
    named = ResultName.objects.filter(
        laboratory=waiting.laboratory_id, line__in=waiting.results.values("line")
    )
    named.delete()  # the report has results now, and its own name is none of them
    park(
        [
            ToPark(
                waiting.inbound_id,
                report.accession,
                report.sha256,
                report.model_dump(mode="json"),
                tuple(waiting.reasons),
                (line,),
                waiting.profile_version,
            )
            for line, report in results.items()
        ],
        laboratory_id=waiting.laboratory_id,
        by=by,
        at=at,
    )


def _place_part(
    waiting: Parked,
    whole: DrawReport,
    patient_ids: set[int],
    *,
    by: str,
    at: datetime,
    if_duplicate: IfDuplicate,
    named: Sequence[tuple[Any, ...]],
) -> tuple[Told, Sequence[int]]:
    """Place one report; say what it was told of, and which retractions wait for it."""
    names, around = _look_around(waiting, whole, patient_ids, named)
    if by == RULE:
        patient_ids = whose(whole, among=around)
    report, ignored = without_ignored(whole, around.profile)
    if not report.results:
        raise AllIsIgnored
    told, claims = _claims_of(waiting, names, report, ignored)
    received_at = waiting.inbound.received_at
    _lock_patient_of_retraction(waiting, report, claims, around, patient_ids)
    is_seen = tells_of_sample_alone(report, around.profile)
    placed = added_to_record(report, around, patient_ids=patient_ids) if is_seen else None
    found = placed or place(
        report,
        claims=claims,
        among=around,
        patient_ids=patient_ids,
        terms=Terms(at=at, received_at=received_at, if_duplicate=if_duplicate),
    )
    if isinstance(found, Unplaceable):
        reasons = (waits_for_draw(found) if is_seen else found).reasons
        raise StillUnplaceable(reasons, profile_version=around.profile.version)
    [written] = write_draws(
        [found],
        laboratory_id=waiting.laboratory_id,
        inbound_ids=[waiting.inbound_id],
        received_at=received_at,
        by=by,
        at=at,
    )
    if placed is None:
        placed_as = [line.public_id for line in found.lines]
        rename_placed(waiting, names, list(zip(report.results, told, placed_as, strict=True)))
    told_of = Told(found.patient_id, written.public_id, waiting.inbound_id, whole.person)
    return told_of, around.retractions


def _claims_of(
    waiting: Parked, names: Names, report: DrawReport, ignored: Sequence[int]
) -> tuple[list[UUID], list[Claim]]:
    """Say by what name each result has waited, and which result its names mean now."""
    lines = dict(waiting.results.values_list("position", "line"))
    kept = [position for position in sorted(lines) if position not in ignored]
    claims = [
        names.of(0, position, result) if result.names else Claim(lines[position])
        for position, result in zip(kept, report.results, strict=True)
    ]
    return [lines[position] for position in kept], claims


def _close(waiting: Parked, told: Told, *, by: str, at: datetime) -> Draw:
    """Say that a draw waits no more; what a rule has placed may be of somebody else by name."""
    if by == RULE:  # a person has seen who is named, before deciding
        note_contradictions([told], at=at)
    draw = Draw.objects.get(patient_id=told.patient_id, public_id=told.draw, superseded_at=None)
    mark_matched(waiting, draw=draw, by=by, at=at)
    return draw


def _lock_patient_of_retraction(
    waiting: Parked,
    report: DrawReport,
    claims: Sequence[Claim],
    around: Surroundings,
    patient_ids: set[int],
) -> None:
    """Lock whose result is taken back by its name alone, and read the draw again."""
    draw = None if patient_ids else draw_taken_back(report, claims, around)
    if draw is None:
        return
    _locked, rows = ask(
        (LOCK_PATIENTS, [[draw.patient_id]]),
        draws_question([report], laboratory_id=waiting.laboratory_id, names=names_in([report])),
    )
    around.take_in(rows)


def _look_around(
    waiting: Parked,
    report: DrawReport,
    patient_ids: set[int],
    named: Sequence[tuple[Any, ...]],
) -> tuple[Names, Surroundings]:
    """Claim, lock and read what a message of this draw alone would; in the same order."""
    names = Names([report])
    *claimed, _patient, [(profile,)], rows, retractions = ask(
        *names.claim(laboratory_id=waiting.laboratory_id),
        (LOCK_PATIENTS, [sorted(patient_ids)]),
        (PROFILE, {"laboratory": waiting.laboratory_id}),
        draws_question(
            [report],
            laboratory_id=waiting.laboratory_id,
            names=names_in([report]),
            patient_ids=sorted(patient_ids),
        ),
        retractions_question([report], laboratory_id=waiting.laboratory_id),
    )
    for answer in claimed:
        names.read(answer)
    around = Surroundings(profile=read_profile(profile), patients=named)
    around.take_in(rows)
    around.retractions = [pk for (pk,) in retractions]
    return names, around


RULE = "rule:replay"
REPLAYED_AT_ONCE = 100
_IGNORED = "the laboratory's profile ignores all of its codes"


def replay_named(*, at: datetime) -> list[Draw]:
    """Place what waited for a patient who is known by now; the rule's name stands in the trail."""
    [rows] = ask((NAMED_BY_NOW, [REPLAYED_AT_ONCE]))
    return _replay([pk for (pk,) in rows], at=at)


def replay_samples(*, at: datetime) -> list[Draw]:
    """Lay what was seen of samples beside their draws, which have come by now."""
    waiting = json.dumps([Reason.SAMPLE_WITHOUT_DRAW.value])
    [rows] = ask((DRAW_HAS_COME, [waiting, REPLAYED_AT_ONCE]))
    return _replay([pk for (pk,) in rows], at=at)


def replay_in_turn(*, at: datetime) -> list[Draw]:
    """Place what stood behind too much of one draw in its message, in the order of the message."""
    waiting = Parked.objects.filter(state=ParkedState.WAITING, reasons=[Reason.IN_TURN.value])
    return _replay(
        list(waiting.order_by("pk").values_list("pk", flat=True)[:REPLAYED_AT_ONCE]), at=at
    )


def take_back(parked_ids: Sequence[int], *, at: datetime) -> list[Draw]:
    """Let retractions count that came before what they take back, which is on record by now."""
    return _replay(parked_ids, at=at)


def of_older_profiles() -> QuerySet[Parked]:
    """Give what waits and was not tried yet under the present profile of its laboratory."""
    return Parked.objects.filter(
        state=ParkedState.WAITING, profile_version__lt=F("laboratory__profile_version")
    )


def replay_of_older_profiles(*, at: datetime, laboratory_id: int | None = None) -> list[Draw]:
    """Try again some of what waits since before its laboratory's profile changed.

    Each draw says under which profile it was tried, in the transaction that tries it; so a worker
    that dies leaves the rest for the next one, and a profile that changes meanwhile is tried too.
    """
    outdated = of_older_profiles()
    if laboratory_id is not None:
        outdated = outdated.filter(laboratory_id=laboratory_id)
    waiting = outdated.order_by("pk").values_list("pk", flat=True)
    return _replay(list(waiting[:REPLAYED_AT_ONCE]), at=at)


def _replay(parked_ids: Sequence[int], *, at: datetime) -> list[Draw]:
    """Try some waiting draws again, in the order in which they came.

    A possible duplicate is never decided by a rule, and what still cannot be placed stays with the
    reasons that are true now.
    """
    placed = []
    for parked_id in parked_ids:
        try:
            draw = _try_again(parked_id, at=at)
        except (OperationalError, IntegrityError) as fault:
            # A message of the same moment was faster; the next round sees what it has written
            logger.info("Parked draw %d gave way: %s", parked_id, type(fault).__name__)
            continue
        except Exception:
            # One draw that cannot be tried must not keep all behind it; it stays in the queue
            logger.exception("Parked draw %d cannot be tried again", parked_id)
            now = Laboratory.objects.filter(parked=OuterRef("pk")).values("profile_version")
            Parked.objects.filter(pk=parked_id).update(profile_version=Subquery(now))
            continue
        if draw is not None:
            placed.append(draw)
    return placed


@transaction.atomic
def _try_again(parked_id: int, *, at: datetime) -> Draw | None:
    try:
        waiting = lock_waiting(parked_id)
    except NoLongerWaiting:
        return None
    return _place_by_numbers(waiting, at=at)


def _place_by_numbers(waiting: Parked, *, at: datetime) -> Draw | None:
    report = DrawReport.model_validate(waiting.report)
    numbers = asked_numbers(report.patients)
    [found] = ask((WHOSE, {"laboratory": waiting.laboratory_id, "numbers": numbers}))
    named = {patient_id for *_number, patient_id in found}
    if Reason.MAY_NOT_CORRECT in waiting.reasons:  # no rule may what its sender may not
        version = waiting.laboratory.profile_version
        mark_tried(waiting, reasons=waiting.reasons, profile_version=version)
        return None
    try:
        return _place(waiting, named, by=RULE, at=at, if_duplicate=IfDuplicate.ASK, named=found)
    except StillUnplaceable as fault:
        mark_tried(waiting, reasons=fault.reasons, profile_version=fault.profile_version)
    except AllIsIgnored:
        mark_rejected(waiting, reason=_IGNORED, by=RULE, at=at)
    return None
