"""Who asks, and what they may see; everything else is not there."""

from typing import cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from monitoring import queries, waiting
from monitoring.models import Flag
from patients import audit
from patients.models import Clinician, Membership, Parked, Patient, Role, Site, Trial


def reader_of(request: HttpRequest) -> Clinician:
    """Name the clinician who asks; nobody else comes past the sign-in."""
    return cast(Clinician, request.user)


def patient_or_404(request: HttpRequest, public_id: UUID) -> Patient:
    """Find a patient whom the reader may see."""
    mine = Patient.objects.visible_to(reader_of(request)).select_related("team__site")
    return get_object_or_404(mine, public_id=public_id)


def note_view(request: HttpRequest, verb: str, subject: str, *, patient_id: int) -> None:
    """Put on record that the reader has looked at something of a patient."""
    audit.write(
        verb=verb,
        subject=subject,
        by=audit.name_of(reader_of(request)),
        at=timezone.now(),
        patient_id=patient_id,
    )


def running_trial_or_404(request: HttpRequest, public_id: UUID, trial_id: int) -> Trial:
    """Find a running trial of a patient whom the reader may see."""
    patient = patient_or_404(request, public_id)
    running = Trial.objects.filter(patient=patient, superseded_at=None, stopped_on=None)
    found = get_object_or_404(running.select_related("patient__team__site"), pk=trial_id)
    return cast(Trial, found)


def flag_or_404(request: HttpRequest, reference: str) -> Flag:
    """Find a flag of a patient whom the reader may see."""
    return get_object_or_404(queries.visible_flags(reader_of(request)), reference=reference)


def parked_or_404(request: HttpRequest, public_id: UUID) -> Parked:
    """Find a draw that waits: of a patient whom the reader may see, or of nobody who is known."""
    require_team(request)
    return get_object_or_404(waiting.waiting_for(reader_of(request)), public_id=public_id)


def require_operator(request: HttpRequest) -> None:
    """Let only those in who run the site."""
    if not reader_of(request).is_operator:
        raise Http404


def require_team(request: HttpRequest) -> None:
    """Let only those look for a draw's patient who look after patients."""
    if not queries.may_see_parked(reader_of(request)):
        raise Http404


def site_or_404(request: HttpRequest, site_id: int) -> Site:
    """Find a site of the reader's, who must lead one of its teams to change it."""
    reader = reader_of(request)
    mine = Site.objects.filter(teams__members=reader).distinct()
    site = get_object_or_404(mine, pk=site_id)
    if not leads(reader, site):
        raise PermissionDenied
    return site


def leads(reader: Clinician, site: Site) -> bool:
    """Tell whether the reader leads a team of the site."""
    return Membership.objects.filter(clinician=reader, team__site=site, role=Role.LEAD).exists()
