"""Who the laboratory says it is, beside who we know: it warns, and finds or refuses nobody."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from patients.intake.reports import Person
from patients.models import Contradiction, Patient

# As FHIR and HL7 v2 write it
_SEXES = {"f": "female", "m": "male", "o": "other", "a": "other", "u": "unknown"}
_TRANSCRIBED = (("ß", "ss"), ("æ", "ae"), ("ø", "o"), ("ae", "a"), ("oe", "o"), ("ue", "u"))


class Told(NamedTuple):
    """A draw on record, and who the laboratory says it is of."""

    patient_id: int
    draw: UUID
    inbound_id: int
    person: Person | None


def note_contradictions(told: Sequence[Told], *, at: datetime) -> None:
    """Keep where a laboratory names somebody else than the patient whose number it sent."""
    named = [(each, each.person) for each in told if each.person is not None]
    if not named:
        return
    patients = Patient.objects.in_bulk({each.patient_id for each, _person in named})
    Contradiction.objects.bulk_create(
        [
            Contradiction(
                patient_id=each.patient_id,
                draw_public_id=each.draw,
                inbound_id=each.inbound_id,
                said=person.model_dump(),
                noted_at=at,
            )
            for each, person in named
            if contradictions(person, patients[each.patient_id])
        ],
        ignore_conflicts=True,
    )


def contradictions(
    person: Person, patient: Patient, *, to_the_letter: bool = False
) -> dict[str, str]:
    """Give what the laboratory says of a person that our record denies, by its name.

    What one side does not know contradicts nothing; neither do capitals, nor, unless names are
    compared to the letter, accents, a second name or an initial.
    """
    said = {}
    for name, theirs, ours in (
        ("family", person.family, patient.family_name),
        ("given", person.given, patient.given_name),
    ):
        if to_the_letter:
            is_one = not theirs or theirs.casefold() == ours.casefold()
        else:
            is_one = _may_be_one(theirs, ours)
        if not is_one:
            said[name] = theirs
    born = birth_date_of(person)
    if born is not None and patient.birth_date is not None and born != patient.birth_date:
        said["birth_date"] = born.isoformat()
    sex = _SEXES.get(person.sex.strip()[:1].casefold(), "unknown")
    if "unknown" not in {sex, patient.sex} and sex != patient.sex:
        said["sex"] = person.sex
    return said


def birth_date_of(person: Person) -> date | None:
    """Give the birth date that the laboratory states, if it is a whole one."""
    digits = person.birth_date.strip().replace("-", "")[:8]
    if len(digits) < len("19800501") or not digits.isdecimal():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _may_be_one(theirs: str, ours: str) -> bool:
    """Tell whether two spellings share a part: Müller-Lang and MUELLER, Anna Maria and A."""
    one, other = _parts(theirs), _parts(ours)
    return (
        not one
        or not other
        or "".join(one) == "".join(other)
        or any(a == b or (1 in {len(a), len(b)} and a[0] == b[0]) for a in one for b in other)
    )


def _parts(name: str) -> list[str]:
    text = name.casefold()
    for written, short in _TRANSCRIBED:
        text = text.replace(written, short)
    bare = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.findall(r"\w+", "".join(bare))
