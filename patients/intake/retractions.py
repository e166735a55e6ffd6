"""Retractions that came before what they take back, and so had to wait for it."""

from collections.abc import Sequence

from patients.intake.naming import names_in
from patients.intake.reports import DrawReport
from patients.record.results import RETRACTED
from patients.statements import Question, as_rows

# Of a laboratory, those that wait under one of these names or accessions. "+ 0" keeps the plan from
# reading all that waits of the laboratory, which it takes for little where statistics are old
_WAITING = """
WITH meant AS (
    SELECT waiting.parked_id AS id
      FROM json_to_recordset(%(names)s::json) AS asked (system text, value text)
     CROSS JOIN LATERAL (
            SELECT line FROM patients_resultname
             WHERE laboratory_id = %(laboratory)s AND system = asked.system
               AND value = asked.value OFFSET 0
           ) AS name
     CROSS JOIN LATERAL (
            SELECT parked_id FROM patients_parkedresult WHERE line = name.line OFFSET 0
           ) AS waiting
    UNION
    SELECT waiting.id
      FROM unnest(%(accessions)s::text[]) AS asked (accession)
     CROSS JOIN LATERAL (
            SELECT id FROM patients_parked
             WHERE accession = asked.accession AND laboratory_id + 0 = %(laboratory)s
               AND accession <> '' AND state = 'waiting' OFFSET 0
           ) AS waiting
)
SELECT parked.id
  FROM meant
 CROSS JOIN LATERAL (
        SELECT id FROM patients_parked
         WHERE id = meant.id AND laboratory_id + 0 = %(laboratory)s AND state = 'waiting'
           AND NOT EXISTS (
               SELECT FROM jsonb_array_elements(report -> 'results') AS said
                WHERE said ->> 'status' <> ALL(%(retracted)s::text[])) OFFSET 0
       ) AS parked
 ORDER BY parked.id LIMIT 100
"""


def takes_back(report: DrawReport) -> bool:
    """Tell whether a draw says of all of its results that they do not count."""
    return all(each.status in RETRACTED for each in report.results)


def retractions_question(reports: Sequence[DrawReport], *, laboratory_id: int) -> Question:
    """Ask which retractions wait for what these reports bring."""
    return (
        _WAITING,
        {
            "laboratory": laboratory_id,
            "names": as_rows(
                {"system": system, "value": value} for system, value in names_in(reports)
            ),
            "accessions": sorted({each.accession for each in reports if each.accession}),
            "retracted": sorted(RETRACTED),
        },
    )
