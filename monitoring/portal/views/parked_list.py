"""The list of what waits for a person: all of it, a part, or what has a number."""

from datetime import datetime

from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from monitoring import queries, uploads, waiting
from monitoring.portal.forms.parked import NarrowForm, NumberForm
from monitoring.portal.presenters.listing import is_silent, say_heard
from monitoring.portal.presenters.parked import ParkedRow
from monitoring.portal.views.access import reader_of, require_team
from monitoring.queries import PAGE_SIZE
from monitoring.waiting import Waiting


@require_GET
def parked(request: HttpRequest) -> HttpResponse:
    """List what waits, the longest first."""
    require_team(request)
    at = timezone.now()
    form = NarrowForm(request.GET if request.GET.keys() & NarrowForm.base_fields.keys() else None)
    wanted = (
        form.narrow(waiting.waiting_for(reader_of(request)), at=at) if form.is_valid() else None
    )
    return _page(request, wanted, at=at, narrow_form=form, query=form.query)


@require_http_methods(["GET", "POST"])
def find_parked(request: HttpRequest) -> HttpResponse:
    """Find what waits by the number of its sample, which never stands in an address."""
    require_team(request)
    form = NumberForm(request.POST)
    if not form.is_valid():
        return redirect("portal:parked")
    found = waiting.waiting_for(reader_of(request)).with_number(form.cleaned_data["number"])
    return _page(request, found, at=timezone.now(), number_form=form)


def _page(
    request: HttpRequest,
    part: Waiting | None,
    *,
    at: datetime,
    narrow_form: Form | None = None,
    number_form: Form | None = None,
    query: str = "",
) -> HttpResponse:
    """Show a part of what waits, or all of it; what is found by a number is one page."""
    everything = waiting.waiting_for(reader_of(request))
    listed = everything if part is None else part
    paginator = Paginator(listed, PAGE_SIZE)
    page = paginator.get_page(request.GET.get("page") if number_form is None else None)
    heard_at = queries.last_heard_at()
    context = {
        "rows": [ParkedRow.of(each, at=at) for each in page],
        "count": paginator.count if part is None else everything.count(),
        "part": None if part is None else paginator.count,
        "shown": len(page),
        "page": page if number_form is None else None,
        "query": query,
        "narrow_form": narrow_form or NarrowForm(),
        "number_form": number_form or NumberForm(),
        "heard": say_heard(heard_at),
        "is_silent": is_silent(heard_at, at=at),
        "may_upload": uploads.may_upload(reader_of(request)),
    }
    return render(request, "portal/parked.html", context)
