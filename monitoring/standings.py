"""Assessments put on record by the batch, and where they leave each patient standing.

A few statements for any number of patients: a model that makes a hundred thousand stale is worked
off at the speed of the database and not of the ORM.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from monitoring.models import Outcome
from patients.statements import Question, ask, numbers

# Texts come as lines of one text: none holds a bare newline, nor does JSON, and an array of a
# thousand texts costs more to quote than the rest of the statement. No line at all is one empty.
_WRITE_ASSESSMENTS = """
INSERT INTO monitoring_riskassessment (
       patient_id, history_version, model, policy, made_at, rules, outcome, state, probability,
       probability_low, probability_high, probability_without_biomarker, content)
SELECT patient_id, history_version, %s, %s, %s, rules, outcome, coalesce(state, ''), probability,
       probability_low, probability_high, probability_without_biomarker, content::jsonb
  FROM unnest(%s::bigint[], %s::bigint[],
              string_to_array(%s, E'\n'), string_to_array(%s, E'\n'),
              string_to_array(%s, E'\n'),
              %s::float8[], %s::float8[], %s::float8[], %s::float8[],
              string_to_array(%s, E'\n')) AS new (
       patient_id, history_version, rules, outcome, state, probability, probability_low,
       probability_high, probability_without_biomarker, content)
RETURNING patient_id, id
"""
# Among equals in need: first who meets the rule, last who has no number
_WRITE_STANDINGS = """
INSERT INTO monitoring_standing (
       patient_id, team_id, assessment_id, history_version, model, policy, rules, need, probability)
SELECT made.patient_id, patient.team_id, made.id, made.history_version, made.model, made.policy,
       made.rules, 0,
       CASE WHEN made.outcome = %s THEN 1 ELSE coalesce(made.probability, -1) END
  FROM monitoring_riskassessment AS made
  JOIN patients_patient AS patient ON patient.id = made.patient_id
 WHERE made.id = ANY(%s::bigint[])
    ON CONFLICT (patient_id) DO UPDATE
   SET team_id = excluded.team_id, assessment_id = excluded.assessment_id,
       history_version = excluded.history_version, model = excluded.model,
       policy = excluded.policy, rules = excluded.rules, probability = excluded.probability,
       visits_checked_on = NULL
"""


class Finding(NamedTuple):
    """What was found of one patient, in the order of the table's columns; content is JSON."""

    patient_id: int
    history_version: int
    rules: str
    outcome: str
    state: str
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    probability_without_biomarker: float | None
    content: str


def write_assessments(
    findings: Sequence[Finding], *, model: str, policy: str, at: datetime
) -> dict[int, int]:
    """Put findings of one moment on record; give each patient's assessment its number."""
    ids, versions, rules, outcomes, states, *probabilities, contents = zip(*findings, strict=True)
    lines = "\n".join
    [written] = ask(
        (
            _WRITE_ASSESSMENTS,
            [
                *(model, policy, at, numbers(ids), numbers(versions)),
                *(
                    lines(rules),
                    lines(outcomes),
                    lines(states),
                    *map(numbers, probabilities),
                    lines(contents),
                ),
            ],
        )
    )
    return dict(written)


def standings_written(assessment_ids: Sequence[int]) -> Question:
    """Say where these assessments leave their patients; need is the flags' own word."""
    return _WRITE_STANDINGS, [Outcome.RULE_MET.value, numbers(assessment_ids)]
