"""The addresses of the FHIR door; each with or without a slash at its end."""

from django.contrib.auth.decorators import login_not_required
from django.urls import re_path

from monitoring.fhir import views

app_name = "fhir"
_ID = r"(?P<resource_id>[A-Za-z0-9\-.]{1,64})"
_PAGES = {
    r"": views.Root,
    r"/metadata": views.Metadata,
    r"/Observation": views.Observations,
    rf"/Observation/{_ID}": views.Observation,
    rf"/Observation/{_ID}/_history": views.ObservationHistory,
    rf"/Observation/{_ID}/_history/(?P<version>[A-Za-z0-9\-.]{{1,64}})": views.ObservationVersion,
    r"/DiagnosticReport": views.DiagnosticReports,
    rf"/DiagnosticReport/{_ID}": views.DiagnosticReport,
}
_ALL = list(_PAGES.items())
urlpatterns = [
    *(re_path(rf"^fhir{at}$", login_not_required(view.as_view())) for at, view in _ALL),
    # The same with a slash at the end, which the OpenAPI document need not say twice
    *(re_path(rf"^fhir{at}/$", login_not_required(view.as_view(schema=None))) for at, view in _ALL),
    re_path(r"^fhir/", login_not_required(views.Elsewhere.as_view())),
]
