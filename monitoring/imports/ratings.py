"""A list of completed scales becomes ratings: all rows or none, and a repeat changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from instruments import INSTRUMENTS, Instrument, scales_meant
from monitoring import ingest
from monitoring.imports import cells
from monitoring.imports.numbers import Number, find_numbers
from monitoring.imports.tables import Fault, FileIsFaulty, Row, read_table
from patients.models import Patient, Rating
from patients.record.ratings import RatingExists, RatingFault, fault_of_time
from patients.record.versions import lock_all

REQUIRED = ("system", "value", "instrument", "rated_at")
ITEMS = tuple(
    f"q{number}"
    for number in range(1, 1 + max(instrument.n_items for instrument in INSTRUMENTS.values()))
)
POSITIVE = (
    "answers the item on self-harm above zero and is not on record: see to this person now, "
    "do not wait until the file is put right"
)
OF_NO_SCALE = (
    "is of no scale we know, so nobody can tell what it answers on self-harm: look at the form, "
    "and if that item is answered above zero, see to this person now"
)
NOT_READ = (
    "Nobody has read this file. If the item on self-harm is answered above zero in any row, see "
    "to that person now, and do not wait until the file is put right."
)
SELF_HARM = "self_harm"  # beside a total alone: the answer to the item on self-harm


@dataclass(frozen=True)
class Taken:
    """How many rows were new, how many were on record already, and which new ones are positive."""

    n_new: int
    n_known: int
    positive: tuple[tuple[int, Rating], ...] = ()  # with the number of the row


@transaction.atomic
def import_ratings(data: bytes, *, by: str, at: datetime) -> Taken:
    """Take in a list of ratings; a positive self-harm item raises its flag with its rating.

    Raises
    ------
    FileIsFaulty
        When anything in the file is wrong: nothing of it is then on record.
    """
    try:
        rows = read_table(data, required=REQUIRED, optional=("total", SELF_HARM, *ITEMS))
    except FileIsFaulty as fault:
        raise FileIsFaulty([Fault(0, "", "", NOT_READ), *fault.faults]) from fault
    patients = _hold_patients(rows)
    faults: list[Fault] = []
    taken = [_take(row, patients, faults, by=by, at=at) for row in rows]
    if faults:
        # Nothing is on record then, and so no flag is up: whoever has the file must know at once
        raise FileIsFaulty([*filter(None, map(_warning, rows)), *faults])
    new = [(row.number, each[0]) for row, each in zip(rows, taken, strict=True) if each and each[1]]
    return Taken(
        n_new=len(new),
        n_known=len(rows) - len(new),
        positive=tuple((number, rating) for number, rating in new if rating.self_harm_answer),
    )


def _warning(row: Row) -> Fault | None:
    """Say aloud what a row answers on self-harm, whatever else is wrong in it."""
    answered = {number: row.cells.get(column, "") for number, column in enumerate(ITEMS, start=1)}
    n_items = max((number for number, cell in answered.items() if cell), default=0)
    scales = scales_meant(row.cells["instrument"], n_items=n_items)
    total = row.cells.get("total", "")
    own = [answered[scale.self_harm_item] for scale in scales]
    if any(map(_is_above_zero, (*own, row.cells.get(SELF_HARM, "")))) or any(
        total.isdecimal() and scale.least_self_harm(int(total)) for scale in scales
    ):
        return row.fault("", POSITIVE)
    if not scales and any(map(_is_above_zero, (*answered.values(), total))):
        return row.fault("", OF_NO_SCALE)
    return None


def _is_above_zero(cell: str) -> bool:
    return bool(cell.strip(" 0."))


def _hold_patients(rows: Sequence[Row]) -> Mapping[Number, Patient]:
    """Find the patients of the file and take their rows, in the order in which everybody does.

    Taken in the order of the file, two files that name the same people would wait for each other.
    """
    patients = find_numbers(rows)
    lock_all(patient.pk for patient in patients.values())
    return patients


def _take(
    row: Row, patients: Mapping[Number, Patient], faults: list[Fault], *, by: str, at: datetime
) -> tuple[Rating, bool] | None:
    """Put one row on record; say whether it was new. What is wrong with it joins the faults."""
    before = len(faults)
    patient = patients.get((row.cells["system"], row.cells["value"]))
    if patient is None:
        wanted = f"no patient has this number of “{row.cells['system']}”"
        faults.append(row.fault("value", wanted))
    rated_at = row.read("rated_at", cells.moment, faults)
    if rated_at is not None and patient is not None:
        rated_at = cells.in_zone(rated_at, patient.team.site.zone)
    if rated_at is not None and rated_at.tzinfo and (wrong := fault_of_time(rated_at, at=at)):
        faults.append(row.fault("rated_at", wrong))
    scale = INSTRUMENTS.get(row.cells["instrument"])
    if scale is None:
        known = ", ".join(INSTRUMENTS)
        faults.append(row.fault("instrument", f"is no scale we know; known: {known}"))
        return None
    items, total = _read_items(row, scale, faults), _read_total(row, scale, faults)
    self_harm = _read_self_harm(row, scale, faults)
    if len(faults) > before or patient is None or rated_at is None:
        return None
    try:
        return ingest.receive_rating(
            patient=patient,
            instrument=scale.code,
            rated_at=rated_at,
            items=items,
            total=total,
            self_harm_answer=self_harm,
            by=by,
            at=at,
        )
    except RatingFault as fault:
        faults.append(row.fault("total", str(fault)))
        return None
    except RatingExists:
        wanted = "this scale is on record for this moment with other answers; correct that one"
        faults.append(row.fault("rated_at", wanted))
        return None


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


def _read_self_harm(row: Row, scale: Instrument, faults: list[Fault]) -> int | None:
    if SELF_HARM not in row.cells:
        return None
    highest = scale.highest_answers[scale.self_harm_item - 1]
    return row.read(SELF_HARM, cells.whole_number(at_most=highest), faults)
