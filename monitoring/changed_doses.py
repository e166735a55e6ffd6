"""A changed least dose of a site may take a failure away, or make one: the picture changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics import Estimate
from patients.models import DoseTableChange, Trial

# Changes of the table of a patient's site since the last assessment; OFFSET 0 keeps the order
CHANGED_DOSES = """
SELECT standing.patient_id, standing.assessment_id, change.site_id, change.changed_at,
       ARRAY(SELECT said->>'atc' FROM jsonb_array_elements(change.changes) AS said)
  FROM monitoring_standing AS standing
  JOIN monitoring_riskassessment AS made ON made.id = standing.assessment_id
  JOIN patients_patient AS patient ON patient.id = standing.patient_id
  JOIN patients_careteam AS team ON team.id = patient.team_id
 CROSS JOIN LATERAL (
       SELECT site_id, changed_at, changes FROM patients_dosetablechange
        WHERE site_id = team.site_id AND changed_at > made.made_at
        ORDER BY number OFFSET 0) AS change
 WHERE standing.patient_id = ANY(%s::bigint[])
"""
Row = tuple[int, int, int, datetime, list[str]]


@dataclass(frozen=True)
class DosesChanged:
    """A patient whose site has changed least doses, and of which drugs, since an assessment."""

    patient_id: int
    assessment_id: int
    site_id: int
    first_at: datetime
    codes: frozenset[str]

    def trials_in(self, estimate: Estimate) -> frozenset[int]:
        """Name the trials of these drugs that the assessment spoke of."""
        trials = estimate.course.trials if estimate.course else ()
        return frozenset(
            each.trial_id for each in trials if each.atc in self.codes and each.trial_id is not None
        )

    def known_since(self, trial_ids: frozenset[int]) -> datetime:
        """Say since when the old figure stood, for the trials that it spoke of."""
        recorded = Trial.objects.filter(pk__in=trial_ids).values_list("recorded_at", flat=True)
        since = min(recorded, default=self.first_at)
        earlier = DoseTableChange.objects.filter(site=self.site_id, changed_at__lt=self.first_at)
        for change in earlier.order_by("-number"):
            if self.codes & {each["atc"] for each in change.changes}:
                return max(since, change.changed_at)
        return since


def changed_among(rows: Sequence[Row]) -> list[DosesChanged]:
    """Put the changes of each patient's site together."""
    found: dict[int, DosesChanged] = {}
    for patient_id, assessment_id, site_id, changed_at, changed in rows:
        codes = frozenset(changed)
        known = found.get(patient_id)
        first_at = changed_at if known is None else known.first_at
        codes |= frozenset() if known is None else known.codes
        found[patient_id] = DosesChanged(patient_id, assessment_id, site_id, first_at, codes)
    return list(found.values())


def is_judged_otherwise(before: Estimate, after: Estimate, trial_ids: frozenset[int]) -> bool:
    """Tell whether a trial is worth something else than it was, or has failed and had not."""
    was, now = (
        {
            each.trial_id: (each.adequacy, each.is_failed)
            for each in (estimate.course.trials if estimate.course else ())
            if each.trial_id in trial_ids
        }
        for estimate in (before, after)
    )
    return was != now
