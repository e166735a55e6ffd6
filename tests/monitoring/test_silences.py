"""A laboratory that falls silent: its own rhythm, and what is said of it."""

from datetime import datetime, timedelta

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse

from monitoring import mail_round, silences, vital_signs
from monitoring.models import Silence
from patients.models import Laboratory
from tests.factories import (
    MONDAY,
    ClinicianFactory,
    InboundFactory,
    LaboratoryFactory,
    PatientFactory,
)

pytestmark = pytest.mark.django_db


def heard(laboratory: Laboratory, *moments: datetime) -> None:
    for at in moments:
        InboundFactory.create(laboratory=laboratory, received_at=at)


def every(pause: timedelta, *, until: datetime, weeks: int) -> list[datetime]:
    count = int(timedelta(weeks=weeks) / pause)
    return [until - pause * number for number in range(count)]


def test_a_laboratory_that_pushes_daily_is_missed_after_a_day_and_a_half() -> None:
    laboratory = LaboratoryFactory.create()
    last = MONDAY - timedelta(hours=37)
    heard(laboratory, *every(timedelta(days=1), until=last, weeks=6))

    silences.watch(at=MONDAY - timedelta(hours=2))
    before = Silence.objects.count()
    silences.watch(at=MONDAY)

    [silence] = silences.open_silences()
    assert before == 0
    assert (silence.last_heard_at, silence.allowed_h) == (last, 36.0)


def test_a_weekly_pause_is_part_of_the_rhythm() -> None:
    laboratory = LaboratoryFactory.create()
    friday = MONDAY - timedelta(days=3)
    for week in range(6):
        heard(laboratory, *(friday - timedelta(weeks=week, days=day) for day in range(5)))

    rhythm = silences.rhythm_of(laboratory, at=MONDAY)
    silences.watch(at=MONDAY)

    assert rhythm.is_learned
    assert rhythm.allowed == timedelta(days=4.5)  # three days from Friday to Monday, half as long
    assert silences.open_silences() == []


def test_the_silence_ends_by_itself_when_data_comes() -> None:
    laboratory = LaboratoryFactory.create(silent_after_h=24)
    heard(laboratory, MONDAY - timedelta(days=2))
    silences.watch(at=MONDAY)
    heard(laboratory, MONDAY + timedelta(minutes=5))

    silences.watch(at=MONDAY + timedelta(minutes=6))

    assert Silence.objects.get().ended_at == MONDAY + timedelta(minutes=6)
    assert silences.open_silences() == []


def test_a_silence_is_raised_once_and_may_come_again() -> None:
    laboratory = LaboratoryFactory.create(silent_after_h=24)
    heard(laboratory, MONDAY - timedelta(days=2))

    for minute in range(3):
        silences.watch(at=MONDAY + timedelta(minutes=minute))
    heard(laboratory, MONDAY + timedelta(minutes=5))
    silences.watch(at=MONDAY + timedelta(minutes=6))
    silences.watch(at=MONDAY + timedelta(days=2))

    assert Silence.objects.count() == 2
    assert Silence.objects.filter(ended_at=None).count() == 1


def test_one_that_is_switched_off_or_was_never_heard_is_not_missed() -> None:
    heard(LaboratoryFactory.create(is_active=False), MONDAY - timedelta(days=90))
    LaboratoryFactory.create()

    silences.watch(at=MONDAY)

    assert silences.open_silences() == []


def test_of_a_new_laboratory_little_is_known_and_four_days_are_allowed() -> None:
    laboratory = LaboratoryFactory.create()
    heard(laboratory, MONDAY - timedelta(days=3))

    rhythm = silences.rhythm_of(laboratory, at=MONDAY)

    assert (rhythm.allowed, rhythm.is_learned) == (timedelta(days=4), False)


def test_a_laboratory_that_pushes_every_minute_is_not_missed_within_two_hours() -> None:
    laboratory = LaboratoryFactory.create()
    for week in range(4):
        last = MONDAY - timedelta(weeks=week)
        heard(laboratory, *(last - timedelta(hours=each) for each in range(0, 168, 12)))
    heard(laboratory, MONDAY - timedelta(hours=1, minutes=59))

    silences.watch(at=MONDAY)

    assert silences.open_silences() == []


def test_no_open_flags_and_no_data_since_tuesday_never_look_alike(client: Client) -> None:
    laboratory = LaboratoryFactory.create(name="North laboratory", silent_after_h=24)
    heard(laboratory, MONDAY - timedelta(days=6))
    reader = ClinicianFactory.create(teams=[PatientFactory.create().team])
    client.force_login(reader)
    calm = client.get(reverse("portal:worklist")).content.decode()

    silences.watch(at=MONDAY)
    silent = client.get(reverse("portal:worklist")).content.decode()

    assert "has fallen silent" not in calm
    assert "A laboratory has fallen silent" in silent
    assert "No data from North laboratory since" in silent
    assert "Tuesday," in silent


def test_the_vital_signs_say_it_without_a_name_and_stay_well() -> None:
    laboratory = LaboratoryFactory.create(name="North laboratory", silent_after_h=24)
    heard(laboratory, MONDAY - timedelta(days=6))
    before = vital_signs.say_silences()

    silences.watch(at=MONDAY)

    signs = vital_signs.VitalSigns("ok", "ok", "ok", "ok", vital_signs.say_silences())
    assert before == ""
    assert signs.silent_laboratories == "1, no data since Tuesday 2026-11-17T09:00Z"
    assert signs.are_well


def test_operators_are_told_once_by_mail_and_nobody_else(
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    operator = ClinicianFactory.create(is_operator=True)
    ClinicianFactory.create()
    ClinicianFactory.create(is_operator=True, is_active=False)
    laboratory = LaboratoryFactory.create(silent_after_h=24, name="North laboratory")
    heard(laboratory, MONDAY - timedelta(days=2))

    for minute in range(3):
        silences.watch(at=MONDAY + timedelta(minutes=minute))
    mail_round.deliver_due(clock=lambda: MONDAY + timedelta(minutes=5))

    [mail] = mailoutbox
    assert mail.to == [operator.email]
    assert reverse("portal:laboratories") in mail.body
    assert "North" not in f"{mail.subject}{mail.body}{mail.alternatives}"
