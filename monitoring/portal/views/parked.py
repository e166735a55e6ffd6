"""Draws that wait for a person: the list, one draw, and the two ways out."""

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from monitoring import ingest, queries
from monitoring.portal import parked_words
from monitoring.portal.forms.parked import MatchForm, RejectForm, SearchForm
from monitoring.portal.presenters.listing import is_silent, say_heard
from monitoring.portal.presenters.parked import Candidate, ParkedRow, SentDraw
from monitoring.portal.views.access import (
    parked_or_404,
    patient_or_404,
    reader_of,
    require_team,
)
from patients import audit
from patients.intake import parking
from patients.intake.reports import DrawReport
from patients.models import Parked, Patient
from patients.record.parking import NoLongerWaiting


@require_GET
def parked(request: HttpRequest) -> HttpResponse:
    """List what waits, the longest first."""
    require_team(request)
    at = timezone.now()
    rows = [ParkedRow.of(each, at=at) for each in queries.parked_draws()]
    heard_at = queries.last_heard_at()
    context = {
        "rows": rows,
        "heard": say_heard(heard_at),
        "is_silent": is_silent(heard_at, at=at),
    }
    return render(request, "portal/parked.html", context)


@require_GET
def parked_draw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one waiting draw beside the patients whose number is the same."""
    waiting = parked_or_404(request, public_id)
    audit.write(
        verb="view_parked",
        subject=f"parked:{waiting.public_id}",
        by=audit.name_of(reader_of(request)),
        at=timezone.now(),
    )
    numbers = [each.value for each in DrawReport.model_validate(waiting.report).patients]
    same = Patient.objects.visible_to(reader_of(request)).filter(identifiers__value__in=numbers)
    return _page(request, waiting, found=same.distinct())


@require_POST
def search_for_parked(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Look for the patient whom the laboratory means."""
    waiting = parked_or_404(request, public_id)
    form = SearchForm(request.POST)
    if not form.is_valid():
        return _page(request, waiting, found=Patient.objects.none(), search=form, status=422)
    found = queries.find_patients(reader_of(request), form.cleaned_data["text"])
    return _page(request, waiting, found=found, search=form)


@require_POST
def match_parked(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Put the draw on the record of the patient whom the reader has named."""
    waiting = parked_or_404(request, public_id)
    form = MatchForm(request.POST)
    if not form.is_valid():
        return redirect("portal:parked_draw", public_id)
    patient = patient_or_404(request, form.cleaned_data["patient"])
    reader, at = reader_of(request), timezone.now()
    try:
        ingest.match_parked(parked=waiting, patient=patient, by=reader, at=at)
    except NoLongerWaiting:
        messages.warning(request, _("Somebody else has placed or rejected this draw meanwhile."))
        return redirect("portal:parked")
    except parking.StillUnplaceable as fault:
        reasons = " ".join(parked_words.parked_reason(code) for code in fault.reasons)
        messages.error(request, _("It cannot be placed yet: %(why)s") % {"why": reasons})
        return redirect("portal:parked_draw", public_id)
    messages.success(request, _("The draw is on the record of this patient now."))
    return redirect("portal:patient", patient.public_id)


@require_POST
def reject_parked(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Set the draw aside for good, with a reason."""
    waiting = parked_or_404(request, public_id)
    form = RejectForm(request.POST)
    if not form.is_valid():
        return _page(request, waiting, found=Patient.objects.none(), reject=form, status=422)
    reader, at = reader_of(request), timezone.now()
    try:
        parking.reject(parked=waiting, reason=form.cleaned_data["reason"], by=reader, at=at)
    except NoLongerWaiting:
        messages.warning(request, _("Somebody else has placed or rejected this draw meanwhile."))
    else:
        messages.success(request, _("The draw is rejected; it stays readable with its reason."))
    return redirect("portal:parked")


def _page(
    request: HttpRequest,
    waiting: Parked,
    *,
    found: QuerySet[Patient],
    search: SearchForm | None = None,
    reject: RejectForm | None = None,
    status: int = 200,
) -> HttpResponse:
    report = DrawReport.model_validate(waiting.report)
    patients = found.select_related("team__site").prefetch_related("identifiers")
    shown = list(patients.order_by("family_name", "pk")[: queries.CANDIDATES_AT_MOST])
    context = {
        "row": ParkedRow.of(waiting, at=timezone.now()),
        "sent": SentDraw.of(waiting),
        "candidates": [Candidate.of(patient, sent=report) for patient in shown],
        "has_searched": search is not None and search.is_valid(),
        "search_form": search or SearchForm(),
        "reject_form": reject or RejectForm(),
    }
    return render(request, "portal/parked_draw.html", context, status=status)
