"""Assessments put on record by the batch, and where they leave each patient standing.

A few statements for any number of patients: a model that makes a hundred thousand stale is worked
off at the speed of the database and not of the ORM.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from analytics.columns import SIL6R
from analytics.reasons import Reason
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
    ON CONFLICT ON CONSTRAINT a_history_is_assessed_once_per_model_policy_and_rules DO NOTHING
RETURNING patient_id, id
"""
_MADE_BEFORE = """
SELECT made.patient_id, made.id, made.content
  FROM unnest(%s::bigint[], %s::bigint[], string_to_array(%s, E'\n'))
       AS held (patient_id, history_version, rules)
  JOIN monitoring_riskassessment AS made USING (patient_id, history_version, rules)
 WHERE made.model = %s AND made.policy = %s
"""
# Among equals in need: first who meets the rule, last who has no number
_WRITE_STANDINGS = """
INSERT INTO monitoring_standing (
       patient_id, team_id, assessment_id, history_version, model, policy, rules, need,
       probability, holds_a_draw)
SELECT made.patient_id, patient.team_id, made.id, made.history_version, made.model, made.policy,
       made.rules, 0,
       CASE WHEN made.outcome = %s THEN 1 ELSE coalesce(made.probability, -1) END,
       made.content @> %s::jsonb
  FROM monitoring_riskassessment AS made
  JOIN patients_patient AS patient ON patient.id = made.patient_id
 WHERE made.id = ANY(%s::bigint[])
    ON CONFLICT (patient_id) DO UPDATE
   SET team_id = excluded.team_id, assessment_id = excluded.assessment_id,
       history_version = excluded.history_version, model = excluded.model,
       policy = excluded.policy, rules = excluded.rules, probability = excluded.probability,
       holds_a_draw = excluded.holds_a_draw, visits_checked_on = NULL
"""
# What the content says of somebody of whom a draw of the marker waits for a check
_HELD = json.dumps({"left_out": [{"analyte": SIL6R, "reasons": [Reason.IMPLAUSIBLE.value]}]})


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


class Written(NamedTuple):
    """Which assessment says where each patient stands, and what those say that stood before."""

    made: dict[int, int]
    content_made_before: dict[int, dict[str, Any]]


def write_assessments(
    findings: Sequence[Finding], *, model: str, policy: str, at: datetime
) -> Written:
    """Put findings of one moment on record; give each patient's assessment its number.

    A history that was assessed before by this model, policy and rules, as when a site goes back
    to rules that it had, keeps that assessment, and it is the one to stand again.
    """
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
    made = dict(written)
    if len(made) == len(findings):
        return Written(made, {})
    kept = [each for each in findings if each.patient_id not in made]
    ids, versions, rules, *_ = zip(*kept, strict=True)
    [rows] = ask(
        (_MADE_BEFORE, [numbers(ids), numbers(versions), lines(rules), model, policy]),
    )
    made |= {patient_id: number for patient_id, number, _content in rows}
    return Written(made, {patient_id: json.loads(text) for patient_id, _number, text in rows})


def standings_written(assessment_ids: Sequence[int]) -> Question:
    """Say where these assessments leave their patients; need is the flags' own word."""
    return _WRITE_STANDINGS, [Outcome.RULE_MET.value, _HELD, numbers(assessment_ids)]
