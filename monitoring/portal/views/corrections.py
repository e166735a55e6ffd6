"""Putting right what was written down: a new fact with a reason, never an erasure."""

from typing import TypeVar
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from monitoring import duties, ingest, wake
from monitoring.portal.forms.doses import offered_by
from monitoring.portal.forms.ratings import RatingCorrectionForm, ReasonForm
from monitoring.portal.forms.treatment import (
    EventCorrectionForm,
    TrialCorrectionForm,
    course_of,
)
from monitoring.portal.presenters.safety import Crisis
from monitoring.portal.views.access import patient_or_404, reader_of
from monitoring.portal.views.record import after_rating, before_first_dose, fill_in
from patients.models import Episode, Event, EventKind, Patient, Rating, Trial
from patients.record.events import EventReplaced, correct_event, withdraw_event
from patients.record.ratings import (
    RatingExists,
    RatingFault,
    RatingReplaced,
    withdraw_rating,
)
from patients.record.treatment import Course, TrialFault, TrialReplaced, withdraw_trial
from patients.record.verdicts import VerdictFault

get_or_post = require_http_methods(["GET", "POST"])
T = TypeVar("T", Rating, Trial, Event)
MOVED_ON = gettext_lazy("Somebody else has changed this in the meantime; look again.")
MOVED = (RatingReplaced, TrialReplaced, EventReplaced)


@get_or_post
def correct_a_rating(request: HttpRequest, public_id: UUID, fact_id: int) -> HttpResponse:
    """Correct a rating."""
    patient, at = patient_or_404(request, public_id), timezone.now()
    # One that was corrected in the meantime must not take a positive answer with it unseen
    among = Rating.objects.all() if request.method == "POST" else Rating.objects.current()
    rating = get_object_or_404(among.filter(patient=patient), pk=fact_id)
    form = RatingCorrectionForm(
        request.POST or None, now=at, zone=patient.team.site.zone, rating=rating
    )
    if form.is_valid():
        said = form.cleaned_data
        try:
            corrected = ingest.receive_rating_correction(
                rating=rating,
                rated_at=said["rated_at"],
                items=said["items"],
                total=said["total"],
                self_harm_answer=said["self_harm"],
                reason=said["reason"],
                by=ingest.actor(reader_of(request)),
                at=at,
            )
        except RatingExists:
            form.add_error(None, _("A rating of this very time is on record with other answers."))
        except RatingFault as fault:
            form.add_error(None, str(fault))
        except RatingReplaced:
            form.add_error(None, MOVED_ON)
            if not form.is_refused_and_positive:
                return _moved(request, public_id)
        else:
            messages.success(request, _("The rating is corrected; the earlier one stays readable."))
            return after_rating(request, corrected)
    return fill_in(
        request,
        patient,
        form,
        template="portal/correct_rating.html",
        at=at,
        fact_id=fact_id,
        crisis=Crisis.of(duties.plan_of(patient.team.site)),
    )


@get_or_post
def correct_a_trial(request: HttpRequest, public_id: UUID, fact_id: int) -> HttpResponse:
    """Correct a course, or add to it: a dose step, the adherence, a judgement of its adequacy."""
    patient, at = patient_or_404(request, public_id), timezone.now()
    trial = _current(Trial, patient, fact_id)
    site = patient.team.site
    offered = offered_by(list(site.doses.all()))
    opened = ingest.opened_by(trial)
    form = TrialCorrectionForm(
        request.POST or None,
        now=at,
        zone=site.zone,
        trial=trial,
        offered=offered,
        first_dose_on=None if opened is None else opened.started_on,
    )
    if form.is_valid():
        said = form.cleaned_data
        try:
            after = ingest.receive_course_correction(
                trial=trial,
                course=course_of(said),
                reason=said["reason"],
                moves_first_dose=said.get("moves_first_dose", False),
                by=ingest.actor(reader_of(request)),
                at=at,
            )
        except (TrialFault, VerdictFault) as fault:
            form.add_error(None, str(fault))
        except MOVED:
            return _moved(request, public_id)
        else:
            messages.success(request, _("The trial is changed; the earlier one stays readable."))
            _say_of_the_first_dose(request, patient, opened, before=trial, after=after)
            return redirect("portal:patient", public_id)
    return fill_in(
        request,
        patient,
        form,
        template="portal/correct_trial.html",
        at=at,
        antidepressants=offered,
        fact_id=fact_id,
    )


def _say_of_the_first_dose(
    request: HttpRequest,
    patient: Patient,
    opened: Episode | None,
    *,
    before: Trial,
    after: Trial | None,
) -> None:
    """Say from which day the episode is counted, where the trial it began with has moved."""
    if after is not None and after.started_on == before.started_on:
        return
    now = None if opened is None else patient.episodes.get(ended_on=None, superseded_at=None)
    if opened is None or now is None:
        notice = "" if after is None else before_first_dose(patient, Course.of(after))
    elif now.started_on != opened.started_on:
        notice = _(
            "The first dose of the episode is now %(first)s: weeks, visits and the baseline are "
            "counted from it."
        ) % {"first": f"{now.started_on:%d-%b-%Y}"}
    else:
        notice = _(
            "The episode had begun with this trial, and its first dose stays %(first)s: weeks, "
            "visits and the baseline are counted from it. If that is wrong, correct it under Facts "
            "of the episode."
        ) % {"first": f"{now.started_on:%d-%b-%Y}"}
    if notice:
        messages.warning(request, notice)


@get_or_post
def correct_an_event(request: HttpRequest, public_id: UUID, fact_id: int) -> HttpResponse:
    """Correct an event, or say when it ended."""
    patient, at = patient_or_404(request, public_id), timezone.now()
    event = _current(Event, patient, fact_id)
    names = ("kind", "started_on", "stopped_on", "atc", "note")
    form = EventCorrectionForm(
        request.POST or None,
        now=at,
        zone=patient.team.site.zone,
        initial={name: getattr(event, name) for name in names},
    )
    if form.is_valid():
        said = form.cleaned_data
        try:
            with transaction.atomic():
                correct_event(
                    event=event,
                    kind=EventKind(said["kind"]),
                    started_on=said["started_on"],
                    stopped_on=said["stopped_on"],
                    atc=said["atc"],
                    note=said["note"],
                    reason=said["reason"],
                    by=ingest.actor(reader_of(request)),
                    at=at,
                )
                transaction.on_commit(wake.wake_workers)
        except MOVED:
            return _moved(request, public_id)
        except TrialFault as fault:
            form.add_error(None, str(fault))
        else:
            messages.success(request, _("The event is changed; the earlier one stays readable."))
            return redirect("portal:patient", public_id)
    return fill_in(
        request, patient, form, template="portal/correct_event.html", at=at, fact_id=fact_id
    )


@get_or_post
def withdraw(request: HttpRequest, public_id: UUID, what: str, fact_id: int) -> HttpResponse:
    """Withdraw a rating, a trial or an event that should not be on this record."""
    patient, at = patient_or_404(request, public_id), timezone.now()
    by = ingest.actor(reader_of(request))
    fact = _fact_or_404(what, patient, fact_id)
    form = ReasonForm(request.POST or None)
    opened = ingest.opened_by(fact) if isinstance(fact, Trial) else None
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            with transaction.atomic():
                match fact:
                    case Rating():
                        withdraw_rating(rating=fact, reason=reason, by=by, at=at)
                    case Trial():
                        withdraw_trial(trial=fact, reason=reason, by=by, at=at)
                    case Event():
                        withdraw_event(event=fact, reason=reason, by=by, at=at)
                transaction.on_commit(wake.wake_workers)
        except MOVED:
            return _moved(request, public_id)
        messages.success(request, _("It is withdrawn; it stays readable with its reason."))
        if isinstance(fact, Trial):
            _say_of_the_first_dose(request, patient, opened, before=fact, after=None)
        return redirect("portal:patient", public_id)
    return fill_in(request, patient, form, template="portal/withdraw.html", at=at)


def _fact_or_404(what: str, patient: Patient, fact_id: int) -> Rating | Trial | Event:
    match what:
        case "ratings":
            return _current(Rating, patient, fact_id)
        case "trials":
            return _current(Trial, patient, fact_id)
        case _:
            return _current(Event, patient, fact_id)


def _current(model: type[T], patient: Patient, fact_id: int) -> T:
    mine = model.objects.filter(patient=patient, superseded_at=None)
    found: T = get_object_or_404(mine, pk=fact_id)
    return found


def _moved(request: HttpRequest, public_id: UUID) -> HttpResponse:
    messages.warning(request, MOVED_ON)
    return redirect("portal:patient", public_id)
