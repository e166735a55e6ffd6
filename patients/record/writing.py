"""The statements that put any number of draws on the record, in one round trip.

All write accessions in one order, so that no two messages wait for each other in a circle.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from patients.statements import Question, as_rows, ask

# What is replaced steps down before its successor is written: at any time one row is current
_STEP_DOWN = """
WITH draw AS (
    UPDATE patients_draw AS old SET superseded_at = %(at)s, superseded_reason = replaced.reason
      FROM json_to_recordset(%(replaced_draws)s::json) AS replaced (id bigint, reason text)
     WHERE old.id = replaced.id
)
UPDATE patients_result AS old SET superseded_at = %(at)s, superseded_reason = replaced.reason
  FROM json_to_recordset(%(replaced_results)s::json) AS replaced (id bigint, reason text)
 WHERE old.id = replaced.id
"""
_COLUMNS = """public_id, draw_id, analyte_id, version, status, sent_status, comparator, value,
    sent_value, sent_unit, absent_reason, issued_at, issued_precision, method, kit, lot,
    measurement, notes, inbound_id, pointer, recorded_at, recorded_by, superseded_reason"""
_SENT = """public_id uuid, draw uuid, draw_id bigint, analyte_id bigint, version int, status text,
    sent_status text, comparator text, value numeric, sent_value text, sent_unit text,
    absent_reason text, issued_at timestamptz, issued_precision text, method text, kit text,
    lot text, measurement jsonb, notes text, inbound_id bigint, pointer text"""
_VALUES = """sent.public_id, coalesce(sent.draw_id, draw.id), analyte_id, version, status,
    sent_status, comparator, value, sent_value, sent_unit, absent_reason, issued_at,
    issued_precision, method, kit, lot, measurement, notes, inbound_id, pointer, %(at)s, %(by)s"""
_NEW = f"""
WITH draw AS (
    INSERT INTO patients_draw (public_id, patient_id, laboratory_id, accession, collected_at,
                               collected_precision, specimen, inbound_id, recorded_at, recorded_by,
                               superseded_reason)
    SELECT public_id, patient_id, %(laboratory)s, accession, collected_at,
           collected_precision, specimen, inbound_id, %(at)s, %(by)s, ''
      FROM json_to_recordset(%(draws)s::json)
        AS new (public_id uuid, patient_id bigint, accession text, collected_at timestamptz,
                collected_precision text, specimen jsonb, inbound_id bigint)
     ORDER BY accession, public_id
    RETURNING id, public_id
), result AS (
    INSERT INTO patients_result ({_COLUMNS})
    SELECT {_VALUES}, ''
      FROM json_to_recordset(%(results)s::json) AS sent ({_SENT})
      LEFT JOIN draw ON draw.public_id = sent.draw
), trail AS (
    INSERT INTO patients_audit (at, by, verb, patient_id, subject, detail)
    SELECT %(at)s, %(by)s, 'record_draws',
           CASE WHEN count(*) = 1 THEN min(patient_id) END,
           'message:' || inbound_id, jsonb_build_object('draws', count(*))
      FROM json_to_recordset(%(new_draws)s::json) AS new (inbound_id bigint, patient_id bigint)
     GROUP BY inbound_id
)"""  # noqa: S608 - made of the words above
# What is added when draws on record are amended
_AMENDED = f""", follower AS (
    INSERT INTO patients_result ({_COLUMNS})
    SELECT old.public_id, coalesce(followed.draw_id, draw.id), analyte_id, followed.version, status,
           sent_status, comparator, value, sent_value, sent_unit, absent_reason, issued_at,
           issued_precision, method, kit, lot, measurement, notes,
           coalesce(old.inbound_id, left_draw.inbound_id), pointer, %(at)s, %(by)s, ''
      FROM json_to_recordset(%(followers)s::json)
        AS followed (id bigint, version int, draw uuid, draw_id bigint)
      JOIN patients_result AS old ON old.id = followed.id
      JOIN patients_draw AS left_draw ON left_draw.id = old.draw_id
      LEFT JOIN draw ON draw.public_id = followed.draw
), late AS (
    INSERT INTO patients_result ({_COLUMNS}, superseded_at, superseded_by_id)
    SELECT {_VALUES}, sent.superseded_reason, %(at)s, sent.superseded_by_id
      FROM json_to_recordset(%(late)s::json)
        AS sent ({_SENT}, superseded_reason text, superseded_by_id bigint)
      LEFT JOIN draw ON draw.public_id = sent.draw
     WHERE NOT EXISTS (
            SELECT FROM patients_result AS old
             WHERE old.public_id = sent.public_id AND old.sent_status = sent.sent_status
               AND (old.comparator, old.sent_value, old.sent_unit, old.notes)
                   = (sent.comparator, sent.sent_value, sent.sent_unit, sent.notes)
               AND old.issued_at IS NOT DISTINCT FROM sent.issued_at)
), deed AS (
    INSERT INTO patients_audit (at, by, verb, patient_id, subject, detail)
    SELECT %(at)s, %(by)s, verb, patient_id, subject, '{{}}'::jsonb
      FROM json_to_recordset(%(audit)s::json) AS done (verb text, patient_id bigint, subject text)
), moved AS (
    UPDATE patients_draw AS old SET superseded_by_id = coalesce(replaced.by_id, draw.id)
      FROM json_to_recordset(%(replaced_draws)s::json)
        AS replaced (id bigint, draw uuid, by_id bigint)
      LEFT JOIN draw ON draw.public_id = replaced.draw
     WHERE old.id = replaced.id
)"""  # noqa: S608 - made of the words above
_COUNT_UP = """
UPDATE patients_patient
   SET history_version = history_version + 1, stale_since = coalesce(stale_since, %(at)s)
 WHERE id = ANY(%(patients)s)
"""
_NAME_SUCCESSORS = """
UPDATE patients_result AS old SET superseded_by_id = successor.id
  FROM json_to_recordset(%(replaced_results)s::json)
    AS replaced (id bigint, line uuid, version int)
  JOIN patients_result AS successor
    ON successor.public_id = replaced.line AND successor.version = replaced.version
 WHERE old.id = replaced.id
"""

_REPEAT = """
INSERT INTO patients_repetition (line, status, issued_at, issued_precision, inbound_id)
SELECT line, status, issued_at, issued_precision, inbound_id
  FROM json_to_recordset(%(repetitions)s::json)
    AS said (line uuid, status text, issued_at timestamptz, issued_precision text,
             inbound_id bigint)
    ON CONFLICT (line) DO UPDATE
   SET (status, issued_at, issued_precision, inbound_id) = (
       excluded.status, excluded.issued_at, excluded.issued_precision, excluded.inbound_id)
"""

Row = dict[str, Any]


@dataclass
class Rows:
    """What is to be written of one message, or of several."""

    draws: list[Row] = field(default_factory=list)
    results: list[Row] = field(default_factory=list)
    # For the trail, which has one line a message
    new_draws: list[Row] = field(default_factory=list)
    patients: set[int] = field(default_factory=set)
    # Only where draws on record are amended
    followers: list[Row] = field(default_factory=list)
    late: list[Row] = field(default_factory=list)
    replaced_draws: list[Row] = field(default_factory=list)
    replaced_results: list[Row] = field(default_factory=list)
    audit: list[Row] = field(default_factory=list)
    # What is on record, said again as a newer word
    repetitions: list[Row] = field(default_factory=list)

    @property
    def amend(self) -> bool:
        """Tell whether anything that is on record is touched."""
        return bool(self.late or self.replaced_draws or self.replaced_results or self.audit)


def write(rows: Rows, *, laboratory_id: int, by: str, at: datetime) -> None:
    """Write it all in one round trip; nothing to write costs none."""
    said_again: list[Question] = (
        [(_REPEAT, {"repetitions": as_rows(rows.repetitions)})] if rows.repetitions else []
    )
    if not (rows.results or rows.amend):
        if said_again:
            ask(*said_again)
        return
    given: dict[str, Any] = {
        "laboratory": laboratory_id,
        "at": at,
        "by": by,
        "patients": sorted(rows.patients),
        "new_draws": as_rows(rows.new_draws),
        "draws": as_rows(rows.draws),
        "results": as_rows(rows.results),
    }
    questions: list[Question] = [(_NEW + _COUNT_UP, given)]
    if rows.amend:
        given |= {
            name: as_rows(getattr(rows, name))
            for name in ("followers", "late", "audit", "replaced_draws", "replaced_results")
        }
        questions = [
            (_STEP_DOWN, given),
            (_NEW + _AMENDED + _COUNT_UP, given),
            (_NAME_SUCCESSORS, given),
        ]
    ask(*questions, *said_again)
