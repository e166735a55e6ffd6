"""From the record to the core: everything current that is known of some patients, as six tables.

Each table is fetched as one row of arrays, a column at a time. A hundred thousand patients then
cost the database one pass and Python no loop.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from analytics import NEVER, History, Table
from patients.statements import ask, numbers

# The facts are dated by days; a day begins at midnight of the patient's site
_PATIENTS = """
SELECT patient.id AS patient_id,
       {started} AS started_at, coalesce(fact.is_bipolar, FALSE) AS is_bipolar,
       coalesce(fact.primary_instrument, '') AS primary_instrument,
       coalesce(gene.rs2228145, '') AS rs2228145
  FROM patients_patient AS patient
  JOIN patients_careteam AS team ON team.id = patient.team_id
  JOIN patients_site AS site ON site.id = team.site_id
  LEFT JOIN patients_episode AS fact
    ON fact.patient_id = patient.id AND fact.superseded_at IS NULL AND fact.ended_on IS NULL
  LEFT JOIN patients_genotypeconsent AS gene
    ON gene.patient_id = patient.id AND gene.superseded_at IS NULL
 WHERE patient.id = ANY(%s::bigint[])
"""
# Two reports of one analyte at one moment by one laboratory: the one recorded last is the current.
# What is cancelled, withdrawn, pending or absent has no value, and is no point.
# A zero without a comparator is no concentration: it is shown, and not estimated from.
# OFFSET 0 keeps the order of the joins as it is written: the statistics of a table that is young or
# growing fast would lead the planner to read all results for a handful of patients.
_RESULTS = """
SELECT DISTINCT ON (draw.patient_id, analyte.code, draw.collected_at, segment)
       draw.patient_id, analyte.code AS analyte, {collected} AS drawn_at,
       fact.value::float8 AS value, fact.comparator,
       CASE fact.status WHEN 'amended' THEN 'corrected' ELSE fact.status END AS status,
       draw.laboratory_id || '/' || coalesce(nullif(fact.kit, ''), fact.method) AS segment,
       coalesce(said.verdict IN ('score', 'release'), FALSE) AS is_confirmed,
       coalesce(said.verdict = 'score', FALSE) AS is_overridden,
       (draw.specimen->>'freeze_thaw_cycles')::float8 AS freeze_thaw_cycles
  FROM unnest(%s::bigint[]) AS asked (patient_id)
 CROSS JOIN LATERAL (
       SELECT * FROM patients_draw
        WHERE patient_id = asked.patient_id AND superseded_at IS NULL OFFSET 0) AS draw
 CROSS JOIN LATERAL (
       SELECT * FROM patients_result
        WHERE draw_id = draw.id AND superseded_at IS NULL AND value > 0 OFFSET 0) AS fact
  JOIN patients_analyte AS analyte ON analyte.id = fact.analyte_id
  LEFT JOIN patients_drawverdict AS said
    ON said.draw_public_id = draw.public_id AND said.superseded_at IS NULL
 WHERE said.verdict IS DISTINCT FROM 'keep_out'
 ORDER BY draw.patient_id, analyte.code, draw.collected_at, segment, fact.recorded_at DESC,
          fact.id DESC
"""
_RATINGS = """
SELECT fact.patient_id, fact.instrument, {rated} AS rated_at, fact.total::float8 AS total
  FROM patients_rating AS fact
 WHERE fact.patient_id = ANY(%s::bigint[]) AND fact.superseded_at IS NULL AND fact.total IS NOT NULL
"""
_TRIALS = """
SELECT fact.patient_id, fact.id AS trial_id, fact.drug, fact.atc, {started} AS started_at,
       {stopped} AS stopped_at, fact.stop_reason, NULL::float8 AS dose_mg,
       NULL::bigint AS adequate_from, fact.kind, fact.adherence, fact.override,
       own.least_mg::float8 AS least_mg
  FROM patients_trial AS fact
  JOIN patients_patient AS patient ON patient.id = fact.patient_id
  JOIN patients_careteam AS team ON team.id = patient.team_id
  JOIN patients_site AS site ON site.id = team.site_id
  LEFT JOIN patients_sitedose AS own ON own.site_id = site.id AND own.atc = fact.atc
 WHERE fact.patient_id = ANY(%s::bigint[]) AND fact.superseded_at IS NULL
"""
_DOSES = """
SELECT fact.trial_id, {started} AS started_at, fact.dose_mg::float8 AS dose_mg
  FROM patients_dosestep AS fact
  JOIN patients_trial AS trial ON trial.id = fact.trial_id AND trial.superseded_at IS NULL
  JOIN patients_patient AS patient ON patient.id = trial.patient_id
  JOIN patients_careteam AS team ON team.id = patient.team_id
  JOIN patients_site AS site ON site.id = team.site_id
 WHERE trial.patient_id = ANY(%s::bigint[])
"""
# A course of ECT disturbs a reading as the event of that kind does
_EVENTS = """
SELECT fact.patient_id, fact.kind, {started} AS started_at, {stopped} AS stopped_at
  FROM (SELECT patient_id, kind, started_on, stopped_on, superseded_at FROM patients_event
         UNION
        SELECT patient_id, kind, started_on, stopped_on, superseded_at FROM patients_trial
         WHERE kind = 'ect') AS fact
  JOIN patients_patient AS patient ON patient.id = fact.patient_id
  JOIN patients_careteam AS team ON team.id = patient.team_id
  JOIN patients_site AS site ON site.id = team.site_id
 WHERE fact.patient_id = ANY(%s::bigint[]) AND fact.superseded_at IS NULL
"""
_TIMES = {"started_at", "stopped_at", "drawn_at", "rated_at", "adequate_from"}
_NUMBERS = {"value", "total", "dose_mg", "freeze_thaw_cycles", "least_mg"}
_FLAGS = {"is_bipolar", "is_confirmed", "is_overridden"}
_IDS = {"patient_id", "trial_id"}


def _microseconds(moment: str) -> str:
    return f"(extract(epoch FROM {moment}) * 1000000)::bigint"


def _midnight(day: str) -> str:
    return _microseconds(f"({day}::timestamp AT TIME ZONE site.time_zone)")


_MOMENTS = {
    "started": _midnight("fact.started_on"),
    "stopped": _midnight("fact.stopped_on"),
    "collected": _microseconds("draw.collected_at"),
    "rated": _microseconds("fact.rated_at"),
}
_QUERIES = {
    name: (columns, sql.format(**_MOMENTS))
    for name, columns, sql in (
        (
            "patients",
            ("patient_id", "started_at", "is_bipolar", "primary_instrument", "rs2228145"),
            _PATIENTS,
        ),
        (
            "results",
            (
                "patient_id",
                "analyte",
                "drawn_at",
                "value",
                "comparator",
                "status",
                "segment",
                "is_confirmed",
                "is_overridden",
                "freeze_thaw_cycles",
            ),
            _RESULTS,
        ),
        ("ratings", ("patient_id", "instrument", "rated_at", "total"), _RATINGS),
        (
            "trials",
            (
                "patient_id",
                "trial_id",
                "drug",
                "atc",
                "started_at",
                "stopped_at",
                "stop_reason",
                "dose_mg",
                "adequate_from",
                "kind",
                "adherence",
                "override",
                "least_mg",
            ),
            _TRIALS,
        ),
        ("doses", ("trial_id", "started_at", "dose_mg"), _DOSES),
        ("events", ("patient_id", "kind", "started_at", "stopped_at"), _EVENTS),
    )
}


def _as_column(name: str, values: list[Any] | None) -> Any:
    given = values or []
    if name in _TIMES:
        return np.array([NEVER if each is None else each for each in given], dtype=np.int64)
    if name in _NUMBERS:
        return np.array([np.nan if each is None else each for each in given], dtype=np.float64)
    if name in _FLAGS:
        return np.array(given, dtype=np.bool_)
    if name in _IDS:
        return np.array(given, dtype=np.int64)
    return np.array(given, dtype=object)


def _question(name: str) -> str:
    columns, sql = _QUERIES[name]
    arrays = ", ".join(f"array_agg({column})" for column in columns)
    return f"SELECT {arrays} FROM ({sql}) AS facts"  # noqa: S608 - made of the words above


_QUESTIONS = {name: _question(name) for name in _QUERIES}


def _table(name: str, row: Sequence[Any]) -> Table:
    columns, _sql = _QUERIES[name]
    return {column: _as_column(column, values) for column, values in zip(columns, row, strict=True)}


def histories_of(patient_ids: Sequence[int]) -> History:
    """Read the present history of these patients; the caller holds their rows."""
    ids = numbers(patient_ids)
    answers = ask(*((question, [ids]) for question in _QUESTIONS.values()))
    return History(
        **{name: _table(name, row) for name, [row] in zip(_QUESTIONS, answers, strict=True)}
    )
