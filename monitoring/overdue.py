"""Draws and ratings that the plan expects and nobody has brought: found by the calendar alone.

A visit becomes overdue by the passing of days and not by a change of the record, so every patient
is looked at once a day, and again after each assessment.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from analytics.schedule import (
    DEFAULT_PLAN,
    Expected,
    Plan,
    Visit,
    VisitStatus,
    expected_visits,
    overdue_flag,
)
from monitoring import alerts, flags
from monitoring.models import FlagKind, FlagLevel, Standing
from patients.models import Draw, Episode, Patient, Rating, Result, ResultStatus, Site
from patients.statements import ask, numbers

PATIENTS_AT_ONCE = 100
_PENDING = (ResultStatus.REGISTERED, ResultStatus.PRELIMINARY)

# Of ratings those count that the patient is followed by: a visit at which another scale was filled
# in, or this one without a total, still lacks what its rules go by; so does a draw of which no
# value has come or is to come
_CLAIM = """
SELECT patient.id, site.time_zone, site.visits_every_weeks, episode.started_on, episode.ended_on,
       ARRAY(SELECT (draw.collected_at AT TIME ZONE site.time_zone)::date
               FROM patients_draw AS draw
              WHERE draw.patient_id = patient.id AND draw.superseded_at IS NULL
                AND EXISTS (SELECT FROM patients_result AS result
                             WHERE result.draw_id = draw.id AND result.superseded_at IS NULL
                               AND (result.value IS NOT NULL
                                    OR result.status IN ('registered', 'preliminary')))),
       ARRAY(SELECT (rating.rated_at AT TIME ZONE site.time_zone)::date
               FROM patients_rating AS rating
              WHERE rating.patient_id = patient.id AND rating.superseded_at IS NULL
                AND rating.total IS NOT NULL AND rating.instrument = coalesce(
                        nullif(episode.primary_instrument, ''),
                        (SELECT nullif(made.content->'course'->>'instrument', '')
                           FROM monitoring_riskassessment AS made
                          WHERE made.id = standing.assessment_id),
                        rating.instrument))
  FROM monitoring_standing AS standing
  JOIN patients_patient AS patient ON patient.id = standing.patient_id
  JOIN patients_careteam AS team ON team.id = patient.team_id
  JOIN patients_site AS site ON site.id = team.site_id
  LEFT JOIN patients_episode AS episode
    ON episode.patient_id = patient.id AND episode.superseded_at IS NULL
   AND episode.ended_on IS NULL AND patient.status = 'active'
 WHERE standing.visits_checked_on IS NULL OR standing.visits_checked_on < %s
 LIMIT %s
   FOR NO KEY UPDATE OF patient SKIP LOCKED
"""
_CHECKED = """
UPDATE monitoring_standing SET visits_checked_on = %s WHERE patient_id = ANY(%s::bigint[])
"""


@dataclass(frozen=True)
class Visits:
    """The expected draws and ratings of one patient, by week."""

    draws: tuple[Visit, ...]
    ratings: tuple[Visit, ...]


def plan_of(every_weeks: int) -> Plan:
    """Give the plan of a site: the decision points, then its own interval."""
    return Plan(weeks=DEFAULT_PLAN.weeks, every_weeks=every_weeks)


def visits_of(
    *,
    started_on: date | None,
    drawn_on: Sequence[date],
    rated_on: Sequence[date],
    every_weeks: int,
    today: date,
) -> Visits | None:
    """Lay out what is expected; None without a first dose."""
    if started_on is None:
        return None
    plan = plan_of(every_weeks)
    draws, ratings = (
        expected_visits(what, started_on=started_on, done_on=done, today=today, plan=plan)
        for what, done in ((Expected.DRAW, drawn_on), (Expected.RATING, rated_on))
    )
    return Visits(draws, ratings)


def visits_by_patient(patients: Sequence[Patient], *, at: datetime) -> dict[int, Visits]:
    """Lay out what is expected of each of these patients, by the calendar of their site."""
    episodes = Episode.objects.filter(patient__in=patients, ended_on=None, superseded_at=None)
    started, scales = dict[int, date](), dict[int, str | None]()
    assessed_by = "patient__standing__assessment__content__course__instrument"
    for pk, on, chosen, scale in episodes.values_list(
        "patient_id", "started_on", "primary_instrument", assessed_by
    ):
        started[pk], scales[pk] = on, chosen or scale
    current = {"patient__in": patients, "superseded_at": None}
    comes = Q(value__isnull=False) | Q(status__in=_PENDING)
    measured = Result.objects.filter(comes, draw=OuterRef("pk"), superseded_at=None)
    drawn = _moments(
        Draw.objects.filter(Exists(measured), **current).values_list("patient_id", "collected_at")
    )
    rated = _moments(
        (pk, rated_at)
        for pk, rated_at, scale in Rating.objects.filter(
            total__isnull=False, **current
        ).values_list("patient_id", "rated_at", "instrument")
        if scale == (scales.get(pk) or scale)
    )
    found = {}
    for patient in patients:
        site = patient.team.site
        visits = visits_of(
            started_on=started.get(patient.pk),
            drawn_on=[each.astimezone(site.zone).date() for each in drawn[patient.pk]],
            rated_on=[each.astimezone(site.zone).date() for each in rated[patient.pk]],
            every_weeks=site.visits_every_weeks,
            today=at.astimezone(site.zone).date(),
        )
        if visits is not None:
            found[patient.pk] = visits
    return found


def _moments(rows: Iterable[tuple[int, datetime]]) -> defaultdict[int, list[datetime]]:
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for patient_id, moment in rows:
        found[patient_id].append(moment)
    return found


@transaction.atomic
def check_visits(*, at: datetime, at_most: int = PATIENTS_AT_ONCE) -> list[int]:
    """Raise and lapse the flag *overdue* of some patients not looked at today; say of whom.

    Their rows are held until the caller's transaction ends.
    """
    [rows] = ask((_CLAIM, [at.date(), at_most]))
    wanted = {row[0]: _wanted(row, at=at) for row in rows}
    if wanted:
        raised = flags.raise_beside(wanted, kind=FlagKind.OVERDUE, at=at)
        alerts.queue(raised, at=at)
        flags.refresh_need(wanted)
        ask((_CHECKED, [at.date(), numbers(wanted)]))
    return list(wanted)


def look_again(site: Site) -> None:
    """Have all patients of a site looked at anew, because its plan of visits has changed."""
    Standing.objects.filter(team__site=site).update(visits_checked_on=None)


def _wanted(row: Sequence[object], *, at: datetime) -> flags.Wanted | None:
    _patient, zone, every_weeks, started_on, _ended_on, drawn_on, rated_on = row
    visits = visits_of(
        started_on=started_on,  # type: ignore[arg-type]
        drawn_on=drawn_on,  # type: ignore[arg-type]
        rated_on=rated_on,  # type: ignore[arg-type]
        every_weeks=every_weeks,  # type: ignore[arg-type]
        today=at.astimezone(ZoneInfo(str(zone))).date(),
    )
    found = None if visits is None else overdue_flag(visits.draws, visits.ratings)
    if found is None:
        return None
    reasons = tuple(each.value for each in found.reasons)
    since = _overdue_since(visits, ZoneInfo(str(zone))) if visits else None
    return flags.Wanted(FlagKind.OVERDUE, FlagLevel.WATCH, reasons, found.is_raise, since)


def _overdue_since(visits: Visits, zone: ZoneInfo) -> datetime | None:
    """Say when the latest of the visits that are overdue became so."""
    closed_on = [
        each.closes_on
        for each in (*visits.draws, *visits.ratings)
        if each.status is VisitStatus.OVERDUE
    ]
    if not closed_on:
        return None
    return datetime.combine(max(closed_on) + timedelta(days=1), time(), tzinfo=zone)
