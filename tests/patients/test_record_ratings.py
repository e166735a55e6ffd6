"""Symptom ratings on the record.

Scoring of the QIDS-SR16 (ids-qids.org): the highest of items 1 to 4, item 5, the highest of items
6 to 9, items 10 to 14, and the highest of items 15 and 16; 0 to 27.
"""

from datetime import timedelta
from typing import Any

import pytest

from instruments import ItemFault
from patients.models import Audit, Patient, Rating
from patients.record.ratings import RatingExists, RatingFault, record_rating
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db

RATED_AT = MONDAY - timedelta(hours=2)
# 3 + 2 + 1 + 2 + 1 + 0 + 1 + 2 + 1 = 13
ITEMS = (3, 1, 0, 2, 2, 1, 0, 1, 0, 2, 1, 0, 1, 2, 1, 0)


def _rate(patient: Patient, **changed: Any) -> tuple[Rating, bool]:
    given: dict[str, Any] = {"instrument": "QIDS-SR16", "rated_at": RATED_AT}
    return record_rating(patient=patient, **given | changed, by="clinician:7", at=MONDAY)


def test_the_items_add_up_by_the_scales_own_rule(patient: Patient) -> None:
    rating, is_new = _rate(patient, items=ITEMS)

    assert is_new
    assert rating.total == 13
    assert rating.items == list(ITEMS)


def test_a_total_alone_is_a_rating(patient: Patient) -> None:
    rating, is_new = _rate(patient, total=17)

    assert is_new
    assert (rating.total, rating.items) == (17, None)


def test_an_incomplete_form_has_no_total_and_nothing_is_made_up(patient: Patient) -> None:
    rating, _ = _rate(patient, items=(*ITEMS[:4], None, *ITEMS[5:]))

    assert rating.total is None


def test_a_missing_answer_that_cannot_change_the_sum_does_no_harm(patient: Patient) -> None:
    rating, _ = _rate(patient, items=(3, None, *ITEMS[2:]))

    assert rating.total == 13


def test_the_same_rating_again_changes_nothing(patient: Patient) -> None:
    first, _ = _rate(patient, items=ITEMS)
    version = Patient.objects.get().history_version

    again, is_new = _rate(patient, items=ITEMS)

    assert (again, is_new) == (first, False)
    assert Patient.objects.get().history_version == version


def test_other_answers_for_the_same_moment_are_refused(patient: Patient) -> None:
    _rate(patient, total=17)

    with pytest.raises(RatingExists):
        _rate(patient, total=16)

    assert Rating.objects.get().total == 17


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"total": 28}, "0 to 27"),
        ({"total": -1}, "0 to 27"),
        ({}, "0 to 27"),
        ({"items": ITEMS, "total": 14}, "add up to 13, not to 14"),
        ({"total": 3, "rated_at": MONDAY + timedelta(minutes=1)}, "in the future"),
        ({"total": 3, "instrument": "QIDS"}, "not a scale we know; known: QIDS-SR16"),
    ],
)
def test_what_the_scale_cannot_have_is_refused_with_what_would_be_right(
    patient: Patient, changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(RatingFault, match=words):
        _rate(patient, **changed)

    assert not Rating.objects.exists()


@pytest.mark.parametrize("answer", [4, -1, True, "2"])
def test_an_answer_that_is_not_on_the_form_is_refused_by_its_item(
    patient: Patient, answer: Any
) -> None:
    with pytest.raises(ItemFault, match="item 5"):
        _rate(patient, items=(*ITEMS[:4], answer, *ITEMS[5:]))


def test_the_trail_carries_no_score(patient: Patient) -> None:
    rating, _ = _rate(patient, total=17)

    line = Audit.objects.get(verb="record_rating")
    assert (line.subject, line.detail, line.patient_id) == (f"rating:{rating.pk}", {}, patient.pk)
