"""Whose result it is, as the laboratory says: numbers to find the patient by, a name for people."""

import re
from collections.abc import Iterable

from patients.intake.fhir.conditions import read_condition
from patients.intake.fhir.datatypes import Identifier as Numbered
from patients.intake.fhir.datatypes import Reference
from patients.intake.fhir.faults import Refused, not_usable
from patients.intake.fhir.lines import line
from patients.intake.fhir.resources import Patient
from patients.intake.fhir.surroundings import Surroundings
from patients.intake.fhir.times import read_time
from patients.intake.numberings import is_of_patient, last_day, written_kind
from patients.intake.reports import PatientNumber, Person

# Table 0203, by each of its names; a code without a system is read as one of it
_TABLE_0203 = (
    None,
    "http://terminology.hl7.org/CodeSystem/v2-0203",
    "urn:oid:2.16.840.1.113883.18.108",
)

# The numbering of those who are named by an address of the laboratory's own alone
_REFERENCE = "urn:reference"


def patients_of(
    subject: Reference | None, around: Surroundings, *, root: str
) -> tuple[tuple[PatientNumber, ...], Person | None]:
    """Collect every number the patient is named by; the one nearest to the result comes first."""
    if subject is None:
        return (), None
    numbers: list[PatientNumber] = []
    if subject.identifier is not None:
        numbers += _numbers([subject.identifier], root=f"{root}.subject.identifier")
    patient = around.find(subject, Patient)
    if patient is not None:
        numbers += _numbers(patient.identifier, root=f"{root}.subject")
        return _in_order(numbers), _person(patient)
    if subject.reference is not None and not subject.reference.startswith("#"):
        numbers.append(_number_in(subject.reference))
    shown = line(subject.display, 200)
    # "Patient 42" is no name, and would contradict every name on record
    person = Person(family=shown) if shown and not re.search(r"\d", shown) else None
    return _in_order(numbers), person


def _in_order(numbers: Iterable[PatientNumber]) -> tuple[PatientNumber, ...]:
    """Give each number once, those of former times behind."""
    return tuple(sorted(dict.fromkeys(numbers), key=lambda each: each.is_former))


def _number_in(reference: str) -> PatientNumber:
    """Read Patient?identifier=system|value as that number.

    Anything else is the address of a Patient elsewhere, and no number: a person can say once whose
    it is.
    """
    before, mark, condition = reference.partition("?")
    if mark and before.rpartition("/")[2] == "Patient":
        try:
            found = read_condition(condition, root="")
        except Refused:
            found = None
        if found is not None:
            return PatientNumber(system=found.system, value=found.value)
    return PatientNumber(system=_REFERENCE, value=line(reference, 200))


def _numbers(
    found: "list[Numbered] | tuple[Numbered, ...]", *, root: str
) -> Iterable[PatientNumber]:
    for each in found:
        if max(len(each.system or ""), len(each.value or "")) > 200:
            raise not_usable("too-long", root, "a patient's number has at most 200 characters")
        kinds = _kinds(each)
        if each.value is None or not all(map(is_of_patient, kinds)):
            continue
        period = each.period
        start = None if period is None or period.start is None else read_time(period.start)
        end = None if period is None or period.end is None else read_time(period.end)
        yield PatientNumber(
            system=line(each.system, 200),
            value=line(each.value, 200),
            kind=next(filter(None, kinds), ""),
            begins_on=None if start is None else start.at.date(),
            ends_on=None if end is None else last_day(end.at, end.precision),
            is_former=each.use == "old",
        )


def _kinds(number: Numbered) -> list[str]:
    """Give what kind of number it says to be, by the codes of table 0203."""
    codings = number.type.coding if number.type is not None else ()
    return [written_kind(each.code or "") for each in codings if each.system in _TABLE_0203]


def _person(patient: Patient) -> Person:
    name = next((each for each in patient.name if each.use != "old"), None)
    return Person(
        family=line((name.family or name.text) if name else None, 200),
        given=line(" ".join(name.given) if name else None, 200),
        birth_date=patient.birth_date or "",
        sex=patient.gender or "",
    )
