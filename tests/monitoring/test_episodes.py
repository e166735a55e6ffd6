"""One episode ends before the next begins, and a forgotten trial belongs to the one it lay in."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from monitoring import ingest
from patients.models import Episode, Patient
from patients.record.treatment import Course
from patients.record.verdicts import (
    EpisodeFacts,
    TwoPrimaryScales,
    VerdictFault,
    state_episode,
)
from tests.factories import MONDAY, ClinicianFactory, PatientFactory

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


# The trial that an episode began with


def change(client: Client, patient: Patient, started_on: str, **said: str) -> str:
    [trial] = patient.trials.filter(superseded_at=None, drug="citalopram")
    client.force_login(ClinicianFactory.create(teams=[patient.team]))
    address = reverse("portal:correct_trial", args=[patient.public_id, trial.pk])
    assert "moves with the first day" in client.get(address).content.decode()
    form = {
        "drug": "citalopram",
        "started_on": started_on,
        "dose_1_mg": "20 mg",
        "reason": "typed the wrong month",
    }
    answer = client.post(address, form | said, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def first_dose(patient: Patient) -> date:
    return patient.episodes.get(ended_on=None, superseded_at=None).started_on


def test_a_corrected_first_day_takes_its_episode_along_where_that_is_asked_for(
    client: Client, patient: Patient
) -> None:
    record(patient, date(2026, 8, 3))

    text = change(client, patient, "03-Oct-2026", moves_first_dose="on")

    assert first_dose(patient) == date(2026, 10, 3)
    assert "The first dose of the episode is now 03-Oct-2026" in text


@pytest.mark.parametrize(
    ("started_on", "sentence"),
    [
        ("03-Oct-2026", "its first dose stays 03-Aug-2026"),
        ("03-Jun-2026", "its first dose stays 03-Aug-2026"),
    ],
)
def test_where_it_is_not_asked_for_the_page_says_from_which_day_all_is_counted(
    client: Client, patient: Patient, started_on: str, sentence: str
) -> None:
    record(patient, date(2026, 8, 3))

    text = change(client, patient, started_on)

    assert first_dose(patient) == date(2026, 8, 3)
    assert sentence in text


def test_another_trial_that_began_in_between_is_then_the_first(
    client: Client, patient: Patient
) -> None:
    record(patient, date(2026, 8, 3), date(2026, 9, 20))
    other = Course("sertraline", "N06AB06", date(2026, 9, 14))
    ingest.receive_course(patient=patient, course=other, by="clinician:0", at=MONDAY)

    end = {"stopped_on": "31-Oct-2026", "stop_reason": "ineffective"}
    change(client, patient, "05-Oct-2026", moves_first_dose="on", **end)

    assert first_dose(patient) == date(2026, 9, 14)


def test_an_episode_does_not_move_into_another(client: Client, patient: Patient) -> None:
    record(patient, date(2026, 8, 3))
    [trial] = patient.trials.all()
    client.force_login(ClinicianFactory.create(teams=[patient.team]))

    answer = client.post(
        reverse("portal:correct_trial", args=[patient.public_id, trial.pk]),
        {
            "drug": "citalopram",
            "started_on": "03-May-2026",
            "dose_1_mg": "20 mg",
            "reason": "typed August for May",
            "moves_first_dose": "on",
        },
    )

    assert answer.status_code == 422
    assert "two cannot overlap" in answer.content.decode()
    assert patient.trials.get().started_on == date(2026, 8, 3)


def test_whoever_withdraws_the_trial_that_opened_an_episode_is_told(
    client: Client, patient: Patient
) -> None:
    record(patient, date(2026, 8, 3))
    [trial] = patient.trials.all()
    client.force_login(ClinicianFactory.create(teams=[patient.team]))

    answer = client.post(
        reverse("portal:withdraw_trials", args=[patient.public_id, trial.pk]),
        {"reason": "another patient's"},
        follow=True,
    )

    assert "its first dose stays 03-Aug-2026" in answer.content.decode()


# One primary scale


def test_a_second_primary_scale_is_refused_by_two_saves_too(patient: Patient) -> None:
    open_now: dict[str, Any] = {"started_on": ENDED, "ended_on": None}
    for scale in ("QIDS-SR16", "", ""):
        state(patient, primary_instrument=scale, **open_now)

    with pytest.raises(TwoPrimaryScales, match="is QIDS-SR16 already"):
        state(patient, primary_instrument="PHQ-9", **open_now)

    assert state(patient, primary_instrument="QIDS-SR16", **open_now).pk


def test_another_episode_may_have_another(patient: Patient) -> None:
    state(patient, primary_instrument="QIDS-SR16", started_on=ENDED, ended_on=date(2026, 9, 1))

    state(patient, primary_instrument="PHQ-9", started_on=date(2026, 9, 1), ended_on=None)

    current = Episode.objects.filter(patient=patient, superseded_at=None).order_by("started_on")
    assert [each.primary_instrument for each in current] == ["", "QIDS-SR16", "PHQ-9"]
