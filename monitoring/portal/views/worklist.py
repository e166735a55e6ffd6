"""The worklist: my patients by need, filtered by an address that names nobody, or searched."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from monitoring import overdue, queries
from monitoring.models import Flag, FlagKind
from monitoring.named_otherwise import named_otherwise
from monitoring.portal.forms.parked import SearchForm
from monitoring.portal.presenters.listing import listing_of, page_of, search_result
from monitoring.portal.presenters.overdue import rows_of
from monitoring.portal.views.access import reader_of
from monitoring.queries import Overview, Show
from monitoring.sessions import asked_by_itself
from monitoring.silences import open_silences


@require_GET
def worklist(request: HttpRequest) -> HttpResponse:
    """List one page of the reader's patients."""
    reader, at = reader_of(request), timezone.now()
    overview = queries.overview(reader)
    show, team_id = _filters(request, overview)
    page = page_of(overview, show=show, team_id=team_id, number=request.GET.get("page", "1"))
    teams = [team.team_id for team in overview.teams if team_id in {None, team.team_id}]
    entries = (
        queries.worklist(reader, team_ids=teams, show=show, page=page.number)
        if page.paginator.count
        else []
    )
    listing = listing_of(
        entries,
        overview=overview,
        show=show,
        team_id=team_id,
        page=page,
        silences=open_silences() if overview.is_a_laboratory_silent else [],
        otherwise=named_otherwise(reader) if overview.is_named_otherwise else [],
        at=at,
    )
    context: dict[str, object] = {"list": listing, "form": SearchForm(), "drawn_at": at}
    if not overview.is_a_safety_flag_up:
        context["alarm"] = None  # known by now, and not to be asked again (portal/context.py)
    return render(request, "portal/worklist.html", context)


def _filters(request: HttpRequest, overview: Overview) -> tuple[Show, int | None]:
    """Read the filters of the address; what is no filter of this reader is not found."""
    team = request.GET.get("team")
    try:
        show = Show(request.GET.get("show", Show.ALL))
        team_id = None if team is None else int(team)
    except ValueError:
        raise Http404 from None
    if team_id is not None and team_id not in {each.team_id for each in overview.teams}:
        raise Http404
    return show, team_id


@asked_by_itself
@require_GET
def changes(request: HttpRequest) -> HttpResponse:
    """Say how many of the reader's patients have changed since their list was drawn."""
    try:
        since = datetime.fromisoformat(request.GET.get("since", ""))
    except ValueError:
        raise Http404 from None
    if since.tzinfo is None:
        raise Http404
    count = queries.changed_since(reader_of(request), since=since)
    context = {"n": count, "since": since, "query": request.GET.get("list", "")}
    return render(request, "portal/parts/changes.html", context)


@require_GET
def overdue_visits(request: HttpRequest) -> HttpResponse:
    """List the reader's patients of whom a draw or a rating is overdue, the longest first."""
    at = timezone.now()
    found = list(
        Flag.objects.visible_to(reader_of(request))
        .up()
        .filter(kind=FlagKind.OVERDUE)
        .select_related("patient__team__site")
    )
    visits = overdue.visits_by_patient([flag.patient for flag in found], at=at)
    return render(request, "portal/overdue.html", {"rows": rows_of(found, visits, at=at)})


@require_http_methods(["GET", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Find patients by name or number; what was typed never stands in an address."""
    if request.method == "GET":
        return redirect("portal:worklist")
    reader, at = reader_of(request), timezone.now()
    form = SearchForm(request.POST)
    if not form.is_valid():
        return redirect("portal:worklist")
    text = form.cleaned_data["text"]
    entries = queries.search(reader, text)
    listing = search_result(
        entries,
        overview=queries.overview(reader),
        text=text,
        at_most=queries.PAGE_SIZE,
        at=at,
    )
    return render(request, "portal/worklist.html", {"list": listing, "form": form})
