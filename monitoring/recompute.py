"""From a changed history to an assessment, its flags and its alerts: a batch in one transaction."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from analytics import CURRENT_POLICY, Estimate, estimate_cohort
from analytics.definitions import Rules
from monitoring import alerts, corrected, flags, standings
from monitoring.history import histories_of
from monitoring.model_in_force import RELEASE
from monitoring.models import Attempt, FlagKind, FlagLevel, Outcome, RiskAssessment
from monitoring.site_rules import (
    rules_asked,
    rules_of_patients,
    rules_of_sites,
    rules_read,
)
from monitoring.standings import Finding
from patients.models import Patient
from patients.statements import Question, ask, numbers

logger = logging.getLogger(__name__)

PATIENTS_AT_ONCE = 100
PATIENTS_OF_A_BACKLOG_AT_ONCE = (
    1000  # each costs less in a larger batch, and is done a little later
)
TRIES = 5
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)

Versions = dict[int, int]  # patients whose rows are held, and the version of each one's history

_DONE = """
SELECT patient_id, rules FROM monitoring_standing
  JOIN unnest(%s::bigint[], %s::bigint[]) AS held (patient_id, history_version)
       USING (patient_id, history_version)
 WHERE model = %s AND policy = %s
"""
_NO_LONGER_STALE = """
UPDATE patients_patient SET stale_since = NULL
 WHERE id = ANY(%s::bigint[]) AND stale_since IS NOT NULL
"""
_SUCCEEDED = "DELETE FROM monitoring_attempt WHERE patient_id = ANY(%s::bigint[])"


def assess_stale_patients(*, at: datetime, at_most: int) -> int:
    """Assess some of the patients who wait; say how many were taken.

    Those whom another worker has in hand are left to it. When a batch fails, its patients are
    tried one by one, so that one history that cannot be assessed holds nobody else up.
    """
    patients: Versions = {}
    try:
        with transaction.atomic():
            patients = _claim(at=at, at_most=at_most)
            _assess(patients, at=at)
    except Exception as fault:
        if not patients:
            raise
        logger.warning(
            "A batch of %d patients failed (%s); trying them one by one",
            len(patients),
            type(fault).__name__,
        )
        for patient_id in patients:
            _assess_alone(patient_id, at=at)
    return len(patients)


def work_off_backlog(*, at: datetime) -> int:
    """Assess all who wait, in large batches; say how many were taken."""
    taken, last = 0, PATIENTS_OF_A_BACKLOG_AT_ONCE
    while last == PATIENTS_OF_A_BACKLOG_AT_ONCE:
        last = assess_stale_patients(at=at, at_most=PATIENTS_OF_A_BACKLOG_AT_ONCE)
        taken += last
    return taken


def _claim(*, at: datetime, at_most: int) -> Versions:
    resting = Attempt.objects.filter(patient=OuterRef("pk"), retry_at__gt=at)
    return dict(
        Patient.objects.stale()
        .filter(~Exists(resting))
        .order_by("stale_since")
        .select_for_update(no_key=True, skip_locked=True)
        .values_list("pk", "history_version")[:at_most]
    )


def _assess_alone(patient_id: int, *, at: datetime) -> None:
    """Assess one patient of a batch that failed; note the attempt when it fails again.

    Whatever goes wrong with one history must not reach the others: it is caught here, counted,
    and after the last try it becomes an outcome that a person sees. The attempt is on record
    before that, so that a patient whose outcome cannot be written either rests like any other.
    """
    try:
        recompute([patient_id], at=at)
    except Exception as fault:
        logger.exception("Patient %d could not be assessed", patient_id)
        try:
            if _note_failure(patient_id, fault=type(fault).__name__, at=at) >= TRIES:
                _give_up(patient_id, fault=type(fault).__name__, at=at)
        except Exception:
            logger.exception("What became of patient %d could not be noted", patient_id)


@transaction.atomic
def _note_failure(patient_id: int, *, fault: str, at: datetime) -> int:
    """Count the failure, and let the patient rest; say how often this history has failed."""
    patient = (
        Patient.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(pk=patient_id)
        .first()
    )
    if patient is None:
        return 0  # another worker has the patient in hand, and will note its own failure
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
    return attempt.tries


@transaction.atomic
def _give_up(patient_id: int, *, fault: str, at: datetime) -> None:
    """Put "not assessable" on record, so that it is shown and not tried for ever."""
    patient = (
        Patient.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(pk=patient_id)
        .first()
    )
    if patient is None:
        return  # another worker has the patient in hand
    finding = Finding(
        patient_id=patient.pk,
        history_version=patient.history_version,
        rules=rules_of_patients([patient.pk], at=at)[patient.pk].version,
        outcome=Outcome.NOT_ASSESSABLE.value,
        state="",
        probability=None,
        probability_low=None,
        probability_high=None,
        probability_without_biomarker=None,
        content=json.dumps({"reasons": [fault]}),
    )
    _put_on_record([finding], [[_given_up([fault])]], at=at)


@transaction.atomic
def recompute(patient_ids: Sequence[int], *, at: datetime) -> list[RiskAssessment]:
    """Assess the present history of these patients, once; give back what is new.

    Their rows are locked from here to the commit; those that another worker holds are left to it.
    A history that was assessed before by this model and policy is not assessed again, so every
    caller may repeat itself without harm.
    """
    held = dict(
        Patient.objects.filter(pk__in=patient_ids)
        .select_for_update(no_key=True, skip_locked=True)
        .order_by("pk")
        .values_list("pk", "history_version")
    )
    new = _assess(held, at=at)
    return list(RiskAssessment.objects.filter(pk__in=new).order_by("patient_id"))


def _assess(patients: Versions, *, at: datetime) -> list[int]:
    """Assess these patients, whose rows the caller holds, unless that was done before."""
    if not patients:
        return []
    model, policy = RELEASE.version, CURRENT_POLICY.version
    found, chosen = ask(
        (_DONE, [numbers(patients), numbers(patients.values()), model, policy]),
        rules_asked(list(patients)),
    )
    rules = rules_read(chosen, at=at)
    done = {patient_id for patient_id, saw in found if saw == rules[patient_id].version}
    if done:
        ask((_NO_LONGER_STALE, [numbers(done)]))
        patients = {key: version for key, version in patients.items() if key not in done}
        if not patients:
            return []
    estimates = estimates_of(list(patients), rules, at=at)
    findings = [_finding(each, patients[each.patient_id]) for each in estimates]
    before = corrected.before_corrections(list(patients))
    new = _put_on_record(findings, [_flags_of(each) for each in estimates], at=at)
    if before:
        told = corrected.tell(before, {each.patient_id: each for each in estimates}, at=at)
        flags.refresh_need([flag.patient_id for flag in told])
    return new


def estimates_of(
    patient_ids: list[int], rules: Mapping[int, Rules], *, at: datetime
) -> list[Estimate]:
    """Estimate these patients, all of one rule set at once."""
    by_rules: dict[str, list[int]] = {}
    for patient_id in patient_ids:
        by_rules.setdefault(rules[patient_id].version, []).append(patient_id)
    return [
        estimate
        for those in by_rules.values()
        for estimate in estimate_cohort(
            histories_of(those),
            at=at,
            release=RELEASE,
            policy=CURRENT_POLICY,
            rules=rules[those[0]],
        )
    ]


def _finding(estimate: Estimate, history_version: int) -> Finding:
    return Finding(
        estimate.patient_id,
        history_version,
        estimate.rules_version,
        estimate.outcome.value,
        estimate.state_words,
        estimate.probability,
        estimate.probability_low,
        estimate.probability_high,
        estimate.probability_without_biomarker,
        estimate.as_json_text(),
    )


def _flags_of(estimate: Estimate) -> Sequence[flags.Wanted]:
    return [
        flags.Wanted(FlagKind(each.kind), FlagLevel(each.level), tuple(each.reasons), each.is_raise)
        for each in estimate.wanted_flags
    ]


def _flags_in(content: dict[str, Any]) -> Sequence[flags.Wanted]:
    """Give the flags that an assessment on record asks for; one that was given up has a fault."""
    if "wanted_flags" in content:
        return _flags_of(Estimate.from_json(content))
    return [_given_up(content["reasons"])]


def _given_up(reasons: Sequence[str]) -> flags.Wanted:
    return flags.Wanted(FlagKind.NOT_ASSESSABLE, FlagLevel.WATCH, tuple(reasons), is_raise=True)


def _put_on_record(
    findings: Sequence[Finding], wanted: Sequence[Sequence[flags.Wanted]], *, at: datetime
) -> list[int]:
    """Write assessments, standings, flags and alerts; the caller holds the patients' rows."""
    ids = [finding.patient_id for finding in findings]
    written = standings.write_assessments(
        findings, model=RELEASE.version, policy=CURRENT_POLICY.version, at=at
    )
    made = written.made
    again = {key: _flags_in(content) for key, content in written.content_made_before.items()}
    # Flags before standings, as a person's step does: in the other order the two could each wait
    # for the other
    raised = flags.reconcile(
        [
            flags.Assessed(patient_id, made[patient_id], again.get(patient_id, each))
            for patient_id, each in zip(ids, wanted, strict=True)
        ],
        at=at,
    )
    alerts.queue(raised, at=at)
    settled: list[Question] = [(sql, [numbers(ids)]) for sql in (_NO_LONGER_STALE, _SUCCEEDED)]
    ask(standings.standings_written(list(made.values())), flags.need_refreshed(ids), *settled)
    return [number for patient_id, number in made.items() if patient_id not in again]


def mark_outdated(*, at: datetime) -> int:
    """Find everyone whose newest assessment saw another history, model, policy or rule set.

    This asks the versions themselves and nothing else, so it finds what any queue has lost, and
    whom a new model, or the rules of a site or of a new day, make stale. Says how many.
    """
    rules = rules_of_sites(at=at)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE patients_patient SET stale_since = %s
             WHERE id IN (
                   SELECT patient.id
                     FROM patients_patient AS patient
                     LEFT JOIN monitoring_standing AS standing
                       ON standing.patient_id = patient.id
                     JOIN patients_careteam AS team ON team.id = patient.team_id
                     JOIN unnest(%s::bigint[], %s::text[]) AS in_force (site_id, version)
                       ON in_force.site_id = team.site_id
                    WHERE patient.stale_since IS NULL
                      AND (standing.history_version, standing.model, standing.policy,
                           standing.rules)
                          IS DISTINCT FROM (patient.history_version, %s, %s, in_force.version)
                      FOR NO KEY UPDATE OF patient SKIP LOCKED
                   )
            """,
            [
                *(at, list(rules), [each.version for each in rules.values()]),
                *(RELEASE.version, CURRENT_POLICY.version),
            ],
        )
        marked: int = cursor.rowcount
    return marked
