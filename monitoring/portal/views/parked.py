"""One draw that waits for a person, and the two ways out."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from monitoring import ingest, queries, suggestions
from monitoring.portal import dates, parked_words
from monitoring.portal.forms.parked import (
    IGNORED,
    IGNORED_WORDS,
    AskForm,
    MatchForm,
    RejectForm,
    SearchForm,
)
from monitoring.portal.presenters.candidates import Candidate, doubles_of
from monitoring.portal.presenters.parked import (
    ParkedRow,
    SentDraw,
    question_for,
    teachable,
)
from monitoring.portal.views.access import (
    parked_or_404,
    patient_or_404,
    reader_of,
)
from monitoring.suggestions import numbers_to_remember
from patients import audit
from patients.intake import parking, setting_aside
from patients.intake.finding import IfDuplicate
from patients.intake.reasons import Reason
from patients.intake.reports import DrawReport
from patients.models import Parked, Patient
from patients.record.parking import NoLongerWaiting
from patients.record.patients import IdentifierTaken

# Whether it is the result on record or another one is asked of whoever matches it
_FOR_A_PERSON = frozenset(
    {
        Reason.POSSIBLE_DUPLICATE.value,
        Reason.NUMBER_USED_AGAIN.value,
        Reason.OTHER_PATIENT.value,
    }
)


@require_GET
def parked_draw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one waiting draw beside the patients who may be meant."""
    waiting = parked_or_404(request, public_id)
    audit.write(
        verb="view_parked",
        subject=f"parked:{waiting.public_id}",
        by=audit.name_of(reader_of(request)),
        at=timezone.now(),
    )
    return page_of_parked(request, waiting)


@require_POST
def search_for_parked(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Look for the patient whom the laboratory means."""
    waiting = parked_or_404(request, public_id)
    form = SearchForm(request.POST)
    if not form.is_valid():
        return page_of_parked(request, waiting, forms={"search_form": form}, status=422)
    patients = queries.find_patients(reader_of(request), form.cleaned_data["text"])
    found = patients.select_related("team__site").prefetch_related("identifiers")
    return page_of_parked(
        request,
        waiting,
        found=found.order_by("family_name", "pk")[: queries.CANDIDATES_AT_MOST],
        forms={"search_form": form},
    )


@require_POST
def match_parked(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Put the draw on the record of the patient whom the reader has named."""
    waiting = parked_or_404(request, public_id)
    form = MatchForm(request.POST)
    if not form.is_valid():
        return redirect("portal:parked_draw", public_id)
    patient = patient_or_404(request, form.cleaned_data["patient"])
    report = DrawReport.model_validate(waiting.report)
    said = form.cleaned_data
    return place(
        request,
        waiting,
        patient,
        if_duplicate=said["if_duplicate"],
        remember=numbers_to_remember(report, patient, laboratory_id=waiting.laboratory_id)
        if said["remember"]
        else (),
    )


def place(
    request: HttpRequest,
    waiting: Parked,
    patient: Patient,
    *,
    if_duplicate: IfDuplicate = IfDuplicate.ASK,
    remember: Sequence[tuple[str, str]] = (),
) -> HttpResponse:
    """Place the draw, or say what still keeps it."""
    try:
        ingest.match_parked(
            parked=waiting,
            patient=patient,
            by=reader_of(request),
            at=timezone.now(),
            if_duplicate=if_duplicate,
            remember=remember,
        )
    except NoLongerWaiting:
        messages.warning(request, _("Somebody else has placed or rejected this draw meanwhile."))
        return redirect("portal:parked")
    except IdentifierTaken:
        messages.error(request, _("Another patient is known by this number; it was not added."))
        return redirect("portal:parked_draw", waiting.public_id)
    except parking.AllIsIgnored:
        messages.error(
            request,
            _("The profile of the laboratory ignores all of its codes, so nothing can be placed."),
        )
        return redirect("portal:parked_draw", waiting.public_id)
    except parking.StillUnplaceable as fault:
        if not _FOR_A_PERSON.isdisjoint(fault.reasons):
            may_be_same = Reason.OTHER_PATIENT.value not in fault.reasons
            return page_of_parked(
                request, waiting, asks_of=patient, may_be_same=may_be_same, status=409
            )
        reasons = " ".join(parked_words.parked_reason(code) for code in fault.reasons)
        messages.error(request, _("It cannot be placed yet: %(why)s") % {"why": reasons})
        return redirect("portal:parked_draw", waiting.public_id)
    messages.success(request, _("The draw is on the record of this patient now."))
    return redirect("portal:patient", patient.public_id)


@require_POST
def reject_parked(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Set the draw aside for good, with a reason."""
    waiting = parked_or_404(request, public_id)
    form = RejectForm(request.POST)
    if not form.is_valid():
        return page_of_parked(request, waiting, forms={"reject_form": form}, status=422)
    reader, at = reader_of(request), timezone.now()
    try:
        setting_aside.reject(parked=waiting, reason=form.cleaned_data["reason"], by=reader, at=at)
    except NoLongerWaiting:
        messages.warning(request, _("Somebody else has placed or rejected this draw meanwhile."))
    else:
        messages.success(request, _("The draw is rejected; it stays readable with its reason."))
    return redirect("portal:parked")


def page_of_parked(
    request: HttpRequest,
    waiting: Parked,
    *,
    found: Iterable[Patient] | None = None,
    asks_of: Patient | None = None,
    may_be_same: bool = True,
    forms: dict[str, Form] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the draw; `asks_of` is a patient of whom a decision on a double is wanted first."""
    reader, report = reader_of(request), DrawReport.model_validate(waiting.report)
    suggested = (
        suggestions.suggest(report, laboratory_id=waiting.laboratory_id, reader=reader)
        if found is None
        else suggestions.compare(found, report, laboratory_id=waiting.laboratory_id)
    )
    if asks_of is not None:
        suggested = suggestions.compare([asks_of], report, laboratory_id=waiting.laboratory_id)
    context = {
        "row": ParkedRow.of(waiting, at=timezone.now()),
        "sent": SentDraw.of(waiting),
        "candidates": [
            Candidate.of(each, sent=report, laboratory_id=waiting.laboratory_id)
            for each in suggested
        ],
        "has_searched": found is not None,
        "asks": asks_of is not None,
        "may_be_same": may_be_same,
        "doubles": []
        if asks_of is None
        else doubles_of(report, asks_of, laboratory_id=waiting.laboratory_id),
        "unknown": teachable(waiting) if reader.is_operator else [],
        "ignored": (IGNORED, IGNORED_WORDS),
        "needs_operator": bool(teachable(waiting)) and not reader.is_operator,
        "question": waiting.question,
        "asked": "" if waiting.asked_at is None else dates.system_moment(waiting.asked_at),
        "search_form": SearchForm(),
        "reject_form": RejectForm(),
        "ask_form": AskForm(initial={"question": waiting.question or question_for(waiting)}),
        **(forms or {}),
    }
    return render(request, "portal/parked_draw.html", context, status=status)
