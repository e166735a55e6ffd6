"""Where the layout of a laboratory's tables is kept: in its profile."""

from patients.intake.tables.layout import Layout
from patients.models import Laboratory


def layout_of(*, laboratory_id: int) -> Layout:
    """Read how the tables of a laboratory are laid out; any door may call this."""
    stated = Laboratory.objects.values_list("csv", flat=True).get(pk=laboratory_id)
    return Layout.model_validate(stated)
