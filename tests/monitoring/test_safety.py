"""The safety path: from a positive answer on self-harm to a person's recorded outcome."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from instruments import INSTRUMENTS
from monitoring import alerts, flags, ingest, safety, safety_list
from monitoring.flags import FlagHasMoved
from monitoring.models import (
    Alert,
    Behaviour,
    Contact,
    CrisisPlan,
    Escalation,
    EscalationStep,
    Finding,
    Flag,
    FlagKind,
    FlagState,
    Ideation,
    SafetyAction,
    SafetyOutcome,
    Standing,
)
from monitoring.outcomes import Outcome, OutcomeFault
from monitoring.recompute import recompute
from patients.models import Clinician, Membership, Patient, PatientStatus, Role, SafetyDuty
from patients.record.duties import NotOfTheTeam, name_clinician, set_duty
from patients.record.ratings import RatingFault, correct_rating, withdraw_rating
from tests.factories import MONDAY, ClinicianFactory, PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return PatientFactory.create()


def member(
    patient: Patient, duty: SafetyDuty = SafetyDuty.NONE, role: Role = Role.NURSE
) -> Clinician:
    somebody = ClinicianFactory.create(teams=[patient.team])
    membership = Membership.objects.get(clinician=somebody)
    Membership.objects.filter(pk=membership.pk).update(role=role)
    set_duty(membership=membership, duty=duty, by="operator", at=MONDAY)
    return somebody


def rate(patient: Patient, answer: int, *, instrument: str = "QIDS-SR16", days: int = 0) -> None:
    scale = INSTRUMENTS[instrument]
    items = [0] * scale.n_items
    items[scale.self_harm_item - 1] = answer
    ingest.receive_rating(
        patient=patient,
        instrument=instrument,
        rated_at=MONDAY - timedelta(days=days),
        items=items,
        by="clinician:0",
        at=MONDAY,
    )


def outcome(**said: object) -> Outcome:
    plain: dict[str, object] = {
        "assessed_at": MONDAY + timedelta(minutes=30),
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
    return Outcome(**(plain | said))  # type: ignore[arg-type]


def told(flag: Flag) -> set[Clinician]:
    return {alert.clinician for alert in Alert.objects.filter(flag=flag)}


# One or more the same day, two or more urgent, three or more at once: the same path on every scale
@pytest.mark.parametrize(
    ("instrument", "by_answer"),
    [
        ("QIDS-SR16", ["same_day", "urgent", "immediate"]),
        ("PHQ-9", ["same_day", "urgent", "immediate"]),
        ("HAM-D17", ["same_day", "urgent", "immediate", "immediate"]),
        ("MADRS", ["same_day", "urgent", "immediate", "immediate", "immediate", "immediate"]),
    ],
)
def test_every_positive_answer_on_every_scale_raises_its_flag_with_its_level(
    patient: Patient, instrument: str, by_answer: Sequence[str]
) -> None:
    for answer, level in enumerate(by_answer, start=1):
        somebody = PatientFactory.create(team=patient.team)
        rate(somebody, answer, instrument=instrument)

        assert Flag.objects.get(patient=somebody).urgency == level, (instrument, answer)


def test_whoever_cannot_wait_stands_before_whoever_can_wait_until_tonight(
    patient: Patient,
) -> None:
    others = [PatientFactory.create(team=patient.team) for _ in range(2)]
    recompute([patient.pk, *(each.pk for each in others)], at=MONDAY)

    for somebody, answer in zip([patient, *others], [1, 3, 2], strict=True):
        rate(somebody, answer)

    by_need = Standing.objects.order_by("-need").values_list("patient", flat=True)
    assert list(by_need) == [others[0].pk, others[1].pk, patient.pk]


@pytest.mark.parametrize("instrument", list(INSTRUMENTS))
def test_a_zero_raises_nothing(patient: Patient, instrument: str) -> None:
    rate(patient, 0, instrument=instrument)

    assert not Flag.objects.exists()


def test_an_answer_beside_a_total_alone_counts_too(patient: Patient) -> None:
    ingest.receive_rating(
        patient=patient,
        instrument="HAM-D17",
        rated_at=MONDAY,
        total=18,
        self_harm_answer=2,
        by="clinician:0",
        at=MONDAY,
    )

    assert Flag.objects.get().urgency == "urgent"


def test_an_answer_that_the_item_does_not_have_is_refused_in_plain_words(patient: Patient) -> None:
    with pytest.raises(RatingFault, match="item 3 must be a whole number from 0 to 4"):
        ingest.receive_rating(
            patient=patient,
            instrument="HAM-D17",
            rated_at=MONDAY,
            total=18,
            self_harm_answer=5,
            by="clinician:0",
            at=MONDAY,
        )


def test_an_incomplete_form_with_a_positive_answer_counts_too(patient: Patient) -> None:
    items: list[int | None] = [None] * 9
    items[8] = 3
    rating, _ = ingest.receive_rating(
        patient=patient,
        instrument="PHQ-9",
        rated_at=MONDAY,
        items=items,
        by="clinician:0",
        at=MONDAY,
    )

    assert rating.total is None
    assert Flag.objects.get().urgency == "immediate"


# Who is told


def test_without_duties_everybody_is_told(patient: Patient) -> None:
    both = {member(patient), member(patient)}

    rate(patient, 1)

    flag = Flag.objects.get()
    assert told(flag) == both
    assert flag.owner is None


def test_who_is_first_is_told_and_owns_it(patient: Patient) -> None:
    member(patient)
    first = member(patient, SafetyDuty.FIRST)

    rate(patient, 1)

    flag = Flag.objects.get()
    assert told(flag) == {first}
    assert flag.owner == first


def test_the_named_clinician_goes_before_who_is_first(patient: Patient) -> None:
    member(patient, SafetyDuty.FIRST)
    own = member(patient)
    name_clinician(patient=patient, clinician=own, by="operator", at=MONDAY)
    patient.refresh_from_db()

    rate(patient, 1)

    assert told(Flag.objects.get()) == {own}


def test_nobody_outside_the_team_can_be_named(patient: Patient) -> None:
    with pytest.raises(NotOfTheTeam):
        name_clinician(
            patient=patient, clinician=ClinicianFactory.create(), by="operator", at=MONDAY
        )


@pytest.mark.parametrize("status", [PatientStatus.TRANSFERRED, PatientStatus.WITHDRAWN])
def test_it_is_told_of_those_who_are_no_longer_followed_too(
    patient: Patient, status: PatientStatus
) -> None:
    somebody = member(patient)
    Patient.objects.filter(pk=patient.pk).update(status=status)
    patient.refresh_from_db()

    rate(patient, 1)
    alerts.gather(at=MONDAY)

    assert Alert.objects.get(clinician=somebody).delivery is not None


# The timer


def test_cover_is_told_after_an_hour_and_lead_after_four(patient: Patient) -> None:
    first = member(patient, SafetyDuty.FIRST)
    cover = member(patient, SafetyDuty.COVER)
    lead = member(patient, role=Role.LEAD)
    rate(patient, 1)
    flag = Flag.objects.get()

    safety.escalate_due(at=MONDAY + timedelta(minutes=59))
    assert told(flag) == {first}
    safety.escalate_due(at=MONDAY + timedelta(minutes=60))
    assert told(flag) == {first, cover}
    safety.escalate_due(at=MONDAY + timedelta(minutes=239))
    assert told(flag) == {first, cover}
    safety.escalate_due(at=MONDAY + timedelta(minutes=240))
    assert told(flag) == {first, cover, lead}


def test_a_worker_that_was_away_makes_every_step_good_once(patient: Patient) -> None:
    member(patient, SafetyDuty.FIRST)
    member(patient, SafetyDuty.COVER)
    rate(patient, 1)

    assert safety.escalate_due(at=MONDAY + timedelta(days=2)) == 2
    assert safety.escalate_due(at=MONDAY + timedelta(days=2)) == 0


def test_the_site_sets_its_own_times(patient: Patient) -> None:
    CrisisPlan.objects.create(
        site=patient.team.site,
        cover_after_minutes=10,
        lead_after_minutes=20,
        changed_at=MONDAY,
        changed_by="clinician:0",
    )
    rate(patient, 1)

    assert {each.step: each.due_at - MONDAY for each in Escalation.objects.all()} == {
        EscalationStep.COVER: timedelta(minutes=10),
        EscalationStep.LEAD: timedelta(minutes=20),
    }


def test_who_takes_it_on_stops_the_timer_and_owes_an_outcome(patient: Patient) -> None:
    doctor = member(patient, SafetyDuty.FIRST)
    lead = member(patient, SafetyDuty.LEAD)
    rate(patient, 1)
    flag = Flag.objects.get()

    safety.take_on(flag=flag, version=1, plan="Calling now.", by=doctor, at=MONDAY)

    assert safety.escalate_due(at=MONDAY + timedelta(hours=23)) == 0
    assert safety.escalate_due(at=MONDAY + timedelta(hours=24)) == 1
    assert lead in told(flag)


def test_a_further_positive_answer_wakes_a_flag_that_was_taken_on(patient: Patient) -> None:
    doctor = member(patient, SafetyDuty.FIRST)
    rate(patient, 1, days=1)
    safety.take_on(flag=Flag.objects.get(), version=1, plan="", by=doctor, at=MONDAY)

    rate(patient, 3)

    flag = Flag.objects.get()
    assert (flag.state, flag.urgency) == (FlagState.RAISED, "immediate")
    assert Alert.objects.filter(flag=flag, clinician=doctor).count() == 2
    waiting = Escalation.objects.filter(done_at=None, called_off_at=None)
    assert set(waiting.values_list("step", flat=True)) == {"cover", "lead", "unclosed"}


def test_a_flag_is_handed_to_a_colleague_of_the_team_only(patient: Patient) -> None:
    doctor, colleague = member(patient, SafetyDuty.FIRST), member(patient)
    rate(patient, 1)
    flag = Flag.objects.get()

    with pytest.raises(safety.NotOfTheTeam):
        safety.hand_over(
            flag=flag, version=1, to=ClinicianFactory.create(), note="", by=doctor, at=MONDAY
        )
    safety.hand_over(flag=flag, version=1, to=colleague, note="", by=doctor, at=MONDAY)

    flag.refresh_from_db()
    assert flag.owner == colleague
    assert colleague in told(flag)


def test_a_graver_answer_reaches_cover_and_lead_though_they_were_told_of_the_first(
    patient: Patient,
) -> None:
    cover, lead = member(patient, SafetyDuty.COVER), member(patient, SafetyDuty.LEAD)
    member(patient, SafetyDuty.FIRST)
    rate(patient, 1, days=1)
    safety.escalate_due(at=MONDAY + timedelta(hours=5))
    Alert.objects.all().delete()

    later = MONDAY + timedelta(hours=6)
    ingest.receive_rating(
        patient=patient,
        instrument="PHQ-9",
        rated_at=later,
        items=[*[0] * 8, 3],
        by="clinician:0",
        at=later,
    )

    flag = Flag.objects.get()
    assert flag.urgency == "immediate"
    assert safety.escalate_due(at=later + timedelta(minutes=61)) == 1
    assert cover in told(flag)
    assert lead not in told(flag)
    assert safety.escalate_due(at=later + timedelta(hours=5)) == 2  # and the reminder of the first
    assert lead in told(flag)


def test_a_further_answer_puts_no_step_off_that_waits(patient: Patient) -> None:
    rate(patient, 1, days=1)
    before = list(Escalation.objects.order_by("due_at").values_list("step", "due_at"))

    later = MONDAY + timedelta(minutes=50)
    ingest.receive_rating(
        patient=patient,
        instrument="PHQ-9",
        rated_at=later,
        items=[*[0] * 8, 3],
        by="clinician:0",
        at=later,
    )

    assert list(Escalation.objects.order_by("due_at").values_list("step", "due_at")) == before


# How it ends


def test_it_ends_with_a_recorded_outcome(patient: Patient) -> None:
    doctor = member(patient)
    rate(patient, 2)
    flag = Flag.objects.get()

    safety.close(flag=flag, version=1, outcome=outcome(), by=doctor, at=MONDAY + timedelta(hours=1))

    flag.refresh_from_db()
    assert flag.state == FlagState.RESOLVED
    assert flag.outcome == SafetyOutcome.objects.get()
    assert safety.escalate_due(at=MONDAY + timedelta(days=9)) == 0


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"actions": []}, "say what was done"),
        ({"note": "  "}, "say in a sentence"),
        ({"assessed_by": ""}, "who made the assessment"),
        ({"note": "."}, "say in a sentence"),
        ({"assessed_at": MONDAY + timedelta(days=2)}, "dated in the future"),
        ({"assessed_at": MONDAY - timedelta(minutes=1)}, "before the answer of"),
        ({"contact": Contact.NOT_REACHED}, "an attempt, not an outcome"),
        (
            {"ideation": Ideation.NOT_ASSESSED, "behaviour": Behaviour.NOT_ASSESSED},
            "an attempt, not an outcome",
        ),
    ],
)
def test_an_outcome_that_says_too_little_ends_nothing(
    patient: Patient, said: dict[str, object], sentence: str
) -> None:
    doctor = member(patient)
    rate(patient, 1)

    with pytest.raises(OutcomeFault, match=sentence):
        safety.close(
            flag=Flag.objects.get(),
            version=1,
            outcome=outcome(**said),
            by=doctor,
            at=MONDAY + timedelta(hours=1),
        )

    assert Flag.objects.up().exists()


def test_an_attempt_is_written_down_and_the_timer_goes_on(patient: Patient) -> None:
    doctor, lead = member(patient), member(patient, SafetyDuty.LEAD)
    rate(patient, 3)
    flag = Flag.objects.get()
    tried = outcome(
        contact=Contact.NOT_REACHED,
        ideation=Ideation.NOT_ASSESSED,
        behaviour=Behaviour.NOT_ASSESSED,
        actions=[],
        note="Called twice, no answer.",
    )

    safety.record_attempt(
        flag=flag, version=1, outcome=tried, by=doctor, at=MONDAY + timedelta(minutes=40)
    )

    flag.refresh_from_db()
    assert flag.state == FlagState.RAISED
    assert "Called twice, no answer." in flag.events.latest("pk").plan
    assert not SafetyOutcome.objects.exists()
    safety.escalate_due(at=MONDAY + timedelta(hours=5))
    assert lead in told(flag)


def test_what_was_found_is_no_attempt(patient: Patient) -> None:
    doctor = member(patient)
    rate(patient, 1)

    with pytest.raises(OutcomeFault, match="an outcome, not an attempt"):
        safety.record_attempt(
            flag=Flag.objects.get(),
            version=1,
            outcome=outcome(),
            by=doctor,
            at=MONDAY + timedelta(hours=1),
        )


def test_an_assessment_must_follow_the_latest_of_several_answers(patient: Patient) -> None:
    doctor = member(patient)
    rate(patient, 1, days=3)
    rate(patient, 1)
    flag = Flag.objects.get()

    with pytest.raises(OutcomeFault, match="before the answer of"):
        safety.close(
            flag=flag,
            version=flag.version,
            outcome=outcome(assessed_at=MONDAY - timedelta(days=1)),
            by=doctor,
            at=MONDAY + timedelta(hours=1),
        )


def test_the_database_itself_lets_no_safety_flag_end_without_an_outcome(patient: Patient) -> None:
    rate(patient, 1)

    with pytest.raises(IntegrityError, match="ends_with_a_recorded_outcome"), transaction.atomic():
        Flag.objects.update(state=FlagState.RESOLVED, resolved_at=MONDAY)


def test_two_people_do_not_close_it_unknowingly(patient: Patient) -> None:
    doctor, colleague = member(patient), member(patient)
    rate(patient, 1)
    flag = Flag.objects.get()
    safety.take_on(flag=flag, version=1, plan="", by=colleague, at=MONDAY)

    with pytest.raises(FlagHasMoved, match="acknowledged"):
        safety.close(
            flag=flag, version=1, outcome=outcome(), by=doctor, at=MONDAY + timedelta(hours=1)
        )


def test_neither_a_zero_nor_a_correction_takes_it_down(patient: Patient) -> None:
    rate(patient, 2, days=1)
    flag = Flag.objects.get()
    rating = patient.ratings.get()

    rate(patient, 0)
    correct_rating(
        rating=rating,
        rated_at=rating.rated_at,
        items=[0] * 16,
        reason="typing error",
        by="clinician:0",
        at=MONDAY,
    )
    current = patient.ratings.filter(superseded_at=None).order_by("rated_at").first()
    assert current is not None
    withdraw_rating(rating=current, reason="another patient's", by="clinician:0", at=MONDAY)

    assert list(Flag.objects.up()) == [flag]


# On the pages: read from the database, so nobody else is needed


def test_the_alarm_asks_first_then_cover_then_lead_by_the_clock_alone(patient: Patient) -> None:
    first = member(patient, SafetyDuty.FIRST)
    cover = member(patient, SafetyDuty.COVER)
    lead = member(patient, SafetyDuty.LEAD)
    bystander = member(patient)
    rate(patient, 1)

    def alarmed(minutes: int) -> list[Clinician]:
        at = MONDAY + timedelta(minutes=minutes)
        return [each for each in (first, cover, lead, bystander) if safety_list.alarm(each, at=at)]

    assert alarmed(1) == [first]
    assert alarmed(61) == [first, cover]
    assert alarmed(241) == [first, cover, lead]


def test_the_alarm_says_that_the_mail_has_not_gone_out(patient: Patient) -> None:
    somebody = member(patient)
    rate(patient, 1)

    [soon] = safety_list.alarm(somebody, at=MONDAY + timedelta(minutes=4))
    [late] = safety_list.alarm(somebody, at=MONDAY + timedelta(minutes=6))

    assert (soon.mail_is_late, late.mail_is_late) == (False, True)


def test_the_alarm_is_silent_for_who_has_taken_it_on_until_the_outcome_is_late(
    patient: Patient,
) -> None:
    doctor = member(patient, SafetyDuty.FIRST)
    rate(patient, 1)
    safety.take_on(flag=Flag.objects.get(), version=1, plan="", by=doctor, at=MONDAY)

    assert not safety_list.alarm(doctor, at=MONDAY + timedelta(hours=1))
    assert safety_list.alarm(doctor, at=MONDAY + timedelta(hours=25))


def test_nobody_is_alarmed_about_the_patients_of_another_team(patient: Patient) -> None:
    rate(patient, 3)
    stranger = ClinicianFactory.create(teams=[PatientFactory.create().team])

    assert not safety_list.open_cases(stranger, at=MONDAY + timedelta(days=1))
    assert Flag.objects.get().kind == FlagKind.SAFETY
    assert flags.STEPS[FlagState.RESOLVED] == frozenset()
