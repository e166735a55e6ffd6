"""The names of what has waited, once it is on record: all of them mean the result as placed."""

from collections.abc import Sequence
from uuid import UUID

from patients.intake.naming import Names
from patients.intake.reports import ADDRESS, ResultReport
from patients.models import Parked, Result, ResultName
from patients.statements import ask


def rename_placed(
    waiting: Parked, names: Names, placed_as: Sequence[tuple[ResultReport, UUID, UUID]]
) -> None:
    """Let every name of a result mean it, and those by which it was said to wait as well."""
    rename = names.rename(
        [(result, line) for result, _was, line in placed_as], laboratory_id=waiting.laboratory_id
    )
    if rename:
        ask(*rename)
    renamed = {was: line for _result, was, line in placed_as if was != line}
    # Under a name that is on record it waits where that was disputed; the name stays what it means
    on_record = Result.objects.filter(public_id__in=renamed).values_list("public_id", flat=True)
    for each in [*on_record]:
        del renamed[each]
    ResultName.objects.bulk_create(
        [
            ResultName(
                laboratory_id=waiting.laboratory_id, system=ADDRESS, value=str(was), line=line
            )
            for was, line in renamed.items()
        ],
        ignore_conflicts=True,
    )
    for was, line in renamed.items():
        aliases = ResultName.objects.filter(laboratory_id=waiting.laboratory_id, line=was)
        aliases.filter(is_alias=True).update(line=line)
