"""What became of a draw, as its sender is told."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from patients.intake.receipts import LATE, Answer, ResultAnswer
from patients.intake.reports import ADDRESS, DrawReport
from patients.models import Parked, ParkedState, Result, ResultName
from patients.record.draws import Written
from patients.record.parking import InParking

# The states of a draw that has brought something new
WRITTEN = frozenset({"recorded", "corrected"})


def answer_written(done: Written, report: DrawReport) -> Answer:
    """Say what has become of a draw on record, and which of its results came late."""
    results = tuple(ResultAnswer(each.public_id, each.version, each.state) for each in done.lines)
    late = tuple(
        f"{LATE}: {said.codes[0].key[1]}"
        for each, said in zip(results, report.results, strict=True)
        if each.state == LATE
    )
    return Answer(done.public_id, report.accession, done.state, late, results)


def answer_taken_back(answer: Answer, report: DrawReport, versions: Mapping[UUID, int]) -> Answer:
    """Say of results that a retraction of before has taken back that they came late."""
    taken_back = [versions.get(each.line, 0) > each.version for each in answer.results]
    results = tuple(
        each._replace(version=versions[each.line], state=LATE) if is_taken_back else each
        for each, is_taken_back in zip(answer.results, taken_back, strict=True)
    )
    late = tuple(
        f"{LATE}: {said.codes[0].key[1]}"
        for said, is_taken_back in zip(report.results, taken_back, strict=True)
        if is_taken_back
    )
    return answer._replace(reasons=(*answer.reasons, *late), results=results)


def _placed_as(parked: Parked, lines: Sequence[UUID]) -> list[UUID]:
    """Say which results on record these are that waited: one may be there under another name."""
    names = ResultName.objects.filter(
        laboratory_id=parked.laboratory_id, system=ADDRESS, value__in=[str(line) for line in lines]
    )
    renamed = dict(names.values_list("value", "line"))
    return [renamed.get(str(line), line) for line in lines]


def answer_parked(found: InParking, accession: str) -> Answer:
    """Say what has become of a draw that was parked."""
    parked = found.parked
    if parked.state == ParkedState.MATCHED and parked.draw is not None:
        lines = _placed_as(parked, found.lines)
        current = Result.objects.filter(public_id__in=lines, superseded_at=None)
        versions = dict(current.values_list("public_id", "version"))
        results = tuple(
            ResultAnswer(line, versions[line], "known") for line in lines if line in versions
        )
        return Answer(parked.draw.public_id, accession, "known", (), results)
    reasons = ("rejected",) if parked.state == ParkedState.REJECTED else tuple(parked.reasons)
    results = tuple(ResultAnswer(line, 1, "parked") for line in found.lines)
    return Answer(parked.public_id, accession, "parked", reasons, results)
