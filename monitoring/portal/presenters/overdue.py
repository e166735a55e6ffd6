"""Draws and ratings that were expected and have not come, patient by patient, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.schedule import Expected, Visit, VisitStatus
from monitoring.models import Flag
from monitoring.overdue import Visits
from monitoring.portal import dates, schedule
from monitoring.portal.presenters.banner import capitalised, name_of


@dataclass(frozen=True)
class OverdueRow:
    """One patient of whom something is overdue."""

    name: str
    team: str
    public_id: str
    what: list[SafeString]
    reference: str
    state: str


def rows_of(flags: Sequence[Flag], visits: dict[int, Visits], *, at: datetime) -> list[OverdueRow]:
    """Put the open flags into words, the one that has waited longest first."""
    rows = []
    for flag in flags:
        known = visits.get(flag.patient_id)
        plans = (known.draws, known.ratings) if known else ()
        open_ = [visit for plan in plans for visit in schedule.not_received(plan)]
        since = min((visit.due_on for visit in open_), default=date.max)
        today = at.astimezone(flag.patient.team.site.zone).date()
        row = OverdueRow(
            name=name_of(flag.patient),
            team=flag.patient.team.name,
            public_id=str(flag.patient.public_id),
            what=[_say(visit, today=today) for visit in open_],
            reference=flag.reference,
            state=capitalised(flag.get_state_display()),
        )
        rows.append((since, flag.pk, row))
    return [row for _since, _pk, row in sorted(rows, key=lambda each: each[:2])]


def _say(visit: Visit, *, today: date) -> SafeString:
    what = _("Draw") if visit.what is Expected.DRAW else _("Rating")
    days = (today - visit.due_on).days
    ago = ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}
    state = _("missed") if visit.status is VisitStatus.MISSED else _("overdue")
    said = _("%(what)s of week %(week)d %(state)s: due") % {
        "what": what,
        "week": visit.week,
        "state": state,
    }
    return format_html("{} {}, {}", said, dates.day(visit.due_on), ago)
