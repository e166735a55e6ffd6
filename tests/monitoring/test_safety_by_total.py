"""A total that proves a positive answer to the item on self-harm."""

import pytest

from monitoring import ingest
from monitoring.models import Flag
from patients.models import Patient
from patients.record.ratings import RatingFault
from tests.factories import MONDAY, PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return PatientFactory.create()


@pytest.mark.parametrize(
    ("instrument", "total", "urgency"),
    [
        ("PHQ-9", 27, "immediate"),
        ("PHQ-9", 25, "same_day"),
        ("QIDS-SR16", 26, "urgent"),
        ("HAM-D17", 49, "same_day"),
        ("MADRS", 60, "immediate"),
    ],
)
def test_a_total_that_proves_a_positive_answer_raises_the_flag(
    patient: Patient, instrument: str, total: int, urgency: str
) -> None:
    rating, _ = ingest.receive_rating(
        patient=patient,
        instrument=instrument,
        rated_at=MONDAY,
        total=total,
        by="clinician:0",
        at=MONDAY,
    )

    assert Flag.objects.get().urgency == urgency
    assert rating.self_harm_answer


def test_a_total_that_the_other_items_can_reach_proves_nothing(patient: Patient) -> None:
    for instrument, total in (("PHQ-9", 24), ("HAM-D17", 48), ("MADRS", 54)):
        ingest.receive_rating(
            patient=patient,
            instrument=instrument,
            rated_at=MONDAY,
            total=total,
            by="clinician:0",
            at=MONDAY,
        )

    assert not Flag.objects.exists()


def test_a_zero_beside_a_total_that_proves_otherwise_is_refused(patient: Patient) -> None:
    with pytest.raises(RatingFault, match="cannot be without item 9 at 3 or more"):
        ingest.receive_rating(
            patient=patient,
            instrument="PHQ-9",
            rated_at=MONDAY,
            total=27,
            self_harm_answer=0,
            by="clinician:0",
            at=MONDAY,
        )
