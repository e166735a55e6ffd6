"""A course that goes on is news; one that was wrong is a correction."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from monitoring.continued import is_continued
from monitoring.models import Flag, FlagKind
from monitoring.recompute import recompute
from patients.models import Adherence, Override, Patient, StopReason
from patients.record.ratings import correct_rating
from patients.record.treatment import Course, correct_trial, record_course, stop_trial
from patients.record.verdicts import EpisodeFacts, state_episode
from tests.factories import MONDAY, EpisodeFactory, PatientFactory, RatingFactory

START = date(2026, 10, 5)
COURSE = Course("sertraline", "N06AB06", START, doses=((START, Decimal(25)),))


def day(number: int) -> date:
    return START + timedelta(days=number)


HIGHER = (*COURSE.doses, (day(16), Decimal(100)))


@pytest.mark.parametrize(
    "said",
    [
        {"doses": HIGHER},
        {"adherence": Adherence.GOOD},
        {"override": Override.ADEQUATE, "override_reason": "level in range"},
        {"stopped_on": day(20), "stop_reason": StopReason.INTOLERANCE.value},
        {"doses": HIGHER, "adherence": Adherence.PARTIAL, "stopped_on": day(20)},
    ],
)
def test_what_is_added_to_a_course_is_news(said: dict[str, object]) -> None:
    after = replace(COURSE, **said)  # type: ignore[arg-type]

    assert is_continued(COURSE, after, told_on=day(17))


@pytest.mark.parametrize(
    "said",
    [
        {"doses": ((START, Decimal(50)),)},
        {"doses": ()},
        {"started_on": day(1)},
        {"drug": "citalopram", "atc": "N06AB04"},
    ],
)
def test_what_is_changed_in_a_course_is_a_correction(said: dict[str, object]) -> None:
    after = replace(COURSE, **said)  # type: ignore[arg-type]

    assert not is_continued(COURSE, after, told_on=day(17))


def test_a_known_adherence_and_a_known_end_are_corrected() -> None:
    good = replace(COURSE, adherence=Adherence.GOOD, stopped_on=day(20))

    assert not is_continued(good, replace(good, adherence=Adherence.POOR), told_on=day(30))
    assert not is_continued(good, replace(good, stopped_on=day(25)), told_on=day(30))


def test_a_dose_that_was_only_planned_may_change() -> None:
    planned = replace(COURSE, doses=HIGHER)

    assert is_continued(planned, COURSE, told_on=day(10))
    assert not is_continued(planned, COURSE, told_on=day(16))


@pytest.fixture
def patient() -> Patient:
    found = PatientFactory.create()
    started = MONDAY - timedelta(days=17)
    EpisodeFactory.create(patient=found, started_on=started.date())
    for days, total in ((17, 20), (1, 20)):
        RatingFactory.create(
            patient=found, total=total, items=None, rated_at=MONDAY - timedelta(days=days)
        )
    return found


def course(patient: Patient) -> Course:
    started = patient.episodes.get().started_on
    return Course("sertraline", "N06AB06", started, doses=((started, Decimal(25)),))


@pytest.mark.django_db
def test_a_dose_that_was_raised_and_a_stop_do_not_change_the_picture_as_a_correction(
    patient: Patient,
) -> None:
    first = course(patient)
    trial = record_course(
        patient=patient, course=first, by="clinician:0", at=MONDAY - timedelta(hours=2)
    )
    recompute([patient.pk], at=MONDAY - timedelta(hours=1))
    raised = replace(
        first,
        doses=(*first.doses, (first.started_on + timedelta(days=16), Decimal(100))),
        adherence=Adherence.GOOD,
    )

    trial = correct_trial(
        trial=trial, course=raised, reason="dose raised", by="clinician:0", at=MONDAY
    )
    recompute([patient.pk], at=MONDAY + timedelta(minutes=1))
    stop_trial(
        trial=trial,
        stopped_on=MONDAY.date(),
        stop_reason=StopReason.INTOLERANCE,
        by="clinician:0",
        at=MONDAY + timedelta(minutes=2),
    )
    recompute([patient.pk], at=MONDAY + timedelta(minutes=3))

    assert not Flag.objects.filter(kind=FlagKind.CORRECTED).exists()


@pytest.mark.django_db
def test_a_dose_that_was_wrong_changes_it(patient: Patient) -> None:
    first = course(patient)
    trial = record_course(
        patient=patient, course=first, by="clinician:0", at=MONDAY - timedelta(hours=2)
    )
    recompute([patient.pk], at=MONDAY - timedelta(hours=1))
    right = replace(first, doses=((first.started_on, Decimal(100)),))

    correct_trial(trial=trial, course=right, reason="misread", by="clinician:0", at=MONDAY)
    recompute([patient.pk], at=MONDAY + timedelta(minutes=1))

    assert Flag.objects.filter(kind=FlagKind.CORRECTED).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reason", "is_told"),
    [(StopReason.INTOLERANCE, True), (StopReason.NON_ADHERENCE, True), (StopReason.OTHER, False)],
)
def test_a_failure_that_is_none_because_of_its_stop_is_told_to_those_who_acted(
    reason: StopReason, is_told: bool
) -> None:
    patient = PatientFactory.create()
    started = MONDAY.date() - timedelta(days=60)
    EpisodeFactory.create(patient=patient, started_on=started)
    for days, total in ((60, 20), (2, 19)):
        RatingFactory.create(
            patient=patient, total=total, items=None, rated_at=MONDAY - timedelta(days=days)
        )
    said = Course("sertraline", "N06AB06", started, doses=((started, Decimal(100)),))
    before = MONDAY - timedelta(hours=2)
    trial = record_course(patient=patient, course=said, by="clinician:0", at=before)
    [failed] = recompute([patient.pk], at=MONDAY - timedelta(hours=1))
    assert failed.content["course"]["status"] == "trial 1 failed (adequate)"

    stop_trial(
        trial=trial, stopped_on=MONDAY.date(), stop_reason=reason, by="clinician:0", at=MONDAY
    )
    recompute([patient.pk], at=MONDAY + timedelta(minutes=1))

    assert Flag.objects.filter(kind=FlagKind.CORRECTED).exists() == is_told


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "is_told"), [(2, True), (None, False)])
def test_a_fact_of_the_episode_that_was_wrong_is_told_and_one_that_was_not_known_is_news(
    before: int | None, is_told: bool
) -> None:
    patient = PatientFactory.create()
    started = MONDAY.date() - timedelta(days=60)
    EpisodeFactory.create(patient=patient, started_on=started, earlier_failures=before)
    recompute([patient.pk], at=MONDAY + timedelta(days=7))  # by eu-pearl-4
    after = 0 if is_told else 2
    facts = EpisodeFacts(started, None, "", "", None, "", after)

    state_episode(
        patient=patient,
        facts=facts,
        reason="another patient",
        by="clinician:0",
        at=MONDAY + timedelta(days=7, minutes=1),
    )
    recompute([patient.pk], at=MONDAY + timedelta(days=7, minutes=2))

    assert Flag.objects.filter(kind=FlagKind.CORRECTED).exists() == is_told


@pytest.mark.django_db
def test_a_rating_that_is_corrected_before_anybody_was_told_of_it_corrects_nothing(
    patient: Patient,
) -> None:
    recompute([patient.pk], at=MONDAY)
    rating = RatingFactory.create(
        patient=patient,
        total=4,
        items=None,
        rated_at=MONDAY - timedelta(hours=3),
        recorded_at=MONDAY + timedelta(minutes=1),
    )

    correct_rating(
        rating=rating,
        rated_at=rating.rated_at,
        total=3,
        reason="typing error",
        by="clinician:0",
        at=MONDAY + timedelta(minutes=2),
    )
    recompute([patient.pk], at=MONDAY + timedelta(minutes=3))

    assert not Flag.objects.filter(kind=FlagKind.CORRECTED).exists()
