"""How the flags of the reader's own patients fare, for whoever sets the thresholds."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from monitoring.flag_figures import DAYS, flag_figures
from monitoring.portal.presenters.flag_figures import rows_of
from monitoring.portal.views.access import reader_of


@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """Show how many were raised, how fast somebody acted, how often it was overridden or right."""
    found = flag_figures(reader_of(request), at=timezone.now())
    return render(request, "portal/flag_figures.html", {"section": rows_of(found), "days": DAYS})
