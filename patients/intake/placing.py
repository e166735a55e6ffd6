"""Where a panel belongs: whose it is, what it measures, and what it changes on the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from patients import units
from patients.intake.panels import Panel, ResultReport
from patients.record.draws import DrawOnRecord, Placed, PlacedResult, ResultOnRecord
from patients.statements import Question, ask

# A laboratory's clock may run a little ahead of ours
CLOCK_ALLOWANCE = timedelta(minutes=5)


class Reason(StrEnum):
    """Why a draw waits for a person."""

    UNKNOWN_PATIENT = "unknown_patient"
    UNKNOWN_ANALYTE = "unknown_analyte"
    UNKNOWN_UNIT = "unknown_unit"
    COLLECTED_IN_THE_FUTURE = "collected_in_the_future"
    OTHER_PATIENT = "accession_belongs_to_another_patient"
    NEWER_ON_RECORD = "newer_on_record"  # found only when a person places what has waited


@dataclass(frozen=True)
class KnownAnalyte:
    """An analyte of the catalogue and the unit in which the record keeps it."""

    pk: int
    code: str
    unit: str


@dataclass(frozen=True)
class Unplaceable:
    """A panel that waits for a person, and why."""

    panel: Panel
    reasons: tuple[str, ...]


# Which codes this laboratory may use; its own come before everybody's
_CATALOGUE = """
SELECT code, pk, name, unit FROM (
    SELECT code, id AS pk, code AS name, unit, 0 AS rank FROM patients_analyte
    UNION ALL
    SELECT alias.code, analyte.id, analyte.code, analyte.unit,
           CASE WHEN alias.laboratory_id IS NULL THEN 1 ELSE 2 END
      FROM patients_analytealias AS alias
      JOIN patients_analyte AS analyte ON analyte.id = alias.analyte_id
     WHERE alias.laboratory_id IS NULL OR alias.laboratory_id = %s
) AS codes ORDER BY rank
"""
# The patients behind the identifiers, locked in one order for everybody: from here to the commit
# nobody else writes to them, so what is read next stays true
_LOCK_PATIENTS = """
SELECT identifier.system, identifier.value, patient.id
  FROM unnest(%s::text[], %s::text[]) AS asked (system, value)
  JOIN patients_identifier AS identifier USING (system, value)
  JOIN patients_patient AS patient ON patient.id = identifier.patient_id
 ORDER BY patient.id
   FOR NO KEY UPDATE OF patient
"""
# What the record holds of these accessions of one laboratory
_DRAWS = """
SELECT draw.accession, draw.id, draw.public_id, draw.patient_id, draw.collected_at,
       result.analyte_id, result.id, result.version, result.status, result.comparator,
       result.value, result.sent_value, result.sent_unit, result.method, result.lot
  FROM patients_draw AS draw
  LEFT JOIN patients_result AS result
    ON result.draw_id = draw.id AND result.superseded_at IS NULL
 WHERE draw.laboratory_id = %s AND draw.accession = ANY(%s::text[])
   AND draw.superseded_at IS NULL
"""


@dataclass(frozen=True)
class Surroundings:
    """What must be known of the record to place some panels."""

    catalogue: dict[str, KnownAnalyte]
    patients: dict[tuple[str, str], int]
    draws: dict[str, DrawOnRecord]


def look_around(
    panels: Sequence[Panel], *, laboratory_id: int, first: Sequence[Question] = ()
) -> tuple[Surroundings, list[list[tuple[Any, ...]]]]:
    """Lock the patients of these panels, then read what the record holds of them.

    Statements that must come first travel in the same round trip; their answers come second.
    """
    asked = sorted({(panel.patient.system, panel.patient.value) for panel in panels})
    *answers, catalogue, patients, draws = ask(
        *first,
        (_CATALOGUE, [laboratory_id]),
        (_LOCK_PATIENTS, [[system for system, _ in asked], [value for _, value in asked]]),
        (_DRAWS, [laboratory_id, [panel.accession for panel in panels]]),
    )
    return (
        Surroundings(
            catalogue={code: KnownAnalyte(pk, name, unit) for code, pk, name, unit in catalogue},
            patients={(system, value): pk for system, value, pk in patients},
            draws=_draws_from(draws),
        ),
        answers,
    )


def read_draws(laboratory_id: int, accessions: Sequence[str]) -> dict[str, DrawOnRecord]:
    """Read what the record holds of these accessions of one laboratory."""
    [rows] = ask((_DRAWS, [laboratory_id, list(accessions)]))
    return _draws_from(rows)


def _draws_from(rows: Sequence[tuple[Any, ...]]) -> dict[str, DrawOnRecord]:
    draws: dict[str, DrawOnRecord] = {}
    for accession, *of_draw in rows:
        draw = draws.setdefault(accession, DrawOnRecord(*of_draw[:4]))
        analyte_id, result_id, version, *placed = of_draw[4:]
        if result_id is not None:
            draw.results[analyte_id] = ResultOnRecord(
                result_id, version, PlacedResult(analyte_id, *placed)
            )
    return draws


def _place_result(report: ResultReport, analyte: KnownAnalyte) -> PlacedResult:
    value = None
    if report.value is not None and report.unit is not None:
        value = units.convert(Decimal(report.value), report.unit, into=analyte.unit)
    return PlacedResult(
        analyte_id=analyte.pk,
        status=report.status,
        comparator=report.comparator or "",
        value=value,
        sent_value=report.value or "",
        sent_unit=report.unit or "",
        method=report.method,
        lot=report.lot,
    )


def place(
    panel: Panel, *, among: Surroundings, patient_id: int | None, at: datetime
) -> Placed | Unplaceable:
    """Say where one panel belongs, or everything that keeps it from being placed."""
    catalogue, on_record = among.catalogue, among.draws.get(panel.accession)
    reasons: list[str] = []
    if patient_id is None:
        reasons.append(Reason.UNKNOWN_PATIENT.value)
    elif on_record is not None and on_record.patient_id != patient_id:
        reasons.append(Reason.OTHER_PATIENT.value)
    if panel.collected_at > at + CLOCK_ALLOWANCE:
        reasons.append(Reason.COLLECTED_IN_THE_FUTURE.value)
    for report in panel.results:
        if report.analyte not in catalogue:
            reasons.append(f"{Reason.UNKNOWN_ANALYTE}: {report.analyte}")
        if report.unit is not None and not units.is_known(report.unit):
            reasons.append(f"{Reason.UNKNOWN_UNIT}: {report.unit}")
    if reasons or patient_id is None:
        return Unplaceable(panel, tuple(reasons))
    results = tuple(_place_result(report, catalogue[report.analyte]) for report in panel.results)
    if len({result.analyte_id for result in results}) < len(results):
        # Two codes of one laboratory for the same analyte in one draw: a person must say which
        return Unplaceable(panel, (f"{Reason.UNKNOWN_ANALYTE}: two codes for one analyte",))
    return Placed(panel.accession, panel.collected_at, patient_id, results, on_record)
