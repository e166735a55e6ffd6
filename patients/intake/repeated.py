"""What on record a message has said that was taken in before."""

from collections.abc import Iterator, Sequence

from patients.intake.naming import Claim
from patients.intake.placing import whose
from patients.intake.reports import DrawReport, ResultReport
from patients.intake.surroundings import Surroundings
from patients.record.draws import DrawOnRecord
from patients.record.results import ResultOnRecord

Known = tuple[DrawOnRecord, ResultOnRecord]


def by_names(claims: Sequence[Claim], among: Surroundings) -> list[Known]:
    """Give the results on record that the names of a report mean."""
    return [among.by_line[claim.line] for claim in claims if claim.line in among.by_line]


def by_draw(report: DrawReport, among: Surroundings) -> list[Known]:
    """Give the results of a report by what was measured in its draw.

    One number may stand for several samples, of which all but the first have none on record: what
    was taken at the time of the report goes before what bears its number.
    """
    time = among.profile.draw_time(report)
    at_time = [
        draw
        for patient_id in sorted(whose(report, among=among))
        for draw in (among.at(patient_id, time.at) if time is not None and time.at else ())
        if draw.accession in {"", report.accession}
    ]
    numbered = among.by_accession.get(report.accession)
    groups = [at_time, [] if numbered is None else [numbered]]
    return [known for said in report.results for known in _one_of(said, groups, among)]


def _one_of(
    said: ResultReport, groups: Sequence[Sequence[DrawOnRecord]], among: Surroundings
) -> Iterator[Known]:
    """Give the result of the first draws that hold its analyte; the one that says the same."""
    analyte_ids = [each.pk for each in among.profile.analytes(said.codes)]
    for draws in groups:
        found = [
            (draw, draw.results[each])
            for draw in draws
            for each in analyte_ids
            if each in draw.results
        ]
        if found:
            yield min(found, key=lambda known: known[1].placed.sent_value != (said.value or ""))
            return
