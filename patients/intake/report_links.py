"""Results are named after the reports that hold or list them, so that the report means them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

from patients.intake.receipts import Answer, Condition, WholeReport
from patients.intake.reports import Identifier
from patients.models import ResultName


def name_after_reports(
    answers: Mapping[int, Answer],
    conditions: Sequence[Condition],
    *,
    laboratory_id: int,
    told: Callable[[int], UUID],
) -> None:
    """Name results after the id that we give their report, and after reports that only list them.

    `told` gives the id of a report, by the place of one of its draws.
    """
    ids: dict[WholeReport, UUID] = {}
    names = []
    for place, answer in sorted(answers.items()):
        for name, is_alias in _names(conditions[place], ids, place, told):
            names += [
                ResultName(
                    laboratory_id=laboratory_id,
                    system=name.system,
                    value=name.value,
                    line=result.line,
                    is_alias=is_alias,
                )
                for result in answer.results
            ]
    ResultName.objects.bulk_create(names, ignore_conflicts=True)


def _names(
    condition: Condition, ids: dict[WholeReport, UUID], place: int, told: Callable[[int], UUID]
) -> Iterator[tuple[Identifier, bool]]:
    report = condition.of_report
    if report is not None and report.named_by_us and condition.part:
        value = f"{ids.setdefault(report, told(place))}#{condition.part}"[:200]
        yield Identifier(system=report.named_by_us, value=value), False
    # What only lists it does not say which result it is, when that is sent again
    for name in condition.listed_as:
        yield name, True
