"""Lists that name the same people in another order, at the same moment."""

from datetime import date

import pytest

from monitoring.imports.patients import enrol_patients, read_patients
from monitoring.imports.ratings import import_ratings
from monitoring.imports.tables import FileIsFaulty
from patients.models import CareTeam, Patient, Rating, Sex
from patients.record.patients import enrol
from tests.conftest import MONDAY
from tests.patients.test_intake import at_once

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

BY = "operator:ola"
NUMBERS = [f"07{number:02}" for number in range(40)]


def _list(header: str, rows: list[str], *, reverse: bool) -> bytes:
    return "\n".join([header, *(reversed(rows) if reverse else rows)]).encode()


def test_lists_of_ratings_of_the_same_people_do_not_block_each_other(team: CareTeam) -> None:
    for number in NUMBERS:
        enrol(
            team=team,
            identifiers=[("urn:clinic:mrn", number)],
            family_name="Invented",
            given_name="Ida",
            birth_date=date(1980, 5, 1),
            sex=Sex.FEMALE,
            started_on=None,
            by=BY,
            at=MONDAY,
        )
    rows = [f"urn:clinic:mrn,{number},QIDS-SR16,2026-10-05T09:00,14" for number in NUMBERS]
    header = "system,value,instrument,rated_at,total"

    faults = at_once(
        6,
        lambda number: import_ratings(
            _list(header, rows, reverse=number % 2 == 1), by=BY, at=MONDAY
        ),
    )

    assert faults == []
    assert Rating.objects.count() == len(NUMBERS)


def test_lists_of_the_same_new_people_do_not_block_each_other(team: CareTeam) -> None:
    rows = [f"urn:clinic:mrn,{number},Invented,Ida,,,2026-10-05" for number in NUMBERS]
    header = "system,value,family,given,birth_date,sex,started_on"

    def take(number: int) -> None:
        data = _list(header, rows, reverse=number % 2 == 1)
        enrol_patients(read_patients(data, team=team, at=MONDAY), team=team, by=BY, at=MONDAY)

    faults = at_once(6, take)

    assert {type(fault) for fault in faults} <= {FileIsFaulty}  # somebody else was faster
    assert Patient.objects.count() == len(NUMBERS)
