"""A person's word on a draw, and the list of draws that wait for one."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from analytics.reasons import Reason
from monitoring import ingest, queries, wake
from monitoring.held import held_draws
from monitoring.portal import dates
from monitoring.portal.forms.draws import VerdictForm
from monitoring.portal.presenters import draws as presenter
from monitoring.portal.presenters.banner import Banner, name_of
from monitoring.portal.views.access import note_view, reader_of
from patients.models import Draw, Patient, Verdict
from patients.record.verdicts import judge_draw


@require_http_methods(["GET", "POST"])
def judge(request: HttpRequest, public_id: UUID, draw_id: UUID) -> HttpResponse:
    """Override a caution, or release or keep out a draw that is held; always with a reason."""
    reader, at = reader_of(request), timezone.now()
    try:
        record = queries.read_patient(reader, public_id)
    except Patient.DoesNotExist:
        raise Http404 from None
    draw = _current_draw(record, draw_id)
    if request.method == "GET":
        subject = f"draw:{draw.public_id}"
        note_view(request, "view_draw", subject, patient_id=record.patient.pk)
    part = presenter.exclusion_of(draw, record.estimate)
    is_held = part is not None and Reason.IMPLAUSIBLE in part.reasons
    allowed = [Verdict.RELEASE if is_held else Verdict.SCORE, Verdict.KEEP_OUT]
    stand = presenter.stand_of(draw, record.estimate)
    form = VerdictForm(request.POST or None, allowed=allowed, stand=stand)
    if form.is_valid():
        with transaction.atomic():
            judge_draw(
                patient=record.patient,
                draw=draw_id,
                verdict=Verdict(form.cleaned_data["verdict"]),
                reason=form.cleaned_data["reason"],
                **stand._asdict(),
                by=ingest.actor(reader),
                at=at,
            )
            transaction.on_commit(wake.wake_workers)
        messages.success(request, _("Your decision is on record; the patient is assessed anew."))
        return redirect("portal:patient", public_id)
    today = at.astimezone(record.patient.team.site.zone).date()
    context = {
        "form": form,
        "banner": Banner.of(
            record.patient,
            numbers=[each.value for each in record.identifiers],
            today=today,
        ),
        "public_id": public_id,
        "row": next(
            row
            for row in presenter.draw_table(record).rows
            if row.public_id == str(draw_id) and not row.is_replaced
        ),
    }
    status = 422 if form.errors else 200
    return render(request, "portal/judge_draw.html", context, status=status)


def _current_draw(record: queries.PatientRecord, draw_id: UUID) -> Draw:
    for each in record.draws:
        if each.public_id == draw_id and not each.superseded_at:
            return each
    raise Http404


@require_GET
def held(request: HttpRequest) -> HttpResponse:
    """List the results that wait for a check."""
    rows = [
        {
            "name": name_of(each.patient),
            "team": each.patient.team.name,
            "public_id": each.patient.public_id,
            "drawn": dates.clinical_moment(each.drawn_at, zone=each.patient.team.site.zone),
            "value": presenter.value_of(each.result) if each.result else "",
            "draw_id": each.draw.public_id if each.draw else None,
        }
        for each in held_draws(reader_of(request))
    ]
    return render(request, "portal/held.html", {"rows": rows})
