"""What is answered when something failed that nobody foresaw: a page, or JSON for machines."""

from django.http import HttpRequest, HttpResponseBase
from django.views.defaults import server_error as page

from monitoring.api.problems import server_fault


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer in the tongue of the door by which the request came."""
    return server_fault() if request.path.startswith("/api/") else page(request)
