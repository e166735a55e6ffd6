"""Whose the results are: every number in PID, as (authority, number), and who the person is."""

from typing import Any

from patients.intake.hl7v2.er7 import Segment
from patients.intake.hl7v2.faults import ErrorCode, refuse
from patients.intake.hl7v2.times import read_time
from patients.intake.numberings import is_of_patient, last_day, written_kind
from patients.intake.reports import UNSTATED, PatientNumber, Person

NUMBERS_AT_MOST = 20
_AT_MOST = 200
_BY_TYPE_OF_AUTHORITY = {"ISO": "urn:oid:", "UUID": "urn:uuid:", "GUID": "urn:uuid:"}


def patients_of(patient: Segment | None) -> tuple[PatientNumber, ...]:
    """Give the patient's numbers, the likeliest first.

    PID-3 holds them; PID-2 speaks only in old messages that have no PID-3. An authority has often
    two names, the local one and the one for all the world: the number then comes under both. The
    number of a visit, an account or a passport is none.
    """
    if patient is None:
        return ()
    number = 3 if patient.repetitions(3) else 2
    numbers = patient.repetitions(number)
    if len(numbers) > NUMBERS_AT_MOST:
        raise refuse(
            ErrorCode.INTERNAL,
            patient.at(number),
            f"a patient has at most {NUMBERS_AT_MOST} numbers here",
        )
    found: list[PatientNumber] = []
    for raw in numbers:
        value, _check, _scheme, _authority, kind, _facility, begins, ends, *_ = [
            *patient.components(raw),
            *[""] * 8,
        ]
        if not value or value == '""' or not is_of_patient(kind):
            continue
        if len(value) > _AT_MOST:
            raise refuse(
                ErrorCode.DATA_TYPE, patient.at(number), f"a number has over {_AT_MOST} characters"
            )
        period = _period(begins, ends)
        found += [
            PatientNumber(
                system=system[:_AT_MOST],
                value=" ".join(value.split()),
                kind=written_kind(kind),
                **period,
            )
            for system in _systems(patient.subcomponents(raw, 4))
        ]
    return tuple(sorted(dict.fromkeys(found), key=lambda each: each.is_former))


def _period(begins: str, ends: str) -> dict[str, Any]:
    """Read CX.7 and CX.8. A number whose end cannot be read may have ended."""
    start, end = (read_time(text.strip()) for text in (begins, ends))
    is_unreadable = end is None and ends.strip() not in {"", '""'}
    return {
        "begins_on": None if start is None else start[0].date(),
        "ends_on": None if end is None else last_day(*end),
        "is_former": is_unreadable,
    }


def _systems(authority: list[str]) -> list[str]:
    namespace, universal, kind = [*authority, "", "", ""][:3]
    systems = []
    if universal:
        is_uri = universal.lower().startswith(("urn:", "http:", "https:"))
        systems.append(("" if is_uri else _BY_TYPE_OF_AUTHORITY.get(kind.upper(), "")) + universal)
    if namespace:
        systems.append(namespace)
    return systems or [UNSTATED]


def person_of(patient: Segment | None) -> Person | None:
    """Say who the laboratory thinks it is, for the eyes of a person only."""
    if patient is None:
        return None
    family, given, *_ = [*patient.parts(5), "", ""]
    person = Person(
        family=_line(family, 200),
        given=_line(given, 200),
        birth_date=_line(_as_date(patient.whole(7)), 50),
        sex=_line(patient.whole(8), 20),
    )
    return person if person != Person() else None


def _as_date(text: str) -> str:
    """Write a date as people read it; whatever else stands there is left as it is."""
    digits = text[:8]
    if len(digits) == 8 and digits.isascii() and digits.isdigit():
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    return text


def _line(text: str, at_most: int) -> str:
    return " ".join(text.replace("\x7f", "").split())[:at_most] if text != '""' else ""
