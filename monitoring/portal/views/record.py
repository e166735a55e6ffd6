"""What the clinic writes down itself: ratings, trials, events."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from instruments import INSTRUMENTS
from monitoring import duties, ingest
from monitoring.models import Flag, FlagKind
from monitoring.portal.forms.doses import offered_by
from monitoring.portal.forms.ratings import RatingForm, scale_or_default
from monitoring.portal.forms.treatment import (
    EventForm,
    StopForm,
    TrialForm,
    course_of,
)
from monitoring.portal.presenters.banner import Banner
from monitoring.portal.presenters.safety import Crisis
from monitoring.portal.views.access import (
    note_view,
    patient_or_404,
    reader_of,
    running_trial_or_404,
)
from patients.models import EventKind, Patient, Rating, StopReason, TrialKind
from patients.record.ratings import RatingExists, RatingFault
from patients.record.treatment import Course, TrialFault, TrialReplaced

get_or_post = require_http_methods(["GET", "POST"])
_LEEWAY = timedelta(days=7)  # a first dose is often dated a few days after its trial


def fill_in(
    request: HttpRequest, patient: Patient, form: Any, *, template: str, at: datetime, **more: Any
) -> HttpResponse:
    """Show a form about one patient; with faults it comes back as 422 with what was typed."""
    if request.method == "GET":
        note_view(request, "open_form", f"patient:{patient.pk}", patient_id=patient.pk)
    numbers = patient.identifiers.order_by("pk").values_list("value", flat=True)
    today = at.astimezone(patient.team.site.zone).date()
    banner = Banner.of(patient, numbers=list(numbers), today=today)
    context = {"form": form, "banner": banner, "public_id": patient.public_id, **more}
    return render(request, template, context, status=422 if form.errors else 200)


@get_or_post
def add_rating(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Record one scale; a positive item on self-harm interrupts."""
    patient, at = patient_or_404(request, public_id), timezone.now()
    scale = scale_or_default(request.GET.get("scale") or _primary_scale(patient))
    if scale is None:
        raise Http404
    form = RatingForm(request.POST or None, now=at, zone=patient.team.site.zone, scale=scale)
    if form.is_valid():
        said = form.cleaned_data
        try:
            rating, _is_new = ingest.receive_rating(
                patient=patient,
                instrument=scale.code,
                rated_at=said["rated_at"],
                items=said["items"],
                total=said["total"],
                self_harm_answer=said["self_harm"],
                by=ingest.actor(reader_of(request)),
                at=at,
            )
        except RatingExists:
            form.add_error(None, _("A rating of this very time is on record with other answers."))
        except RatingFault as fault:
            form.add_error(None, str(fault))
        else:
            return after_rating(request, rating)
    return fill_in(
        request,
        patient,
        form,
        template="portal/add_rating.html",
        at=at,
        scales=list(INSTRUMENTS),
        crisis=Crisis.of(duties.plan_of(patient.team.site)),
    )


def _primary_scale(patient: Patient) -> str:
    """Name the scale of the open episode; empty where none was chosen."""
    of_episode = patient.episodes.filter(ended_on=None, superseded_at=None)
    return of_episode.values_list("primary_instrument", flat=True).first() or ""


def after_rating(request: HttpRequest, rating: Rating) -> HttpResponse:
    """Go back to the patient, unless the item on self-harm was answered above zero."""
    if rating.self_harm_answer:
        # The newest, and not the open one: a form sent twice may find its flag resolved already
        flag = Flag.objects.filter(patient=rating.patient_id, kind=FlagKind.SAFETY).latest("pk")
        return redirect("portal:safety", flag.reference)
    if rating.total is None:
        messages.warning(
            request, _("Recorded without a total, because answers are missing. Nothing is imputed.")
        )
    else:
        messages.success(
            request,
            _("Rating recorded: %(scale)s %(total)d.")
            % {"scale": rating.instrument, "total": rating.total},
        )
    return redirect("portal:patient", rating.patient.public_id)


@get_or_post
def add_trial(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Record a course."""
    patient, at = patient_or_404(request, public_id), timezone.now()
    site = patient.team.site
    offered = offered_by(list(site.doses.all()))
    form = TrialForm(request.POST or None, now=at, zone=site.zone, offered=offered)
    if form.is_valid():
        course = course_of(form.cleaned_data)
        try:
            ingest.receive_course(
                patient=patient,
                course=course,
                by=ingest.actor(reader_of(request)),
                at=at,
            )
        except TrialFault as fault:
            form.add_error(None, str(fault))
        else:
            messages.success(request, _("Trial recorded."))
            if notice := before_first_dose(patient, course):
                messages.warning(request, notice)
            return redirect("portal:patient", public_id)
    return fill_in(
        request,
        patient,
        form,
        template="portal/add_trial.html",
        at=at,
        antidepressants=offered,
    )


def before_first_dose(patient: Patient, course: Course) -> str:
    """Say what becomes of a trial that had begun before the first dose on record."""
    of_episode = patient.episodes.filter(ended_on=None, superseded_at=None)
    first = of_episode.values_list("started_on", flat=True).first()
    is_trial = course.kind == TrialKind.ANTIDEPRESSANT
    if first is None or not is_trial or course.started_on >= first - _LEEWAY:
        return ""
    if course.stopped_on is not None and course.stopped_on <= first:
        return _(
            "It ended before the first dose on record (%(first)s) and is not counted. If it "
            "failed in this episode, add it to the earlier failures under Facts of the episode."
        ) % {"first": f"{first:%d-%b-%Y}"}
    return _(
        "It had begun before the first dose on record (%(first)s) and is counted, with the "
        "baseline of that day. If the first dose is wrong, correct it under Facts of the episode."
    ) % {"first": f"{first:%d-%b-%Y}"}


@get_or_post
def stop_trial(request: HttpRequest, public_id: UUID, trial_id: int) -> HttpResponse:
    """Record when and why a running trial ended."""
    trial, at = running_trial_or_404(request, public_id, trial_id), timezone.now()
    patient = trial.patient
    form = StopForm(
        request.POST or None, now=at, zone=patient.team.site.zone, started_on=trial.started_on
    )
    if form.is_valid():
        try:
            ingest.receive_trial_stop(
                trial=trial,
                stopped_on=form.cleaned_data["stopped_on"],
                stop_reason=StopReason(form.cleaned_data["stop_reason"]),
                by=ingest.actor(reader_of(request)),
                at=at,
            )
        except TrialReplaced:
            messages.warning(request, _("Somebody else has changed this trial in the meantime."))
            return redirect("portal:patient", public_id)
        except TrialFault as fault:
            form.add_error(None, str(fault))
        else:
            messages.success(request, _("The end of the trial is recorded."))
            return redirect("portal:patient", public_id)
    return fill_in(
        request, patient, form, template="portal/stop_trial.html", at=at, drug=trial.drug
    )


@get_or_post
def add_event(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Record something that disturbs a reading."""
    patient, at = patient_or_404(request, public_id), timezone.now()
    form = EventForm(request.POST or None, now=at, zone=patient.team.site.zone)
    if form.is_valid():
        said = form.cleaned_data
        try:
            ingest.receive_event(
                patient=patient,
                kind=EventKind(said["kind"]),
                started_on=said["started_on"],
                stopped_on=said["stopped_on"],
                atc=said["atc"],
                note=said["note"],
                by=ingest.actor(reader_of(request)),
                at=at,
            )
        except TrialFault as fault:
            form.add_error(None, str(fault))
        else:
            messages.success(request, _("Event recorded."))
            return redirect("portal:patient", public_id)
    return fill_in(request, patient, form, template="portal/add_event.html", at=at)
