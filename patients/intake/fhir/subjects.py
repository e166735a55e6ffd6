"""Whose result it is, as the laboratory says: numbers to find the patient by, a name for people."""

import re

from patients.intake.fhir.conditions import read_condition
from patients.intake.fhir.datatypes import Identifier as Numbered
from patients.intake.fhir.datatypes import Reference
from patients.intake.fhir.faults import Refused, not_usable
from patients.intake.fhir.lines import line
from patients.intake.fhir.resources import Patient
from patients.intake.fhir.surroundings import Surroundings
from patients.intake.numberings import is_of_patient
from patients.intake.reports import Identifier, Person

TABLE_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"


def patients_of(
    subject: Reference | None, around: Surroundings, *, root: str
) -> tuple[tuple[Identifier, ...], Person | None]:
    """Collect every number the patient is named by; the one nearest to the result comes first."""
    if subject is None:
        return (), None
    numbers: list[Identifier] = []
    if subject.identifier is not None:
        numbers += _numbers([subject.identifier], root=f"{root}.subject.identifier")
    patient = around.find(subject, Patient)
    if patient is not None:
        numbers += _numbers(patient.identifier, root=f"{root}.subject")
        return tuple(dict.fromkeys(numbers)), _person(patient)
    if subject.reference is not None and not subject.reference.startswith("#"):
        numbers.append(_number_in(subject.reference))
    shown = line(subject.display, 200)
    # "Patient 42" is no name, and would contradict every name on record
    person = Person(family=shown) if shown and not re.search(r"\d", shown) else None
    return tuple(dict.fromkeys(numbers)), person


def _number_in(reference: str) -> Identifier:
    """Read Patient?identifier=system|value as that number.

    Anything else is the address of a Patient elsewhere: a person can say once whose it is.
    """
    before, mark, condition = reference.partition("?")
    if mark and before.rpartition("/")[2] == "Patient":
        try:
            found = read_condition(condition, root="")
        except Refused:
            found = None
        if found is not None:
            return found
    return Identifier(value=line(reference, 200))


def _numbers(found: "list[Numbered] | tuple[Numbered, ...]", *, root: str) -> list[Identifier]:
    for each in found:
        if max(len(each.system or ""), len(each.value or "")) > 200:
            raise not_usable("too-long", root, "a patient's number has at most 200 characters")
    return [
        Identifier(system=line(each.system, 200), value=line(each.value, 200))
        for each in found
        if each.value is not None and _is_of_patient(each)
    ]


def _is_of_patient(number: Numbered) -> bool:
    """Tell a number that counts from one of a visit or an account, or one of former times."""
    codings = number.type.coding if number.type is not None else ()
    return number.use != "old" and all(
        is_of_patient(coding.code or "")
        for coding in codings
        if coding.system in (None, TABLE_0203, "urn:oid:2.16.840.1.113883.18.108")
    )


def _person(patient: Patient) -> Person:
    name = next((each for each in patient.name if each.use != "old"), None)
    return Person(
        family=line((name.family or name.text) if name else None, 200),
        given=line(" ".join(name.given) if name else None, 200),
        birth_date=patient.birth_date or "",
        sex=patient.gender or "",
    )
