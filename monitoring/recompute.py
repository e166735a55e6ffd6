"""From a changed history to an assessment, its flags and its alerts: a batch in one transaction."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef

from analytics import CURRENT_POLICY, CURRENT_RELEASE, Estimate, estimate_cohort
from monitoring import alerts, flags, standings
from monitoring.history import histories_of
from monitoring.models import (
    Attempt,
    FlagKind,
    FlagLevel,
    Outcome,
    RiskAssessment,
    Standing,
)
from patients.models import Patient

logger = logging.getLogger(__name__)

PATIENTS_AT_ONCE = 100
TRIES = 5
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)


def assess_stale_patients(*, at: datetime, at_most: int) -> int:
    """Assess some of the patients who wait; say how many were taken.

    Those whom another worker has in hand are left to it. When a batch fails, its patients are
    tried one by one, so that one history that cannot be assessed holds nobody else up.
    """
    patient_ids: list[int] = []
    try:
        with transaction.atomic():
            patients = _claim(at=at, at_most=at_most)
            patient_ids = [patient.pk for patient in patients]
            _assess(patients, at=at)
    except Exception as fault:
        if not patient_ids:
            raise
        logger.warning(
            "A batch of %d patients failed (%s); trying them one by one",
            len(patient_ids),
            type(fault).__name__,
        )
        for patient_id in patient_ids:
            _assess_alone(patient_id, at=at)
    return len(patient_ids)


def _claim(*, at: datetime, at_most: int) -> list[Patient]:
    resting = Attempt.objects.filter(patient=OuterRef("pk"), retry_at__gt=at)
    return list(
        Patient.objects.stale()
        .filter(~Exists(resting))
        .order_by("stale_since")
        .select_for_update(no_key=True, skip_locked=True)[:at_most]
    )


def _assess_alone(patient_id: int, *, at: datetime) -> None:
    """Assess one patient of a batch that failed; note the attempt when it fails again.

    Whatever goes wrong with one history must not reach the others: it is caught here, counted,
    and after the last try it becomes an outcome that a person sees.
    """
    try:
        recompute([patient_id], at=at)
    except Exception as fault:
        logger.exception("Patient %d could not be assessed", patient_id)
        _note_failure(patient_id, fault=type(fault).__name__, at=at)


@transaction.atomic
def _note_failure(patient_id: int, *, fault: str, at: datetime) -> None:
    patient = (
        Patient.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(pk=patient_id)
        .first()
    )
    if patient is None:
        return  # another worker has the patient in hand, and will note its own failure
    attempt, _ = Attempt.objects.get_or_create(
        patient=patient,
        defaults={
            "history_version": patient.history_version,
            "tries": 0,
            "retry_at": at,
            "fault": fault,
        },
    )
    if attempt.history_version != patient.history_version:
        attempt.history_version, attempt.tries = patient.history_version, 0
    attempt.tries += 1
    attempt.fault = fault
    attempt.retry_at = at + min(FIRST_PAUSE * 2 ** (attempt.tries - 1), LONGEST_PAUSE)
    attempt.save()
    if attempt.tries >= TRIES:
        _give_up([patient], fault=fault, at=at)


def _give_up(patients: Sequence[Patient], *, fault: str, at: datetime) -> None:
    """Put "not assessable" on record, so that it is shown and not tried for ever."""
    assessments = [
        RiskAssessment(
            patient=patient,
            history_version=patient.history_version,
            model=CURRENT_RELEASE.version,
            policy=CURRENT_POLICY.version,
            made_at=at,
            outcome=Outcome.NOT_ASSESSABLE,
            state="",
            content={"reasons": [fault]},
        )
        for patient in patients
    ]
    wanted = flags.Wanted(FlagKind.NOT_ASSESSABLE, FlagLevel.WATCH, reasons=(fault,), is_raise=True)
    _put_on_record(assessments, [(wanted,)] * len(assessments), at=at)


@transaction.atomic
def recompute(patient_ids: Sequence[int], *, at: datetime) -> list[RiskAssessment]:
    """Assess the present history of these patients, once; give back what is new.

    Their rows are locked from here to the commit; those that another worker holds are left to it.
    A history that was assessed before by this model and policy is not assessed again, so every
    caller may repeat itself without harm.
    """
    return _assess(
        list(
            Patient.objects.filter(pk__in=patient_ids)
            .select_for_update(no_key=True, skip_locked=True)
            .order_by("pk")
        ),
        at=at,
    )


def _assess(patients: Sequence[Patient], *, at: datetime) -> list[RiskAssessment]:
    """Assess these patients, whose rows the caller holds, unless that was done before."""
    done = set(
        Standing.objects.filter(
            patient__in=patients,
            history_version=F("patient__history_version"),
            model=CURRENT_RELEASE.version,
            policy=CURRENT_POLICY.version,
        ).values_list("patient_id", flat=True)
    )
    Patient.objects.filter(pk__in=done, stale_since__isnull=False).update(stale_since=None)
    waiting = [patient for patient in patients if patient.pk not in done]
    if not waiting:
        return []
    estimates = estimate_cohort(
        histories_of([patient.pk for patient in waiting]),
        at=at,
        release=CURRENT_RELEASE,
        policy=CURRENT_POLICY,
    )
    found = {estimate.patient_id: estimate for estimate in estimates}
    assessments = [_assessment_of(patient, found[patient.pk], at=at) for patient in waiting]
    wanted = [_flags_of(found[patient.pk]) for patient in waiting]
    return _put_on_record(assessments, wanted, at=at)


def _assessment_of(patient: Patient, estimate: Estimate, *, at: datetime) -> RiskAssessment:
    return RiskAssessment(
        patient=patient,
        history_version=patient.history_version,
        model=CURRENT_RELEASE.version,
        policy=CURRENT_POLICY.version,
        made_at=at,
        outcome=estimate.outcome,
        state=estimate.state_words,
        probability=estimate.probability,
        probability_low=estimate.probability_low,
        probability_high=estimate.probability_high,
        probability_without_biomarker=estimate.probability_without_biomarker,
        content=estimate.as_json(),
    )


def _flags_of(estimate: Estimate) -> Sequence[flags.Wanted]:
    return [
        flags.Wanted(FlagKind(each.kind), FlagLevel(each.level), tuple(each.reasons), each.is_raise)
        for each in estimate.wanted_flags
    ]


def _put_on_record(
    assessments: list[RiskAssessment], wanted: Sequence[Sequence[flags.Wanted]], *, at: datetime
) -> list[RiskAssessment]:
    """Write assessments, standings, flags and alerts; the caller holds the patients' rows."""
    ids = [assessment.patient_id for assessment in assessments]
    standings.write_assessments(assessments)
    # Flags before standings, as a person's step does: in the other order the two could each wait
    # for the other
    raised = flags.reconcile(list(zip(assessments, wanted, strict=True)), at=at)
    standings.write_standings(assessments)
    alerts.queue(raised, at=at)
    flags.refresh_need(ids)
    Patient.objects.filter(pk__in=ids).update(stale_since=None)
    Attempt.objects.filter(patient__in=ids).delete()
    return assessments


def mark_outdated(*, at: datetime) -> int:
    """Find everyone whose newest assessment saw another history, model or policy; say how many.

    This asks the versions themselves and nothing else, so it finds what any queue has lost, and
    whom a new model makes stale.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE patients_patient SET stale_since = %s
             WHERE id IN (
                   SELECT patient.id
                     FROM patients_patient AS patient
                     LEFT JOIN monitoring_standing AS standing
                       ON standing.patient_id = patient.id
                    WHERE patient.stale_since IS NULL
                      AND (standing.history_version, standing.model, standing.policy)
                          IS DISTINCT FROM (patient.history_version, %s, %s)
                      FOR NO KEY UPDATE OF patient SKIP LOCKED
                   )
            """,
            [at, CURRENT_RELEASE.version, CURRENT_POLICY.version],
        )
        marked: int = cursor.rowcount
    return marked
