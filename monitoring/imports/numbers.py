"""The patients whom the rows of a list name by their numbers."""

from collections.abc import Sequence

from monitoring.imports.tables import Row
from patients.models import Identifier, Patient

Number = tuple[str, str]  # system, value
_AT_ONCE = 5000


def find_numbers(rows: Sequence[Row]) -> dict[Number, Patient]:
    """Find the patients of a list, a few thousand a question; who is not on record is left out."""
    asked = {(row.cells["system"], row.cells["value"]) for row in rows}
    values = sorted({value for _system, value in asked})
    found: dict[Number, Patient] = {}
    for first in range(0, len(values), _AT_ONCE):
        named = Identifier.objects.select_related("patient__team__site").filter(
            value__in=values[first : first + _AT_ONCE], laboratory=None
        )
        found |= {(each.system, each.value): each.patient for each in named}
    return {number: patient for number, patient in found.items() if number in asked}
