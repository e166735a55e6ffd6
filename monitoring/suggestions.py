"""Whom a laboratory may mean: patients ranked by what agrees, each with the reason in a code.

This only helps a person who decides. Nothing is ever matched by name, birth date or likeness.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db.models import Q

from patients.intake.enrolling import numberings_of
from patients.intake.numberings import Numberings, in_force, meant_by
from patients.intake.persons import birth_date_of
from patients.intake.profiles import draw_time
from patients.intake.reports import DrawReport, PatientNumber
from patients.models import Clinician, Identifier, Patient

SUGGESTIONS_AT_MOST = 10
_LOOKED_AT = 200
_NUMBER_AT_MOST = Identifier._meta.get_field("value").max_length or 0
# A numbering, a number, and whether the numbering is the laboratory's own word
Name = tuple[str, str, bool]


class Likeness(StrEnum):
    """In what a patient is like the one whom the laboratory names, the strongest first."""

    SAME_NUMBER = "same_number"
    SAME_NUMBER_NOT_IN_FORCE = "same_number_not_in_force"
    SAME_NUMBER_OTHER_NUMBERING = "same_number_other_numbering"
    SWAPPED_DIGITS = "swapped_digits"
    LEADING_ZEROS = "leading_zeros"
    SAME_BIRTH_DATE = "same_birth_date"
    SAME_FAMILY_NAME = "same_family_name"
    SAME_GIVEN_NAME = "same_given_name"


_WEIGHT = {
    Likeness.SAME_NUMBER: 1000,
    Likeness.SAME_NUMBER_NOT_IN_FORCE: 100,
    Likeness.SAME_NUMBER_OTHER_NUMBERING: 100,
    Likeness.SWAPPED_DIGITS: 40,
    Likeness.LEADING_ZEROS: 60,
    Likeness.SAME_BIRTH_DATE: 30,
    Likeness.SAME_FAMILY_NAME: 20,
    Likeness.SAME_GIVEN_NAME: 5,
}


@dataclass(frozen=True)
class Suggestion:
    """A patient who may be meant, and why."""

    patient: Patient
    reasons: tuple[Likeness, ...]


def suggest(report: DrawReport, *, laboratory_id: int, reader: Clinician) -> list[Suggestion]:
    """Rank the reader's own patients by what agrees with the report.

    Where the number and its numbering are one patient's, nobody else is suggested.
    """
    values = {number.value for number in report.patients}
    near = {near for value in values for near in _near(value)}
    sought = Q(identifiers__value__in=values | near)
    if (born := birth_date(report)) is not None:
        sought |= Q(birth_date=born)
    if report.person is not None and report.person.family:
        sought |= Q(family_name__iexact=report.person.family)
    found = (
        Patient.objects.visible_to(reader)
        .filter(sought)
        .select_related("team__site")
        .prefetch_related("identifiers")
        .distinct()[:_LOOKED_AT]
    )
    compared = compare(found, report, laboratory_id=laboratory_id)
    ranked = [each for each in compared if each.reasons]
    certain = [each for each in ranked if Likeness.SAME_NUMBER in each.reasons]
    return (certain or ranked)[:SUGGESTIONS_AT_MOST]


def compare(
    patients: Iterable[Patient], report: DrawReport, *, laboratory_id: int
) -> list[Suggestion]:
    """Say of each patient what agrees, the likeliest first; numbers are as the profile says."""
    numbers = _Numbers(report, laboratory_id)
    ranked = [
        Suggestion(patient, tuple(_likenesses(patient, report, numbers))) for patient in patients
    ]
    return sorted(
        ranked, key=lambda each: (-sum(_WEIGHT[why] for why in each.reasons), each.patient.pk)
    )


def birth_date(report: DrawReport) -> date | None:
    """Give the birth date that the laboratory states, if it is a whole one."""
    return None if report.person is None else birth_date_of(report.person)


def _near(value: str) -> Iterator[str]:
    """Write the number as it may have been mistyped: two neighbours swapped, or zeros lost."""
    for place in range(min(len(value), 40) - 1):
        if value[place] != value[place + 1]:
            yield value[:place] + value[place + 1] + value[place] + value[place + 2 :]
    bare = value.lstrip("0")
    yield from (bare.rjust(width, "0") for width in range(max(len(bare), 1), 13))


class _Numbers:
    """The numbers of a report: as the record calls their numberings, and as the laboratory does."""

    def __init__(self, report: DrawReport, laboratory_id: int) -> None:
        self.laboratory_id = laboratory_id
        numberings = numberings_of(laboratory_id)
        live = in_force(report, draw_time(report))
        self.in_force = _names(live, numberings)
        self.ended = _names([each for each in report.patients if each not in live], numberings)

    def of(self, patient: Patient) -> set[Name]:
        """Give the numbers by which this laboratory may call a patient."""
        return {
            (each.system, each.value, each.laboratory_id is not None)
            for each in patient.identifiers.all()
            if each.laboratory_id in {None, self.laboratory_id}
        }


def _names(numbers: Iterable[PatientNumber], numberings: Numberings) -> set[Name]:
    meant = [(each, meant_by(each, numberings)) for each in numbers]
    return {(system, each.value, False) for each, system in meant if system is not None} | {
        (each.system, each.value, True) for each, system in meant if system is not None
    }


def _likenesses(patient: Patient, report: DrawReport, numbers: _Numbers) -> Iterator[Likeness]:
    ours, theirs = numbers.of(patient), numbers.in_force
    if ours & numbers.ended and not ours & theirs:
        yield Likeness.SAME_NUMBER_NOT_IN_FORCE
    if ours & theirs:
        yield Likeness.SAME_NUMBER
    else:
        our_values = {each.value for each in patient.identifiers.all()}
        yield from _of_numbers(our_values, {value for _system, value, _is_own in theirs})
    if (born := birth_date(report)) is not None and born == patient.birth_date:
        yield Likeness.SAME_BIRTH_DATE
    person = report.person
    if person is None:
        return
    if person.family and person.family.casefold() == patient.family_name.casefold():
        yield Likeness.SAME_FAMILY_NAME
    if person.given and person.given.casefold() == patient.given_name.casefold():
        yield Likeness.SAME_GIVEN_NAME


def _of_numbers(our_values: set[str], their_values: set[str]) -> Iterator[Likeness]:
    if our_values & their_values:
        yield Likeness.SAME_NUMBER_OTHER_NUMBERING
    elif {value.lstrip("0") for value in our_values} & {v.lstrip("0") for v in their_values}:
        yield Likeness.LEADING_ZEROS
    elif our_values & {near for value in their_values for near in _near(value)}:
        yield Likeness.SWAPPED_DIGITS


def numbers_to_remember(
    report: DrawReport, patient: Patient, *, laboratory_id: int
) -> Sequence[tuple[str, str]]:
    """Give the numbers of the report by which this laboratory does not know the patient yet.

    One that was not in force then, or is of a type that is none of a patient, is not remembered.
    """
    numberings = numberings_of(laboratory_id)
    ours = _Numbers(report, laboratory_id).of(patient)
    meant = [
        (each, system)
        for each in in_force(report, draw_time(report))
        if len(each.value) <= _NUMBER_AT_MOST and (system := meant_by(each, numberings)) is not None
    ]
    new = (
        (each.system, each.value)
        for each, system in meant
        if (each.system, each.value, True) not in ours and (system, each.value, False) not in ours
    )
    return list(dict.fromkeys(new))
