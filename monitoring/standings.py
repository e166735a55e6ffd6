"""Assessments put on record by the batch, and where they leave each patient standing.

Two statements for any number of patients: a model that makes a hundred thousand stale is worked off
at the speed of the database and not of the ORM.
"""

import json
from collections.abc import Sequence

from django.db import connection

from monitoring.models import Outcome, RiskAssessment
from patients.statements import ask

_WRITE_ASSESSMENTS = """
INSERT INTO monitoring_riskassessment (
       patient_id, history_version, model, policy, made_at, outcome, state, probability,
       probability_low, probability_high, probability_without_biomarker, content)
SELECT patient_id, history_version, model, policy, %s, outcome, state, probability,
       probability_low, probability_high, probability_without_biomarker, content
  FROM json_to_recordset(%s::json) AS new (
       patient_id bigint, history_version bigint, model text, policy text, outcome text,
       state text, probability float8, probability_low float8, probability_high float8,
       probability_without_biomarker float8, content jsonb)
RETURNING patient_id, id
"""
# Among equals in need: first who meets the rule, last who has no number
_WRITE_STANDINGS = """
INSERT INTO monitoring_standing (
       patient_id, team_id, assessment_id, history_version, model, policy, need, probability)
SELECT made.patient_id, patient.team_id, made.id, made.history_version, made.model, made.policy, 0,
       CASE WHEN made.outcome = %s THEN 1 ELSE coalesce(made.probability, -1) END
  FROM monitoring_riskassessment AS made
  JOIN patients_patient AS patient ON patient.id = made.patient_id
 WHERE made.id = ANY(%s::bigint[])
    ON CONFLICT (patient_id) DO UPDATE
   SET team_id = excluded.team_id, assessment_id = excluded.assessment_id,
       history_version = excluded.history_version, model = excluded.model,
       policy = excluded.policy, probability = excluded.probability
"""
_COLUMNS = (
    "patient_id",
    "history_version",
    "model",
    "policy",
    "outcome",
    "state",
    "probability",
    "probability_low",
    "probability_high",
    "probability_without_biomarker",
    "content",
)


def write_assessments(assessments: Sequence[RiskAssessment]) -> None:
    """Put assessments of one moment on record, and give each its number."""
    rows = [{name: getattr(made, name) for name in _COLUMNS} for made in assessments]
    [written] = ask((_WRITE_ASSESSMENTS, [assessments[0].made_at, json.dumps(rows)]))
    numbers: dict[int, int] = dict(written)
    for made in assessments:
        made.pk = numbers[made.patient_id]


def write_standings(assessments: Sequence[RiskAssessment]) -> None:
    """Say where these assessments leave their patients; need is the flags' own word."""
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE_STANDINGS, [Outcome.RULE_MET.value, [made.pk for made in assessments]]
        )
