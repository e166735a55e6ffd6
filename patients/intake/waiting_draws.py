"""Which of the draws that wait may be placed by now: asked of the database."""

from patients.intake.reasons import Reason
from patients.intake.surroundings import identifiers_named

# The patients whom waiting draws name by their numbers, be those in force or not
NAMED = f"""
 CROSS JOIN jsonb_to_recordset(parked.report -> 'patients')
         AS sent (system text, kind text, value text,
                  begins_on date, ends_on date, is_former boolean)
 {identifiers_named("sent", laboratory="parked.laboratory_id")}"""
# As DrawReport and numberings.py tell it; a number without an end needs no look at the times
_IN_FORCE = """
   AND sent.is_former IS NOT TRUE
   AND ((sent.begins_on IS NULL AND sent.ends_on IS NULL) OR EXISTS (
        SELECT FROM jsonb_array_elements(parked.report -> 'times') AS time
         WHERE time ->> 'role' <> 'issued'
           AND left(time ->> 'at', 10)::date BETWEEN coalesce(sent.begins_on, '-infinity')
                                                 AND coalesce(sent.ends_on, 'infinity')))"""
# Waiting draws whose patient a number of theirs names by now
NAMED_BY_NOW = f"""
SELECT DISTINCT parked.id
  FROM patients_parked AS parked{NAMED}
 WHERE parked.state = 'waiting'
   AND (parked.reasons @> '["{Reason.UNKNOWN_PATIENT}"]'
        OR parked.reasons @> '["{Reason.NUMBER_NOT_IN_FORCE}"]'){_IN_FORCE}
 ORDER BY parked.id LIMIT %s
"""  # noqa: S608 - made of the words above
# What was seen of a sample, whose draw has come by now: by its number, else by patient and moment
DRAW_HAS_COME = f"""
SELECT DISTINCT parked.id
  FROM patients_parked AS parked
  JOIN patients_laboratory AS laboratory ON laboratory.id = parked.laboratory_id{NAMED}
  JOIN patients_draw AS draw
    ON draw.patient_id = identifier.patient_id AND draw.laboratory_id = parked.laboratory_id
   AND draw.superseded_at IS NULL
 WHERE parked.state = 'waiting' AND parked.reasons = %s::jsonb
   AND CASE WHEN parked.accession <> '' THEN draw.accession = parked.accession
            ELSE EXISTS (
                 SELECT FROM jsonb_array_elements(parked.report -> 'times') AS time
                  WHERE draw.collected_at = CASE
                        WHEN time ->> 'at' ~ '(Z|[+-][0-9:]{{2,8}})$'
                        THEN (time ->> 'at')::timestamptz
                        ELSE (time ->> 'at')::timestamp AT TIME ZONE laboratory.time_zone END) END
 ORDER BY parked.id LIMIT %s
"""  # noqa: S608 - made of the words above
