"""Whoever acted on what was wrong is told, whichever fact it was; news is told to nobody so."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitoring import alerts, flags
from monitoring.continued import is_restated
from monitoring.models import AcknowledgeReason, Alert, Flag, FlagKind, FlagState
from monitoring.recompute import recompute
from patients import audit
from patients.models import Clinician, Episode, Override, Patient, Rating, Role, Trial, Verdict
from patients.record.ratings import correct_rating, record_rating
from patients.record.treatment import Course, correct_trial, record_course
from patients.record.verdicts import EpisodeFacts, judge_draw, state_episode
from tests.factories import (
    MONDAY,
    ClinicianFactory,
    DrawFactory,
    EpisodeFactory,
    PatientFactory,
    RatingFactory,
    ResultFactory,
)

pytestmark = pytest.mark.django_db

NOW = MONDAY + timedelta(weeks=10)  # the rules of that day count failures stated of before
START = NOW.date() - timedelta(days=60)
SAID_AT, ASSESSED_AT, LOOKED_AT = (NOW - timedelta(hours=each) for each in (9, 8, 7))
FACTS = EpisodeFacts(
    started_on=START,
    ill_since=None,
    severity="",
    diagnosis="F33.1",
    is_bipolar=False,
    primary_instrument="",
    earlier_failures=1,
)


@pytest.fixture
def patient() -> Patient:
    """Somebody whose first trial here has failed after one before."""
    found = PatientFactory.create()
    EpisodeFactory.create(patient=found, started_on=START)
    for days, total in ((60, 20), (2, 19)):
        RatingFactory.create(
            patient=found, total=total, items=None, rated_at=NOW - timedelta(days=days)
        )
    course = Course("sertraline", "N06AB06", START, doses=((START, Decimal(100)),))
    record_course(patient=found, course=course, by="clinician:0", at=SAID_AT)
    return found


def state(patient: Patient, at: datetime = SAID_AT, **said: Any) -> None:
    facts = replace(FACTS, **said)
    state_episode(patient=patient, facts=facts, reason="", by="clinician:0", at=at)


def somebody_looks(patient: Patient, at: datetime = LOOKED_AT) -> Clinician:
    reader = ClinicianFactory.create(teams=[patient.team])
    audit.write(
        verb="view_patient",
        subject=f"patient:{patient.pk}",
        by=audit.name_of(reader),
        at=at,
        patient_id=patient.pk,
    )
    return reader


def told() -> list[Clinician]:
    return [each.clinician for each in Alert.objects.filter(flag__kind=FlagKind.CORRECTED)]


@pytest.mark.parametrize(
    "right",
    [
        {"earlier_failures": 0},
        {"is_bipolar": True},
        {"diagnosis": "F31.3", "is_bipolar": True},
        {"primary_instrument": "PHQ-9"},
    ],
    ids=["failures", "bipolar", "diagnosis", "scale"],
)
def test_facts_of_an_episode_that_were_wrong_are_told_to_who_acted_on_them(
    patient: Patient, right: dict[str, Any]
) -> None:
    state(patient)
    [before] = recompute([patient.pk], at=ASSESSED_AT)
    reader = somebody_looks(patient)

    state(patient, at=NOW, **right)
    recompute([patient.pk], at=NOW)

    assert before.content["course"]["status"].startswith("meets TRD rule")
    assert told() == [reader]


@pytest.mark.parametrize(
    "known", [{"is_bipolar": True}, {"earlier_failures": 2}, {"ended_on": NOW.date()}]
)
def test_what_was_not_known_of_an_episode_is_news(patient: Patient, known: dict[str, Any]) -> None:
    unknown: dict[str, Any] = {"earlier_failures": 0} | dict.fromkeys(known)
    state(patient, **unknown)
    recompute([patient.pk], at=ASSESSED_AT)
    somebody_looks(patient)

    state(patient, at=NOW, **unknown | known)
    recompute([patient.pk], at=NOW)

    assert told() == []


def test_another_first_dose_is_no_news() -> None:
    said, right = (Episode(started_on=day) for day in (START, START + timedelta(days=9)))

    assert is_restated(said, right)
    assert not is_restated(said, Episode(started_on=START, severity="mild", ill_since=START))


def test_who_acted_before_more_became_known_is_told_too(patient: Patient) -> None:
    state(patient)
    recompute([patient.pk], at=ASSESSED_AT)
    reader = somebody_looks(patient)
    state(patient, at=NOW - timedelta(hours=2), severity="moderate")
    recompute([patient.pk], at=NOW - timedelta(hours=1))

    state(patient, at=NOW, severity="moderate", earlier_failures=0)
    recompute([patient.pk], at=NOW)

    assert told() == [reader]


def test_a_colleague_who_was_quicker_leaves_nobody_untold(patient: Patient) -> None:
    state(patient)
    recompute([patient.pk], at=ASSESSED_AT)
    quick, slow = somebody_looks(patient), somebody_looks(patient)
    state(patient, at=NOW, earlier_failures=0)
    recompute([patient.pk], at=NOW)
    flag = Flag.objects.get(kind=FlagKind.CORRECTED)
    reviewing: dict[str, Any] = {
        "reason": AcknowledgeReason.REVIEWING,
        "plan": "",
        "by": quick,
        "at": NOW,
    }

    flags.acknowledge(flag=flag, version=flag.version, **reviewing)
    alerts.gather(at=NOW + timedelta(days=1))

    heard = Alert.objects.filter(flag=flag, delivery__isnull=False)
    assert {each.clinician for each in heard} == {quick, slow}


def test_a_second_correction_brings_the_flag_back_from_whoever_had_taken_it_on(
    patient: Patient,
) -> None:
    state(patient)
    recompute([patient.pk], at=ASSESSED_AT)
    reader = somebody_looks(patient)
    state(patient, at=NOW, earlier_failures=0)
    recompute([patient.pk], at=NOW)
    flag = Flag.objects.get(kind=FlagKind.CORRECTED)
    reviewing: dict[str, Any] = {
        "reason": AcknowledgeReason.REVIEWING,
        "plan": "",
        "by": reader,
        "at": NOW,
    }
    flags.acknowledge(flag=flag, version=flag.version, **reviewing)

    later = NOW + timedelta(hours=1)
    state(patient, at=later, earlier_failures=1)
    recompute([patient.pk], at=later)

    flag.refresh_from_db()
    assert (flag.state, flag.has_returned) == (FlagState.RAISED, True)
    assert Alert.objects.filter(flag=flag, clinician=reader).count() == 2


def test_where_all_who_acted_have_left_the_lead_hears_of_it(patient: Patient) -> None:
    state(patient)
    recompute([patient.pk], at=ASSESSED_AT)
    reader = somebody_looks(patient)
    reader.memberships.all().delete()
    idle, lead = (ClinicianFactory.create(teams=[patient.team]) for _ in range(2))
    lead.memberships.update(role=Role.LEAD)

    state(patient, at=NOW, earlier_failures=0)
    recompute([patient.pk], at=NOW)

    assert told() == [lead]
    assert idle not in told()


def test_a_rating_put_right_before_anything_was_said_of_it_changes_no_picture(
    patient: Patient,
) -> None:
    state(patient, earlier_failures=0)
    Rating.objects.filter(total=19).delete()
    recompute([patient.pk], at=ASSESSED_AT)
    somebody_looks(patient)
    rated: dict[str, Any] = {"rated_at": NOW - timedelta(days=2), "by": "clinician:0"}
    rating, _ = record_rating(patient=patient, instrument="QIDS-SR16", total=9, at=NOW, **rated)
    correct_rating(rating=rating, total=19, reason="misread", at=NOW, **rated)

    [after] = recompute([patient.pk], at=NOW + timedelta(minutes=1))

    assert after.content["course"]["status"] == "trial 1 failed (adequate)"
    assert not Flag.objects.filter(kind=FlagKind.CORRECTED).exists()


@pytest.mark.parametrize(
    ("first", "then", "is_told"),
    [
        (Override.NONE, Override.INADEQUATE, True),
        (Override.ADEQUATE, Override.INADEQUATE, True),
        (Override.ADEQUATE, Override.NONE, False),  # and the rule says the same
    ],
)
def test_a_judgement_that_takes_a_failure_back_is_told(
    patient: Patient, first: Override, then: Override, *, is_told: bool
) -> None:
    def judge(verdict: Override, at: datetime) -> None:
        trial = Trial.objects.get(superseded_at=None)
        course = Course.of(trial)
        said = replace(course, override=verdict, override_reason="level" if verdict else "")
        correct_trial(trial=trial, course=said, reason="judged", by="clinician:0", at=at)

    state(patient, earlier_failures=0)
    judge(first, SAID_AT)
    [before] = recompute([patient.pk], at=ASSESSED_AT)
    reader = somebody_looks(patient)

    judge(then, NOW)
    recompute([patient.pk], at=NOW)

    assert before.content["course"]["status"] == "trial 1 failed (adequate)"
    assert told() == ([reader] if is_told else [])


@pytest.mark.parametrize(
    ("words", "is_told"),
    [((Verdict.SCORE, Verdict.KEEP_OUT), True), ((Verdict.SCORE,), False)],
)
def test_a_word_on_a_draw_that_is_taken_back_is_told_and_a_first_word_is_news(
    patient: Patient, words: tuple[Verdict, ...], *, is_told: bool
) -> None:
    draw = DrawFactory.create(patient=patient, collected_at=NOW - timedelta(days=2))
    draw.specimen = {"freeze_thaw_cycles": 5}
    draw.save()
    ResultFactory.create(draw=draw)
    *before, last = words
    for word in before:
        judge_draw(
            patient=patient,
            draw=draw.public_id,
            verdict=word,
            reason="checked",
            against=["three_thaws_or_more"],
            value="37.5",
            by="clinician:0",
            at=SAID_AT,
        )
    recompute([patient.pk], at=ASSESSED_AT)
    reader = somebody_looks(patient)

    judge_draw(
        patient=patient,
        draw=draw.public_id,
        verdict=last,
        reason="the aliquot was another one",
        against=["three_thaws_or_more"],
        value="37.5",
        by="clinician:0",
        at=NOW,
    )
    recompute([patient.pk], at=NOW)

    assert told() == ([reader] if is_told else [])
