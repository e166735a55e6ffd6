"""Retractions that came before what they take back, and so had to wait for it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, timedelta
from typing import NamedTuple
from uuid import UUID

from patients.intake.naming import names_in
from patients.intake.report_names import of_whole_report
from patients.intake.report_versions import lines_named_after
from patients.intake.reports import ADDRESS, DrawReport, Identifier, TimeRole, is_within_memory
from patients.models import Result
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


# As finding.py has it: laboratories give their numbers anew
GIVEN_ANEW_AFTER = timedelta(days=7)


def takes_back(report: DrawReport) -> bool:
    """Tell whether a draw says of all of its results that they do not count."""
    return all(each.status in RETRACTED for each in report.results)


def retractions_question(
    reports: Sequence[DrawReport], *, laboratory_id: int, listed_as: Iterable[Identifier] = ()
) -> Question:
    """Ask which retractions wait for what these reports bring, of a result or a whole report."""
    named = [Identifier(system=system, value=value) for system, value in names_in(reports)]
    named += listed_as
    wholes = (of_whole_report(name) for name in named)
    names = dict.fromkeys(
        (name.system, name.value) for name in (*named, *wholes) if name is not None
    )
    return (
        _WAITING,
        {
            "laboratory": laboratory_id,
            "names": as_rows({"system": system, "value": value} for system, value in names),
            "accessions": sorted({each.accession for each in reports if each.accession}),
            "retracted": sorted(RETRACTED),
        },
    )


class Parts(NamedTuple):
    """What a report takes back: results on record, and others that wait themselves."""

    on_record: list[DrawReport]
    waiting: dict[UUID, DrawReport]


def parts_of(report: DrawReport, *, laboratory_id: int) -> Parts:
    """Take a report that takes back all of its results without naming any apart, by its results.

    Any other report is one part, and so is this one while nothing of it is on record.
    """
    [said, *others] = report.results
    if others or said.status not in RETRACTED or not names_whole(said.names):
        return Parts([report], {})
    lines = _lines_of(report, laboratory_id=laboratory_id)
    results = Result.objects.filter(public_id__in=lines, superseded_at=None)
    placed = list(results.order_by("pk").values_list("public_id", flat=True))
    if not placed:
        return Parts([report], {})
    return Parts(
        [of_line(report, line) for line in placed],
        {line: of_line(report, line) for line in lines if line not in placed},
    )


def _lines_of(report: DrawReport, *, laboratory_id: int) -> list[UUID]:
    """Find the results of a whole report; not those of long before or after, by the same number."""
    lines = lines_named_after(report.results[0].names, laboratory_id=laboratory_id)
    stated = [
        each.at if each.at.utcoffset() is not None else each.at.replace(tzinfo=UTC)
        for each in report.times
        if each.at is not None and each.role is not TimeRole.ISSUED and is_within_memory(each.at)
    ]
    if not stated:
        return lines
    placed = Result.objects.filter(public_id__in=lines, superseded_at=None)
    drawn = dict(placed.values_list("public_id", "draw__collected_at"))
    return [
        line
        for line in lines
        if line not in drawn or any(abs(drawn[line] - at) <= GIVEN_ANEW_AFTER for at in stated)
    ]


def names_whole(names: Sequence[Identifier]) -> bool:
    """Tell whether these are the names of a whole report, and of nothing in it."""
    return bool(names) and all(of_whole_report(each) == each for each in names)


def of_line(report: DrawReport, line: UUID) -> DrawReport:
    """Say of one result, by the name that we gave it, what is said of the whole report."""
    [said] = report.results
    names = (Identifier(system=ADDRESS, value=str(line)),)
    return report.model_copy(
        update={
            "results": (said.model_copy(update={"names": names}),),
            # Of its draws there may be several, and none of them is put right by this
            "accession": "",
            "times": tuple(each for each in report.times if each.role is TimeRole.ISSUED),
        }
    )


def in_parts(report: DrawReport, *, laboratory_id: int) -> list[DrawReport]:
    """Take a report that takes back all of its results by those that are known, wherever.

    Any other report is one part, and so is this one while nothing of it is known.
    """
    [said, *others] = report.results
    if others or said.status not in RETRACTED or not names_whole(said.names):
        return [report]
    lines = _lines_of(report, laboratory_id=laboratory_id)
    return [of_line(report, line) for line in lines] or [report]
