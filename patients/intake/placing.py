"""Where a draw belongs: whose it is, what it measures, and what it changes on the record."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from patients import units
from patients.intake.reports import DrawReport, Precision, ResultReport, TimeRole
from patients.models import ResultStatus
from patients.record.draws import DrawOnRecord, Placed, PlacedResult, ResultOnRecord
from patients.statements import Question, ask

# A laboratory's clock may run a little ahead of ours
CLOCK_ALLOWANCE = timedelta(minutes=5)
# Which of several times is that of the draw, the best first; the time of issue is none of them
DRAW_TIME_ROLES = (
    TimeRole.COLLECTED,
    TimeRole.OBSERVED,
    TimeRole.EFFECTIVE,
    TimeRole.REQUESTED,
)
_STATUSES = frozenset(ResultStatus.values)
_A_CONCENTRATION = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?$", re.ASCII)


class Reason(StrEnum):
    """Why a draw waits for a person."""

    UNKNOWN_PATIENT = "unknown_patient"
    UNKNOWN_ANALYTE = "unknown_analyte"
    UNKNOWN_UNIT = "unknown_unit"
    UNUSABLE_VALUE = "unusable_value"
    UNUSABLE_TIME = "unusable_time"
    UNKNOWN_STATUS = "unknown_status"
    PATIENTS_DISAGREE = "numbers_of_different_patients"
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
    """A draw that waits for a person, and why."""

    report: DrawReport
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
    """What must be known of the record to place some draws."""

    catalogue: dict[str, KnownAnalyte]
    patients: dict[tuple[str, str], int]
    draws: dict[str, DrawOnRecord]


def look_around(
    reports: Sequence[DrawReport], *, laboratory_id: int, first: Sequence[Question] = ()
) -> tuple[Surroundings, list[list[tuple[Any, ...]]]]:
    """Lock the patients of these draws, then read what the record holds of them.

    Statements that must come first travel in the same round trip; their answers come second.
    """
    asked = sorted({(each.system, each.value) for report in reports for each in report.patients})
    *answers, catalogue, patients, draws = ask(
        *first,
        (_CATALOGUE, [laboratory_id]),
        (_LOCK_PATIENTS, [[system for system, _ in asked], [value for _, value in asked]]),
        (_DRAWS, [laboratory_id, [report.accession for report in reports]]),
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


def whose(report: DrawReport, *, among: Surroundings) -> set[int]:
    """Say which patients the numbers of a draw name; more than one is a contradiction."""
    return {
        patient_id
        for each in report.patients
        if (patient_id := among.patients.get((each.system, each.value))) is not None
    }


def draw_time(report: DrawReport) -> datetime | None:
    """Say when the blood was taken: the best of the stated times, if it is exact to the day."""
    stated = {time.role: time for time in reversed(report.times)}
    for role in DRAW_TIME_ROLES:
        time = stated.get(role)
        if time is not None and time.at is not None:
            return time.at if time.precision in {Precision.MINUTE, Precision.DAY} else None
    return None


def _analyte_of(report: ResultReport, catalogue: dict[str, KnownAnalyte]) -> KnownAnalyte | None:
    named = (catalogue.get(code.key[1]) for code in report.codes)
    return next((analyte for analyte in named if analyte is not None), None)


def _place_result(report: ResultReport, analyte: KnownAnalyte) -> PlacedResult:
    value = None
    if report.value is not None and report.unit:
        value = units.convert(Decimal(report.value), report.unit, into=analyte.unit)
    return PlacedResult(
        analyte_id=analyte.pk,
        status=report.status,
        comparator=report.comparator,
        value=value,
        sent_value=report.value or "",
        sent_unit=report.unit,
        method=report.method,
        lot=report.lot,
    )


def _faults_of_result(report: ResultReport, analyte: KnownAnalyte | None) -> Iterator[str]:
    if analyte is None:
        yield f"{Reason.UNKNOWN_ANALYTE}: {report.codes[0].key[1]}"
    if report.status not in _STATUSES:
        yield f"{Reason.UNKNOWN_STATUS}: {report.status}"
    if report.value is not None and not _A_CONCENTRATION.match(report.value):
        yield f"{Reason.UNUSABLE_VALUE}: {report.value}"
    if report.value is not None and not (report.unit and units.is_known(report.unit)):
        yield f"{Reason.UNKNOWN_UNIT}: {report.unit}"


def place(
    report: DrawReport, *, among: Surroundings, patient_ids: set[int], at: datetime
) -> Placed | Unplaceable:
    """Say where one draw belongs, or everything that keeps it from being placed."""
    on_record = among.draws.get(report.accession)
    reasons: list[str] = []
    if not patient_ids:
        reasons.append(Reason.UNKNOWN_PATIENT.value)
    elif len(patient_ids) > 1:
        reasons.append(Reason.PATIENTS_DISAGREE.value)
    elif on_record is not None and on_record.patient_id not in patient_ids:
        reasons.append(Reason.OTHER_PATIENT.value)
    collected_at = draw_time(report)
    if collected_at is None:
        reasons.append(Reason.UNUSABLE_TIME.value)
    elif collected_at > at + CLOCK_ALLOWANCE:
        reasons.append(Reason.COLLECTED_IN_THE_FUTURE.value)
    found = [(each, _analyte_of(each, among.catalogue)) for each in report.results]
    for each, analyte in found:
        reasons.extend(_faults_of_result(each, analyte))
    if reasons or collected_at is None:
        return Unplaceable(report, tuple(reasons))
    results = tuple(_place_result(each, analyte) for each, analyte in found if analyte is not None)
    if len({result.analyte_id for result in results}) < len(results):
        # Two codes of one laboratory for the same analyte in one draw: a person must say which
        return Unplaceable(report, (f"{Reason.UNKNOWN_ANALYTE}: two codes for one analyte",))
    [patient_id] = patient_ids
    return Placed(report.accession, collected_at, patient_id, results, on_record)
