"""Messages that arrive together: each sender is answered for its own, whatever the others bring."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from monitoring.gathering import Arrived, _take_in_all
from patients.intake.reception import Sender
from patients.models import Draw, Laboratory, Patient
from patients.record.laboratories import add_laboratory
from tests.conftest import MONDAY
from tests.patients.test_intake_together import arrival

pytestmark = pytest.mark.django_db


def test_one_that_cannot_be_taken_in_holds_back_nobody_of_another_sender(
    laboratory: Laboratory, patient: Patient
) -> None:
    zone = ZoneInfo("Asia/Tokyo")
    other = add_laboratory(
        name="South laboratory", zone=zone, pushes_per_minute=None, by="operator", at=MONDAY
    )
    good = Sender(laboratory_id=laboratory.pk, key_id=None, zone=zone)
    # a fault of ours: nobody may ever make a sender without scopes
    broken = Sender(laboratory_id=other.pk, key_id=None, zone=zone, client_id=None, scopes=None)  # type: ignore[arg-type]

    receipts = _take_in_all(
        [
            Arrived(arrival(), good, MONDAY),
            Arrived(arrival(accession="B-1"), broken, MONDAY),
            Arrived(
                arrival(accession="A-18", collected_at="2026-11-02T09:10:00+09:00"), good, MONDAY
            ),
        ]
    )

    states = [None if each is None else each.answers[0].state for each in receipts]
    assert states == ["recorded", None, "recorded"]
    assert Draw.objects.count() == 2


def test_what_is_taken_in_together_is_on_record_as_of_one_moment(
    laboratory: Laboratory, patient: Patient
) -> None:
    """By that moment, and not by that of the push, a door knows what it has made."""
    sender = Sender(laboratory_id=laboratory.pk, key_id=None, zone=ZoneInfo("Asia/Tokyo"))
    later = MONDAY + timedelta(milliseconds=5)
    second = arrival(accession="A-18", collected_at="2026-11-02T09:10:00+09:00")

    receipts = _take_in_all([Arrived(arrival(), sender, MONDAY), Arrived(second, sender, later)])

    assert [each and each.at for each in receipts] == [later, later]
    assert {draw.recorded_at for draw in Draw.objects.all()} == {later}
