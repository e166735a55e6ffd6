"""One episode ends before the next begins, and a forgotten trial belongs to the one it lay in."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from monitoring import ingest
from patients.models import Episode, Patient
from patients.record.treatment import Course
from patients.record.verdicts import EpisodeFacts, VerdictFault, state_episode
from tests.factories import MONDAY, PatientFactory

pytestmark = pytest.mark.django_db

BEGUN, ENDED = date(2026, 1, 5), date(2026, 6, 1)


@pytest.fixture
def patient() -> Patient:
    """Give a patient whose episode is over."""
    found = PatientFactory.create()
    state(found)
    return found


def state(patient: Patient, **said: Any) -> Episode:
    plain: dict[str, Any] = {
        "started_on": BEGUN,
        "ill_since": None,
        "severity": "severe",
        "diagnosis": "",
        "is_bipolar": None,
        "primary_instrument": "",
        "earlier_failures": None,
        "ended_on": ENDED,
    }
    return state_episode(
        patient=patient, facts=EpisodeFacts(**plain | said), reason="", by="clinician:0", at=MONDAY
    )


def record(patient: Patient, started_on: date, stopped_on: date | None = None) -> None:
    course = Course(
        "citalopram",
        "N06AB04",
        started_on,
        doses=((started_on, Decimal(20)),),
        stopped_on=stopped_on,
        stop_reason="ineffective" if stopped_on else "",
    )
    ingest.receive_course(patient=patient, course=course, by="clinician:0", at=MONDAY)


@pytest.mark.parametrize("stopped_on", [date(2026, 4, 15), date(2026, 8, 1), None])
def test_a_forgotten_trial_of_an_ended_episode_starts_no_other(
    patient: Patient, stopped_on: date | None
) -> None:
    record(patient, date(2026, 3, 1), stopped_on)

    assert patient.episodes.filter(superseded_at=None).count() == 1


@pytest.mark.parametrize("started_on", [ENDED, date(2026, 8, 1)])
def test_a_trial_after_it_starts_the_next(patient: Patient, started_on: date) -> None:
    record(patient, started_on)

    assert Episode.objects.get(patient=patient, ended_on=None).started_on == started_on


@pytest.mark.parametrize(
    ("started_on", "ended_on"),
    [
        (date(2026, 2, 1), None),  # begins within
        (date(2025, 1, 1), None),  # begins before, and has not ended
        (date(2025, 1, 1), date(2026, 1, 6)),
        (date(2026, 2, 1), date(2026, 3, 1)),
    ],
)
def test_two_episodes_that_overlap_are_refused_in_plain_words(
    patient: Patient, started_on: date, ended_on: date | None
) -> None:
    with pytest.raises(VerdictFault, match="from 05-Jan-2026 to 01-Jun-2026 is on record already"):
        state(patient, started_on=started_on, ended_on=ended_on)


def test_an_earlier_episode_and_a_later_one_are_stated(patient: Patient) -> None:
    state(patient, started_on=date(2024, 1, 1), ended_on=BEGUN)
    state(patient, started_on=ENDED, ended_on=None)

    assert patient.episodes.filter(superseded_at=None).count() == 3
