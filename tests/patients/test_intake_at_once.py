"""Messages that hold the same draws in another order, at the same moment."""

import random

import pytest

from patients.intake.reception import take_in
from patients.intake.reports import DrawReport
from patients.models import Draw, Laboratory, Parked, Patient, Result
from tests.conftest import MONDAY, Push, draw
from tests.patients.observations import observation, sender_of
from tests.patients.test_intake import at_once, message

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_lists_of_the_same_unknown_draws_do_not_block_each_other(push: Push) -> None:
    draws = [draw(accession=f"A-{number}", mrn="9999") for number in range(60)]

    faults = at_once(
        8, lambda number: push(message(*random.Random(number).sample(draws, len(draws))))
    )

    assert faults == []
    assert Parked.objects.count() == 60


def test_lists_of_the_same_known_draws_do_not_block_each_other(
    push: Push, patient: Patient
) -> None:
    draws = [
        draw(accession=f"A-{number}", collected_at=f"2026-11-02T08:{number:02}:00+09:00")
        for number in range(60)
    ]

    faults = at_once(
        8, lambda number: push(message(*random.Random(number).sample(draws, len(draws))))
    )

    assert faults == []
    assert Draw.objects.count() == 60


def test_retractions_by_name_alone_and_corrections_do_not_block_each_other(
    laboratory: Laboratory, patient: Patient
) -> None:
    said = observation(issued=10)
    corrected = observation(issued=11, status="corrected", value="31.00")
    retracted = observation(issued=12, status="entered-in-error", value=None)
    bare = retracted.model_copy(update={"patients": (), "times": ()})
    push(laboratory, said, 0)

    kinds = [said, corrected, bare]
    faults = at_once(15, lambda number: push(laboratory, kinds[number % 3], number + 1))

    assert faults == []  # whoever waits in a circle is told so by the database
    [current] = Result.objects.filter(superseded_at=None)
    assert current.status == "entered-in-error"


def push(laboratory: Laboratory, report: DrawReport, number: int) -> None:
    """Send a report in bytes of its own, and once only."""
    body = f"{number} {report.model_dump_json()}".encode()
    take_in([report], body=body, dialect="json", sender=sender_of(laboratory), at=MONDAY)
