"""The worklist in words: whose it is, what it shows, and one line a patient."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics import Estimate
from monitoring.charts import Point, Sparkline, Standing, render_sparkline
from monitoring.history import estimate_of
from monitoring.models import Flag, FlagLevel, FlagState
from monitoring.portal import dates, draw_words, schedule, words
from monitoring.portal.presenters.banner import Tag, capitalised, name_of
from monitoring.portal.presenters.flags import URGENCY, FlagCard
from monitoring.portal.presenters.risk import Risk, risk_of
from monitoring.portal.scales import scale_shown
from monitoring.queries import SIL6R, Entry, Figure
from patients.models import PatientStatus

DAYS_A_WEEK = 7
# The small trend shows at least this much above and below the values, so that noise stays small
ROOM = Decimal("0.35")


@dataclass(frozen=True)
class Trend:
    """The course of sIL-6R in a cell: a drawing, the latest value, and the same in words."""

    drawing: SafeString
    latest: str
    latest_on: SafeString | str
    direction: str
    change: str
    meaning: str


@dataclass(frozen=True)
class Symptoms:
    """The latest total of the patient's scale and how it has changed."""

    scale: str
    latest: str
    latest_on: SafeString | str
    change: str


@dataclass(frozen=True)
class NextDue:
    """The next draw or rating."""

    text: str
    on: SafeString
    is_overdue: bool


@dataclass(frozen=True)
class WorklistRow:
    """One line of the worklist, ready to print."""

    public_id: str
    name: str
    facts: list[str]
    tags: list[Tag]
    tone: str
    flags: list[FlagCard]
    risk: Risk
    trend: Trend
    symptoms: Symptoms
    therapy: str
    state: str
    rules: str
    due: list[NextDue]

    @classmethod
    def of(cls, entry: Entry, *, at: datetime, with_team: bool) -> "WorklistRow":
        """Put one patient into words, as known now."""
        patient = entry.patient
        zone = patient.team.site.zone
        today = at.astimezone(zone).date()
        assessment = entry.standing.assessment if entry.standing else None
        estimate = estimate_of(assessment)
        by_urgency = sorted(entry.flags, key=_place)
        flags = [FlagCard.of(flag, estimate=estimate) for flag in by_urgency]
        is_followed = patient.status == PatientStatus.ACTIVE
        return cls(
            public_id=str(patient.public_id),
            name=name_of(patient),
            facts=_facts(entry, today=today, with_team=with_team),
            tags=[] if is_followed else [("neutral", capitalised(patient.get_status_display()))],
            tone=flags[0].tone if flags else "",
            flags=flags,
            risk=risk_of(assessment, estimate),
            trend=_trend(entry, estimate, zone=zone),
            symptoms=_symptoms(entry, estimate, zone=zone),
            therapy=_therapy(entry.started_on, today=today),
            state=capitalised(words.state(assessment.state))
            if assessment and assessment.state
            else "",
            rules=assessment.rules if assessment else "",
            due=_due(entry, zone=zone, today=today) if is_followed else [],
        )


def _place(flag: Flag) -> tuple[bool, int]:
    """Read what nobody has acknowledged first, then by level; safety is before all."""
    is_safety = flag.level == FlagLevel.SAFETY
    is_taken_on = flag.state == FlagState.ACKNOWLEDGED and not is_safety
    return is_taken_on, URGENCY[FlagLevel(flag.level)]


def rows_of(entries: Sequence[Entry], *, at: datetime, with_team: bool) -> list[WorklistRow]:
    """Put a page of patients into words; those who are easily mistaken say so."""
    names = Counter(_likeness(entry) for entry in entries)
    return [
        _warned(row) if names[_likeness(entry)] > 1 else row
        for entry in entries
        for row in [WorklistRow.of(entry, at=at, with_team=with_team)]
    ]


def _likeness(entry: Entry) -> tuple[str, str]:
    patient = entry.patient
    return patient.family_name.casefold(), patient.given_name[:1].casefold()


def _warned(row: WorklistRow) -> WorklistRow:
    return replace(row, tags=[*row.tags, ("attention", _("Similar name"))])


def _facts(entry: Entry, *, today: date, with_team: bool) -> list[str]:
    patient = entry.patient
    facts: list[str] = []
    if patient.birth_date is not None:
        years = _("(%(age)dy)") % {"age": dates.age(patient.birth_date, on=today)}
        facts.append(format_html("{} {} {}", _("Born"), dates.day(patient.birth_date), years))
    facts.append(
        format_html("{} <span class='nowrap'>{}</span>", _("Number"), entry.number)
        if entry.number
        else _("No number")
    )
    if with_team:
        facts.append(patient.team.name)
    return facts


def _therapy(started_on: date | None, *, today: date) -> str:
    if started_on is None:
        return _("No first dose")
    days = (today - started_on).days
    if days < 0:
        return _("Starts later")
    return ngettext("Day %(day)d", "Day %(day)d", days) % {"day": days}


def _trend(entry: Entry, estimate: Estimate | None, *, zone: ZoneInfo) -> Trend:
    """Put the course into words; the value and its day are those that the words are about."""
    if not entry.draws:
        return Trend(SafeString(), _("No draw yet"), "", "none", "", "")
    said = words.trend(words.trajectory_of(estimate, SIL6R))
    left_out = {
        part.drawn_at.timestamp()
        for part in (estimate.left_out if estimate else ())
        if part.analyte == SIL6R and part.reasons != (draw_words.CENSORED,)
    }
    draws = [each for each in entry.draws if each.at.timestamp() not in left_out] or entry.draws
    last = draws[-1]
    start = entry.started_on or entry.draws[0].at.astimezone(zone).date()
    return Trend(
        drawing=mark_safe(  # noqa: S308  # the chart escapes what it is given
            _sparkline(draws, start=start, zone=zone, text=said.sentence)
        ),
        latest=f"{last.comparator}{last.value}",
        latest_on=format_html(
            "{}{}", dates.clinical_day(last.at, zone=zone), _newer(entry.draws[-1], last, zone=zone)
        ),
        direction=said.direction,
        change=said.change,
        meaning=said.meaning if said.change else capitalised(said.meaning),
    )


def _newer(newest: Figure, last: Figure, *, zone: ZoneInfo) -> SafeString:
    """Say that there is a newer draw, which is not scored."""
    if newest is last:
        return SafeString()
    said = _("Not scored: %(value)s of") % {"value": f"{newest.comparator}{newest.value}"}
    return format_html("<br>{} {}", said, dates.clinical_day(newest.at, zone=zone))


def _sparkline(draws: Sequence[Figure], *, start: date, zone: ZoneInfo, text: str) -> str:
    values = [draw.value for draw in draws if draw.value is not None]
    points = tuple(
        Point(
            at_week=(draw.at.astimezone(zone).date() - start).days / DAYS_A_WEEK,
            value=float(draw.value),
            text=f"{draw.comparator}{draw.value}",
            standing=_STANDINGS.get(draw.comparator[:1], Standing.USED),
        )
        for draw in draws
        if draw.value is not None
    )
    weeks = [point.at_week for point in points]
    return render_sparkline(
        Sparkline(
            description=_("sIL-6R: %(text)s") % {"text": text},
            points=points,
            low=float(min(values) * (1 - ROOM)),
            high=float(max(values) * (1 + ROOM)) or 1.0,
            from_week=min(weeks),
            to_week=max(max(weeks), min(weeks) + 1),
        )
    )


_STANDINGS = {"<": Standing.BELOW, ">": Standing.ABOVE}


def _symptoms(entry: Entry, estimate: Estimate | None, *, zone: ZoneInfo) -> Symptoms:
    scale = scale_shown(entry.primary_scale, estimate, [each.of for each in entry.ratings])
    ratings = [each for each in entry.ratings if each.of == scale]
    if not ratings:
        return Symptoms(scale, _("No rating yet"), "", "")
    last = ratings[-1]
    on = dates.clinical_day(last.at, zone=zone)
    first = next((each for each in ratings if each.value is not None), last)
    if last.value is None:
        return Symptoms(scale, _("Incomplete"), on, "")
    if first is last or not first.value:
        return Symptoms(scale, str(last.value), on, "")
    if last.value == first.value:
        return Symptoms(scale, str(last.value), on, _("as at first"))
    change = float(last.value / first.value) - 1
    return Symptoms(
        scale,
        str(last.value),
        on,
        _("%(change)s from %(first)s")
        % {"change": words.percent(change), "first": str(first.value)},
    )


def _due(entry: Entry, *, zone: ZoneInfo, today: date) -> list[NextDue]:
    """Say when the next draw and the next rating are due."""
    if entry.started_on is None:
        return []
    drawn = [each.at.astimezone(zone).date() for each in entry.draws]
    rated = [each.at.astimezone(zone).date() for each in entry.ratings]
    return [
        NextDue(
            text=_("%(what)s %(when)s") % {"what": what, "when": _when(due)},
            on=dates.day(due.on),
            is_overdue=due.is_overdue,
        )
        for what, done in ((_("Draw"), drawn), (_("Rating"), rated))
        for due in [
            schedule.next_due(
                entry.started_on,
                done_on=done,
                today=today,
                every_weeks=entry.patient.team.site.visits_every_weeks,
            )
        ]
        if due is not None
    ]


def _when(due: schedule.Due) -> str:
    days = due.days_late
    if due.is_overdue:
        return ngettext("overdue by %(n)d day", "overdue by %(n)d days", days) % {"n": days}
    if days > 0:
        return ngettext("due since %(n)d day", "due since %(n)d days", days) % {"n": days}
    if days == 0:
        return _("due today")
    return ngettext("in %(n)d day", "in %(n)d days", -days) % {"n": -days}
