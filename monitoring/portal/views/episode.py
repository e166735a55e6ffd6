"""What a clinic states of an episode and, with a consent of its own, of the genotype."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from monitoring import ingest, safety, wake
from monitoring.history import estimate_of
from monitoring.portal.forms.episode import EpisodeForm, GenotypeForm, StatusForm
from monitoring.portal.forms.ratings import ReasonForm
from monitoring.portal.views.access import patient_or_404, reader_of
from monitoring.portal.views.record import fill_in
from patients import audit
from patients.models import Episode, PatientStatus
from patients.record.patients import change_status, lifelong_of
from patients.record.verdicts import (
    EpisodeFacts,
    VerdictFault,
    consent_to_genotype,
    state_episode,
    withdraw_genotype,
)

get_or_post = require_http_methods(["GET", "POST"])
_NAMES = ("started_on", "ill_since", "severity", "diagnosis", "earlier_failures")


@get_or_post
def episode(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """State what is known of the episode."""
    patient, at = patient_or_404(request, public_id), timezone.now()
    known: Episode | None = patient.episodes.filter(ended_on=None, superseded_at=None).first()
    initial = {"diagnosis": (lifelong := lifelong_of(patient)).diagnosis}
    initial["is_bipolar"] = "yes" if lifelong.is_bipolar else ""
    if known is not None:
        initial = {name: getattr(known, name) for name in _NAMES}
        initial["primary_instrument"] = known.primary_instrument
        initial["is_bipolar"] = {None: "", True: "yes", False: "no"}[known.is_bipolar]
    form = EpisodeForm(request.POST or None, now=at, zone=patient.team.site.zone, initial=initial)
    if form.is_valid():
        try:
            with transaction.atomic():
                state_episode(
                    patient=patient,
                    facts=EpisodeFacts(**form.cleaned_data),
                    reason="",
                    by=ingest.actor(reader_of(request)),
                    at=at,
                )
                transaction.on_commit(wake.wake_workers)
        except VerdictFault as fault:
            form.add_error(None, str(fault))
        else:
            messages.success(request, _("The facts of the episode are recorded."))
            return redirect("portal:patient", public_id)
    return fill_in(request, patient, form, template="portal/episode.html", at=at)


@get_or_post
def status(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say that the patient is followed, or why not any longer."""
    patient, at = patient_or_404(request, public_id), timezone.now()
    form = StatusForm(request.POST or None, initial={"status": patient.status})
    if form.is_valid():
        with transaction.atomic():
            had_died = patient.status == PatientStatus.DECEASED
            chosen = PatientStatus(form.cleaned_data["status"])
            by = ingest.actor(reader_of(request))
            change_status(patient=patient, status=chosen, by=by, at=at)
            if had_died and chosen != PatientStatus.DECEASED:
                safety.take_up_again(patient, at=at)
            transaction.on_commit(wake.wake_workers)
        messages.success(request, _("It is on record whether the patient is followed."))
        return redirect("portal:patient", public_id)
    return fill_in(request, patient, form, template="portal/status.html", at=at)


@get_or_post
def genotype(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show the genotype to whoever asks for it, and record or change the consent to it."""
    patient, at = patient_or_404(request, public_id), timezone.now()
    by = ingest.actor(reader_of(request))
    known = patient.genotypes.filter(superseded_at=None).first()
    initial = (
        {}
        if known is None
        else {
            "consented_on": known.consented_on,
            "rs2228145": known.rs2228145,
        }
    )
    form = GenotypeForm(request.POST or None, now=at, zone=patient.team.site.zone, initial=initial)
    if form.is_valid():
        with transaction.atomic():
            consent_to_genotype(patient=patient, by=by, at=at, **form.cleaned_data)
            transaction.on_commit(wake.wake_workers)
        messages.success(request, _("The consent is recorded."))
        return redirect("portal:genotype", public_id)
    audit.write(
        verb="view_genotype", subject=f"patient:{patient.pk}", by=by, at=at, patient_id=patient.pk
    )
    standing = getattr(patient, "standing", None)
    estimate = estimate_of(standing.assessment if standing else None)
    return fill_in(
        request,
        patient,
        form,
        template="portal/genotype.html",
        at=at,
        known=known,
        found=estimate.genotype if estimate and known and known.rs2228145 else None,
    )


@get_or_post
def forget_genotype(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take note that the consent is withdrawn."""
    patient, at = patient_or_404(request, public_id), timezone.now()
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        with transaction.atomic():
            withdraw_genotype(
                patient=patient,
                reason=form.cleaned_data["reason"],
                by=ingest.actor(reader_of(request)),
                at=at,
            )
            transaction.on_commit(wake.wake_workers)
        messages.success(request, _("The consent is withdrawn; the genotype is used no more."))
        return redirect("portal:patient", public_id)
    return fill_in(request, patient, form, template="portal/withdraw.html", at=at)
