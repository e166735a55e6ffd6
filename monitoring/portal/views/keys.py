"""Keys of care teams and laboratories, for operators: seen, issued, revoked.

A key is shown once, in the answer to its issue, and kept nowhere.
"""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from monitoring.portal import dates
from monitoring.portal.forms.keys import LaboratoryKeyForm, TeamKeyForm
from monitoring.portal.views.access import reader_of, require_operator
from patients import audit
from patients.models import LaboratoryKey, TeamKey
from patients.record.laboratories import (
    KeyNotFound,
    NoPlaceForKey,
    SeveralKeys,
    issue_key,
    revoke_keys,
)
from patients.record.team_keys import (
    MAY,
    TeamKeyExists,
    TeamKeyNotFound,
    issue_team_key,
    revoke_team_key,
)
from patients.scopes import CREATE, READ, written


@require_GET
def keys(request: HttpRequest) -> HttpResponse:
    """List the keys that are good at the doors."""
    require_operator(request)
    return _page(request)


@require_POST
@never_cache
def issue_for_team(request: HttpRequest) -> HttpResponse:
    """Issue a key to a system of a care team, and show it this once."""
    require_operator(request)
    form = TeamKeyForm(request.POST, prefix="team")
    if form.is_valid():
        team, name = form.cleaned_data["team"], form.cleaned_data["name"]
        try:
            key = issue_team_key(
                team=team,
                name=name,
                scopes=MAY[form.cleaned_data["may"]],
                by=_by(request),
                at=timezone.now(),
            )
        except TeamKeyExists:
            form.add_error("name", _("This system has a live key of this team; revoke it first."))
        else:
            return _page(request, issued=key, issued_to=f"{name}, {team}")
    return _page(request, team_form=form, status=422)


@require_POST
@never_cache
def issue_for_laboratory(request: HttpRequest) -> HttpResponse:
    """Issue a key to a laboratory, and show it this once."""
    require_operator(request)
    form = LaboratoryKeyForm(request.POST, prefix="laboratory")
    if form.is_valid():
        laboratory = form.cleaned_data["laboratory"]
        try:
            key = issue_key(laboratory=laboratory, by=_by(request), at=timezone.now())
        except NoPlaceForKey:
            form.add_error(
                "laboratory", _("It has two live keys already; revoke one of them first.")
            )
        else:
            return _page(request, issued=key, issued_to=laboratory.name)
    return _page(request, laboratory_form=form, status=422)


@require_POST
def revoke(request: HttpRequest, part: str, key_id: int) -> HttpResponse:
    """Revoke one key, at once and for good."""
    require_operator(request)
    if part not in _REVOKE:
        raise Http404
    try:
        _REVOKE[part](key_id, by=_by(request), at=timezone.now())
    except (TeamKeyNotFound, KeyNotFound):
        messages.info(request, _("This key was revoked meanwhile."))
    except SeveralKeys:
        messages.warning(request, _("Two keys begin alike; revoke both by the command revoke_key."))
    else:
        messages.success(request, _("The key is revoked; who shows it is turned away."))
    return redirect("portal:keys")


def _revoke_of_team(key_id: int, *, by: str, at: datetime) -> None:
    key = get_object_or_404(TeamKey.objects.select_related("team"), pk=key_id)
    revoke_team_key(team=key.team, name=key.name, by=by, at=at)


def _revoke_of_laboratory(key_id: int, *, by: str, at: datetime) -> None:
    key = get_object_or_404(LaboratoryKey.objects.select_related("laboratory"), pk=key_id)
    revoke_keys(laboratory=key.laboratory, beginning=key.hint, by=by, at=at)


_REVOKE = {"team": _revoke_of_team, "laboratory": _revoke_of_laboratory}


def _by(request: HttpRequest) -> str:
    return audit.name_of(reader_of(request))


def _what(key: TeamKey) -> str:
    words = {CREATE: _("sends ratings"), READ: _("reads explanations")}
    return ", ".join(word for letter, word in words.items() if letter in key.scopes)


def _row(key: TeamKey | LaboratoryKey, *, whose: str, what: str) -> dict[str, object]:
    used = key.last_used_at
    return {
        "key": key,
        "whose": whose,
        "what": what,
        "issued": dates.system_moment(key.issued_at),
        "used": dates.system_moment(used) if used else "",
    }


def _page(
    request: HttpRequest,
    *,
    issued: str = "",
    issued_to: str = "",
    team_form: TeamKeyForm | None = None,
    laboratory_form: LaboratoryKeyForm | None = None,
    status: int = 200,
) -> HttpResponse:
    of_teams = TeamKey.objects.filter(revoked_at=None).select_related("team__site")
    of_laboratories = LaboratoryKey.objects.filter(revoked_at=None).select_related("laboratory")
    context = {
        "issued": issued,
        "issued_to": issued_to,
        "wrong": team_form or laboratory_form,
        "groups": [
            {
                "kind": "team",
                "title": _("Keys of care teams"),
                "note": _(
                    "By them a system of the clinic sends ratings of the team’s patients, or reads "
                    "the explanations of their assessments."
                ),
                "keys": [
                    _row(key, whose=str(key.team), what=f"{key.name}: {_what(key)}")
                    for key in of_teams.order_by("team__site__name", "team__name", "name")
                ],
                "form": team_form or TeamKeyForm(prefix="team"),
                "address": "portal:issue_team_key",
            },
            {
                "kind": "laboratory",
                "title": _("Keys of laboratories"),
                "note": _("By them a laboratory pushes results. Two may live at once."),
                "keys": [
                    _row(key, whose=key.laboratory.name, what=written(key.scopes))
                    for key in of_laboratories.order_by("laboratory__name", "issued_at")
                ],
                "form": laboratory_form or LaboratoryKeyForm(prefix="laboratory"),
                "address": "portal:issue_laboratory_key",
            },
        ],
    }
    return render(request, "portal/keys.html", context, status=status)
