"""What stands in OBX-5: digits as sent, a comparator, or a text that is no concentration."""

import re
from typing import NamedTuple, cast

from patients.intake.hl7v2.er7 import Segment
from patients.intake.reports import Comparator

_NUMBER = r"\+?(?P<whole>[0-9]{0,20})(?:\.(?P<part>[0-9]{0,20}))?"
_NUMERIC = re.compile(rf"(?P<comparator><=|>=|<|>|≤|≥|=)?\s*(?=\S*[0-9]){_NUMBER}", re.ASCII)
_PLAIN = {"≤": "<=", "≥": ">=", "=": ""}
# What digits mean in these is no concentration: a day, a time, an amount of money
_NO_NUMBERS = frozenset({"DT", "TM", "TS", "DTM", "DR", "CP", "MO", "TN", "XTN", "CX", "EI", "ED"})
_CODED = frozenset({"CE", "CWE", "CNE", "CF"})
_TEXT_AT_MOST = 200
# HL7 table 0078: beyond what the instrument can measure
_FLAGS = {"<": "<", ">": ">"}
_CODES = slice(0, 4, 3)  # CWE holds code, text, system; and once more in another system
NULL = '""'


class Value(NamedTuple):
    """A value as it goes into the report; None is a value that was not sent."""

    text: str | None
    comparator: Comparator = ""
    absent_reason: str = ""


def value_of(observation: Segment) -> Value:
    """Read OBX-5 by the type in OBX-2, and the flags in OBX-8.

    A comparator in front of a number is illegal in NM and common all the same: “<0.5” is never 0.5.
    Ranges, ratios, several values and words are handed on as text, so that a person sees them.
    """
    given = observation.filled(5)
    if not given:
        return Value(None)
    if len(given) > 1:
        return Value(_line(observation.whole(5)))
    [raw] = given
    if raw == NULL:
        return Value(None, absent_reason="deleted by the laboratory")
    kind = observation.whole(2).upper()
    if kind == "SN":
        return _flagged(_structured(observation.components(raw)), observation)
    if kind in _NO_NUMBERS:
        return Value(_line(f"{kind}: {observation.plain(raw)}"))
    return _flagged(_numeric(_written(observation, raw, kind)), observation)


def _written(observation: Segment, raw: str, kind: str) -> str:
    """Give what is printed: of a coded value its words."""
    if kind in _CODED:
        code, words, *_ = [*observation.components(raw), "", ""]
        return words or code
    return observation.plain(raw)


def _numeric(text: str) -> Value:
    found = _NUMERIC.fullmatch(text)
    if found is None:
        return Value(_line(text))
    return Value(_digits(found), _comparator(found["comparator"] or ""))


def _digits(found: re.Match[str]) -> str:
    """Give the digits as sent; NM may leave out the nought before the point, or all behind it."""
    part = found["part"]
    return f"{found['whole'] or '0'}.{part}" if part else found["whole"]


def _structured(parts: list[str]) -> Value:
    """Read SN: comparator^number^separator^number. Two numbers are no concentration."""
    comparator, first, separator, second = [*parts, "", "", "", ""][:4]
    if not (first or separator or second):
        return _numeric(comparator)  # written as a text, under the name of SN
    as_printed = _line("".join((comparator, first, separator, second)))
    found = _NUMERIC.fullmatch(first)
    if separator or second or found is None or found["comparator"]:
        return Value(as_printed)
    if comparator in {"", "="}:
        return Value(_digits(found))
    if comparator not in {"<", "<=", ">", ">="}:  # <> says only what it is not
        return Value(as_printed)
    return Value(_digits(found), _comparator(comparator))


def _flagged(value: Value, observation: Segment) -> Value:
    """Believe the flag that says the value lies beyond the instrument's scale.

    A flag is a code alone or, since version 2.7, a coded element: the code, or that of a second
    system, in its first or fourth component.
    """
    if value.comparator or value.text is None or not _NUMERIC.fullmatch(value.text):
        return value
    codes = {
        code
        for each in set(observation.repetitions(8))
        if not _FLAGS.keys().isdisjoint(each)  # nearly every flag is another one
        for code in observation.components(each)[_CODES]
    }
    beyond = [mark for flag, mark in _FLAGS.items() if flag in codes]
    return value._replace(comparator=_comparator(beyond[0])) if len(beyond) == 1 else value


def _comparator(text: str) -> Comparator:
    return cast("Comparator", _PLAIN.get(text, text))


def _line(text: str) -> str:
    joined = " ".join(text.split()).replace("\x7f", "")
    return joined if len(joined) <= _TEXT_AT_MOST else f"{joined[: _TEXT_AT_MOST - 1]}…"
