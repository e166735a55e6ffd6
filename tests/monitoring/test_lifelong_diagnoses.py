"""Bipolar disorder and F20 to F29 outlive the episode in which they were stated."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from monitoring import ingest
from monitoring.models import Flag, FlagKind
from monitoring.recompute import recompute
from patients.models import Episode, Patient
from patients.record.treatment import Course
from patients.record.verdicts import EpisodeFacts, state_episode
from tests.factories import MONDAY, ClinicianFactory, PatientFactory, RatingFactory

pytestmark = pytest.mark.django_db

NOW = MONDAY + timedelta(weeks=10)
ENDED, BEGUN = NOW.date() - timedelta(days=200), NOW.date() - timedelta(days=60)


def ended(patient: Patient, **said: Any) -> None:
    """State an episode that is over."""
    plain: dict[str, Any] = {
        "started_on": ENDED - timedelta(days=90),
        "ill_since": None,
        "severity": "severe",
        "diagnosis": "",
        "is_bipolar": None,
        "primary_instrument": "QIDS-SR16",
        "earlier_failures": 3,
        "ended_on": ENDED,
    }
    state_episode(
        patient=patient, facts=EpisodeFacts(**plain | said), reason="", by="clinician:0", at=MONDAY
    )


def new_trial(patient: Patient, started_on: date = BEGUN) -> Episode:
    course = Course("sertraline", "N06AB06", started_on, doses=((started_on, Decimal(100)),))
    ingest.receive_course(patient=patient, course=course, by="clinician:0", at=NOW)
    return Episode.objects.get(patient=patient, ended_on=None, superseded_at=None)


@pytest.fixture
def patient() -> Patient:
    return PatientFactory.create()


@pytest.mark.parametrize(
    ("said", "carried"),
    [
        ([{"diagnosis": "F31.3", "is_bipolar": True}], ("F31.3", True)),
        ([{"diagnosis": "F31.3"}], ("F31.3", True)),
        ([{"diagnosis": "F33.1", "is_bipolar": True}], ("", True)),
        ([{"diagnosis": "F20.0"}], ("F20.0", None)),
        ([{"diagnosis": "F33.1", "is_bipolar": False}], ("", None)),
        ([{"diagnosis": "F31.3", "is_bipolar": True}, {}], ("F31.3", True)),
        (
            [
                {"diagnosis": "F31.3", "is_bipolar": True},
                {"diagnosis": "F33.1", "is_bipolar": False},
            ],
            ("", None),
        ),
    ],
    ids=["both", "code", "stated", "psychotic", "neither", "in between", "corrected"],
)
def test_what_is_lifelong_comes_along_and_nothing_else(
    patient: Patient, said: list[dict[str, Any]], carried: tuple[str, bool | None]
) -> None:
    for place, facts in enumerate(said):
        first = ENDED - timedelta(days=90 - 30 * place)
        ended(patient, **facts, started_on=first, ended_on=first + timedelta(days=20))

    episode = new_trial(patient)

    assert (episode.diagnosis, episode.is_bipolar) == carried
    assert (episode.severity, episode.primary_instrument) == ("", "")
    assert episode.earlier_failures is None


def test_the_rule_does_not_apply_to_the_new_episode_either(patient: Patient) -> None:
    ended(patient, diagnosis="F31.3", is_bipolar=True)
    new_trial(patient)
    for days, total in ((60, 20), (2, 19)):
        RatingFactory.create(
            patient=patient, total=total, items=None, rated_at=NOW - timedelta(days=days)
        )

    [made] = recompute([patient.pk], at=NOW)

    assert made.outcome == "not_assessable"
    assert made.state == "trial 1 failed (adequate)"
    assert Flag.objects.filter(kind=FlagKind.NOT_ASSESSABLE).exists()


def test_the_form_shows_it_before_the_new_episode_is_stated(
    client: Client, patient: Patient
) -> None:
    ended(patient, diagnosis="F31.3", is_bipolar=True)
    client.force_login(ClinicianFactory.create(teams=[patient.team]))
    address = reverse("portal:episode", args=[patient.public_id])

    form = client.get(address).context["form"]
    assert (form["is_bipolar"].value(), form["diagnosis"].value()) == ("yes", "F31.3")

    said = {"started_on": f"{MONDAY:%d-%b-%Y}", "is_bipolar": "no", "diagnosis": "F33.1"}
    client.post(address, said)
    assert Episode.objects.get(ended_on=None, superseded_at=None).is_bipolar is False
