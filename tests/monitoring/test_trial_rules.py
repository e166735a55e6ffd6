"""What counts as a failed treatment, from the form to the assessment."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from analytics import ClinicalState
from analytics.definitions import RULES
from monitoring.models import Outcome, RiskAssessment
from monitoring.recompute import recompute
from patients.models import Clinician, EventKind, Patient, StopReason, Trial, TrialKind
from patients.record.events import record_event
from patients.record.treatment import (
    TOGETHER_DAYS,
    Course,
    TrialFault,
    correct_trial,
    record_course,
    stop_trial,
)
from tests.factories import (
    MONDAY,
    ClinicianFactory,
    DoseStepFactory,
    EpisodeFactory,
    PatientFactory,
    RatingFactory,
    TrialFactory,
)

pytestmark = pytest.mark.django_db
BY = "clinician:0"
START = MONDAY.date() - timedelta(days=120)
TRANYLCYPROMINE = ("tranylcypromine", "N06AF04")
SERTRALINE, MIRTAZAPINE = ("sertraline", "N06AB06"), ("mirtazapine", "N06AX11")


@pytest.fixture
def patient() -> Patient:
    return PatientFactory.create()


def day(number: int) -> date:
    return START + timedelta(days=number)


def course(drug: tuple[str, str], first: int, last: int | None = None, **more: Any) -> Course:
    return Course(
        *drug,
        started_on=day(first),
        doses=((day(first), Decimal(100)),),
        stopped_on=None if last is None else day(last),
        stop_reason="" if last is None else "ineffective",
        **more,
    )


def record(patient: Patient, said: Course) -> Trial:
    return record_course(patient=patient, course=said, by=BY, at=MONDAY)


def two_failures(patient: Patient) -> None:
    for drug, first in ((SERTRALINE, 0), (MIRTAZAPINE, 56)):
        record(patient, course(drug, first, first + 56))
    for number, total in ((0, 20), (56, 19), (112, 18)):
        rated_at = MONDAY - timedelta(days=120 - number)
        RatingFactory.create(patient=patient, rated_at=rated_at, total=total)


def assess(patient: Patient) -> RiskAssessment:
    Patient.objects.filter(pk=patient.pk).update(history_version=patient.history_version + 50)
    [found] = recompute([patient.pk], at=MONDAY + timedelta(days=7))  # by eu-pearl-4
    return found


def test_the_record_and_the_rules_mean_the_same_by_together() -> None:
    assert RULES.together_days == TOGETHER_DAYS


def test_two_antidepressants_from_one_day_are_no_two_trials(patient: Patient) -> None:
    record(patient, course(SERTRALINE, 0))

    with pytest.raises(TrialFault, match="one trial in combination"):
        record(patient, course(MIRTAZAPINE, 0))
    with pytest.raises(TrialFault, match="one trial in combination"):
        record(patient, course(MIRTAZAPINE, 60))

    record(patient, course(MIRTAZAPINE, 60, kind=TrialKind.COMBINATION))


def test_a_change_from_one_to_the_other_may_take_weeks(patient: Patient) -> None:
    record(patient, course(SERTRALINE, 0, 77))

    assert record(patient, course(MIRTAZAPINE, 56)).pk


def test_a_new_trial_may_begin_before_the_end_of_the_last_is_known(patient: Patient) -> None:
    record(patient, course(SERTRALINE, 0))

    assert record(patient, course(MIRTAZAPINE, 119)).pk


def test_an_mao_inhibitor_is_not_taken_beside_another(patient: Patient) -> None:
    record(patient, course(SERTRALINE, 0, 77))

    with pytest.raises(TrialFault, match="irreversible MAO inhibitor"):
        record(patient, course(TRANYLCYPROMINE, 70))

    record(patient, course(TRANYLCYPROMINE, 91))


@pytest.mark.parametrize("kind", [TrialKind.COMBINATION, TrialKind.AUGMENTATION])
def test_an_mao_inhibitor_is_beside_another_whatever_it_is_called(
    patient: Patient, kind: TrialKind
) -> None:
    record(patient, course(SERTRALINE, 0, 77))

    with pytest.raises(TrialFault, match="irreversible MAO inhibitor"):
        record(patient, course(TRANYLCYPROMINE, 70, kind=kind))

    record(patient, course(TRANYLCYPROMINE, 91, kind=kind))
    with pytest.raises(TrialFault, match="irreversible MAO inhibitor"):
        record(patient, course(MIRTAZAPINE, 100, kind=kind))
    record(patient, course(("lithium", "N05AN01"), 100, kind=TrialKind.AUGMENTATION))


def test_a_course_does_not_become_an_mao_inhibitor_beside_another(patient: Patient) -> None:
    record(patient, course(SERTRALINE, 0))
    second = record(patient, course(MIRTAZAPINE, 60, kind=TrialKind.COMBINATION))

    with pytest.raises(TrialFault, match="irreversible MAO inhibitor"):
        correct_trial(
            trial=second,
            course=course(TRANYLCYPROMINE, 60, kind=TrialKind.COMBINATION),
            reason="another drug",
            by=BY,
            at=MONDAY,
        )


@pytest.mark.parametrize("atc", ["A10BA02", "N05AN01", "H03AA02", "N06DX01"])
def test_a_drug_against_something_else_is_no_trial(patient: Patient, atc: str) -> None:
    with pytest.raises(TrialFault, match=f"{atc} is no code of an antidepressant"):
        record(patient, course(("some drug", atc), 0))

    assert record(patient, course(("some drug", atc), 0, kind=TrialKind.AUGMENTATION)).pk


@pytest.mark.parametrize("atc", ["N06AG02", "N06CA03", "N05AH04"])
def test_what_is_given_alone_against_depression_is_a_trial(patient: Patient, atc: str) -> None:
    assert record(patient, course(("some drug", atc), 0)).pk


def test_what_stands_together_on_record_may_be_stopped_and_corrected(patient: Patient) -> None:
    for drug, atc in (SERTRALINE, MIRTAZAPINE):
        trial = TrialFactory.create(patient=patient, drug=drug, atc=atc, started_on=START)
        DoseStepFactory.create(trial=trial, started_on=START)

    after = correct_trial(
        trial=trial,
        course=Course.of(trial),
        reason="adherence noted",
        by=BY,
        at=MONDAY,
    )
    stopped = stop_trial(
        trial=after, stopped_on=day(60), stop_reason=StopReason.INTOLERANCE, by=BY, at=MONDAY
    )

    assert (stopped.drug, stopped.stopped_on) == (trial.drug, day(60))


@pytest.mark.parametrize("code", ["F31.3", "F30.1", "F20.0", "F25"])
def test_a_diagnosis_that_the_rule_leaves_out_is_left_out(patient: Patient, code: str) -> None:
    EpisodeFactory.create(patient=patient, started_on=START, diagnosis=code, is_bipolar=None)
    two_failures(patient)

    assert assess(patient).outcome == Outcome.NOT_ASSESSABLE


def test_a_depression_with_psychotic_symptoms_is_not_left_out(patient: Patient) -> None:
    EpisodeFactory.create(patient=patient, started_on=START, diagnosis="F33.3")
    two_failures(patient)

    assert assess(patient).state == f"meets TRD rule {RULES.version}"


def test_earlier_failures_of_the_episode_count(patient: Patient) -> None:
    EpisodeFactory.create(patient=patient, started_on=START, earlier_failures=2)

    found = assess(patient)

    assert found.outcome == Outcome.RULE_MET
    assert found.content["course"]["failed_trials"] == 2


def test_a_trial_that_ran_before_the_first_dose_is_not_dropped(patient: Patient) -> None:
    EpisodeFactory.create(patient=patient, started_on=START)
    record(patient, course(SERTRALINE, -30))

    assert assess(patient).state == ClinicalState.ON_TRIAL_1.value


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        ("", "It had begun before the first dose on record"),
        ("2026-01-20", "It ended before the first dose on record"),
    ],
)
def test_whoever_records_a_trial_before_the_first_dose_is_told_what_becomes_of_it(
    client: Client, patient: Patient, last: str, sentence: str
) -> None:
    reader: Clinician = ClinicianFactory.create(teams=[patient.team])
    client.force_login(reader)
    EpisodeFactory.create(patient=patient, started_on=date(2026, 3, 2))
    said = {
        "drug": "sertraline",
        "started_on": "05-Jan-2026",
        "dose_1_mg": "100 mg",
        "stopped_on": last and "20-Jan-2026",
        "stop_reason": last and "ineffective",
    }

    answer = client.post(reverse("portal:add_trial", args=[patient.public_id]), said, follow=True)

    assert sentence in answer.content.decode()


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (date(1889, 4, 1), None, "too long ago"),
        (START, START - timedelta(days=1), "comes before the first"),
        (START, MONDAY.date() + timedelta(days=9), "yet to come"),
        (MONDAY.date() + timedelta(days=9), None, "yet to come"),
    ],
)
def test_days_that_cannot_be_are_refused_by_the_record_too(
    first: date, last: date | None, sentence: str
) -> None:
    patient = PatientFactory.create(birth_date=None)
    days: dict[str, Any] = {"started_on": first, "stopped_on": last}
    reason = "" if last is None else "ineffective"

    with pytest.raises(TrialFault, match=sentence):
        record(patient, Course(*SERTRALINE, **days, stop_reason=reason))
    with pytest.raises(TrialFault, match=sentence):
        record_event(patient=patient, kind=EventKind.INFECTION, **days, by=BY, at=MONDAY)


def test_an_event_before_birth_is_refused() -> None:
    patient = PatientFactory.create(birth_date=date(1990, 5, 1))

    with pytest.raises(TrialFault, match="before the patient was born"):
        record_event(
            patient=patient,
            kind=EventKind.INFECTION,
            started_on=date(1989, 5, 1),
            by=BY,
            at=MONDAY,
        )


def test_a_drug_that_was_tried_for_days_hides_nothing_of_the_one_that_runs(
    patient: Patient,
) -> None:
    EpisodeFactory.create(patient=patient, started_on=START)
    record(patient, course(SERTRALINE, 0))
    record(patient, course(MIRTAZAPINE, 20, 25))
    for number, total in ((0, 20), (56, 19)):
        rated_at = MONDAY - timedelta(days=120 - number)
        RatingFactory.create(patient=patient, rated_at=rated_at, total=total)

    found = assess(patient)

    assert found.content["course"]["status"] == "trial 1 failed (adequate)"
    assert found.state == ClinicalState.TRIAL_1_FAILED.value


@pytest.mark.parametrize("is_first_recorded_first", [True, False])
def test_two_trials_from_one_day_stand_in_one_order_however_they_came(
    patient: Patient, *, is_first_recorded_first: bool
) -> None:
    EpisodeFactory.create(patient=patient, started_on=START)
    tried, taken = course(MIRTAZAPINE, 0, 1), course(SERTRALINE, 0)
    for said in (tried, taken) if is_first_recorded_first else (taken, tried):
        trial = TrialFactory.create(
            patient=patient,
            drug=said.drug,
            atc=said.atc,
            started_on=said.started_on,
            stopped_on=said.stopped_on,
            stop_reason=said.stop_reason,
        )
        DoseStepFactory.create(trial=trial, started_on=START, dose_mg=100)

    trials = assess(patient).content["course"]["trials"]

    assert [each["drug"] for each in trials] == ["mirtazapine", "sertraline"]


def test_two_doses_from_one_day_are_refused_in_a_sentence(patient: Patient) -> None:
    said = Course(*SERTRALINE, day(0), doses=((day(0), Decimal(50)), (day(0), Decimal(100))))

    with pytest.raises(TrialFault, match="Two doses begin on one day"):
        record(patient, said)
