"""People under treatment: enrolled, known by numbers, followed in episodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction

from patients import audit
from patients.models import CareTeam, Episode, Identifier, Laboratory, Patient, PatientStatus, Sex
from patients.record.versions import count_up, lock

_BIPOLAR, _PSYCHOTIC = {"F30", "F31"}, "F2"  # ICD-10


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


@dataclass(frozen=True)
class Lifelong:
    """What is known of a person beyond the episode in which it was stated."""

    diagnosis: str
    is_bipolar: bool | None


def lifelong_of(patient: Patient) -> Lifelong:
    """Give what the earlier episodes said last of bipolar disorder and of F20 to F29.

    Neither ends with an episode. What was said otherwise later, by a no or by another diagnosis,
    is a correction, and stands.
    """
    said = list(
        Episode.objects.filter(patient=patient, superseded_at=None)
        .order_by("-started_on", "-pk")
        .values_list("diagnosis", "is_bipolar")
    )
    diagnosis = next((code for code, _ in said if code), "")
    stated = (
        True if code[:3] in _BIPOLAR else is_bipolar
        for code, is_bipolar in said
        if code[:3] in _BIPOLAR or is_bipolar is not None
    )
    return Lifelong(
        diagnosis=diagnosis
        if diagnosis.startswith(_PSYCHOTIC) or diagnosis[:3] in _BIPOLAR
        else "",
        is_bipolar=True if next(stated, False) else None,
    )


@transaction.atomic
def start_episode(*, patient: Patient, started_on: date, by: str, at: datetime) -> Episode:
    """Start to follow the patient, from the first dose; a lifelong diagnosis comes along."""
    episode = Episode.objects.create(
        patient=patient,
        started_on=started_on,
        recorded_at=at,
        recorded_by=by,
        **vars(lifelong_of(patient)),
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
