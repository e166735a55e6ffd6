"""A safety flag ends by what was assessed, and a positive answer of a later day is a new one."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from monitoring import ingest, safety
from monitoring.models import (
    Behaviour,
    Contact,
    Finding,
    Flag,
    FlagEvent,
    Ideation,
    SafetyAction,
    SafetyUrgency,
)
from monitoring.outcomes import Outcome, OutcomeFault, answered_at
from patients.models import Clinician, Patient, PatientStatus, Rating
from patients.record.patients import change_status
from patients.record.ratings import RatingFault
from tests.factories import MONDAY, ClinicianFactory, PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return PatientFactory.create()


def rate(patient: Patient, answer: int | None, *, days: float) -> Rating:
    rating, _is_new = ingest.receive_rating(
        patient=patient,
        instrument="PHQ-9",
        rated_at=MONDAY - timedelta(days=days),
        items=[0] * 8 + [answer] if answer is not None else [None] * 9,
        by="clinician:0",
        at=MONDAY,
    )
    return rating


def outcome(at: datetime = MONDAY + timedelta(minutes=30), **said: Any) -> Outcome:
    plain: dict[str, Any] = {
        "assessed_at": at,
        "assessed_by": "Dr A",
        "contact": Contact.IN_PERSON,
        "instrument": "C-SSRS",
        "ideation": Ideation.LEVEL_2,
        "behaviour": Behaviour.NONE_FOUND,
        "plan": Finding.NONE_FOUND,
        "means": Finding.NONE_FOUND,
        "actions": [SafetyAction.SAFETY_PLAN],
        "note": "Safety plan written.",
        "next_contact_on": None,
    }
    return Outcome(**(plain | said))


@pytest.mark.parametrize(
    "missing",
    [
        {"ideation": Ideation.NOT_ASSESSED},
        {"behaviour": Behaviour.NOT_ASSESSED},
        {"plan": Finding.NOT_ASSESSED},
        {"means": Finding.NOT_ASSESSED},
        {"ideation": Ideation.NONE_FOUND, "plan": Finding.NOT_ASSESSED},
        {"contact": Contact.NOT_REACHED},
    ],
)
def test_what_nobody_looked_for_ends_nothing_and_is_kept_as_an_attempt(
    patient: Patient, missing: dict[str, Any]
) -> None:
    rate(patient, 3, days=0)
    flag, doctor = Flag.objects.get(), ClinicianFactory.create(teams=[patient.team])
    said, at = outcome(**missing), MONDAY + timedelta(hours=1)

    with pytest.raises(OutcomeFault, match="an attempt, not an outcome"):
        safety.close(flag=flag, version=flag.version, outcome=said, by=doctor, at=at)
    safety.record_attempt(flag=flag, version=flag.version, outcome=said, by=doctor, at=at)

    assert Flag.objects.up().get() == flag
    kept = FlagEvent.objects.filter(flag=flag).latest("pk").plan
    assert "Safety plan written." in kept
    if "ideation" not in missing:
        assert "thoughts: " in kept


def test_where_no_thoughts_were_found_an_answer_for_today_asks_for_no_plan(
    patient: Patient,
) -> None:
    rate(patient, 1, days=0)
    flag, doctor = Flag.objects.get(), ClinicianFactory.create(teams=[patient.team])
    said = outcome(
        ideation=Ideation.NONE_FOUND, plan=Finding.NOT_ASSESSED, means=Finding.NOT_ASSESSED
    )

    safety.close(
        flag=flag, version=flag.version, outcome=said, by=doctor, at=MONDAY + timedelta(hours=1)
    )

    assert not Flag.objects.up().exists()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"assessed_by": "x"}, "by name who"),
        ({"assessed_by": "none"}, "by name who"),
        ({"instrument": "none"}, "by means of what"),
        ({"instrument": "-"}, "by means of what"),
        ({"note": "abc"}, "in a sentence"),
    ],
)
def test_a_word_that_stands_for_nothing_is_no_outcome(
    patient: Patient, wrong: dict[str, Any], sentence: str
) -> None:
    rate(patient, 3, days=0)
    flag, doctor = Flag.objects.get(), ClinicianFactory.create(teams=[patient.team])

    with pytest.raises(OutcomeFault, match=sentence):
        safety.close(
            flag=flag,
            version=flag.version,
            outcome=outcome(**wrong),
            by=doctor,
            at=MONDAY + timedelta(hours=1),
        )


@pytest.mark.parametrize(("moved_to", "is_raised"), [(0.5, True), (3, False)])
def test_a_positive_answer_that_turns_out_to_be_later_than_its_assessment_is_a_new_one(
    patient: Patient, moved_to: float, *, is_raised: bool
) -> None:
    rating = rate(patient, 2, days=9)
    flag, doctor = Flag.objects.get(), ClinicianFactory.create(teams=[patient.team])
    said = outcome(at=MONDAY - timedelta(days=2))
    safety.close(flag=flag, version=flag.version, outcome=said, by=doctor, at=MONDAY)

    ingest.receive_rating_correction(
        rating=rating,
        rated_at=MONDAY - timedelta(days=moved_to),
        items=rating.items,
        total=None,
        self_harm_answer=None,
        reason="wrong day",
        by="clinician:0",
        at=MONDAY,
    )

    assert Flag.objects.up().exists() == is_raised


def test_an_empty_form_is_no_rating(patient: Patient) -> None:
    with pytest.raises(RatingFault, match="an empty form is no rating"):
        rate(patient, None, days=0)

    assert not Rating.objects.exists()


def correct(rating: Rating, *, answer: int, days: float) -> None:
    ingest.receive_rating_correction(
        rating=rating,
        rated_at=MONDAY - timedelta(days=days),
        items=[0] * 8 + [answer],
        total=None,
        self_harm_answer=None,
        reason="misread",
        by="clinician:0",
        at=MONDAY,
    )


@pytest.mark.parametrize(("answer", "is_raised"), [(1, False), (3, True)])
def test_an_answer_that_was_seen_to_is_raised_anew_only_where_it_was_higher(
    patient: Patient, answer: int, *, is_raised: bool
) -> None:
    rating = rate(patient, 2, days=1)
    flag, doctor = Flag.objects.get(), ClinicianFactory.create(teams=[patient.team])
    said = outcome(at=MONDAY - timedelta(hours=1))
    safety.close(flag=flag, version=flag.version, outcome=said, by=doctor, at=MONDAY)

    correct(rating, answer=answer, days=1)

    assert Flag.objects.up().exists() == is_raised


def test_an_answer_that_was_given_earlier_than_was_typed_asks_for_no_later_assessment(
    patient: Patient,
) -> None:
    rating = rate(patient, 3, days=1)
    flag = Flag.objects.get()

    correct(rating, answer=3, days=2)
    assert answered_at(flag) == MONDAY - timedelta(days=2)

    correct(Rating.objects.get(superseded_at=None), answer=0, days=2)
    assert answered_at(flag) == MONDAY - timedelta(days=1)  # nothing else is left


def test_a_flag_that_is_handed_over_when_all_steps_have_run_has_its_timer_again(
    patient: Patient,
) -> None:
    rate(patient, 3, days=0)
    colleague = ClinicianFactory.create(teams=[patient.team])
    night = MONDAY + timedelta(hours=14)
    assert safety.escalate_due(at=night) == 2
    flag = Flag.objects.get()

    safety.hand_over(flag=flag, version=flag.version, to=colleague, note="", by=colleague, at=night)

    assert safety.escalate_due(at=night + timedelta(minutes=59)) == 0
    assert safety.escalate_due(at=night + timedelta(hours=1)) == 1
    assert safety.escalate_due(at=night + timedelta(hours=4)) == 2  # and the reminder of before


@pytest.mark.parametrize("note", ["面談済み。入院した", "Seen, safe plan"])
def test_a_sentence_is_one_in_any_script(patient: Patient, note: str) -> None:
    rate(patient, 1, days=0)
    flag, doctor = Flag.objects.get(), ClinicianFactory.create(teams=[patient.team])

    safety.close(
        flag=flag,
        version=flag.version,
        outcome=outcome(note=note, assessed_by="李"),
        by=doctor,
        at=MONDAY + timedelta(hours=1),
    )

    assert not Flag.objects.up().exists()


def end_as_of_the_dead(patient: Patient) -> Clinician:
    """Say that a patient has died, and end the open flag with nothing assessed."""
    doctor = ClinicianFactory.create(teams=[patient.team])
    change_status(patient=patient, status=PatientStatus.DECEASED, by="clinician:0", at=MONDAY)
    flag = Flag.objects.get()
    nothing: dict[str, Any] = dict.fromkeys(("behaviour", "plan", "means"), Finding.NOT_ASSESSED)
    said = outcome(
        contact=Contact.NOT_REACHED,
        ideation=Ideation.NOT_ASSESSED,
        instrument="",
        actions=[SafetyAction.OTHER],
        note="Found dead at home; review asked for.",
        **nothing,
    )

    safety.close(
        flag=flag, version=flag.version, outcome=said, by=doctor, at=MONDAY + timedelta(hours=1)
    )

    return doctor


def test_the_flag_of_somebody_who_has_died_ends_by_what_is_known_of_it(patient: Patient) -> None:
    rate(patient, 3, days=0)

    end_as_of_the_dead(patient)

    assert not Flag.objects.up().exists()


@pytest.mark.parametrize("status", ["active", "transferred"])
def test_it_comes_back_with_its_timer_where_nobody_has_died(
    client: Client, patient: Patient, status: str
) -> None:
    rate(patient, 3, days=0)
    doctor = end_as_of_the_dead(patient)
    client.force_login(doctor)

    client.post(reverse("portal:status", args=[patient.public_id]), {"status": status})

    [flag] = Flag.objects.up()
    assert (flag.urgency, flag.has_returned) == (SafetyUrgency.IMMEDIATE, True)
    assert flag.escalations.filter(done_at=None, called_off_at=None).exists()


def test_what_was_assessed_before_somebody_was_said_to_have_died_stays_ended(
    client: Client, patient: Patient
) -> None:
    rate(patient, 3, days=0)
    doctor, flag = ClinicianFactory.create(teams=[patient.team]), Flag.objects.get()
    at = MONDAY + timedelta(hours=1)
    safety.close(flag=flag, version=flag.version, outcome=outcome(), by=doctor, at=at)
    client.force_login(doctor)

    for status in ("deceased", "active"):
        client.post(reverse("portal:status", args=[patient.public_id]), {"status": status})

    assert not Flag.objects.up().exists()
