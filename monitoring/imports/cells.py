"""What a cell may hold, column by column, and what to say when it holds something else."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from patients.intake.tables.faults import CellIsWrong
from patients.models import Sex
from patients.record.ratings import EARLIEST_RATING

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[0-9]{1,4}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
EARLIEST_BIRTH = date(1900, 1, 1)


def text(*, at_most: int) -> Callable[[str], str]:
    """Make the reader of a line of text that must be there."""

    def read(cell: str) -> str:
        if not cell:
            message = "must not be empty"
            raise CellIsWrong(message)
        if len(cell) > at_most:
            message = f"must have at most {at_most} characters"
            raise CellIsWrong(message)
        if _UNPRINTABLE.search(cell):
            message = "must be one line of printable characters"
            raise CellIsWrong(message)
        return cell

    return read


def day(*, from_day: date, to_day: date) -> Callable[[str], date | None]:
    """Make the reader of a day within bounds; an empty cell is a day that is not known."""

    def read(cell: str) -> date | None:
        if not cell:
            return None
        message = f"must be a day from {from_day} to {to_day}, written YYYY-MM-DD, or empty"
        if not _DAY.fullmatch(cell):
            raise CellIsWrong(message)
        try:
            found = date.fromisoformat(cell)
        except ValueError as fault:
            raise CellIsWrong(message) from fault
        if not from_day <= found <= to_day:
            raise CellIsWrong(message)
        return found

    return read


def sex(cell: str) -> Sex:
    """Read a sex; an empty cell is one that is not known."""
    try:
        return Sex(cell.lower() or Sex.UNKNOWN)
    except ValueError as fault:
        message = f"must be {', '.join(Sex.values[:-1])} or {Sex.values[-1]}, or empty"
        raise CellIsWrong(message) from fault


def moment(cell: str) -> datetime:
    """Read a day, or a day with a time; without an offset it is still without a zone."""
    message = "must be a day or a day with a time: 2026-11-02, 2026-11-02T08:10 or with +01:00"
    if not _DAY.match(cell):
        raise CellIsWrong(message)
    try:
        if _DAY.fullmatch(cell):
            found = datetime.combine(date.fromisoformat(cell), time())
        else:
            found = datetime.fromisoformat(cell)
    except ValueError as fault:
        raise CellIsWrong(message) from fault
    if found.date() < EARLIEST_RATING:
        message = f"must not lie before {EARLIEST_RATING}; check the year"
        raise CellIsWrong(message)
    return found


def in_zone(at: datetime, zone: ZoneInfo) -> datetime:
    """Read a time without an offset in this zone; a time with one is left alone."""
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def whole_number(*, at_most: int) -> Callable[[str], int | None]:
    """Make the reader of a number that may be left out."""

    def read(cell: str) -> int | None:
        if not cell:
            return None
        if not _DIGITS.fullmatch(cell) or int(cell) > at_most:
            message = f"must be a whole number from 0 to {at_most}, or empty"
            raise CellIsWrong(message)
        return int(cell)

    return read
