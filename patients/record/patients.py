"""People under treatment: enrolled, known by numbers, followed in episodes."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, transaction

from patients import audit
from patients.models import CareTeam, Episode, Identifier, Laboratory, Patient, PatientStatus, Sex
from patients.record.versions import count_up, lock


class IdentifierTaken(Exception):
    """Another patient is known by this number."""


@transaction.atomic
def enrol(
    *,
    team: CareTeam,
    identifiers: Sequence[tuple[str, str]],
    family_name: str,
    given_name: str,
    birth_date: date | None,
    sex: Sex,
    started_on: date | None,
    by: str,
    at: datetime,
    is_synthetic: bool = False,
) -> Patient:
    """Enrol a patient, with the numbers that others use and the day of the first dose."""
    patient = Patient.objects.create(
        team=team,
        family_name=family_name,
        given_name=given_name,
        birth_date=birth_date,
        sex=sex,
        enrolled_at=at,
        is_synthetic=is_synthetic,
    )
    audit.write(verb="enrol", subject=f"patient:{patient.pk}", by=by, at=at, patient_id=patient.pk)
    for system, value in identifiers:
        add_identifier(patient=patient, system=system, value=value, by=by, at=at)
    if started_on is not None:
        start_episode(patient=patient, started_on=started_on, by=by, at=at)
    count_up([patient.pk], at=at)
    patient.refresh_from_db()
    return patient


@transaction.atomic
def add_identifier(
    *,
    patient: Patient,
    system: str,
    value: str,
    by: str,
    at: datetime,
    laboratory: Laboratory | None = None,
) -> Identifier:
    """Let the patient be found by this number of that system, by one laboratory or by all."""
    try:
        with transaction.atomic():
            identifier = Identifier.objects.create(
                patient=patient, system=system, value=value, since=at, laboratory=laboratory
            )
    except IntegrityError as fault:
        raise IdentifierTaken(system) from fault
    audit.write(
        verb="add_identifier",
        subject=f"identifier:{identifier.pk}",
        by=by,
        at=at,
        patient_id=patient.pk,
    )
    return identifier


@transaction.atomic
def start_episode(*, patient: Patient, started_on: date, by: str, at: datetime) -> Episode:
    """Start to follow the patient, from the first dose."""
    episode = Episode.objects.create(
        patient=patient, started_on=started_on, recorded_at=at, recorded_by=by
    )
    audit.write(
        verb="start_episode",
        subject=f"episode:{episode.pk}",
        by=by,
        at=at,
        patient_id=patient.pk,
    )
    count_up([patient.pk], at=at)
    return episode


@transaction.atomic
def change_status(*, patient: Patient, status: PatientStatus, by: str, at: datetime) -> None:
    """Say that the patient is followed, or why not any longer; all but active stop alerts."""
    locked = lock(patient.pk)
    locked.status = status
    locked.save(update_fields=["status"])
    audit.write(
        verb="change_status",
        subject=f"patient:{patient.pk}",
        by=by,
        at=at,
        patient_id=patient.pk,
        status=status,
    )
    count_up([patient.pk], at=at)
