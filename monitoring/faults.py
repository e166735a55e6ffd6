"""What is answered where no view was reached or one failed: a page, or JSON for machines."""

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views import defaults

from monitoring.api.problems import plain_problem
from monitoring.fhir import outcomes


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Say that nothing is at this address."""
    if _comes_from_a_machine(request):
        return plain_problem(404, _("There is nothing at this address"))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Say that something failed that nobody foresaw; nothing was stored."""
    if request.path.startswith("/fhir"):
        return outcomes.server_fault()
    if _comes_from_a_machine(request):
        return plain_problem(500, _("A fault on our side"))
    return defaults.server_error(request)


def _comes_from_a_machine(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
