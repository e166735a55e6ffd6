"""The version of a report, of which each new version of one of its results makes another."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Min

from patients.intake.reports import Identifier
from patients.intake.waiting import last_word, waiting_of
from patients.models import ParkedResult, Result, ResultName


def lines_named_after(names: Sequence[Identifier], *, laboratory_id: int) -> list[UUID]:
    """Find the results of a report: their names are its own (`A-17#`) and a code (`A-17#IL-6`).

    What waits under its own name alone is no result of it, where there are any.
    """
    lines: dict[UUID, bool] = {}
    for name in names:
        found = ResultName.objects.filter(
            laboratory_id=laboratory_id, system=name.system, value__startswith=name.value
        )
        for line, value in found.order_by("pk").values_list("line", "value"):
            lines[line] = lines.get(line, False) or value != name.value
    results = [line for line, is_result in lines.items() if is_result]
    return results or list(lines)


def version_of(versions: Mapping[UUID, int], began: Mapping[UUID, datetime]) -> int:
    """Number a report by the versions of its results: each new one, and each new result, counts.

    The first is 1, of however many results: those that came first count once. 0 is no report.
    """
    if not versions:
        return 0
    moments = [began[line] for line in versions]
    return 1 + sum(versions.values()) - moments.count(min(moments))


def began_at(lines: Sequence[UUID], *, laboratory_id: int) -> dict[UUID, datetime]:
    """Say when each of these results came first, be it that it had to wait."""
    placed = Result.objects.filter(draw__laboratory_id=laboratory_id, public_id__in=lines)
    waited = ParkedResult.objects.filter(parked__laboratory_id=laboratory_id, line__in=lines)
    began: dict[UUID, datetime] = {}
    for line, at in (
        *placed.values_list("public_id").annotate(Min("recorded_at")),
        *waited.values_list("line").annotate(Min("parked__parked_at")),
    ):
        began[line] = min(at, began.get(line, at))
    return began


def current_version(lines: Sequence[UUID], *, laboratory_id: int) -> int:
    """Give the current version of the report of these results; 0 when there is none."""
    waiting = waiting_of(laboratory_id, lines)
    versions = {line: last_word(words).version for line, words in waiting.items()}
    placed = Result.objects.filter(
        draw__laboratory_id=laboratory_id, public_id__in=lines, superseded_at=None
    )
    versions |= dict(placed.values_list("public_id", "version"))
    return version_of(versions, began_at(lines, laboratory_id=laboratory_id))
