"""Synthetic patients by the hundred thousand, written by SQL: only their number matters here."""

from datetime import date
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from patients.models import CareTeam, Clinician, Laboratory, Role
from patients.record.laboratories import add_laboratory, issue_key
from patients.record.people import add_clinician, add_team

SYSTEM = "urn:bench"
DRAWS_A_PATIENT = 10

_PATIENTS = """
WITH new AS (
    INSERT INTO patients_patient (public_id, team_id, family_name, given_name, birth_date, sex,
                                  status, is_synthetic, enrolled_at, history_version, stale_since)
    SELECT gen_random_uuid(), %(team)s, 'Synthetic' || n, 'Bench', DATE '1980-01-01', 'unknown',
           'active', TRUE, now(), 1, NULL
      FROM generate_series(1, %(count)s) AS n
    RETURNING id, enrolled_at
), numbered AS (
    INSERT INTO patients_identifier (patient_id, system, value, since)
    SELECT id, %(system)s, %(team)s || '-' || row_number() OVER (ORDER BY id), enrolled_at FROM new
)
INSERT INTO patients_episode (patient_id, started_on, diagnosis, severity, primary_instrument,
                              recorded_at, recorded_by, superseded_reason)
SELECT id, %(started)s, '', '', '', enrolled_at, 'bench', '' FROM new
"""
_DRAWS = """
WITH draw AS (
    INSERT INTO patients_draw (public_id, patient_id, laboratory_id, accession, collected_at,
                               recorded_at, recorded_by, superseded_reason)
    SELECT gen_random_uuid(), patient.id, %(laboratory)s, patient.id || '-' || n,
           %(started)s::timestamptz + n * INTERVAL '6 days', now(), 'bench', ''
      FROM patients_patient AS patient, generate_series(1, %(draws)s) AS n
     WHERE patient.team_id = %(team)s
    RETURNING id, patient_id
)
INSERT INTO patients_result (draw_id, analyte_id, version, status, comparator, value, sent_value,
                             sent_unit, method, lot, recorded_at, recorded_by, superseded_reason)
SELECT draw.id, (SELECT id FROM patients_analyte WHERE code = 'sIL-6R'), 1, 'final', '', each.value,
       each.value::text, 'ng/mL', 'ELISA', '', now(), 'bench', ''
  FROM draw CROSS JOIN LATERAL (
       SELECT round((34 * exp(0.25 * sin(draw.patient_id) + 0.15 * sin(draw.id * 1.7)))::numeric, 2)
              AS value
       ) AS each
"""
STARTED = date(2026, 9, 1)


def make_team(name: str, *, patients: int, with_draws: bool) -> CareTeam:
    """Make a team with so many patients, each followed for eleven weeks."""
    team = add_team(
        site="Bench (synthetic)", name=name, zone=ZoneInfo("UTC"), by="bench", at=timezone.now()
    )
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # a million results take their time
        cursor.execute(
            _PATIENTS,
            {"team": team.pk, "count": patients, "system": SYSTEM, "started": STARTED},
        )
        if with_draws:
            cursor.execute(
                _DRAWS,
                {
                    "team": team.pk,
                    "laboratory": laboratory().pk,
                    "draws": DRAWS_A_PATIENT,
                    "started": STARTED,
                },
            )
        # Else the tidying up after so many rows would run while others are measured
        cursor.execute("VACUUM (ANALYZE)")
    return team


def laboratory() -> Laboratory:
    found = Laboratory.objects.filter(name="Bench").first()
    return found or add_laboratory(
        name="Bench", zone=ZoneInfo("UTC"), pushes_per_minute=None, by="bench", at=timezone.now()
    )


def key() -> str:
    return issue_key(laboratory=laboratory(), by="bench", at=timezone.now())


def clinician_of(team: CareTeam) -> Clinician:
    return add_clinician(
        email=f"{team.pk}@example.org",
        full_name="Bench",
        password="not used: the session is made directly",
        team=team,
        role=Role.LEAD,
        by="bench",
        at=timezone.now(),
    )
