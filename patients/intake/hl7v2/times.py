"""Dates and times as HL7 v2 writes them: 20261102081000+0100, as exact as it was stated."""

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone

from patients.intake.reports import Precision, SeenTime, TimeRole

_FORM = re.compile(
    r"(?P<year>[0-9]{4})(?:(?P<month>[0-9]{2})(?:(?P<day>[0-9]{2})"
    r"(?:(?P<hour>[0-9]{2})(?:(?P<minute>[0-9]{2})(?:(?P<second>[0-9]{2})"
    r"(?P<fraction>\.[0-9]{1,9})?)?)?)?)?)?(?P<zone>[+-][0-9]{4})?",
    re.ASCII,
)
_MINUTES_OF_ANY_ZONE = 14 * 60


def read_time(text: str) -> tuple[datetime, Precision] | None:
    """Read a DTM; None when the text is none, or no day of the calendar.

    A time without an offset has no zone yet. An hour alone is no minute: it is exact to the day,
    which begins at midnight.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
    hour, minute = int(found["hour"] or 0), int(found["minute"] or 0)
    second = float((found["second"] or "0") + (found["fraction"] or ""))
    is_a_day = year > 0 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
    if not is_a_day or hour > 23 or minute > 59 or second >= 60:
        return None
    zone = _zone(found["zone"])
    if found["zone"] and zone is None:
        return None
    at = datetime(year, month, day, hour, minute, tzinfo=zone) + timedelta(seconds=second)
    if found["day"] is None:
        return at, Precision.MONTH if found["month"] else Precision.YEAR
    if found["minute"] is None:
        return at.replace(hour=0), Precision.DAY
    return at, Precision.MINUTE


def seen_time(role: TimeRole, text: str) -> list[SeenTime]:
    """Hand a time on as it was sent, and as a moment where it is one."""
    if not text or text == '""':
        return []
    read = read_time(text)
    shown = " ".join(text.split())[:100]
    if read is None:
        return [SeenTime(role=role, text=shown)]
    return [SeenTime(role=role, text=shown, at=read[0], precision=read[1])]


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    hours, minutes = int(text[1:3]), int(text[3:])
    if minutes > 59 or hours * 60 + minutes > _MINUTES_OF_ANY_ZONE:
        return None
    distance = timedelta(hours=hours, minutes=minutes)
    if not distance:
        return UTC
    return timezone(-distance if text[0] == "-" else distance)
