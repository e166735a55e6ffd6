"""The safety path's pages: the interruption, the list, taking on, handing over, the outcome."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from monitoring import duties, flags, outcomes, safety, safety_list
from monitoring.models import (
    Behaviour,
    Contact,
    Finding,
    Flag,
    FlagKind,
    Ideation,
    SafetyAction,
)
from monitoring.portal.forms.safety import HandOverForm, OutcomeForm, TakeOnForm
from monitoring.portal.presenters.flag_page import FlagPage
from monitoring.portal.presenters.safety import CaseRow, Crisis, urgency
from monitoring.portal.views.access import flag_or_404, note_view, reader_of
from monitoring.sessions import asked_by_itself
from patients.models import Clinician


@require_GET
def interruption(request: HttpRequest, reference: str) -> HttpResponse:
    """Interrupt whoever has just entered a positive answer on self-harm."""
    found, at = _safety_flag(request, reference), timezone.now()
    note_view(request, "view_flag", f"flag:{found.pk}", patient_id=found.patient_id)
    context = {
        "page": FlagPage.of(found, at=at),
        "urgency": urgency(found),
        "crisis": Crisis.of(duties.plan_of(found.patient.team.site)),
        "case": _case_of(request, found),
    }
    return render(request, "portal/safety.html", context)


@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """List the open safety flags of the reader's teams."""
    at = timezone.now()
    found = safety_list.open_cases(reader_of(request), at=at)
    context = {"rows": [CaseRow.of(case, at=at) for case in found], "as_at": at}
    return render(request, "portal/safety_list.html", context)


@asked_by_itself
@require_GET
def alarm(request: HttpRequest) -> HttpResponse:
    """Give the alarm anew, for a page that stays open; say when its reader is about to be out."""
    return render(request, "portal/parts/alarm.html")


@require_POST
def take_on(request: HttpRequest, reference: str) -> HttpResponse:
    """Take a safety flag on by the reader's name."""
    found = _safety_flag(request, reference)
    form = TakeOnForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            safety.take_on(
                flag=found,
                version=said["version"],
                plan=said["plan"],
                by=reader_of(request),
                at=timezone.now(),
            )
        except flags.FlagHasMoved as fault:
            messages.warning(request, str(fault))
        else:
            messages.success(request, _("You have taken it on. Record the outcome here."))
    else:
        messages.error(request, _("The page was incomplete; please try again."))
    return redirect("portal:flag", reference)


@require_POST
def hand_over(request: HttpRequest, reference: str) -> HttpResponse:
    """Hand a safety flag to a colleague, who is told at once."""
    found = _safety_flag(request, reference)
    form = HandOverForm(request.POST, people=colleagues(found))
    if not form.is_valid():
        messages.error(request, _("Choose the colleague who takes over."))
        return redirect("portal:flag", reference)
    said = form.cleaned_data
    try:
        safety.hand_over(
            flag=found,
            version=said["version"],
            to=Clinician.objects.get(pk=said["to"]),
            note=said["note"],
            by=reader_of(request),
            at=timezone.now(),
        )
    except flags.FlagHasMoved as fault:
        messages.warning(request, str(fault))
    else:
        messages.success(
            request, _("Handed over; your colleague is told at once. Tell them in person too.")
        )
    return redirect("portal:flag", reference)


@require_http_methods(["GET", "POST"])
def outcome(request: HttpRequest, reference: str) -> HttpResponse:
    """Record the outcome of a structured assessment, which ends the flag; or an attempt at one."""
    found, at = _safety_flag(request, reference), timezone.now()
    reader = reader_of(request)
    form = OutcomeForm(
        request.POST or None,
        now=at,
        zone=found.patient.team.site.zone,
        answered_at=outcomes.answered_at(found),
        initial={"version": found.version, "assessed_by": str(reader)},
    )
    if form.is_valid():
        said = _outcome(form.cleaned_data)
        record = safety.record_attempt if said.is_attempt(found) else safety.close
        version = form.cleaned_data["version"]
        try:
            record(flag=found, version=version, outcome=said, by=reader, at=at)
        except flags.FlagHasMoved as fault:
            _let_it_be_saved_again(form, found, str(fault))
        except outcomes.OutcomeFault as fault:
            form.add_error(None, str(fault))
        else:
            _say_what_became(request, said, found)
            return redirect("portal:flag", reference)
    context = {
        "form": form,
        "banner": FlagPage.of(found, at=at).banner,
        "public_id": found.patient.public_id,
        "reference": reference,
    }
    return render(request, "portal/outcome.html", context, status=422 if form.errors else 200)


def _let_it_be_saved_again(form: OutcomeForm, flag: Flag, what_happened: str) -> None:
    """Keep what was typed while the flag has moved, and let it be saved once that is read."""
    flag.refresh_from_db()
    data = cast("QueryDict", form.data).copy()
    data["version"] = str(flag.version)
    form.data = data
    again = _("Nothing is lost: read what has happened since, then record the outcome once more.")
    form.add_error(None, f"{what_happened} {again}")


def _say_what_became(request: HttpRequest, said: outcomes.Outcome, flag: Flag) -> None:
    if not said.is_attempt(flag):
        messages.success(request, _("The outcome is recorded, and the flag is closed."))
        return
    words = [_("The attempt is recorded. The flag stays up and its timer goes on.")]
    if said.contact != Contact.NOT_REACHED:
        missing = ", ".join(said.not_assessed(flag))
        words.append(_("Not assessed yet: %(missing)s.") % {"missing": missing})
    messages.warning(request, " ".join(words))


def _outcome(said: dict[str, Any]) -> outcomes.Outcome:
    return outcomes.Outcome(
        assessed_at=said["assessed_at"],
        assessed_by=said["assessed_by"],
        contact=Contact(said["contact"]),
        instrument=said["instrument"],
        ideation=Ideation(said["ideation"]),
        behaviour=Behaviour(said["behaviour"]),
        plan=Finding(said["plan"]),
        means=Finding(said["means"]),
        actions=[SafetyAction(each) for each in said["actions"]],
        note=said["note"],
        next_contact_on=said["next_contact_on"],
    )


def colleagues(flag: Flag) -> list[Clinician]:
    """Give those to whom a flag may be handed over."""
    return duties.team_of(flag.patient.team_id).everybody


def _safety_flag(request: HttpRequest, reference: str) -> Flag:
    found = flag_or_404(request, reference)
    if found.kind != FlagKind.SAFETY:
        raise Http404
    return found


def _case_of(request: HttpRequest, flag: Flag) -> CaseRow | None:
    at = timezone.now()
    found = safety_list.open_cases(reader_of(request), at=at)
    return next((CaseRow.of(case, at=at) for case in found if case.flag.pk == flag.pk), None)
