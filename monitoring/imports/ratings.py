"""A list of completed scales becomes ratings: all rows or none, and a repeat changes nothing."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from instruments import INSTRUMENTS, Instrument
from monitoring import ingest
from monitoring.imports import cells
from monitoring.imports.tables import Fault, FileIsFaulty, Row, read_table
from patients.models import Identifier, Patient
from patients.record.ratings import RatingExists, RatingFault

REQUIRED = ("system", "value", "instrument", "rated_at")
ITEMS = tuple(
    f"q{number}"
    for number in range(1, 1 + max(instrument.n_items for instrument in INSTRUMENTS.values()))
)


@dataclass(frozen=True)
class Taken:
    """How many rows were new, and how many were on record already."""

    n_new: int
    n_known: int


@transaction.atomic
def import_ratings(data: bytes, *, by: str, at: datetime) -> Taken:
    """Take in a list of ratings; a positive self-harm item raises its flag with its rating.

    Raises
    ------
    FileIsFaulty
        When anything in the file is wrong: nothing of it is then on record.
    """
    rows = read_table(data, required=REQUIRED, optional=("total", *ITEMS))
    faults: list[Fault] = []
    n_new = sum([_take(row, faults, by=by, at=at) for row in rows])
    if faults:
        raise FileIsFaulty(faults)
    return Taken(n_new, len(rows) - n_new)


def _take(row: Row, faults: list[Fault], *, by: str, at: datetime) -> bool:
    """Put one row on record; say whether it was new. What is wrong with it joins the faults."""
    before = len(faults)
    patient = _find_patient(row, faults)
    rated_at = row.read("rated_at", cells.moment, faults)
    scale = INSTRUMENTS.get(row.cells["instrument"])
    if scale is None:
        known = ", ".join(INSTRUMENTS)
        faults.append(row.fault("instrument", f"is no scale we know; known: {known}"))
        return False
    items, total = _read_items(row, scale, faults), _read_total(row, scale, faults)
    if len(faults) > before or patient is None or rated_at is None:
        return False
    rated_at = cells.in_zone(rated_at, patient.team.site.zone)
    try:
        _rating, is_new = ingest.receive_rating(
            patient=patient,
            instrument=scale.code,
            rated_at=rated_at,
            items=items,
            total=total,
            by=by,
            at=at,
        )
    except RatingFault as wrong:
        faults.append(row.fault("rated_at" if rated_at > at else "total", str(wrong)))
        return False
    except RatingExists:
        wanted = "this scale is on record for this moment with other answers; correct that one"
        faults.append(row.fault("rated_at", wanted))
        return False
    return is_new


def _find_patient(row: Row, faults: list[Fault]) -> Patient | None:
    identifier = (
        Identifier.objects.select_related("patient__team__site")
        .filter(system=row.cells["system"], value=row.cells["value"])
        .first()
    )
    if identifier is None:
        wanted = f"no patient has this number of “{row.cells['system']}”"
        faults.append(row.fault("value", wanted))
        return None
    return identifier.patient


def _read_items(row: Row, scale: Instrument, faults: list[Fault]) -> list[int | None] | None:
    """Read the answers; None when the row has none, so that the total speaks alone."""
    given = [column for column in ITEMS if row.cells.get(column)]
    if not given:
        return None
    own = [f"q{number}" for number in range(1, scale.n_items + 1)]
    faults += [
        row.fault(column, f"{scale.code} has no such item; leave the cell empty")
        for column in given
        if column not in own
    ]
    readers = [cells.whole_number(at_most=highest) for highest in scale.highest_answers]
    return [
        row.read(column, reader, faults) if column in row.cells else None
        for column, reader in zip(own, readers, strict=True)
    ]


def _read_total(row: Row, scale: Instrument, faults: list[Fault]) -> int | None:
    if "total" not in row.cells:
        return None
    return row.read("total", cells.whole_number(at_most=scale.highest_total), faults)
