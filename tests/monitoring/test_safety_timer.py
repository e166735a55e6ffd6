"""The timer of a safety flag: nobody is forgotten after its last step, and a site's times hold."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from monitoring import alerts, ingest, mail_round, safety
from monitoring.models import (
    Alert,
    Behaviour,
    Contact,
    CrisisPlan,
    Escalation,
    EscalationStep,
    Finding,
    Flag,
    FlagState,
    Ideation,
    SafetyAction,
)
from monitoring.outcomes import Outcome
from patients.models import Clinician, Membership, Patient, PatientStatus, Role, SafetyDuty
from patients.record.duties import set_duty
from tests.factories import MONDAY, ClinicianFactory, PatientFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def patient() -> Patient:
    return PatientFactory.create()


@pytest.fixture
def first(patient: Patient) -> Clinician:
    return member(patient, SafetyDuty.FIRST)


@pytest.fixture
def cover(patient: Patient) -> Clinician:
    return member(patient, SafetyDuty.COVER)


@pytest.fixture
def lead(patient: Patient) -> Clinician:
    return member(patient, SafetyDuty.LEAD)


@pytest.fixture
def flag(patient: Patient, first: Clinician, cover: Clinician, lead: Clinician) -> Flag:
    """Give the flag of a positive answer that was entered on Monday."""
    ingest.receive_rating(
        patient=patient,
        instrument="PHQ-9",
        rated_at=MONDAY,
        items=[*[0] * 8, 1],
        by="clinician:0",
        at=MONDAY,
    )
    return Flag.objects.get()


def member(patient: Patient, duty: SafetyDuty) -> Clinician:
    somebody = ClinicianFactory.create(teams=[patient.team])
    set_duty(
        membership=Membership.objects.get(clinician=somebody), duty=duty, by="operator", at=MONDAY
    )
    return somebody


def told(*, at: datetime) -> list[Clinician]:
    """Do what is due, and say who is owed news by it."""
    before = set(Alert.objects.values_list("pk", flat=True))
    safety.escalate_due(at=at)
    news = Alert.objects.exclude(pk__in=before).order_by("clinician")
    return [each.clinician for each in news]


def due_at(step: EscalationStep) -> datetime:
    return Escalation.objects.get(step=step, done_at=None, called_off_at=None).due_at


def change(patient: Patient, *, at: datetime, **said: int) -> int:
    plan = CrisisPlan.objects.filter(site=patient.team.site).first()
    plan = plan or CrisisPlan(site=patient.team.site)
    for name, value in said.items():
        setattr(plan, name, value)
    return safety.change_plan(plan, by="clinician:0", at=at)


# Told again, until somebody acts


def test_after_the_lead_everybody_concerned_is_told_every_four_hours(
    flag: Flag, first: Clinician, cover: Clinician, lead: Clinician
) -> None:
    assert told(at=MONDAY + HOUR) == [cover]
    assert told(at=MONDAY + 4 * HOUR) == [lead]
    assert told(at=MONDAY + 7.9 * HOUR) == []
    for hours in (8, 12, 16):
        assert told(at=MONDAY + hours * HOUR) == [first, cover, lead]
        assert told(at=MONDAY + (hours + 3.9) * HOUR) == []


def test_a_reminder_that_a_worker_was_away_for_comes_once_and_the_next_one_later(
    flag: Flag, first: Clinician, cover: Clinician, lead: Clinician
) -> None:
    told(at=MONDAY + 4 * HOUR)

    assert told(at=MONDAY + 72 * HOUR) == [first, cover, lead]
    assert told(at=MONDAY + 72.1 * HOUR) == []
    assert due_at(EscalationStep.REMINDER) == MONDAY + 76 * HOUR


def test_who_takes_it_on_ends_the_reminders_and_the_outcome_is_reminded_of_instead(
    flag: Flag, first: Clinician, cover: Clinician, lead: Clinician
) -> None:
    told(at=MONDAY + 4 * HOUR)
    safety.take_on(flag=flag, version=1, plan="", by=cover, at=MONDAY + 5 * HOUR)

    assert told(at=MONDAY + 28.9 * HOUR) == []
    for hours in (29, 53, 77):
        assert told(at=MONDAY + hours * HOUR) == [cover, lead]


def test_a_flag_without_a_step_to_come_is_found(flag: Flag, first: Clinician) -> None:
    # So it stood where the lead had been told before there were reminders
    Escalation.objects.filter(flag=flag).update(done_at=MONDAY)

    safety.escalate_due(at=MONDAY + 50 * HOUR)

    assert due_at(EscalationStep.REMINDER) == MONDAY + 54 * HOUR


def test_of_the_dead_nobody_is_told_until_that_is_put_right(
    flag: Flag, first: Clinician, patient: Patient
) -> None:
    Patient.objects.filter(pk=patient.pk).update(status=PatientStatus.DECEASED)
    assert told(at=MONDAY + 30 * HOUR) == []
    assert not flag.events.filter(reason=EscalationStep.COVER).exists()

    Patient.objects.filter(pk=patient.pk).update(status=PatientStatus.ACTIVE)
    told(at=MONDAY + 31 * HOUR)

    assert first in told(at=MONDAY + 35 * HOUR)


def test_who_was_said_to_be_dead_by_mistake_is_told_of_from_the_beginning(
    flag: Flag, first: Clinician, cover: Clinician, patient: Patient
) -> None:
    Patient.objects.filter(pk=patient.pk).update(status=PatientStatus.DECEASED)
    alerts.gather(at=MONDAY)
    told(at=MONDAY + 2 * HOUR)
    Patient.objects.filter(pk=patient.pk).update(status=PatientStatus.ACTIVE)
    Alert.objects.all().delete()

    back = MONDAY + 3 * HOUR
    safety.take_up_again(Patient.objects.get(pk=patient.pk), at=back)

    assert [each.clinician for each in Alert.objects.all()] == [first]
    assert told(at=back + HOUR) == [cover]


def test_handing_it_on_from_shift_to_shift_puts_the_outcome_off_no_further(
    flag: Flag, first: Clinician, cover: Clinician, lead: Clinician
) -> None:
    hands, at = [first, cover], MONDAY + HOUR
    for turn in range(4):
        now = Flag.objects.get()
        safety.take_on(flag=now, version=now.version, plan="", by=hands[turn % 2], at=at)
        now.refresh_from_db()
        other = hands[(turn + 1) % 2]
        safety.hand_over(
            flag=now,
            version=now.version,
            to=other,
            note="",
            by=hands[turn % 2],
            at=at + 5.9 * HOUR,
        )
        at += 6 * HOUR

    assert due_at(EscalationStep.UNCLOSED) == MONDAY + 25 * HOUR
    assert lead in told(at=MONDAY + 25 * HOUR)


def test_a_closed_flag_is_told_of_no_more(flag: Flag, first: Clinician) -> None:
    told(at=MONDAY + 4 * HOUR)
    seen = Outcome(
        assessed_at=MONDAY + 5 * HOUR,
        assessed_by="Dr A",
        contact=Contact.IN_PERSON,
        instrument="C-SSRS",
        ideation=Ideation.NONE_FOUND,
        behaviour=Behaviour.NONE_FOUND,
        plan=Finding.NONE_FOUND,
        means=Finding.NONE_FOUND,
        actions=[SafetyAction.SAFETY_PLAN],
        note="Safety plan written.",
        next_contact_on=None,
    )

    safety.close(flag=flag, version=1, outcome=seen, by=first, at=MONDAY + 6 * HOUR)

    assert told(at=MONDAY + 100 * HOUR) == []


def test_a_reminder_by_mail_says_nothing_of_the_patient(flag: Flag, patient: Patient) -> None:
    told(at=MONDAY + 4 * HOUR)
    told(at=MONDAY + 8 * HOUR)
    alerts.gather(at=MONDAY + 8 * HOUR)

    mail_round.deliver_due(clock=lambda: MONDAY + 8 * HOUR)

    assert len(mail.outbox) == 3
    for each in mail.outbox:
        said = f"{each.subject}\n{each.body}".lower()
        for word in (patient.family_name, patient.given_name, "harm", "suicid", "safety", "phq"):
            assert word.lower() not in said


def test_the_page_tells_reminders_without_number_in_one_line(
    client: Client, flag: Flag, first: Clinician
) -> None:
    for hours in (4, 8, 12, 16):
        safety.escalate_due(at=MONDAY + hours * HOUR)
    client.force_login(first)

    text = client.get(reverse("portal:flag", args=[flag.reference])).content.decode()

    assert text.count("Nobody has taken it on yet: all were told again") == 1
    assert text.count("Told again, last") == 1


# A site's own times


def test_a_changed_timer_moves_what_is_still_to_come_of_open_flags(
    flag: Flag, patient: Patient, cover: Clinician, lead: Clinician
) -> None:
    assert told(at=MONDAY + HOUR) == [cover]

    moved = change(patient, at=MONDAY + 2 * HOUR, cover_after_minutes=30, lead_after_minutes=180)

    assert moved == 1
    assert due_at(EscalationStep.LEAD) == MONDAY + 3 * HOUR
    assert told(at=MONDAY + 3 * HOUR) == [lead]


def test_a_timer_that_would_have_run_by_now_is_due_at_once_and_not_in_the_past(
    flag: Flag, patient: Patient, lead: Clinician
) -> None:
    safety.escalate_due(at=MONDAY + HOUR)

    change(patient, at=MONDAY + 3 * HOUR, lead_after_minutes=120)

    assert due_at(EscalationStep.LEAD) == MONDAY + 3 * HOUR


def test_a_longer_timer_puts_nothing_off_that_is_due(flag: Flag, patient: Patient) -> None:
    late = MONDAY + 2 * HOUR  # and the worker was away

    moved = change(patient, at=late, cover_after_minutes=180)

    assert moved == 0
    assert due_at(EscalationStep.COVER) == MONDAY + HOUR


def test_reminders_and_the_wait_for_an_outcome_go_by_the_new_times_too(
    flag: Flag, patient: Patient, first: Clinician
) -> None:
    safety.escalate_due(at=MONDAY + 4 * HOUR)
    change(patient, at=MONDAY + 5 * HOUR, remind_every_minutes=120)
    assert due_at(EscalationStep.REMINDER) == MONDAY + 6 * HOUR

    safety.take_on(flag=flag, version=1, plan="", by=first, at=MONDAY + 6 * HOUR)
    change(patient, at=MONDAY + 7 * HOUR, outcome_within_hours=12)

    assert due_at(EscalationStep.UNCLOSED) == MONDAY + 18 * HOUR


def test_the_timer_of_another_site_stands(flag: Flag) -> None:
    other = PatientFactory.create()
    assert other.team.site_id != flag.patient.team.site_id

    assert change(other, at=MONDAY, lead_after_minutes=60) == 0
    assert due_at(EscalationStep.LEAD) == MONDAY + 4 * HOUR


def test_the_wait_between_reminders_is_set_by_a_lead_within_bounds(
    client: Client, patient: Patient
) -> None:
    somebody = member(patient, SafetyDuty.NONE)
    Membership.objects.filter(clinician=somebody).update(role=Role.LEAD)
    client.force_login(somebody)
    page = reverse("portal:crisis_plan", args=[patient.team.site_id])
    said = {"cover_after_minutes": 60, "lead_after_minutes": 240, "outcome_within_hours": 24}

    refused = client.post(page, {**said, "remind_every_minutes": 1})
    taken = client.post(page, {**said, "remind_every_minutes": 90})

    assert refused.status_code == 422
    assert "A whole number from 15 to 1440." in refused.content.decode()
    assert taken.status_code == 302
    assert CrisisPlan.objects.get().remind_every == timedelta(minutes=90)


def test_a_further_answer_keeps_the_reminder_and_tells_cover_and_lead_anew(
    flag: Flag, patient: Patient, cover: Clinician
) -> None:
    safety.escalate_due(at=MONDAY + 4 * HOUR)
    later = MONDAY + 6 * HOUR
    ingest.receive_rating(
        patient=patient,
        instrument="PHQ-9",
        rated_at=later,
        items=[*[0] * 8, 2],
        by="clinician:0",
        at=later,
    )

    waiting = Escalation.objects.filter(done_at=None, called_off_at=None).order_by("due_at")

    assert [(each.step, (each.due_at - MONDAY) / HOUR) for each in waiting] == [
        (EscalationStep.COVER, 7),
        (EscalationStep.REMINDER, 8),
        (EscalationStep.LEAD, 10),
    ]
    assert Flag.objects.get().state == FlagState.RAISED
