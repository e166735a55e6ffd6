"""By which rules the patients of each site are assessed: its own choice, and the day."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from analytics.definitions import CONSENSUS, RULE_SETS, NoSuchRules, Rules, rules_on, with_weeks
from patients.models import Site, SiteRules
from patients.statements import Question, ask, numbers

_CHOSEN = """
  LEFT JOIN LATERAL (
       SELECT name, adequate_weeks::float8 AS weeks FROM patients_siterules
        WHERE site_id = site.id ORDER BY id DESC LIMIT 1) AS chosen ON TRUE
"""
_OF_PATIENTS = f"""
SELECT patient.id, site.time_zone, chosen.name, chosen.weeks
  FROM patients_patient AS patient
  JOIN patients_careteam AS team ON team.id = patient.team_id
  JOIN patients_site AS site ON site.id = team.site_id
{_CHOSEN}
 WHERE patient.id = ANY(%s::bigint[])
"""  # noqa: S608 - made of the words above
_OF_SITES = f"""
SELECT site.id, site.time_zone, chosen.name, chosen.weeks FROM patients_site AS site {_CHOSEN}
"""  # noqa: S608 - made of the words above
Row = tuple[int, str, str | None, float | None]


def rules_asked(patient_ids: Sequence[int]) -> Question:
    """Ask for what :func:`rules_read` reads of these patients."""
    return _OF_PATIENTS, [numbers(patient_ids)]


def rules_read(rows: Sequence[Row], *, at: datetime) -> dict[int, Rules]:
    """Give the rules of each patient, or of each site, at a moment."""
    return {key: _at(zone, name or CONSENSUS, weeks, at) for key, zone, name, weeks in rows}


def rules_of_patients(patient_ids: Sequence[int], *, at: datetime) -> dict[int, Rules]:
    """Give the rules by which each of these patients is assessed at a moment."""
    [rows] = ask(rules_asked(patient_ids))
    return rules_read(rows, at=at)


def rules_of_sites(*, at: datetime) -> dict[int, Rules]:
    """Give the rules of every site at a moment."""
    [rows] = ask((_OF_SITES, []))
    return rules_read(rows, at=at)


def rules_of_site(site: Site, *, at: datetime) -> Rules:
    """Give the rules of one site at a moment."""
    chosen = SiteRules.objects.filter(site=site).order_by("-pk").first()
    if chosen is None:
        return _at(site.time_zone, CONSENSUS, None, at)
    return _at(site.time_zone, chosen.name, float(chosen.adequate_weeks), at)


def _at(zone: str, name: str, weeks: float | None, at: datetime) -> Rules:
    return rules_for(at.astimezone(ZoneInfo(zone)).date(), name, weeks)


@lru_cache(maxsize=1024)
def rules_for(day: date, name: str, weeks: float | None) -> Rules:
    """Give the rules of a line on a day, with a site's own weeks.

    For a day before there were any, the newest: whoever looks back at such a time does it by what
    is known today.
    """
    try:
        rules = rules_on(day, name=name)
    except NoSuchRules:
        rules = [each for each in RULE_SETS if each.name == name][-1]
    return rules if weeks is None else with_weeks(rules, weeks)
