"""The page around the worklist: whose it is, what it shows, how many, as at when, and why empty."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from monitoring.models import Silence
from monitoring.named_otherwise import NamedOtherwise
from monitoring.portal import dates
from monitoring.portal.presenters.banner import name_of
from monitoring.portal.presenters.laboratories import say_silence
from monitoring.portal.presenters.worklist import WorklistRow, rows_of
from monitoring.queries import PAGE_SIZE, Entry, Overview, Show

# Longer than a weekend: a laboratory that says nothing for so long may not be heard any more
SILENT_AFTER = timedelta(days=4)
NAMES_AT_MOST = 5


@dataclass(frozen=True)
class Chip:
    """One filter: a link, marked when it is the one in force."""

    label: str
    count: int
    link: str
    is_on: bool


@dataclass(frozen=True)
class Empty:
    """Why nothing is listed; silent when the reason may be a fault."""

    title: str
    text: str | SafeString
    is_silent: bool = False


@dataclass(frozen=True)
class Listing:
    """Everything that portal/worklist.html prints."""

    title: str
    lede: str | SafeString
    filtered: str
    rows: list[WorklistRow]
    shows: list[Chip]
    teams: list[Chip]
    page: "Page[int] | None"
    query: str
    empty: Empty | None
    silence: str | SafeString
    silent_laboratories: list[SafeString]
    named_otherwise: list[SafeString]
    unassessed: str


def page_of(overview: Overview, *, show: Show, team_id: int | None, number: str) -> "Page[int]":
    """Find the page that is asked for; the counts are known, so nothing is read for it."""
    count = overview.count(show, team_id=team_id)
    return Paginator(range(count), PAGE_SIZE).get_page(number)


def listing_of(
    entries: Sequence[Entry],
    *,
    overview: Overview,
    show: Show,
    team_id: int | None,
    page: "Page[int]",
    silences: Sequence[Silence] = (),
    otherwise: Sequence[NamedOtherwise] = (),
    at: datetime,
) -> Listing:
    """Put one page of the list into words."""
    count = overview.count(show, team_id=team_id)
    silent = bool(silences) or is_silent(overview.last_heard_at, at=at)
    return Listing(
        title=_title(show, count=count),
        lede=_lede(overview, at=at),
        filtered=_filtered(overview, show=show, team_id=team_id),
        rows=rows_of(entries, at=at, with_team=len(overview.teams) > 1),
        shows=_show_chips(overview, show=show, team_id=team_id),
        teams=_team_chips(overview, show=show, team_id=team_id),
        page=page,
        query="".join(f"&{part}" for part in [_query(show, team_id)] if part),
        empty=None if entries else _empty(overview, show=show, silent=silent),
        silence=say_heard(overview.last_heard_at) if silent and entries and not silences else "",
        silent_laboratories=[say_silence(each) for each in silences],
        named_otherwise=_named_otherwise(otherwise),
        unassessed=_unassessed(overview),
    )


def search_result(
    entries: Sequence[Entry], *, overview: Overview, text: str, at_most: int, at: datetime
) -> Listing:
    """Put what was found by name or number into words."""
    n = len(entries)
    title = ngettext("%(n)d patient found", "%(n)d patients found", n) % {"n": n}
    if n >= at_most:
        title = _("The first %(n)d patients found") % {"n": n}
    return Listing(
        title=title,
        lede=_lede(overview, at=at),
        filtered=_(
            "Searched for “%(text)s” in all your teams, also among those no longer followed."
        )
        % {"text": text},
        rows=rows_of(entries, at=at, with_team=len(overview.teams) > 1),
        shows=_show_chips(overview, show=None, team_id=None),
        teams=[],
        page=None,
        query="",
        empty=None
        if entries
        else Empty(
            _("Nobody found"),
            _("No patient of your teams has a name with these words or this whole number."),
        ),
        silence="",
        silent_laboratories=[],
        named_otherwise=[],
        unassessed="",
    )


def _named_otherwise(found: Sequence[NamedOtherwise]) -> list[SafeString]:
    """Say of whom a laboratory has named somebody else: a line each, and the rest as a number."""
    lines = [
        format_html(
            '<a href="{}">{}</a>: {}',
            reverse("portal:patient", args=[each.patient.public_id]),
            name_of(each.patient),
            ngettext(
                "the laboratory names somebody else for %(n)d draw with this patient’s number.",
                "the laboratory names somebody else for %(n)d draws with this patient’s number.",
                each.draws,
            )
            % {"n": each.draws},
        )
        for each in found[:NAMES_AT_MOST]
    ]
    more = len(found) - NAMES_AT_MOST
    if more > 0:
        said = ngettext("And %(n)d patient more.", "And %(n)d patients more.", more) % {"n": more}
        lines.append(format_html("{}", said))
    return lines


def _title(show: Show, *, count: int) -> str:
    values = {"n": count}
    match show:
        case Show.ALL:
            return ngettext("My patients: %(n)d", "My patients: %(n)d", count) % values
        case Show.REVIEW:
            return (
                ngettext("My patients to review: %(n)d", "My patients to review: %(n)d", count)
                % values
            )
        case Show.CLOSED:
            return (
                ngettext(
                    "My patients no longer followed: %(n)d",
                    "My patients no longer followed: %(n)d",
                    count,
                )
                % values
            )


def _lede(overview: Overview, *, at: datetime) -> SafeString:
    sites: dict[str, list[str]] = {}
    for team in overview.teams:
        sites.setdefault(team.site, []).append(team.name)
    whose = "; ".join(f"{site}: {', '.join(names)}" for site, names in sites.items())
    return format_html(
        "{}. {} {}. {}",
        whose or _("No team"),
        _("By need, as at"),
        dates.system_moment(at),
        say_heard(overview.last_heard_at),
    )


def say_heard(last_heard_at: datetime | None) -> str | SafeString:
    """Say when a laboratory was last heard from, so that nothing to do is no dead line."""
    if last_heard_at is None:
        return _("No laboratory has sent anything yet.")
    return format_html(
        "{} {}.", _("Last message from a laboratory"), dates.system_moment(last_heard_at)
    )


def is_silent(last_heard_at: datetime | None, *, at: datetime) -> bool:
    """Tell whether an empty list may be a fault rather than good news."""
    return last_heard_at is None or at - last_heard_at > SILENT_AFTER


def _filtered(overview: Overview, *, show: Show, team_id: int | None) -> str:
    """Say in words that the list is filtered, and by what."""
    team = next((each.name for each in overview.teams if each.team_id == team_id), "")
    said = []
    if show is Show.REVIEW:
        said.append(_("Only patients with a flag that nobody has acknowledged."))
    if show is Show.CLOSED:
        said.append(_("Only patients who were transferred, withdrew or died; no alerts are sent."))
    if team:
        said.append(_("Only %(team)s.") % {"team": team})
    return " ".join(said)


def _query(show: Show, team_id: int | None) -> str:
    asked: dict[str, str | int] = {}
    if show is not Show.ALL:
        asked["show"] = show.value
    if team_id is not None:
        asked["team"] = team_id
    return urlencode(asked)


def _link(show: Show, team_id: int | None) -> str:
    query = _query(show, team_id)
    return reverse("portal:worklist") + (f"?{query}" if query else "")


def _show_chips(overview: Overview, *, show: Show | None, team_id: int | None) -> list[Chip]:
    labels = {
        Show.ALL: _("All followed"),
        Show.REVIEW: _("To review"),
        Show.CLOSED: _("No longer followed"),
    }
    return [
        Chip(label, overview.count(each, team_id=team_id), _link(each, team_id), each is show)
        for each, label in labels.items()
    ]


def _team_chips(overview: Overview, *, show: Show, team_id: int | None) -> list[Chip]:
    """Offer the teams where there is a choice."""
    if len(overview.teams) < 2:
        return []
    every = Chip(_("All teams"), overview.count(show), _link(show, None), team_id is None)
    return [
        every,
        *(
            Chip(team.name, team.of(show), _link(show, team.team_id), team.team_id == team_id)
            for team in overview.teams
        ),
    ]


def _empty(overview: Overview, *, show: Show, silent: bool) -> Empty:
    """Tell "nobody here" from "nothing to do" from "nothing heard"."""
    if not overview.teams:
        return Empty(
            _("You are in no care team yet"),
            _("An operator adds you to a team; then its patients are listed here."),
        )
    if show is Show.CLOSED:
        return Empty(_("Nobody"), _("None of your patients was transferred, withdrew or died."))
    if overview.count(Show.ALL) == 0:
        return Empty(
            _("No patients yet"),
            _("Your team follows nobody yet. Patients are added by an operator or by import."),
        )
    if silent:
        return Empty(
            _("No open flags, but no new data either"),
            say_heard(overview.last_heard_at),
            is_silent=True,
        )
    return Empty(_("No flag waits for a review"), say_heard(overview.last_heard_at))


def _unassessed(overview: Overview) -> str:
    n = sum(team.unassessed for team in overview.teams)
    if n == 0:
        return ""
    return ngettext(
        "%(n)d patient has new data that is being assessed; the list may change.",
        "%(n)d patients have new data that is being assessed; the list may change.",
        n,
    ) % {"n": n}
