"""The life of a flag."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from monitoring import flags, ingest
from monitoring.flags import FlagHasMoved, SafetyHasItsOwnPath, Wanted
from monitoring.models import (
    LAPSED,
    OVERTAKEN,
    AcknowledgeReason,
    Alert,
    Flag,
    FlagKind,
    FlagLevel,
    FlagState,
    ResolveReason,
    RiskAssessment,
    Standing,
)
from patients.models import CareTeam, Clinician, Patient, Role
from patients.record.people import add_clinician
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db

HIGH = Wanted(FlagKind.TRENDING, FlagLevel.HIGH, ("non_response",), is_raise=True)
WATCH = Wanted(FlagKind.DRIFTING, FlagLevel.WATCH, ("real_rise",), is_raise=True)
KEEP = Wanted(FlagKind.DRIFTING, FlagLevel.WATCH, ("real_rise",), is_raise=False)


@pytest.fixture
def clinician(team: CareTeam) -> Clinician:
    return add_clinician(
        email="reader@example.org",
        full_name="Reader",
        password="a long enough password",
        team=team,
        role=Role.NURSE,
        by="operator",
        at=MONDAY,
    )


@pytest.fixture
def assessment(patient: Patient) -> RiskAssessment:
    made = RiskAssessment.objects.create(
        patient=patient,
        history_version=patient.history_version,
        model="m",
        policy="p",
        made_at=MONDAY,
        outcome="not_enough_data",
        content={},
    )
    Standing.objects.create(patient=patient, team=patient.team, assessment=made)
    return made


def want(assessment: RiskAssessment, *wanted: Wanted, weeks: int = 0) -> list[Flag]:
    return flags.reconcile(
        [flags.Assessed(assessment.patient_id, assessment.pk, wanted)],
        at=MONDAY + timedelta(weeks=weeks),
    )


def test_a_flag_is_raised_once_and_repeats_join_it(assessment: RiskAssessment) -> None:
    first = want(assessment, WATCH)

    again = want(assessment, WATCH, weeks=1)

    assert len(first) == 1
    assert again == []
    assert Flag.objects.up().count() == 1


def test_two_open_flags_of_one_kind_cannot_be(assessment: RiskAssessment) -> None:
    [flag] = want(assessment, WATCH)
    flag.pk, flag.reference = None, "OTHER"

    with pytest.raises(IntegrityError, match="one_open_flag_per_patient_and_kind"):
        flag.save()


def test_a_marker_flag_cannot_be_high(assessment: RiskAssessment) -> None:
    [flag] = want(assessment, WATCH)
    flag.level = FlagLevel.HIGH

    with pytest.raises(IntegrityError, match="a_marker_alone_never_goes_beyond_watch"):
        flag.save()


def test_a_flag_whose_reason_is_gone_is_resolved_by_the_system(
    assessment: RiskAssessment,
) -> None:
    [flag] = want(assessment, WATCH)

    want(assessment, weeks=1)

    flag.refresh_from_db()
    assert (flag.state, flag.resolved_at) == (FlagState.RESOLVED, MONDAY + timedelta(weeks=1))
    last = flag.events.latest("pk")
    assert (last.by, last.reason) == (None, LAPSED)


def test_between_the_two_thresholds_an_open_flag_stays_and_none_is_raised(
    assessment: RiskAssessment,
) -> None:
    assert want(assessment, KEEP) == []

    [flag] = want(assessment, WATCH, weeks=1)
    want(assessment, KEEP, weeks=2)

    flag.refresh_from_db()
    assert flag.state == FlagState.RAISED


def test_a_flag_that_comes_back_says_that_it_returned(assessment: RiskAssessment) -> None:
    [first] = want(assessment, WATCH)
    want(assessment, weeks=1)

    [second] = want(assessment, WATCH, weeks=2)

    assert (first.has_returned, second.has_returned) == (False, True)


def test_a_watch_flag_that_becomes_high_is_raised_anew_and_told_at_once(
    assessment: RiskAssessment, clinician: Clinician
) -> None:
    by_marker = Wanted(FlagKind.TRENDING, FlagLevel.WATCH, ("probability",), is_raise=True)
    [watch] = want(assessment, by_marker)

    [high] = want(assessment, HIGH, weeks=1)

    watch.refresh_from_db()
    assert (watch.state, watch.events.latest("pk").reason) == (FlagState.RESOLVED, OVERTAKEN)
    assert (high.level, high.state, high.has_returned) == ("high", FlagState.RAISED, False)


def test_a_high_flag_is_not_lowered_to_watch_while_it_is_open(
    assessment: RiskAssessment,
) -> None:
    by_marker = Wanted(FlagKind.TRENDING, FlagLevel.WATCH, ("probability",), is_raise=True)
    [high] = want(assessment, HIGH)

    assert want(assessment, by_marker, weeks=1) == []
    high.refresh_from_db()
    assert (high.state, high.level) == (FlagState.RAISED, "high")


def test_what_a_person_has_settled_is_not_raised_again_by_the_same_reason(
    assessment: RiskAssessment, clinician: Clinician
) -> None:
    [flag] = want(assessment, WATCH)
    flags.resolve(
        flag=flag,
        version=flag.version,
        reason=ResolveReason.EXPLAINED,
        plan="",
        by=clinician,
        at=MONDAY,
    )

    assert want(assessment, WATCH, weeks=1) == []
    assert len(want(assessment, WATCH, weeks=4)) == 1


def test_what_a_person_has_settled_is_raised_by_a_reason_that_is_new_since(
    assessment: RiskAssessment, clinician: Clinician
) -> None:
    [flag] = want(assessment, WATCH)
    flags.resolve(
        flag=flag,
        version=flag.version,
        reason=ResolveReason.EXPLAINED,
        plan="",
        by=clinician,
        at=MONDAY,
    )
    want(assessment, weeks=1)

    assert len(want(assessment, WATCH, weeks=2)) == 1


def settle(flag: Flag, clinician: Clinician, *, weeks: int = 0) -> None:
    flags.resolve(
        flag=flag,
        version=flag.version,
        reason=ResolveReason.ASSESSED,
        plan="",
        by=clinician,
        at=MONDAY + timedelta(weeks=weeks),
    )


def trending(*reasons: str, level: FlagLevel = FlagLevel.HIGH) -> Wanted:
    return Wanted(FlagKind.TRENDING, level, reasons, is_raise=True)


def test_settling_one_reason_does_not_silence_a_graver_one(
    assessment: RiskAssessment, clinician: Clinician
) -> None:
    first = trending("non_response_at_decision_point")
    graver = trending("meets_trd_rule", "non_response_at_decision_point")
    [flag] = want(assessment, first)
    settle(flag, clinician)

    assert want(assessment, first, weeks=1) == []
    [again] = want(assessment, graver, weeks=2)
    settle(again, clinician, weeks=2)
    assert want(assessment, graver, weeks=3) == []
    assert want(assessment, first, weeks=3) == []


def test_settling_a_watch_flag_does_not_silence_a_high_one(
    assessment: RiskAssessment, clinician: Clinician
) -> None:
    [flag] = want(assessment, trending("no_early_improvement", level=FlagLevel.WATCH))
    settle(flag, clinician)

    assert len(want(assessment, trending("no_early_improvement"), weeks=1)) == 1


def test_the_marker_that_agrees_is_no_news_by_itself(
    assessment: RiskAssessment, clinician: Clinician
) -> None:
    [flag] = want(assessment, trending("trial_failed"))
    settle(flag, clinician)

    assert want(assessment, trending("trial_failed", "biomarker_agrees"), weeks=1) == []


def test_an_open_flag_says_why_it_is_up_now_and_new_evidence_is_told_once(
    assessment: RiskAssessment, clinician: Clinician
) -> None:
    first = trending("trial_failed")
    graver = trending("meets_trd_rule", "biomarker_agrees")
    [flag] = want(assessment, first)
    flags.acknowledge(
        flag=flag,
        version=1,
        reason=AcknowledgeReason.REVIEWING,
        plan="",
        by=clinician,
        at=MONDAY,
    )

    for week, wanted in enumerate([graver, first, graver, graver], start=1):
        assert want(assessment, wanted, weeks=week) == []
        flag.refresh_from_db()
        assert flag.reasons == list(wanted.reasons)

    assert flag.state == FlagState.RAISED
    assert flag.has_returned
    assert Alert.objects.filter(flag=flag, occasion__startswith="+").count() == 1
    assert flag.events.filter(reason="+meets_trd_rule").count() == 1


def test_a_person_takes_a_flag_on(assessment: RiskAssessment, clinician: Clinician) -> None:
    [flag] = want(assessment, HIGH)

    flags.see(flag=flag, version=1, by=clinician, at=MONDAY)
    flags.acknowledge(
        flag=flag,
        version=2,
        reason=AcknowledgeReason.REVIEWING,
        plan=" Call on Tuesday ",
        by=clinician,
        at=MONDAY,
    )

    flag.refresh_from_db()
    assert (flag.state, flag.version) == (FlagState.ACKNOWLEDGED, 3)
    last = flag.events.latest("pk")
    assert (last.by, last.reason, last.plan) == (clinician, "reviewing", "Call on Tuesday")


def test_two_people_cannot_act_on_the_same_state_unknowingly(
    assessment: RiskAssessment, clinician: Clinician
) -> None:
    [flag] = want(assessment, HIGH)
    flags.see(flag=flag, version=1, by=clinician, at=MONDAY)

    with pytest.raises(FlagHasMoved, match="seen since 02-Nov-2026 09:00 UTC, by Reader"):
        flags.see(flag=flag, version=1, by=clinician, at=MONDAY)


def test_a_resolved_flag_takes_no_further_step(
    assessment: RiskAssessment, clinician: Clinician
) -> None:
    [flag] = want(assessment, HIGH)
    want(assessment, weeks=1)

    with pytest.raises(FlagHasMoved, match="by the system"):
        flags.see(flag=flag, version=2, by=clinician, at=MONDAY)


def test_need_follows_the_open_flags(assessment: RiskAssessment, clinician: Clinician) -> None:
    def need() -> int:
        flags.refresh_need([assessment.patient_id])
        return Standing.objects.get().need

    assert need() == 0
    want(assessment, WATCH)
    watched = need()
    [high] = want(assessment, WATCH, HIGH)
    alarmed = need()
    flags.acknowledge(
        flag=high,
        version=1,
        reason=AcknowledgeReason.KNOWN,
        plan="",
        by=clinician,
        at=MONDAY,
    )
    taken_on = Standing.objects.get().need

    assert 0 < watched < alarmed
    assert taken_on == watched


def answers(item_12: int) -> list[int | None]:
    return [*[1] * 11, item_12, *[1] * 4]


def rate(patient: Patient, item_12: int) -> None:
    ingest.receive_rating(
        patient=patient,
        instrument="QIDS-SR16",
        rated_at=MONDAY - timedelta(days=item_12),
        items=answers(item_12),
        by="operator",
        at=MONDAY,
    )


@pytest.mark.parametrize("item_12", [1, 2, 3])
def test_a_positive_self_harm_item_raises_its_flag_with_the_rating_itself(
    patient: Patient, clinician: Clinician, item_12: int
) -> None:
    rate(patient, item_12)

    flag = Flag.objects.up().get(kind=FlagKind.SAFETY)
    alert = Alert.objects.get(flag=flag)
    assert flag.level == FlagLevel.SAFETY
    assert (alert.clinician, alert.urgency, alert.due_at) == (clinician, "prompt", MONDAY)


def test_a_zero_raises_no_safety_flag_and_a_repeat_joins_the_open_one(patient: Patient) -> None:
    rate(patient, 0)
    assert not Flag.objects.exists()

    rate(patient, 1)
    rate(patient, 2)

    assert Flag.objects.count() == 1


def test_an_assessment_never_resolves_a_safety_flag(
    patient: Patient, assessment: RiskAssessment
) -> None:
    rate(patient, 1)

    want(assessment, weeks=8)

    assert Flag.objects.up().get().kind == FlagKind.SAFETY


def test_a_safety_flag_is_neither_acknowledged_nor_resolved_like_another(
    patient: Patient, clinician: Clinician
) -> None:
    rate(patient, 1)
    flag = Flag.objects.get()

    with pytest.raises(SafetyHasItsOwnPath):
        flags.resolve(
            flag=flag,
            version=1,
            reason=ResolveReason.ASSESSED,
            plan="Seen.",
            by=clinician,
            at=MONDAY,
        )
    with pytest.raises(SafetyHasItsOwnPath):
        flags.acknowledge(
            flag=flag,
            version=1,
            reason=AcknowledgeReason.REVIEWING,
            plan="",
            by=clinician,
            at=MONDAY,
        )

    assert Flag.objects.up().get() == flag
