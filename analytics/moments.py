"""The moments that a record can hold, as microseconds since 1970 UTC."""

from datetime import UTC, datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class TimeIsNaive(ValueError):
    """A moment without a time zone names no moment."""


class TimeIsOffTheRecord(ValueError):
    """A moment of another age: a year that was mistyped."""


def microseconds(moment: datetime) -> int:
    """Turn an aware datetime into microseconds since 1970 UTC.

    Raises
    ------
    TimeIsNaive
        It is no datetime, or has no time zone.
    TimeIsOffTheRecord
        It lies before 1900 or after 2200.
    """
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise TimeIsNaive(f"{moment!r}; wanted: a datetime with a time zone")
    if not EARLIEST <= moment <= LATEST:
        raise TimeIsOffTheRecord(f"{moment.isoformat()}; wanted: {WANTED}")
    return _counted(moment)


def _counted(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


EARLIEST_US, LATEST_US = _counted(EARLIEST), _counted(LATEST)
WANTED = f"a time from {EARLIEST.year} to {LATEST.year}"
