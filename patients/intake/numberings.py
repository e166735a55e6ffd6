"""Which numbers beside a patient's name may find the patient: by their kind, and by their time.

One authority often numbers patients, visits and accounts alike; a visit's number read as a
patient's would put a result on another chart. So would a number that has ended, for it may have
been given to somebody else since.
"""

import calendar
from collections.abc import Mapping
from datetime import date, datetime

from patients.intake.reports import DrawReport, PatientNumber, SeenTime

# HL7 table 0203
_OF_VISITS_AND_ORDERS = {"VN", "AN", "ANC", "AND", "ANT", "ACSN", "FILL", "PLAC", "GN", "GI", "SNO"}
_OF_PAPERS_AND_PAYERS = {"SS", "DL", "DS", "PPN", "TAX", "BA", "BC", "CC", "CZ", "BCT", "VS"}
_OF_STAFF_AND_PLACES = {"EN", "EI", "DN", "DR", "LN", "NPI", "PRN", "PRC", "FI", "XX", "XV", "DEA"}
_OF_OTHERS = _OF_VISITS_AND_ORDERS | _OF_PAPERS_AND_PAYERS | _OF_STAFF_AND_PLACES
_LETTERS_OF_A_KIND = 20

# What a laboratory calls a numbering, with a kind of number or "" for any, and what we call it
Numberings = Mapping[tuple[str, str], str]


def written_kind(kind: str) -> str:
    """Write a kind of number as table 0203 does: in letters and digits."""
    return "".join(each for each in kind.upper() if each.isalnum())[:_LETTERS_OF_A_KIND]


def is_of_patient(kind: str) -> bool:
    """Tell whether a number of this kind may be a patient's; one that says no kind may."""
    return written_kind(kind) not in _OF_OTHERS


def meant_by(number: PatientNumber, numberings: Numberings) -> str | None:
    """Say what we call the numbering of a number; None where it is no patient's for us.

    Where a laboratory's profile names kinds of an authority's numbers, those alone count. The
    statements in surroundings.py decide the same.
    """
    for kind in (number.kind, ""):
        if (number.system, kind) in numberings:
            return numberings[number.system, kind]
    is_bound = any(sent == number.system for sent, _kind in numberings)
    return None if is_bound else number.system


def in_force(report: DrawReport, time: SeenTime | None) -> list[PatientNumber]:
    """Give the numbers that were the patient's on the day of the draw, as its clock tells it."""
    on = None if time is None or time.at is None else time.at.date()
    return [each for each in report.patients if each.was_in_force(on)]


def last_day(at: datetime, precision: str) -> date:
    """Give the last day of what was stated: a month ends with its last day."""
    if precision == "year":
        return date(at.year, 12, 31)
    if precision == "month":
        return date(at.year, at.month, calendar.monthrange(at.year, at.month)[1])
    return at.date()
