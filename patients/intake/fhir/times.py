"""Dates and times as FHIR writes them: real days of the calendar, and a zone with every hour."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Literal

Precision = Literal["minute", "day", "month", "year"]
_FORM = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?P<second>:[0-9]{2}(?:\.[0-9]{1,20})?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_MINUTES_OF_ANY_ZONE = 14 * 60
_LETTERS_AT_MOST = 60  # no time has more; a longer text is as wrong when it is cut


class NoTime(ValueError):
    """The text is no date or time of FHIR; the message says what would be right."""


@dataclass(frozen=True)
class ReadTime:
    """A moment; without an hour it is the beginning of a day, month or year, in no zone yet."""

    at: datetime
    precision: Precision


def read_time(text: str) -> ReadTime:
    """Read a dateTime: a year, a month, a day, or a second with its zone."""
    return _read_time(text[:_LETTERS_AT_MOST])


# One message says the same time in several places, and each is looked at twice
@lru_cache(maxsize=4096)
def _read_time(text: str) -> ReadTime:
    found = _FORM.fullmatch(text)
    if found is None:
        message = "must be a date, or a date and time with zone such as 2026-11-02T08:10:00+01:00"
        raise NoTime(message)
    year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
    if year == 0 or not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year, month)[1]:
        message = "is no day of the calendar"
        raise NoTime(message)
    if found["hour"] is None:
        precision: Precision = "day" if found["day"] else "month" if found["month"] else "year"
        return ReadTime(datetime(year, month, day), precision)  # noqa: DTZ001 - see ReadTime
    if found["second"] is None:
        message = "must name the second too; write :00 when it is not known"
        raise NoTime(message)
    if found["zone"] is None:
        message = "must name the zone with the hour: Z, or such as +01:00"
        raise NoTime(message)
    hour, minute, second = int(found["hour"]), int(found["minute"]), float(found["second"][1:])
    if hour > 23 or minute > 59 or second >= 61:
        message = "is no time of the day"
        raise NoTime(message)
    at = datetime(year, month, day, hour, minute, tzinfo=_zone(found["zone"]))
    try:
        return ReadTime(at + timedelta(seconds=second), "minute")
    except OverflowError:
        message = "is no day of the calendar"
        raise NoTime(message) from None


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[4:])
    if minutes > 59 or hours * 60 + minutes > _MINUTES_OF_ANY_ZONE:
        message = "must have a zone between -14:00 and +14:00"
        raise NoTime(message)
    distance = timedelta(hours=hours, minutes=minutes)
    return timezone(-distance if text[0] == "-" else distance)
