"""From the record to the core, and back: what is known of some patients now, as six tables.

Each table is fetched as one row of arrays, a column at a time. A hundred thousand patients then
cost the database one pass and Python no loop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from analytics import NEVER, Estimate, History, Table
from analytics.columns import ANALYTES, COMPARATORS, IL6R_BLOCKER_DAYS
from analytics.doses import TABLE_VERSION
from analytics.validity import DISTURBANCES
from monitoring.models import RiskAssessment
from patients import units
from patients.statements import ask, numbers

# The facts are dated by days; a day begins at midnight of the patient's site
_PATIENTS = """
SELECT patient.id AS patient_id,
       {started} AS started_at,
       coalesce(fact.is_bipolar, FALSE) OR coalesce(fact.diagnosis ~ '^F3[01]', FALSE)
         AS is_bipolar,
       coalesce(fact.diagnosis ~ '^F2', FALSE) AS is_psychotic,
       coalesce(fact.primary_instrument, '') AS primary_instrument,
       coalesce(gene.rs2228145, '') AS rs2228145, {ill_since} AS ill_since,
       coalesce(fact.severity, '') AS severity, fact.earlier_failures::float8 AS earlier_failures,
       '{default_doses}' || coalesce(', changed by this site on '
         || to_char(doses.changed_on, 'DD-Mon-YYYY') || ' (' || doses.number || ')', '')
         AS dose_table
  FROM patients_patient AS patient
  JOIN patients_careteam AS team ON team.id = patient.team_id
  JOIN patients_site AS site ON site.id = team.site_id
  LEFT JOIN patients_episode AS fact
    ON fact.patient_id = patient.id AND fact.superseded_at IS NULL AND fact.ended_on IS NULL
  LEFT JOIN patients_genotypeconsent AS gene
    ON gene.patient_id = patient.id AND gene.superseded_at IS NULL
  LEFT JOIN LATERAL (
       SELECT number, changed_on FROM patients_dosetablechange
        WHERE site_id = site.id ORDER BY number DESC LIMIT 1) AS doses ON TRUE
 WHERE patient.id = ANY(%s::bigint[])
"""
# Two reports of one analyte at one moment by one laboratory: the one recorded last is the current.
# What is cancelled, withdrawn, pending or absent has no value, and is no point.
# A zero is no concentration, with a comparator or without: it is shown, told as excluded, and never
# estimated from; another report of the same moment goes before it.
# OFFSET 0 keeps the order of the joins as it is written: the statistics of a table that is young or
# growing fast would lead the planner to read all results for a handful of patients.
# A person's word on a draw holds for what the person has looked at: the value, and what stood
# against it then.
# What a profile says of its kits counts for all that was measured with them: beyond the limits a
# value is a bound, and the variation decides which changes are real.
_RESULTS = """
WITH kit AS (
     SELECT kit.laboratory_id, kit.analyte_id, kit.name, kit.lot, kit.matrix,
            kit.cv_percent / 100 AS cv, kit.limit_of_detection * unit.factor AS low,
            kit.upper_limit * unit.factor AS high
       FROM patients_kit AS kit
       JOIN patients_analyte AS analyte ON analyte.id = kit.analyte_id
      CROSS JOIN LATERAL (
            SELECT 10::numeric ^ (({power_of_kit}) - ({power_of_analyte})) AS factor) AS unit
), named_kit AS (SELECT DISTINCT laboratory_id, analyte_id, name FROM patients_kit
), listed AS (SELECT DISTINCT laboratory_id, analyte_id FROM patients_kit)
SELECT DISTINCT ON (draw.patient_id, analyte.code, draw.collected_at, segment, matrix)
       draw.patient_id, analyte.code AS analyte, {collected} AS drawn_at,
       CASE WHEN fact.comparator <> '' OR fact.value = 0 THEN fact.value
            ELSE least(greatest(fact.value, limits.low), limits.high) END::float8 AS value,
       CASE WHEN fact.comparator <> '' THEN fact.comparator WHEN fact.value = 0 THEN ''
            WHEN fact.value < limits.low THEN '<'
            WHEN fact.value > limits.high THEN '>' ELSE '' END AS comparator,
       CASE fact.status WHEN 'amended' THEN 'corrected' ELSE fact.status END AS status,
       concat_ws('/', draw.laboratory_id, coalesce(nullif(fact.kit, ''), nullif(fact.method, '')))
         AS segment, draw.laboratory_id::text AS laboratory,
       coalesce(sample.fluid, nullif(limits.matrix, 'plasma'), '') AS matrix,
       coalesce(word.holds AND coalesce('implausible' = ANY(said.against), TRUE), FALSE)
         AS is_confirmed,
       coalesce(word.holds AND coalesce(word.cautions <> '', said.verdict = 'score'), FALSE)
         AS is_overridden, coalesce(word.cautions, '') AS overridden_reasons,
       (draw.specimen->>'freeze_thaw_cycles')::float8 AS freeze_thaw_cycles,
       coalesce(draw.specimen->>'haemolysis', '') AS haemolysis,
       coalesce((draw.specimen->>'is_unsuitable')::bool, FALSE) AS is_unsuitable,
       coalesce(sample.fluid = 'other' OR (limits.matrix = 'plasma' AND sample.fluid = 'serum')
                OR (limits.matrix NOT IN ('', 'plasma', sample.fluid)
                    AND NOT (sample.fluid = 'plasma' AND limits.matrix <> 'serum')), FALSE)
         AS is_matrix_wrong,
       listed.analyte_id IS NOT NULL AND named_kit.analyte_id IS NULL
         AND (fact.kit <> '' OR fact.method = '') AS is_kit_unknown, fact.value = 0 AS is_zero,
       said.verdict IS NOT DISTINCT FROM 'keep_out' AS is_kept_out,
       fact.lot, limits.cv::float8 AS assay_cv,
       CASE WHEN draw.collected_precision = 'minute'
            THEN extract(epoch FROM sample.clock::time)::float8 / 3600 END AS local_hour,
       (sample.clock::date - DATE '1970-01-01')::float8 AS local_day
  FROM unnest(%s::bigint[]) AS asked (patient_id)
 CROSS JOIN LATERAL (
       SELECT site.time_zone FROM patients_patient AS patient
         JOIN patients_careteam AS team ON team.id = patient.team_id
         JOIN patients_site AS site ON site.id = team.site_id
        WHERE patient.id = asked.patient_id OFFSET 0) AS site
 CROSS JOIN LATERAL (
       SELECT * FROM patients_draw
        WHERE patient_id = asked.patient_id AND superseded_at IS NULL OFFSET 0) AS draw
 CROSS JOIN LATERAL (
       SELECT * FROM patients_result
        WHERE draw_id = draw.id AND superseded_at IS NULL AND value >= 0 OFFSET 0) AS fact
 CROSS JOIN LATERAL (
       SELECT nullif(draw.specimen->>'matrix_kind', '') AS fluid,
              draw.collected_at AT TIME ZONE site.time_zone AS clock) AS sample
  JOIN patients_analyte AS analyte ON analyte.id = fact.analyte_id
  LEFT JOIN listed
    ON listed.laboratory_id = draw.laboratory_id AND listed.analyte_id = fact.analyte_id
  LEFT JOIN named_kit
    ON named_kit.laboratory_id = draw.laboratory_id AND named_kit.analyte_id = fact.analyte_id
   AND named_kit.name = fact.kit
  LEFT JOIN kit AS this_lot
    ON this_lot.laboratory_id = draw.laboratory_id AND this_lot.analyte_id = fact.analyte_id
   AND this_lot.name = fact.kit AND this_lot.lot = fact.lot
  LEFT JOIN kit AS any_lot
    ON any_lot.laboratory_id = draw.laboratory_id AND any_lot.analyte_id = fact.analyte_id
   AND any_lot.name = fact.kit AND any_lot.lot = ''
 CROSS JOIN LATERAL (
       SELECT coalesce(this_lot.low, any_lot.low) AS low,
              coalesce(this_lot.high, any_lot.high) AS high,
              coalesce(this_lot.cv, any_lot.cv) AS cv,
              coalesce(nullif(this_lot.matrix, ''), any_lot.matrix) AS matrix) AS limits
  LEFT JOIN patients_drawverdict AS said
    ON said.draw_public_id = draw.public_id AND said.superseded_at IS NULL
 CROSS JOIN LATERAL (
       SELECT said.verdict IN ('score', 'release')
              AND (said.value IS NULL OR analyte.code <> 'sIL-6R'
                   OR said.value = fact.comparator || trim_scale(fact.value)::text) AS holds,
              array_to_string(array_remove(said.against, 'implausible'), ' ') AS cautions) AS word
 ORDER BY draw.patient_id, analyte.code, draw.collected_at, segment, matrix,
          is_kept_out, (fact.value = 0), fact.recorded_at DESC, fact.id DESC
"""
# The record holds one current rating per scale and moment: what replaces another supersedes it
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
# A course of ECT disturbs a reading as the event of that kind does, and so does a course of a drug
# that blocks the receptor, whatever the event was called. What is recorded twice is one event.
# An event lasts to the end of its last day, whatever the hour of the run or the injection was.
_EVENTS = """
SELECT DISTINCT fact.patient_id, fact.kind, {started} AS started_at, {event_over} AS stopped_at,
       fact.atc AS drug_atc
  FROM (SELECT patient_id, CASE WHEN atc IN ({blockers}) THEN 'il6r_blocker' ELSE kind END AS kind,
               started_on, stopped_on, superseded_at, atc
          FROM patients_event
         UNION ALL
        SELECT patient_id, CASE kind WHEN 'ect' THEN kind ELSE 'il6r_blocker' END, started_on,
               stopped_on, superseded_at, CASE kind WHEN 'ect' THEN '' ELSE atc END
          FROM patients_trial WHERE kind = 'ect' OR atc IN ({blockers})) AS fact
  JOIN patients_patient AS patient ON patient.id = fact.patient_id
  JOIN patients_careteam AS team ON team.id = patient.team_id
  JOIN patients_site AS site ON site.id = team.site_id
 WHERE fact.patient_id = ANY(%s::bigint[]) AND fact.superseded_at IS NULL
"""
_TIMES = {"started_at", "stopped_at", "drawn_at", "rated_at", "adequate_from", "ill_since"}
_NUMBERS = {
    "earlier_failures",
    "value",
    "total",
    "dose_mg",
    "freeze_thaw_cycles",
    "least_mg",
    "assay_cv",
    "local_hour",
    "local_day",
}
_FLAGS = {
    "is_bipolar",
    "is_psychotic",
    "is_confirmed",
    "is_overridden",
    "is_unsuitable",
    "is_matrix_wrong",
    "is_kit_unknown",
    "is_zero",
    "is_kept_out",
}
_IDS = {"patient_id", "trial_id"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _microseconds(moment: str) -> str:
    return f"(extract(epoch FROM {moment}) * 1000000)::bigint"


def _power(unit: str) -> str:
    """Give the power of ten between a unit and one gram per litre, as patients/units.py has it."""
    cases = [f"WHEN '{each}' THEN {units.power_between(each, 'g/L')}" for each in units.KNOWN_UNITS]
    return f"CASE {unit} {' '.join(cases)} END"


def _midnight(day: str) -> str:
    return _microseconds(f"({day}::timestamp AT TIME ZONE site.time_zone)")


_ONE_DAY_KINDS = ", ".join(f"'{kind}'" for kind, one in DISTURBANCES.items() if not one.runs_on)
_OF_ONE_DAY = f"CASE WHEN fact.kind IN ({_ONE_DAY_KINDS}) THEN fact.started_on END"
_MOMENTS = {
    "started": _midnight("fact.started_on"),
    "stopped": _midnight("fact.stopped_on"),
    "event_over": _midnight(f"(coalesce(fact.stopped_on, {_OF_ONE_DAY}) + 1)") + " - 1",
    "ill_since": _midnight("fact.ill_since"),
    "collected": _microseconds("draw.collected_at"),
    "rated": _microseconds("fact.rated_at"),
    "power_of_kit": _power("regexp_replace(translate(kit.unit, 'µμ', 'uu'), 'l$', 'L')"),
    "power_of_analyte": _power("analyte.unit"),
    "default_doses": TABLE_VERSION,
    "blockers": ", ".join(f"'{code}'" for code in IL6R_BLOCKER_DAYS if code),
}
_QUERIES = {
    name: (columns, sql.format(**_MOMENTS))
    for name, columns, sql in (
        (
            "patients",
            (
                "patient_id",
                "started_at",
                "is_bipolar",
                "is_psychotic",
                "primary_instrument",
                "rs2228145",
                "ill_since",
                "severity",
                "earlier_failures",
                "dose_table",
            ),
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
                "laboratory",
                "matrix",
                "is_confirmed",
                "is_overridden",
                "overridden_reasons",
                "freeze_thaw_cycles",
                "haemolysis",
                "is_unsuitable",
                "is_matrix_wrong",
                "is_kit_unknown",
                "is_zero",
                "is_kept_out",
                "lot",
                "assay_cv",
                "local_hour",
                "local_day",
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
        ("events", ("patient_id", "kind", "started_at", "stopped_at", "drug_atc"), _EVENTS),
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


@dataclass(frozen=True)
class Measured:
    """One current result as it is estimated from: bounded by its kit, placed in its segment."""

    analyte: str
    drawn_at: datetime
    value: float
    comparator: str
    segment: str
    is_kit_assumed: bool
    assay_cv: float | None


def measured_of(patient_id: int) -> tuple[Measured, ...]:
    """Read the present results of one patient, as `histories_of` reads them, and nothing else."""
    ids = numbers([patient_id])
    names = ("patients", "results")
    [[patients], [results]] = ask(*((_QUESTIONS[name], [ids]) for name in names))
    columns = History(
        patients=_table("patients", patients), results=_table("results", results)
    ).result_columns
    return tuple(
        Measured(
            analyte=ANALYTES[analyte],
            drawn_at=_EPOCH + timedelta(microseconds=drawn_us),
            value=value,
            comparator=COMPARATORS[comparator],
            segment=columns.segments[segment],
            is_kit_assumed=is_assumed,
            assay_cv=None if np.isnan(cv) else cv,
        )
        for analyte, drawn_us, value, comparator, segment, is_assumed, cv in zip(
            columns.analyte.tolist(),
            columns.drawn_us.tolist(),
            columns.value.tolist(),
            columns.comparator.tolist(),
            columns.segment.tolist(),
            columns.is_kit_assumed.tolist(),
            columns.assay_cv.tolist(),
            strict=True,
        )
        if not np.isnan(value)
    )


def estimate_of(assessment: RiskAssessment | None) -> Estimate | None:
    """Read the estimate back; None where there is no assessment, or where it could not be made."""
    if assessment is None or "contributions" not in assessment.content:
        return None
    return Estimate.from_json(assessment.content)
