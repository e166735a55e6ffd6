"""From a changed history to an assessment."""

import json
import threading
import time
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F

from analytics import CURRENT_POLICY, CURRENT_RELEASE
from monitoring import ingest
from monitoring.models import Attempt, Flag, FlagKind, RiskAssessment, Standing
from monitoring.recompute import TRIES, assess_stale_patients, mark_outdated, recompute
from patients.models import CareTeam, EventKind, Patient, Result, Sex, TrialKind
from patients.record.events import record_event
from patients.record.patients import enrol
from patients.record.treatment import Course, record_course, record_trial
from tests.conftest import MONDAY, Push, draw
from tests.factories import FlagFactory

pytestmark = pytest.mark.django_db


def enrol_many(team: CareTeam, count: int) -> list[Patient]:
    return [
        enrol(
            team=team,
            identifiers=[("urn:clinic:mrn", f"9{number:03}")],
            family_name="Invented",
            given_name="Someone",
            birth_date=None,
            sex=Sex.UNKNOWN,
            started_on=date(2026, 9, 1),
            by="operator",
            at=MONDAY,
        )
        for number in range(count)
    ]


def rate(patient: Patient, *, week: int, total: int) -> None:
    ingest.receive_rating(
        patient=patient,
        instrument="QIDS-SR16",
        rated_at=MONDAY.replace(month=9, day=1) + timedelta(weeks=week),
        total=total,
        by="operator",
        at=MONDAY,
    )


def start_trial(patient: Patient) -> None:
    record_trial(
        patient=patient,
        drug="sertraline",
        atc="N06AB06",
        started_on=date(2026, 9, 1),
        doses=[(date(2026, 9, 1), Decimal(100))],
        by="operator",
        at=MONDAY,
    )


def probability_of(assessment: RiskAssessment) -> float:
    assert assessment.probability is not None
    return assessment.probability


def make_unfit(patient: Patient) -> None:
    """Put a value on record that the core must refuse: beyond what a float can hold."""
    Result.objects.filter(draw__patient=patient).update(value=Decimal("1e400"))


def test_a_draw_gets_an_estimate_with_its_interval_and_its_value_without_the_marker(
    push: Push, patient: Patient
) -> None:
    push(json.dumps(draw()).encode())

    [assessment] = recompute([patient.pk], at=MONDAY)

    patient.refresh_from_db()
    assert assessment.outcome == "estimated"
    assert assessment.history_version == patient.history_version
    assert assessment.model == CURRENT_RELEASE.version
    assert assessment.policy == CURRENT_POLICY.version
    assert assessment.probability_low is not None
    assert assessment.probability_high is not None
    assert assessment.probability_low < probability_of(assessment) < assessment.probability_high
    assert assessment.probability_without_biomarker is not None
    assert patient.stale_since is None
    assert patient.standing.assessment == assessment


def test_without_a_draw_or_a_rating_no_number_is_shown(patient: Patient) -> None:
    [assessment] = recompute([patient.pk], at=MONDAY)

    assert assessment.outcome == "not_enough_data"
    assert assessment.probability is None


def test_the_same_history_is_assessed_once(push: Push, patient: Patient) -> None:
    push(json.dumps(draw()).encode())

    first = recompute([patient.pk], at=MONDAY)
    again = recompute([patient.pk], at=MONDAY + timedelta(days=1))

    assert (len(first), again) == (1, [])
    assert RiskAssessment.objects.count() == 1


def test_a_correction_is_assessed_anew_and_the_earlier_assessment_stays(
    push: Push, patient: Patient
) -> None:
    push(json.dumps(draw(value="30.00")).encode())
    [before] = recompute([patient.pk], at=MONDAY)
    push(json.dumps(draw(value="60.00")).encode())

    [after] = recompute([patient.pk], at=MONDAY)

    assert RiskAssessment.objects.count() == 2
    assert after.history_version == before.history_version + 1
    assert probability_of(after) > probability_of(before)


def test_the_order_of_arrival_does_not_matter(push: Push, team: CareTeam) -> None:
    one, other = enrol_many(team, 2)
    draws: list[dict[str, Any]] = [
        {
            "accession": f"{number}",
            "collected_at": f"2026-10-{number + 10}T08:00:00Z",
            "value": f"{30 + number}.5",
        }
        for number in range(5)
    ]
    for each in draws:
        push(json.dumps(draw(**each, mrn="9000")).encode())
    for each in reversed(draws):
        again = each | {"accession": f"r{each['accession']}"}
        push(json.dumps(draw(**again, mrn="9001")).encode())

    [first, second] = recompute([one.pk, other.pk], at=MONDAY)

    assert first.probability == second.probability
    assert first.content["trajectories"] == second.content["trajectories"]


def test_those_who_wait_are_worked_off_in_batches(team: CareTeam) -> None:
    enrol_many(team, 5)

    taken = [assess_stale_patients(at=MONDAY, at_most=2) for _ in range(4)]

    assert taken == [2, 2, 1, 0]
    assert RiskAssessment.objects.count() == 5


def test_one_unfit_history_holds_nobody_else_up(push: Push, team: CareTeam) -> None:
    unfit, fit = enrol_many(team, 2)
    push(json.dumps(draw(mrn="9000")).encode())
    make_unfit(unfit)

    assess_stale_patients(at=MONDAY, at_most=10)

    assert fit.assessments.count() == 1
    assert unfit.assessments.count() == 0
    attempt = Attempt.objects.get()
    assert (attempt.patient_id, attempt.tries) == (unfit.pk, 1)
    assert attempt.retry_at > MONDAY


def test_a_failed_patient_rests_before_the_next_try(push: Push, patient: Patient) -> None:
    push(json.dumps(draw()).encode())
    make_unfit(patient)
    assess_stale_patients(at=MONDAY, at_most=10)

    assert assess_stale_patients(at=MONDAY + timedelta(seconds=1), at_most=10) == 0
    assert assess_stale_patients(at=MONDAY + timedelta(minutes=1), at_most=10) == 1


def test_after_five_tries_the_outcome_is_not_assessable_and_a_person_sees_it(
    push: Push, patient: Patient
) -> None:
    push(json.dumps(draw()).encode())
    make_unfit(patient)

    for hour in range(TRIES + 3):
        assess_stale_patients(at=MONDAY + timedelta(hours=hour), at_most=10)

    [assessment] = RiskAssessment.objects.all()
    patient.refresh_from_db()
    assert (assessment.outcome, assessment.probability) == ("not_assessable", None)
    assert assessment.content["reasons"]
    assert patient.stale_since is None
    assert Flag.objects.up().get().kind == FlagKind.NOT_ASSESSABLE


def test_a_patient_who_could_not_be_assessed_is_tried_again_when_the_record_changes(
    push: Push, patient: Patient
) -> None:
    push(json.dumps(draw(value="30.00")).encode())
    make_unfit(patient)
    for hour in range(TRIES):
        assess_stale_patients(at=MONDAY + timedelta(hours=hour), at_most=10)

    push(json.dumps(draw(value="31.00")).encode())
    assess_stale_patients(at=MONDAY + timedelta(days=1), at_most=10)

    assert patient.assessments.latest("pk").outcome == "estimated"
    assert not Flag.objects.up().exists()


def refuse_rows_of(patient: Patient, *, table: str) -> None:
    """Let the database refuse what would be noted of one patient."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION refuse_{table}() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW
              WHEN (NEW.patient_id = {patient.pk}) EXECUTE FUNCTION refuse_{table}();
            """
        )


@pytest.mark.parametrize("table", ["monitoring_attempt", "monitoring_riskassessment"])
def test_a_failure_that_cannot_be_noted_holds_nobody_else_up(
    push: Push, team: CareTeam, table: str
) -> None:
    unfit, fit = enrol_many(team, 2)
    push(json.dumps(draw(mrn="9000")).encode())
    make_unfit(unfit)
    refuse_rows_of(unfit, table=table)

    for hour in range(TRIES + 1):
        assess_stale_patients(at=MONDAY + timedelta(hours=hour), at_most=10)

    assert (fit.assessments.count(), unfit.assessments.count()) == (1, 0)


def test_the_versions_find_whom_the_mark_has_missed(patient: Patient) -> None:
    recompute([patient.pk], at=MONDAY)
    Patient.objects.update(history_version=F("history_version") + 1)  # as if the mark were lost

    assert mark_outdated(at=MONDAY) == 1
    assert assess_stale_patients(at=MONDAY, at_most=10) == 1
    assert mark_outdated(at=MONDAY) == 0


def test_another_model_makes_everybody_stale(patient: Patient) -> None:
    recompute([patient.pk], at=MONDAY)
    Standing.objects.update(model="an-earlier-model")

    assert mark_outdated(at=MONDAY) == 1


def test_early_non_improvement_on_an_adequate_trial_raises_a_high_flag(
    push: Push, patient: Patient
) -> None:
    start_trial(patient)
    rate(patient, week=0, total=18)
    rate(patient, week=4, total=18)

    [assessment] = recompute([patient.pk], at=MONDAY)

    flag = Flag.objects.up().get(kind=FlagKind.EARLY_NON_IMPROVEMENT)
    assert (flag.level, flag.raised_by) == ("high", assessment)


def test_a_marker_alone_never_goes_beyond_watch(push: Push, patient: Patient) -> None:
    for week, value in enumerate(["20.0", "28.0", "40.0", "58.0", "80.0", "110.0"]):
        day = (date(2026, 9, 2) + timedelta(weeks=week)).isoformat()
        push(
            json.dumps(
                draw(accession=f"A-{week}", collected_at=f"{day}T08:00:00Z", value=value)
            ).encode()
        )

    recompute([patient.pk], at=MONDAY)

    assert [flag.level for flag in Flag.objects.up()] == ["watch"]


def test_a_reading_on_an_il6_receptor_blocker_is_left_out_and_says_so(
    push: Push, patient: Patient
) -> None:
    record_event(
        patient=patient,
        kind=EventKind.IL6R_BLOCKER,
        atc="L04AC07",
        started_on=date(2026, 10, 1),
        by="operator",
        at=MONDAY,
    )
    push(json.dumps(draw(value="380.0")).encode())

    [assessment] = recompute([patient.pk], at=MONDAY)

    assert assessment.content["left_out"]
    assert not Flag.objects.up().filter(kind=FlagKind.DRIFTING).exists()


def _record_beside(patient: Patient, drug: str, atc: str) -> None:
    course = Course(drug, atc, date(2026, 10, 1), kind=TrialKind.AUGMENTATION)
    record_course(patient=patient, course=course, by="operator", at=MONDAY)


@pytest.mark.parametrize(("kind", "atc"), [("biologic", "L04AC07"), (None, "L04AC19")])
def test_a_blocker_is_one_whatever_it_was_recorded_as(
    push: Push, patient: Patient, kind: str | None, atc: str
) -> None:
    on: dict[str, Any] = {"started_on": date(2026, 10, 1), "by": "operator", "at": MONDAY}
    if kind is None:
        _record_beside(patient, "satralizumab", atc)
    else:
        record_event(patient=patient, kind=EventKind(kind), atc=atc, **on)
    push(json.dumps(draw(value="38.0")).encode())

    [assessment] = recompute([patient.pk], at=MONDAY)

    assert assessment.content["left_out"][0]["reasons"] == ["il6r_blocker"]


def test_what_was_recorded_twice_is_one_event_and_the_patient_is_still_assessed(
    push: Push, patient: Patient
) -> None:
    on: dict[str, Any] = {"started_on": date(2026, 10, 1), "by": "operator", "at": MONDAY}
    _record_beside(patient, "tocilizumab", "L04AC07")
    for kind in (EventKind.BIOLOGIC, EventKind.IL6R_BLOCKER, EventKind.BIOLOGIC):
        record_event(patient=patient, kind=kind, atc="L04AC07", **on)
    push(json.dumps(draw(value="38.0")).encode())

    [assessment] = recompute([patient.pk], at=MONDAY)

    assert assessment.content["left_out"][0]["reasons"] == ["il6r_blocker"]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_flags_are_locked_before_standings_as_a_person_who_acts_on_one_does(
    team: CareTeam,
) -> None:
    [patient] = enrol_many(team, 1)
    recompute([patient.pk], at=MONDAY)
    FlagFactory.create(patient=patient)
    Patient.objects.update(history_version=F("history_version") + 1)
    worker = threading.Thread(target=_recompute_in_a_thread, args=[patient.pk])

    with transaction.atomic():
        Standing.objects.select_for_update().get(patient=patient)
        worker.start()
        _wait_until_somebody_waits_for_a_row()
        with pytest.raises(OperationalError, match="could not obtain lock"), transaction.atomic():
            Flag.objects.select_for_update(nowait=True, of=("self",)).get()
    worker.join()


def _recompute_in_a_thread(patient_id: int) -> None:
    try:
        recompute([patient_id], at=MONDAY + timedelta(days=1))
    finally:
        connection.close()


def _wait_until_somebody_waits_for_a_row() -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone() != (0,):
                return
        time.sleep(0.01)
    pytest.fail("nobody waited")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_four_workers_on_the_same_patients_make_one_assessment_each(team: CareTeam) -> None:
    patients = enrol_many(team, 10)
    gate, faults = threading.Barrier(4), []

    def work() -> None:
        try:
            gate.wait()
            while assess_stale_patients(at=MONDAY, at_most=3):
                pass
        except Exception as fault:  # handed to the test, which expects none
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    assert RiskAssessment.objects.count() == len(patients)
    assert not Patient.objects.stale().exists()
