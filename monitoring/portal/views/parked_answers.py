"""What else becomes of a waiting draw: its patient enrolled, its code taught, a question asked."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from monitoring import ingest
from monitoring.portal.forms.parked import IGNORED, AskForm, EnrolForm, TeachForm
from monitoring.portal.presenters.parked import ParkedRow, SentDraw, teachable
from monitoring.portal.views.access import parked_or_404, reader_of
from monitoring.portal.views.parked import page_of_parked, place
from monitoring.suggestions import birth_date
from patients import audit
from patients.intake import setting_aside
from patients.intake.enrolling import add_numbers_of_report
from patients.intake.reports import DrawReport
from patients.models import ParkedState, Sex
from patients.record.parking import NoLongerWaiting
from patients.record.patients import IdentifierTaken, enrol
from patients.record.profile_document import AnalyteCode, IgnoredCode, ProfileDocument, UnitSpelling
from patients.record.profiles import profile_of


@require_POST
def ask_about_parked(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Keep what the laboratory is asked; the draw goes on waiting."""
    waiting = parked_or_404(request, public_id)
    form = AskForm(request.POST)
    if not form.is_valid():
        return page_of_parked(request, waiting, forms={"ask_form": form}, status=422)
    try:
        setting_aside.ask_laboratory(
            parked=waiting,
            question=form.cleaned_data["question"],
            by=reader_of(request),
            at=timezone.now(),
        )
    except NoLongerWaiting:
        messages.warning(request, _("Somebody else has placed or rejected this draw meanwhile."))
        return redirect("portal:parked")
    messages.success(request, _("The question is kept. Send it to the laboratory yourself."))
    return redirect("portal:parked_draw", public_id)


@require_POST
def teach_parked(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say once and for all what a code or a unit of this laboratory means."""
    waiting = parked_or_404(request, public_id)
    reader = reader_of(request)
    if not reader.is_operator:
        raise Http404
    asked = (request.POST.get("kind"), request.POST.get("text"))
    unknown = next((each for each in teachable(waiting) if (each.kind, each.text) == asked), None)
    if unknown is None:
        return redirect("portal:parked_draw", public_id)
    form = TeachForm(request.POST, meanings=unknown.meanings, may_ignore=unknown.kind == "code")
    if not form.is_valid():
        messages.error(request, _("Choose what it means."))
        return redirect("portal:parked_draw", public_id)
    profile, means = profile_of(waiting.laboratory), form.cleaned_data["means"]
    if means == IGNORED:
        ignored = IgnoredCode(system=unknown.system, code=unknown.text)
        document = ProfileDocument(
            name=profile.name, ignored_codes=[*(profile.ignored_codes or []), ignored]
        )
    elif unknown.kind == "code":
        taught = AnalyteCode(system=unknown.system, code=unknown.text, analyte=means)
        document = ProfileDocument(name=profile.name, codes=[*(profile.codes or []), taught])
    else:
        spelling = UnitSpelling(sent=unknown.text, means=means)
        document = ProfileDocument(name=profile.name, units=[*(profile.units or []), spelling])
    done = ingest.change_laboratory(document, by=audit.name_of(reader), at=timezone.now())
    messages.success(
        request,
        _("Remembered for %(laboratory)s. Draws that are on record now: %(n)d.")
        % {"laboratory": profile.name, "n": done.placed},
    )
    waiting.refresh_from_db()
    if waiting.state == ParkedState.WAITING:
        return redirect("portal:parked_draw", public_id)
    return redirect("portal:parked")


@require_http_methods(["GET", "POST"])
def enrol_for_parked(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Enrol the patient whom nobody follows yet, and place the draw."""
    waiting = parked_or_404(request, public_id)
    reader, at = reader_of(request), timezone.now()
    report = DrawReport.model_validate(waiting.report)
    form = EnrolForm(request.POST or None, reader=reader, initial=_said(report))
    form.fields["birth_date"].today = at.astimezone(reader.zone).date()  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            with transaction.atomic():
                patient = enrol(
                    team=said["team"],
                    identifiers=[],
                    family_name=said["family_name"],
                    given_name=said["given_name"],
                    birth_date=said["birth_date"],
                    sex=Sex(said["sex"]),
                    started_on=None,
                    by=audit.name_of(reader),
                    at=at,
                )
                add_numbers_of_report(
                    waiting, report, patient=patient, by=audit.name_of(reader), at=at
                )
        except IdentifierTaken:
            form.add_error(None, _("A patient is known by this number already."))
        else:
            answer = place(request, waiting, patient)
            ingest.replay_parked(at=at)
            return answer
    context = {
        "form": form,
        "row": ParkedRow.of(waiting, at=at),
        "sent": SentDraw.of(waiting),
    }
    return render(
        request, "portal/enrol_for_parked.html", context, status=422 if form.errors else 200
    )


def _said(report: DrawReport) -> dict[str, object]:
    """Fill in what the laboratory says of the person; whoever enrols checks it."""
    person = report.person
    if person is None:
        return {"sex": Sex.UNKNOWN}
    sexes = {"f": Sex.FEMALE, "m": Sex.MALE, "o": Sex.OTHER}
    return {
        "family_name": person.family,
        "given_name": person.given,
        "birth_date": birth_date(report),
        "sex": sexes.get(person.sex[:1].casefold(), Sex.UNKNOWN),
    }
