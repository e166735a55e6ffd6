"""Messages that hold the same draws in another order, at the same moment."""

import random

import pytest

from patients.models import Draw, Parked, Patient
from tests.conftest import Push, draw
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
