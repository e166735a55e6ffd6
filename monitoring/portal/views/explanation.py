"""Why an assessment says what it says: as a page, as data, and as a PDF, from one structure."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from analytics.explanation import Explanation
from monitoring.explained import explanation_of
from monitoring.models import RiskAssessment
from monitoring.portal import dates, pdf
from monitoring.portal.presenters.banner import Banner, name_of
from monitoring.portal.presenters.explanation import ExplanationPage
from monitoring.portal.views.access import note_view, patient_or_404, reader_of
from patients.models import Patient


@require_GET
def explanation(request: HttpRequest, public_id: UUID, assessment_id: int) -> HttpResponse:
    """Show everything that an assessment rests on."""
    patient, assessment, found = _read(request, public_id, assessment_id)
    numbers = [each.value for each in patient.identifiers.order_by("pk")]
    zone = patient.team.site.zone
    context = {
        "page": ExplanationPage.of(found, assessment, zone=zone),
        "banner": Banner.of(patient, numbers=numbers, today=timezone.now().astimezone(zone).date()),
        "public_id": public_id,
        "assessment_id": assessment_id,
    }
    return render(request, "portal/explanation.html", context)


@require_GET
def as_data(request: HttpRequest, public_id: UUID, assessment_id: int) -> JsonResponse:
    """Give the same structure as JSON."""
    patient, _assessment, found = _read(request, public_id, assessment_id)
    answer = JsonResponse(found.as_json() | {"is_synthetic": patient.is_synthetic})
    answer.headers["Content-Disposition"] = 'attachment; filename="explanation.json"'
    return answer


@require_GET
def as_pdf(request: HttpRequest, public_id: UUID, assessment_id: int) -> HttpResponse:
    """Give it as a PDF; its name tells nothing."""
    patient, assessment, found = _read(request, public_id, assessment_id)
    numbers = ", ".join(each.value for each in patient.identifiers.order_by("pk"))
    about = f"{name_of(patient)} · {_('Number')} {numbers or _('Not known')}"
    if patient.is_synthetic:
        about += " · " + _("Synthetic: every person and every value here is invented")
    printed = _("Printed %(at)s by %(who)s") % {
        "at": dates.plain_moment(timezone.now()),
        "who": reader_of(request),
    }
    content = pdf.render(
        ExplanationPage.of(found, assessment, zone=patient.team.site.zone),
        about=about,
        printed=printed,
    )
    answer = HttpResponse(content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = 'attachment; filename="explanation.pdf"'
    return answer


def _read(
    request: HttpRequest, public_id: UUID, assessment_id: int
) -> tuple[Patient, RiskAssessment, Explanation]:
    """Read one assessment of a patient whom the reader may see; that it was read is on record."""
    patient = patient_or_404(request, public_id)
    assessment = get_object_or_404(RiskAssessment, pk=assessment_id, patient=patient)
    found = explanation_of(assessment, zone=patient.team.site.zone)
    if found is None:
        raise Http404
    subject = f"assessment:{assessment.pk}"
    note_view(request, "view_explanation", subject, patient_id=patient.pk)
    return patient, assessment, found
