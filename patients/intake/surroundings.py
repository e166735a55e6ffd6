"""What must be known of the record to place the draws of a message, read in one round trip."""

import json
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from patients.intake.profiles import PROFILE, Profile
from patients.intake.receipts import Sender
from patients.intake.reports import (
    UNSTATED,
    DrawReport,
    PatientNumber,
    TimeRole,
    is_within_memory,
)
from patients.record.draws import DrawOnRecord, Moment
from patients.record.results import PlacedResult, ResultOnRecord, Word
from patients.statements import Question, as_rows

# What the record calls the numbering of a number: by the profile's word for its kind, else for any
# kind, else as the laboratory calls it. Nothing, where the profile names other kinds of it alone
_MEANT = """
    SELECT CASE WHEN count(*) = 0 THEN {system}
                ELSE (array_agg(means ORDER BY kind DESC)
                      FILTER (WHERE kind IN ('', coalesce({number}.kind, ''))))[1] END AS system
      FROM patients_numberingalias
     WHERE laboratory_id = {laboratory}
       AND sent IN ({system}, CASE {system} WHEN 'urn:unstated' THEN '' END)"""
# One that was remembered of a laboratory is of that one alone, and called as it calls it
_NAMES = """
       each.system IN (meant.system, {system})
   AND each.value = {number}.value
   AND CASE WHEN each.laboratory_id IS NULL THEN each.system = meant.system
            ELSE each.laboratory_id = {laboratory} AND each.system = {system}
                 AND meant.system IS NOT NULL END"""


def identifiers_named(number: str, *, laboratory: str) -> str:
    """Join the identifiers of patients that a number names, to what lists the numbers."""
    # One that names no system was stored so once
    system = f"coalesce(nullif({number}.system, ''), '{UNSTATED}')"
    meant, names = (
        part.format(number=number, system=system, laboratory=laboratory)
        for part in (_MEANT, _NAMES)
    )
    return f"""
 CROSS JOIN LATERAL ({meant}) AS meant
 CROSS JOIN LATERAL (
        SELECT patient_id FROM patients_identifier AS each WHERE {names} OFFSET 0
       ) AS identifier"""  # noqa: S608 - made of the words above


# The patients behind the numbers
WHOSE = f"""
SELECT asked.system, asked.kind, asked.value, patient.id
  FROM json_to_recordset(%(numbers)s::json) AS asked (system text, kind text, value text)
  {identifiers_named("asked", laboratory="%(laboratory)s")}
  JOIN patients_patient AS patient ON patient.id = identifier.patient_id
 ORDER BY patient.id
"""  # noqa: S608 - made of the words above
LOCK_PATIENTS = """
SELECT id FROM patients_patient WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""
# Messages are stored: of several identical ones at once one is, and the others wait here until it
# is committed, and are then known. With them comes how they are to be read, and their patients,
# locked in one order for everybody: from there to the commit nobody else writes to them, so what
# is read next stays true.
_ARRIVE = f"""
WITH stored AS (
    INSERT INTO patients_inbound
           (laboratory_id, key_id, client_id, received_at, dialect, sha256, body)
    SELECT %(laboratory)s, %(key)s::bigint, %(client)s::bigint, %(at)s, dialect, sha256, body
      FROM unnest(%(dialects)s::text[], %(digests)s::text[], %(bodies)b::bytea[])
        AS message (dialect, sha256, body)
     ORDER BY sha256
        ON CONFLICT (laboratory_id, sha256) DO NOTHING RETURNING id, sha256
)
SELECT (SELECT json_object_agg(sha256, id) FROM stored), ({PROFILE}),
       (SELECT json_agg(json_build_array(whose.system, whose.kind, whose.value, whose.id))
          FROM ({WHOSE} FOR NO KEY UPDATE OF patient) AS whose)
"""  # noqa: S608 - made of the words above
# What the record holds of these accessions and names of one laboratory, and what it holds of these
# patients at these times; a day may be any hour of it. OFFSET 0 keeps each draw a step of its own
# by an index, also where the database knows nothing of the tables yet and would read them whole
_DRAWS = f"""
WITH meant AS (
    SELECT draw.id
      FROM json_array_elements_text(%(accessions)s::json) AS asked (accession)
     CROSS JOIN LATERAL (
            SELECT id FROM patients_draw
             WHERE laboratory_id = %(laboratory)s AND accession = asked.accession
               AND accession <> '' AND superseded_at IS NULL OFFSET 0
           ) AS draw
    UNION
    SELECT draw.id
      FROM json_to_recordset(%(seen)s::json)
        AS asked (system text, kind text, value text, at timestamptz, until timestamptz)
      {identifiers_named("asked", laboratory="%(laboratory)s")}
     CROSS JOIN LATERAL (
            SELECT id FROM patients_draw
             WHERE patient_id = identifier.patient_id
               AND collected_at > asked.at - interval '1 day' AND collected_at <= asked.until
               AND (collected_at >= asked.at OR collected_precision = 'day')
               AND laboratory_id = %(laboratory)s AND superseded_at IS NULL OFFSET 0
           ) AS draw
    UNION
    SELECT draw.id
      FROM unnest(%(patients)s::bigint[]) AS known (patient_id)
     CROSS JOIN json_to_recordset(%(times)s::json) AS asked (at timestamptz, until timestamptz)
     CROSS JOIN LATERAL (
            SELECT id FROM patients_draw
             WHERE patient_id = known.patient_id
               AND collected_at > asked.at - interval '1 day' AND collected_at <= asked.until
               AND (collected_at >= asked.at OR collected_precision = 'day')
               AND laboratory_id = %(laboratory)s AND superseded_at IS NULL OFFSET 0
           ) AS draw
    UNION
    SELECT draw.id
      FROM json_to_recordset(%(names)s::json) AS asked (system text, value text)
     CROSS JOIN LATERAL (
            SELECT line FROM patients_resultname
             WHERE laboratory_id = %(laboratory)s AND system = asked.system
               AND value = asked.value OFFSET 0
           ) AS name
     CROSS JOIN LATERAL (
            SELECT draw_id, superseded_at FROM patients_result
             WHERE public_id = name.line OFFSET 0
           ) AS result
     CROSS JOIN LATERAL (
            SELECT id, superseded_at FROM patients_draw WHERE id = result.draw_id OFFSET 0
           ) AS draw
     WHERE result.superseded_at IS NULL AND draw.superseded_at IS NULL
)
SELECT draw.id, draw.public_id, draw.patient_id, draw.accession, draw.collected_at,
       draw.collected_precision, draw.specimen::json, result.analyte_id, result.id,
       result.public_id, result.version,
       (SELECT max(version) FROM patients_result AS any_version
         WHERE any_version.public_id = result.public_id),
       (SELECT received_at FROM patients_inbound
         WHERE id = coalesce(result.inbound_id, draw.inbound_id)),
       ARRAY(SELECT ARRAY[system, value] FROM patients_resultname AS name
              WHERE name.line = result.public_id AND NOT name.is_alias),
       result.status, again.status, again.issued_at, again.received_at, again.issued_precision,
       coalesce(nullif(result.sent_status, ''), result.status), result.comparator, result.value,
       result.sent_value, result.sent_unit, result.method, result.lot, result.kit,
       result.issued_at, result.issued_precision, result.absent_reason, result.notes,
       result.measurement::json
  FROM meant
 CROSS JOIN LATERAL (SELECT * FROM patients_draw WHERE id = meant.id OFFSET 0) AS draw
  LEFT JOIN LATERAL (
        SELECT * FROM patients_result
         WHERE draw_id = draw.id AND superseded_at IS NULL OFFSET 0
       ) AS result ON TRUE
  LEFT JOIN LATERAL (
        SELECT status, issued_at, issued_precision,
               (SELECT received_at FROM patients_inbound WHERE id = repeated.inbound_id)
          FROM patients_repetition AS repeated WHERE line = result.public_id OFFSET 0
       ) AS again ON TRUE
"""  # noqa: S608 - made of the words above


class Surroundings:
    """What the record holds around some reports, while their patients are locked."""

    def __init__(self, *, profile: Profile, patients: Sequence[tuple[Any, ...]]) -> None:
        self.profile = profile
        self._patients: dict[tuple[str, ...], set[int]] = {}
        for *number, pk in patients:
            self._patients.setdefault(tuple(number), set()).add(pk)
        self.by_accession: dict[str, DrawOnRecord] = {}
        self.by_line: dict[UUID, tuple[DrawOnRecord, ResultOnRecord]] = {}
        self.of_patient: dict[int, list[DrawOnRecord]] = {}
        # What waits to take back what is placed here
        self.retractions: Sequence[int] = ()

    def take_in(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Replace what is known of draws by what the record says now."""
        draws: dict[int, DrawOnRecord] = {}
        self.by_accession, self.by_line, self.of_patient = {}, {}, {}
        for row in rows:
            pk = row[0]
            if pk not in draws:
                draw = draws[pk] = DrawOnRecord(*row[:7])
                if draw.accession:
                    self.by_accession[draw.accession] = draw
                self.of_patient.setdefault(draw.patient_id, []).append(draw)
            draw = draws[pk]
            analyte_id, result_id, line, version, last_version, received_at, names = row[7:14]
            if result_id is None:
                continue
            status, again, said = row[14], row[15:19], row[19:]
            draw.results[analyte_id] = result = ResultOnRecord(
                result_id,
                line,
                version,
                last_version,
                received_at,
                frozenset((system, value) for system, value in names),
                PlacedResult(analyte_id, *said),
                status,
                Word(*again) if again[0] is not None else None,
            )
            self.by_line[line] = draw, result

    def patients_named(self, number: PatientNumber) -> Set[int]:
        """Say whose number it is, be it in force or not.

        What a laboratory calls by it, by a person's word, may be another one than the clinic does.
        """
        return self._patients.get((number.system, number.kind, number.value), frozenset())

    def at(self, patient_id: int, collected_at: datetime) -> list[DrawOnRecord]:
        """Give the draws of a patient at exactly this time."""
        draws = self.of_patient.get(patient_id, [])
        return [draw for draw in draws if draw.collected_at == collected_at]

    def about(self, patient_id: int, moment: Moment) -> list[DrawOnRecord]:
        """Give the draws of a patient that may be of this moment."""
        draws = self.of_patient.get(patient_id, [])
        return [draw for draw in draws if draw.moment.may_be(moment)]


@dataclass(frozen=True)
class Message:
    """The bytes of one message as they came, and their digest."""

    body: bytes
    dialect: str
    sha256: str


def asked_numbers(numbers: Iterable[PatientNumber]) -> str:
    """Spell numbers as the statements here read them, each once and in one order for everybody."""
    asked = sorted({(each.system, each.kind, each.value) for each in numbers})
    return as_rows(
        {"system": system, "kind": kind, "value": value} for system, kind, value in asked
    )


def arrival_question(
    messages: Sequence[Message],
    *,
    sender: Sender,
    numbers: Collection[PatientNumber],
    at: datetime,
) -> Question:
    """Store messages and lock their patients.

    The answer gives the numbers of those that were not known, by their digests, the profile of the
    sender, and the patients.
    """
    return (
        _ARRIVE,
        {
            "laboratory": sender.laboratory_id,
            "key": sender.key_id,
            "client": sender.client_id,
            "at": at,
            "dialects": [each.dialect for each in messages],
            "digests": [each.sha256 for each in messages],
            "bodies": [each.body for each in messages],
            "numbers": asked_numbers(numbers),
        },
    )


def draws_question(
    reports: Sequence[DrawReport],
    *,
    laboratory_id: int,
    names: Sequence[tuple[str, str]] = (),
    patient_ids: Sequence[int] = (),
) -> Question:
    """Ask what the record holds around these reports, at any of the times that may be the draw's.

    The patients are given when they are known by other means than the numbers in the reports.
    """
    timed = [(report, _times_of(report)) for report in reports]
    asked = {
        (number.system, number.kind, number.value, moment)
        for report, times in timed
        for moment in times
        for number in report.patients
    }
    return (
        _DRAWS,
        {
            "laboratory": laboratory_id,
            "accessions": json.dumps([report.accession for report in reports]),
            "seen": as_rows(
                {
                    "system": system,
                    "kind": kind,
                    "value": value,
                    "at": moment.at,
                    "until": moment.until,
                }
                for system, kind, value, moment in asked
            ),
            "times": as_rows(
                {"at": moment.at, "until": moment.until}
                for moment in sorted({moment for _, times in timed for moment in times})
            ),
            "patients": list(patient_ids),
            "names": as_rows({"system": system, "value": value} for system, value in names),
        },
    )


def _times_of(report: DrawReport) -> set[Moment]:
    return {
        Moment(time.at, time.precision.value)
        for time in report.times
        if time.at is not None and time.role is not TimeRole.ISSUED and is_within_memory(time.at)
    }
