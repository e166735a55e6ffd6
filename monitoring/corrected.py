"""A correction that changes the picture is told to exactly those who acted on the old one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from analytics import Estimate, FlagReason
from analytics.corrections import correction_flag
from monitoring import alerts, duties, flags
from monitoring.changed_doses import CHANGED_DOSES, changed_among, is_judged_otherwise
from monitoring.continued import TABLES, Wrong, wrong_among
from monitoring.models import Flag, FlagEvent, FlagKind, FlagLevel, FlagState, RiskAssessment
from patients.models import Audit, SafetyDuty
from patients.statements import ask, numbers


def _replaced_of(name: str, table: str) -> str:
    return f"""
       SELECT '{name}' AS name, id FROM {table}
        WHERE patient_id = standing.patient_id AND superseded_at > made.made_at
          AND recorded_at <= made.made_at"""  # noqa: S608 - names of our own


# Results that were replaced since the last assessment, and which it had seen; a preliminary value
# that becomes final is ordinary news. OFFSET 0 keeps the order of the joins as it is written: a
# patient's draws, then what was replaced of each. A version may only have taken the value over.
_RESULTS = """
SELECT standing.patient_id, standing.assessment_id, min(fact.known_since)
  FROM monitoring_standing AS standing
  JOIN monitoring_riskassessment AS made ON made.id = standing.assessment_id
 CROSS JOIN LATERAL (
       SELECT result.* FROM patients_draw AS draw
        CROSS JOIN LATERAL (
              SELECT public_id, value, comparator FROM patients_result
               WHERE draw_id = draw.id AND superseded_at > made.made_at
                 AND recorded_at <= made.made_at AND status <> 'preliminary'
              OFFSET 0) AS result
        WHERE draw.patient_id = standing.patient_id) AS wrong
 CROSS JOIN LATERAL (
       SELECT min(recorded_at) AS known_since FROM patients_result
        WHERE public_id = wrong.public_id AND status <> 'preliminary'
          AND (value, comparator) IS NOT DISTINCT FROM (wrong.value, wrong.comparator)) AS fact
 WHERE standing.patient_id = ANY(%s::bigint[])
 GROUP BY standing.patient_id, standing.assessment_id
"""
# What else was replaced may only have gone on: which was wrong is asked of the few found
_ANY_OF_THEM = " UNION ALL ".join(
    _replaced_of(name, model._meta.db_table) for name, model in TABLES.items()
)
_REPLACED = f"""
SELECT standing.patient_id, standing.assessment_id, fact.name, fact.id, made.made_at
  FROM monitoring_standing AS standing
  JOIN monitoring_riskassessment AS made ON made.id = standing.assessment_id
 CROSS JOIN LATERAL ({_ANY_OF_THEM}) AS fact
 WHERE standing.patient_id = ANY(%s::bigint[])
"""  # noqa: S608 - names of our own
_ACTOR = re.compile(r"^clinician:(\d+)$")
LOOKED = ("view_patient", "view_flag", "view_explanation")


@dataclass(frozen=True)
class Before:
    """What was said of a patient before a correction, and since when the wrong fact was known.

    `by_doses` are the trials whose least dose the site has changed, where nothing else was wrong.
    """

    estimate: Estimate
    known_since: datetime
    by_doses: frozenset[int] = frozenset()


def before_corrections(patient_ids: Sequence[int]) -> dict[int, Before]:
    """Read what was said of those whose record was corrected since their last assessment."""
    ids = numbers(patient_ids)
    corrected, replaced, doses = ask((_RESULTS, [ids]), (_REPLACED, [ids]), (CHANGED_DOSES, [ids]))
    found = [Wrong(*row) for row in corrected] + wrong_among(replaced)
    changed = changed_among(doses)
    asked = {each.assessment_id for each in found} | {each.assessment_id for each in changed}
    made = RiskAssessment.objects.in_bulk(asked)
    said = {
        pk: Estimate.from_json(each.content)
        for pk, each in made.items()
        if "contributions" in each.content
    }
    before: dict[int, Before] = {}
    for each in found:
        old = said.get(each.assessment_id)
        if old is None or (each.trial_id is not None and not _had_failed(old, each.trial_id)):
            continue
        known = before.get(each.patient_id)
        since = each.known_since if known is None else min(each.known_since, known.known_since)
        before[each.patient_id] = Before(old, since)
    for site in changed:
        old = said.get(site.assessment_id)
        if old is not None and site.patient_id not in before and (trials := site.trials_in(old)):
            before[site.patient_id] = Before(old, site.known_since(trials), trials)
    return before


def _had_failed(estimate: Estimate, trial_id: int) -> bool:
    trials = estimate.course.trials if estimate.course else ()
    return any(each.trial_id == trial_id and each.is_failed for each in trials)


def tell(
    before: Mapping[int, Before], after: Mapping[int, Estimate], *, at: datetime
) -> list[Flag]:
    """Raise the flag where the picture has changed, and tell those who acted on the old one."""
    told = []
    for patient_id, old in before.items():
        now = after[patient_id]
        found = correction_flag(old.estimate, now)
        if found is None:
            continue
        if old.by_doses and not is_judged_otherwise(old.estimate, now, old.by_doses):
            continue  # what has changed is news of another kind
        cause = (FlagReason.LEAST_DOSE_CHANGED,) if old.by_doses else ()
        reasons = tuple(each.value for each in (*cause, *found.reasons))
        level = FlagLevel(found.level)
        wanted = flags.Wanted(FlagKind.CORRECTED, level, reasons, is_raise=True)
        flags.raise_beside({patient_id: wanted}, kind=FlagKind.CORRECTED, at=at)
        up = Flag.objects.up().filter(patient=patient_id, kind=FlagKind.CORRECTED).first()
        if up is None:  # a person has settled the same reason lately
            continue
        if up.state != FlagState.RAISED:
            flags.bring_back(up, reason=wanted.reasons[0], at=at)
        people = _who_hears(up, who_acted(patient_id, since=old.known_since))
        alerts.queue([up], at=at, only=people, occasion=f"corrected:{at:%Y%m%d%H%M%S}")
        told.append(up)
    return told


def _who_hears(flag: Flag, acted: set[int]) -> set[int]:
    """Keep those who are of the team still; where all who acted have left, its lead hears of it."""
    team = duties.team_of(flag.patient.team_id)
    still_there = acted & {each.pk for each in team.everybody}
    if still_there or not acted:
        return still_there
    return {each.pk for each in team.holders(SafetyDuty.LEAD) or team.everybody}


def who_acted(patient_id: int, *, since: datetime) -> set[int]:
    """Name the clinicians who looked or acted while the wrong value stood."""
    acted = FlagEvent.objects.filter(flag__patient=patient_id, at__gte=since, by__isnull=False)
    people = set(acted.values_list("by_id", flat=True))
    seen = Audit.objects.filter(Q(verb__in=LOOKED), patient_id=patient_id, at__gte=since)
    for name in seen.values_list("by", flat=True).distinct():
        if found := _ACTOR.match(name):
            people.add(int(found[1]))
    return {person for person in people if person is not None}
