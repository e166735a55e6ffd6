"""Somebody leaves: signed out at once, and nothing that they had in hand or were owed is lost."""

import io
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring import alerts, flags, ingest, mail_round, safety, safety_list
from monitoring.models import (
    LEFT_BEHIND,
    Alert,
    Delivery,
    DeliveryState,
    Escalation,
    EscalationStep,
    Flag,
    FlagEvent,
    FlagKind,
    FlagLevel,
    FlagState,
)
from patients.models import Audit, Clinician, Membership, Patient, Role, SafetyDuty, TeamKey
from patients.record.duties import name_clinician
from tests.factories import ClinicianFactory, PatientFactory, TeamFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return PatientFactory.create()


@pytest.fixture
def leaver(patient: Patient) -> Clinician:
    return ClinicianFactory.create(teams=[patient.team], email="jo@clinic.example")


@pytest.fixture
def colleague(patient: Patient) -> Clinician:
    return ClinicianFactory.create(teams=[patient.team], email="mei@clinic.example")


@pytest.fixture
def third(patient: Patient) -> Clinician:
    return ClinicianFactory.create(teams=[patient.team], email="ann@clinic.example")


def close(*options: str, email: str = "jo@clinic.example") -> str:
    said = io.StringIO()
    call_command("close_clinician", email, *options, stdout=said)
    return said.getvalue()


def give_duty(clinician: Clinician, duty: SafetyDuty) -> None:
    Membership.objects.filter(clinician=clinician).update(safety_duty=duty)


def answer_above_zero(patient: Patient) -> Flag:
    items = [0] * 16
    items[11] = 2
    ingest.receive_rating(
        patient=patient,
        instrument="QIDS-SR16",
        rated_at=timezone.now() - timedelta(minutes=5),
        items=items,
        by="clinician:0",
        at=timezone.now(),
    )
    return Flag.objects.get(kind=FlagKind.SAFETY)


def high_flag(patient: Patient) -> Flag:
    flag = Flag.objects.create(
        patient=patient, kind=FlagKind.TRENDING, level=FlagLevel.HIGH, raised_at=timezone.now()
    )
    alerts.queue([flag], at=timezone.now())
    return flag


def deliver() -> None:
    alerts.gather(at=timezone.now())
    mail_round.deliver_due(clock=timezone.now)


def test_every_sign_in_ends_at_once_and_none_begins(
    leaver: Clinician, colleague: Clinician
) -> None:
    leaver.set_password("a long enough password")
    leaver.save()
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.force_login(leaver)
    other = Client()
    other.force_login(colleague)

    said = close()

    assert "Sign-ins ended: 2." in said
    assert Session.objects.count() == 1
    assert [browser.get("/").status_code for browser in browsers] == [302, 302]
    assert other.get("/").status_code == 200
    again = {"login": leaver.email, "password": "a long enough password"}
    answer = Client().post(reverse("account_login"), again)
    assert not answer.wsgi_request.user.is_authenticated
    [line] = Audit.objects.filter(verb="close_clinician")
    assert line.subject == f"clinician:{leaver.pk}"
    assert line.by.startswith("operator:")


def test_a_team_is_not_left_with_nobody_who_gets_safety_alerts(
    leaver: Clinician, patient: Patient
) -> None:
    ClinicianFactory.create(teams=[patient.team], is_active=False)

    with pytest.raises(CommandError, match="safety alerts there would reach nobody"):
        close()

    leaver.refresh_from_db()
    assert leaver.is_active
    assert not Audit.objects.exists()

    assert "signs in no longer" in close("--leave-nobody-to-alert")


def test_a_safety_flag_of_theirs_goes_to_the_successor_who_is_told_at_once(
    leaver: Clinician, colleague: Clinician, third: Clinician, patient: Patient
) -> None:
    name_clinician(patient=patient, clinician=leaver, by="operator", at=timezone.now())
    flag = answer_above_zero(patient)
    deliver()
    safety.take_on(flag=flag, version=flag.version, plan="", by=leaver, at=timezone.now())
    mail.outbox.clear()

    said = close("--successor", "MEI@clinic.example")
    deliver()

    flag.refresh_from_db()
    patient.refresh_from_db()
    assert (flag.state, flag.owner, patient.named_clinician) == (
        FlagState.RAISED,
        colleague,
        colleague,
    )
    assert [sent.to for sent in mail.outbox] == [[colleague.email]]
    waiting = Escalation.objects.filter(flag=flag, called_off_at=None, done_at=None)
    assert {each.step for each in waiting} == {EscalationStep.COVER, EscalationStep.LEAD}
    assert FlagEvent.objects.filter(flag=flag, reason=LEFT_BEHIND, plan__contains=str(colleague))
    assert "safety flags 1" in said
    assert "named clinician 1" in said
    [case] = safety_list.open_cases(colleague, at=timezone.now())
    assert case.concerns_reader
    assert not case.mail_is_late


def test_without_a_successor_it_is_for_whoever_is_first_in_the_team(
    leaver: Clinician, colleague: Clinician, third: Clinician, patient: Patient
) -> None:
    name_clinician(patient=patient, clinician=leaver, by="operator", at=timezone.now())
    give_duty(third, SafetyDuty.FIRST)
    flag = answer_above_zero(patient)

    close()
    deliver()

    flag.refresh_from_db()
    patient.refresh_from_db()
    assert (flag.owner, patient.named_clinician) == (third, None)
    assert {address for sent in mail.outbox for address in sent.to} == {third.email}


def test_what_they_were_owed_and_never_got_is_owed_to_others(
    leaver: Clinician, colleague: Clinician, third: Clinician, patient: Patient
) -> None:
    flag = high_flag(patient)
    Alert.objects.exclude(clinician=leaver).delete()  # as where they alone had acted
    alerts.gather(at=timezone.now())  # in a mail that has not left

    said = close("--successor", colleague.email)
    deliver()

    assert "unsent alerts 1" in said
    assert [sent.to for sent in mail.outbox] == [[colleague.email]]
    assert Delivery.objects.get(clinician=leaver).state == DeliveryState.DROPPED
    assert Alert.objects.get(clinician=leaver).dropped_at is not None
    assert Alert.objects.get(clinician=colleague).flag == flag


def test_nobody_is_told_twice_of_what_the_whole_team_was_told(
    leaver: Clinician, colleague: Clinician, patient: Patient
) -> None:
    high_flag(patient)

    close("--successor", colleague.email)
    deliver()

    assert [sent.to for sent in mail.outbox] == [[colleague.email]]


def test_a_flag_that_they_alone_had_in_hand_is_up_again(
    leaver: Clinician, colleague: Clinician, patient: Patient
) -> None:
    flag = high_flag(patient)
    deliver()
    flags.step(
        flag,
        FlagState.ACKNOWLEDGED,
        version=flag.version,
        by=leaver,
        reason="reviewing",
        plan="I call them on Monday",
        at=timezone.now(),
    )
    mail.outbox.clear()

    said = close()
    deliver()

    flag.refresh_from_db()
    assert (flag.state, flag.has_returned) == (FlagState.RAISED, True)
    assert "other flags in hand 1" in said
    assert [sent.to for sent in mail.outbox] == [[colleague.email]]
    reader = Client()
    reader.force_login(colleague)
    page = reader.get(reverse("portal:flag", args=[flag.reference])).content.decode()
    assert "whoever had it in hand no longer signs in" in page


def test_a_flag_that_a_colleague_has_in_hand_stays(
    leaver: Clinician, colleague: Clinician, patient: Patient
) -> None:
    flag = high_flag(patient)
    flags.step(
        flag,
        FlagState.ACKNOWLEDGED,
        version=flag.version,
        by=colleague,
        reason="reviewing",
        plan="",
        at=timezone.now(),
    )

    close()

    flag.refresh_from_db()
    assert flag.state == FlagState.ACKNOWLEDGED


def test_what_a_person_must_set_anew_is_said(leaver: Clinician, colleague: Clinician) -> None:
    Membership.objects.filter(clinician=leaver).update(role=Role.LEAD, safety_duty=SafetyDuty.COVER)
    Clinician.objects.filter(pk=leaver.pk).update(is_operator=True)
    TeamKey.objects.create(
        team=leaver.teams.get(),
        name="Tablet",
        sha256="0" * 64,
        hint="snd_1234",
        issued_at=timezone.now(),
        issued_by=f"clinician:{leaver.pk}",
    )

    said = close()

    assert "has the duty “cover” any more" in said
    assert "Nobody leads a team of" in said
    assert "Nobody is an operator any more" in said
    assert "They issued the key “Tablet”" in said
    leaver.refresh_from_db()
    assert not leaver.is_operator


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--successor", "nobody@clinic.example"], "Nobody is on record as nobody@"),
        (["--successor", "jo@clinic.example"], "cannot take over"),
        (["--successor", "far@clinic.example"], "in none of the teams"),
        (["--undo"], "signs in as it is"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    leaver: Clinician, colleague: Clinician, options: list[str], words: str
) -> None:
    ClinicianFactory.create(teams=[TeamFactory.create()], email="far@clinic.example")

    with pytest.raises(CommandError, match=words):
        close(*options)

    leaver.refresh_from_db()
    assert leaver.is_active


def test_it_is_said_twice_only_once_and_can_be_taken_back(
    leaver: Clinician, colleague: Clinician, patient: Patient
) -> None:
    close()
    with pytest.raises(CommandError, match="closed already"):
        close()

    close("--undo")

    leaver.refresh_from_db()
    assert leaver.is_active
    assert Patient.objects.visible_to(leaver).get() == patient
    verbs = list(Audit.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["close_clinician", "reopen_clinician"]
