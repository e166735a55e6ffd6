"""Who is told of a positive answer on self-harm: by team, and by patient."""

from datetime import datetime

from django.db import transaction

from patients import audit
from patients.models import Clinician, Membership, Patient, SafetyDuty


class NotOfTheTeam(Exception):
    """A named clinician is an active member of the patient's team."""


@transaction.atomic
def set_duty(*, membership: Membership, duty: SafetyDuty, by: str, at: datetime) -> None:
    """Say when a member of a team is told."""
    Membership.objects.filter(pk=membership.pk).update(safety_duty=duty)
    audit.write(
        verb="set_safety_duty",
        subject=audit.name_of(membership.clinician),
        by=by,
        at=at,
        team=membership.team_id,
        duty=duty.value,
    )


@transaction.atomic
def name_clinician(*, patient: Patient, clinician: Clinician | None, by: str, at: datetime) -> None:
    """Name who is told first of this patient; nobody: whoever of the team is first."""
    if clinician is not None and not (
        clinician.is_active and clinician.memberships.filter(team=patient.team_id).exists()
    ):
        raise NotOfTheTeam(str(patient))
    Patient.objects.filter(pk=patient.pk).update(named_clinician=clinician)
    audit.write(
        verb="name_clinician",
        subject="nobody" if clinician is None else audit.name_of(clinician),
        by=by,
        at=at,
        patient_id=patient.pk,
    )
