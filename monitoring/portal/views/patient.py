"""The page of one patient; that it was read is on record."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from monitoring import queries
from monitoring.portal.presenters.patient import PatientPage
from monitoring.portal.views.access import note_view, reader_of
from patients.models import Patient


@require_GET
def patient(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show all that is known of one patient."""
    reader, at = reader_of(request), timezone.now()
    try:
        record = queries.read_patient(reader, public_id)
    except Patient.DoesNotExist:
        raise Http404 from None
    pk = record.patient.pk
    note_view(request, "view_patient", f"patient:{pk}", patient_id=pk)
    return render(request, "portal/patient.html", {"page": PatientPage.of(record, at=at)})
