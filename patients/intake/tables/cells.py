"""What a cell may hold, and what to say when it holds something else."""

import re
from datetime import date, datetime, time
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

from patients.clocks import comes_twice, is_left_out
from patients.intake.reports import (
    EARLIEST_YEAR,
    Comparator,
    Precision,
    ResultStatus,
    is_on_earth,
)
from patients.intake.tables.faults import CellIsWrong, shown
from patients.intake.tables.layout import Layout

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_SHORTENED = re.compile(r"[0-9][.,][0-9]+E\+[0-9]+", re.ASCII)
_COMPARATORS: dict[str, Comparator] = {
    "<": "<",
    "<=": "<=",
    "≤": "<=",
    "=<": "<=",
    ">": ">",
    ">=": ">=",
    "≥": ">=",
    "=>": ">=",
}
_VALUE = re.compile(r"(?P<comparator><=|>=|=<|=>|<|>|≤|≥)?\s*(?P<number>\S(?:.*\S)?)")
_NUMBER = {
    sign: re.compile(
        rf"(?P<whole>[0-9]{{1,20}})(?:{re.escape(sign)}(?P<part>[0-9]{{1,20}}))?",
        re.ASCII,
    )
    for sign in (".", ",")
}
_SIGNS = {".": "point", ",": "comma"}
_POWER = re.compile(r"[0-9][eE][+-]?[0-9]", re.ASCII)
_DIGIT = re.compile(r"\d")  # of any script: nobody may take ３７ for a word
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ISO_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?", re.ASCII)
STATUSES: tuple[ResultStatus, ...] = (
    "registered",
    "preliminary",
    "final",
    "amended",
    "corrected",
    "cancelled",
    "entered-in-error",
)


class Value(NamedTuple):
    """What a cell says of a concentration; None is no value."""

    text: str | None
    comparator: Comparator = ""
    absent_reason: str = ""


class Moment(NamedTuple):
    """A time as it was written and as it is meant; without an offset it has no zone."""

    text: str
    at: datetime
    precision: Precision


def line(cell: str, *, at_most: int) -> str:
    """Read a line of text."""
    text = cell.strip()
    if _UNPRINTABLE.search(text):
        message = "must be one line, without line breaks, tabs or other control characters"
        raise CellIsWrong(message)
    if len(text) > at_most:
        message = f"must have at most {at_most} characters; it has {len(text)}"
        raise CellIsWrong(message)
    return text


def number_of(cell: str, *, at_most: int) -> str:
    """Read a number that is a name: of a patient, a sample, a result."""
    text = line(cell, at_most=at_most)
    if _SHORTENED.fullmatch(text):
        message = (
            f"“{text}” is a number that a spreadsheet has shortened; make the column one of text "
            "and fill it anew"
        )
        raise CellIsWrong(message)
    return text


def value(cell: str, layout: Layout) -> Value:
    """Read a concentration, perhaps with a comparator, or a word that stands in its place.

    A word is handed on, so that a person sees it. What has digits and is no number is refused:
    nobody may guess which number it is.
    """
    text = line(cell, at_most=200)
    if not text:
        return Value(None)
    if text in layout.absent:
        return Value(None, absent_reason=layout.absent[text])
    found = _VALUE.fullmatch(text)
    written = _NUMBER[layout.decimal].fullmatch(found["number"]) if found else None
    if found is not None and written is not None:
        digits = written["whole"] + (f".{written['part']}" if written["part"] else "")
        return Value(digits, _COMPARATORS.get(found["comparator"], ""))
    if _DIGIT.search(text) or text in _COMPARATORS:
        raise CellIsWrong(_why_no_number(text, layout))
    return Value(text)


def number(cell: str, layout: Layout) -> str:
    """Read a number that may be left out, in the digits in which it was written."""
    read = value(cell, layout)
    if read.comparator or (read.text is not None and _NUMBER["."].fullmatch(read.text) is None):
        message = f"“{shown(cell.strip())}” must be a number such as 4{layout.decimal}2, or empty"
        raise CellIsWrong(message)
    return read.text or ""


def _why_no_number(text: str, layout: Layout) -> str:
    sign = layout.decimal
    other = "," if sign == "." else "."
    example = f"37{sign}50"
    if text.startswith(("-", "−")):
        return f"“{shown(text)}” is below zero; a concentration is not"
    if _POWER.search(text):
        return (
            f"“{shown(text)}” is a number that was shortened to a power of ten, and may have lost "
            f"digits; write them out: “{example}”"
        )
    if other in text and sign not in text:
        return (
            f"“{shown(text)}” has a decimal {_SIGNS[other]}; in the files of this laboratory it is "
            f"a {_SIGNS[sign]}: “{example}”"
        )
    return (
        f"“{shown(text)}” is no number; write “{example}” or “<0{sign}5”, at most 20 digits on "
        "either side and nothing between thousands"
    )


def comparator(cell: str) -> Comparator:
    """Read a comparator that has a column of its own."""
    text = line(cell, at_most=20)
    if not text or text == "=":
        return ""
    if text not in _COMPARATORS:
        message = f"“{shown(text)}” must be <, <=, >, >= or empty"
        raise CellIsWrong(message)
    return _COMPARATORS[text]


def status(cell: str, layout: Layout) -> ResultStatus:
    """Read how sure a result is; an empty cell is a final one."""
    text = line(cell, at_most=100)
    if not text:
        return "final"
    if text in layout.statuses:
        return layout.statuses[text]
    if text.lower() in STATUSES:
        return cast("ResultStatus", text.lower())
    known = ", ".join([*layout.statuses, *STATUSES])
    message = f"“{shown(text)}” must be one of {known}, or empty for final"
    raise CellIsWrong(message)


def whole_number(cell: str, *, at_most: int) -> int | None:
    """Read a count that may be left out."""
    text = line(cell, at_most=20)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) > at_most:
        message = f"“{shown(text)}” must be a whole number from 0 to {at_most}, or empty"
        raise CellIsWrong(message)
    return int(text)


def moment(cell: str, layout: Layout, *, clock: str = "") -> Moment:
    """Read a day or a moment, and the time of day where it has a column of its own."""
    text, hour = line(cell, at_most=60), line(clock, at_most=30)
    at, precision = _read(text, layout)
    if hour:
        if precision is not Precision.DAY or at.time() != time():
            message = f"“{shown(text)}” holds a time of day, and so does the column for it"
            raise CellIsWrong(message)
        at, precision = datetime.combine(at, _clock(hour, layout)), Precision.MINUTE
        text = f"{text} {hour}"
    if not is_on_earth(at):
        message = f"“{shown(text)}” must have an offset between -14:00 and +14:00"
        raise CellIsWrong(message)
    if at.year < EARLIEST_YEAR:
        message = f"“{shown(text)}” lies before {EARLIEST_YEAR}; check the year"
        raise CellIsWrong(message)
    if layout.time_zone and at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(layout.time_zone))
        if precision is Precision.MINUTE and is_left_out(at):
            message = f"“{shown(text)}” is no time in {layout.time_zone}: the clocks leave it out"
            raise CellIsWrong(message)
        if precision is Precision.MINUTE and comes_twice(at):
            precision = Precision.DAY
    return Moment(text, at, precision)


def _read(text: str, layout: Layout) -> tuple[datetime, Precision]:
    try:
        if _ISO_DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time()), Precision.DAY
        if _ISO_TIME.fullmatch(text):
            return datetime.fromisoformat(text), Precision.MINUTE
        if layout.time_format:
            found = datetime.strptime(text, layout.time_format)  # noqa: DTZ007  # read in its zone
            is_exact = "%H" in layout.time_format and "%M" in layout.time_format
            return found, Precision.MINUTE if is_exact else Precision.DAY
    except (ValueError, OverflowError):
        pass
    usual = "2026-11-02 08:10, with +01:00 behind it or without, or 2026-11-02"
    own = f"as the profile says ({layout.time_format}), or " if layout.time_format else ""
    message = f"“{shown(text)}” is no time; write it {own}like {usual}"
    raise CellIsWrong(message)


def _clock(text: str, layout: Layout) -> time:
    try:
        if _CLOCK.fullmatch(text):
            return time.fromisoformat(text.rjust(len(text) + (text[1] == ":"), "0"))
        if layout.clock_format:
            return datetime.strptime(text, layout.clock_format).time()  # noqa: DTZ007
    except ValueError:
        pass
    message = f"“{shown(text)}” is no time of day; write 08:10"
    raise CellIsWrong(message)
