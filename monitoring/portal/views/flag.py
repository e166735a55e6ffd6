"""The page of one flag, and the three steps a person can take; looking at it changes nothing."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from monitoring import duties, flags, safety_list
from monitoring.models import AcknowledgeReason, Flag, FlagKind, ResolveReason
from monitoring.portal.forms.flags import AcknowledgeForm, ResolveForm, SnoozeForm, StepForm
from monitoring.portal.forms.safety import HandOverForm, TakeOnForm
from monitoring.portal.presenters.flag_page import FlagPage
from monitoring.portal.presenters.safety import (
    CaseRow,
    Crisis,
    OutcomeCard,
    answers_of,
    urgency,
)
from monitoring.portal.views.access import flag_or_404, note_view, reader_of


@require_GET
def flag(request: HttpRequest, reference: str) -> HttpResponse:
    """Show a flag; that it was read is on record."""
    found = flag_or_404(request, reference)
    note_view(request, "view_flag", f"flag:{found.pk}", patient_id=found.patient_id)
    return _page(request, found)


@require_POST
def see(request: HttpRequest, reference: str) -> HttpResponse:
    """Say that the reader has looked at the flag."""
    found = flag_or_404(request, reference)
    form = StepForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=422)
    version = form.cleaned_data["version"]
    try:
        flags.see(flag=found, version=version, by=reader_of(request), at=timezone.now())
    except flags.FlagHasMoved as fault:
        messages.warning(request, str(fault))
    else:
        messages.success(request, _("The flag is marked as seen."))
    return redirect("portal:flag", reference)


@require_POST
def acknowledge(request: HttpRequest, reference: str) -> HttpResponse:
    """Take the flag on; a safety flag has its own path."""
    found = flag_or_404(request, reference)
    if found.kind == FlagKind.SAFETY:
        raise Http404
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        return _page(request, found, acknowledge=form, status=422)
    said = form.cleaned_data
    try:
        flags.acknowledge(
            flag=found,
            version=said["version"],
            reason=AcknowledgeReason(said["reason"]),
            plan=said["plan"],
            by=reader_of(request),
            at=timezone.now(),
        )
    except flags.FlagHasMoved as fault:
        messages.warning(request, str(fault))
        kept = AcknowledgeForm(initial={"reason": said["reason"], "plan": said["plan"]})
        return _page(request, flag_or_404(request, reference), acknowledge=kept, status=422)
    messages.success(request, _("The flag is acknowledged."))
    return redirect("portal:flag", reference)


@require_POST
def resolve(request: HttpRequest, reference: str) -> HttpResponse:
    """End the flag; a safety flag ends with a recorded outcome only."""
    found = flag_or_404(request, reference)
    if found.kind == FlagKind.SAFETY:
        raise Http404
    form = ResolveForm(request.POST)
    if not form.is_valid():
        return _page(request, found, resolve=form, status=422)
    said = form.cleaned_data
    try:
        flags.resolve(
            flag=found,
            version=said["version"],
            reason=ResolveReason(said["reason"]),
            plan=said["plan"],
            by=reader_of(request),
            at=timezone.now(),
        )
    except flags.FlagHasMoved as fault:
        messages.warning(request, str(fault))
        kept = ResolveForm(initial={"reason": said["reason"], "plan": said["plan"]})
        return _page(request, flag_or_404(request, reference), resolve=kept, status=422)
    messages.success(request, _("The flag is resolved."))
    return redirect("portal:flag", reference)


@require_POST
def snooze(request: HttpRequest, reference: str) -> HttpResponse:
    """Put the flag aside until a day; a safety flag never."""
    found, at = flag_or_404(request, reference), timezone.now()
    if found.kind == FlagKind.SAFETY:
        raise Http404
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        return _page(request, found, snooze=form, status=422)
    said = form.cleaned_data
    try:
        flags.snooze(
            flag=found,
            version=said["version"],
            until=at + timedelta(weeks=said["weeks"]),
            reason=said["reason"],
            by=reader_of(request),
            at=at,
        )
    except flags.SnoozeFault as fault:
        form.add_error(None, str(fault))
        return _page(request, found, snooze=form, status=422)
    except flags.FlagHasMoved as fault:
        messages.warning(request, str(fault))
    else:
        messages.success(request, _("The flag is put aside; it comes back by itself."))
    return redirect("portal:flag", reference)


def _page(
    request: HttpRequest,
    found: Flag,
    *,
    snooze: SnoozeForm | None = None,
    acknowledge: AcknowledgeForm | None = None,
    resolve: ResolveForm | None = None,
    status: int = 200,
) -> HttpResponse:
    forms = (
        acknowledge or AcknowledgeForm(),
        resolve or ResolveForm(),
        snooze or SnoozeForm(),
    )
    for form in forms:
        form.initial["version"] = found.version
    if found.kind == FlagKind.SAFETY:
        return _safety_page(request, found)
    context = {
        "page": FlagPage.of(found, at=timezone.now()),
        "acknowledge_form": forms[0],
        "resolve_form": forms[1],
        "snooze_form": forms[2],
    }
    return render(request, "portal/flag.html", context, status=status)


def _safety_page(request: HttpRequest, found: Flag) -> HttpResponse:
    """Show a safety flag with the steps of its own path."""
    at = timezone.now()
    people = duties.team_of(found.patient.team_id).everybody
    cases = safety_list.open_cases(reader_of(request), at=at)
    case = next((CaseRow.of(each, at=at) for each in cases if each.flag.pk == found.pk), None)
    context = {
        "page": FlagPage.of(found, at=at),
        "case": case,
        "urgency": urgency(found),
        "crisis": Crisis.of(duties.plan_of(found.patient.team.site)),
        "answers": answers_of(list(found.events.all()), zone=found.patient.team.site.zone),
        "outcome": OutcomeCard.of(found.outcome, zone=found.patient.team.site.zone),
        "take_on_form": TakeOnForm(initial={"version": found.version}),
        "hand_over_form": HandOverForm(people=people, initial={"version": found.version}),
    }
    return render(request, "portal/safety_flag.html", context)
