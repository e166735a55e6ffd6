"""What is owed to whom, and how it reaches them."""

import smtplib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend

from monitoring import alerts, mail_round
from monitoring.alerts import next_digest_at
from monitoring.mail_round import LEASE
from monitoring.models import Alert, Delivery, Flag, FlagKind, FlagLevel, FlagState
from patients.models import CareTeam, Clinician, Membership, Patient, PatientStatus, Role
from patients.record.people import add_clinician
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db

RaiseFlag = Callable[..., Flag]


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
def raise_flag(patient: Patient, clinician: Clinician) -> RaiseFlag:
    def owe(kind: FlagKind = FlagKind.TRENDING, level: FlagLevel = FlagLevel.HIGH) -> Flag:
        flag = Flag.objects.create(patient=patient, kind=kind, level=level, raised_at=MONDAY)
        alerts.queue([flag], at=MONDAY)
        return flag

    return owe


def deliver(at: datetime = MONDAY) -> None:
    alerts.gather(at=at)
    mail_round.deliver_due(clock=lambda: at)


@pytest.mark.parametrize(
    ("zone", "hour", "at", "expected"),
    [
        # By hand: Tokyo is nine hours ahead of UTC all the year
        ("Asia/Tokyo", 7, "2026-11-02T09:00Z", "2026-11-02T22:00Z"),
        ("Asia/Tokyo", 7, "2026-11-02T21:59Z", "2026-11-02T22:00Z"),
        ("Asia/Tokyo", 7, "2026-11-02T22:00Z", "2026-11-03T22:00Z"),
        # Berlin changes from +02:00 to +01:00 in the night to 25 October 2026
        ("Europe/Berlin", 7, "2026-10-24T12:00Z", "2026-10-25T06:00Z"),
        ("Europe/Berlin", 7, "2026-10-23T12:00Z", "2026-10-24T05:00Z"),
        # 02:30 does not exist in Berlin on 29 March 2026; the mail comes all the same
        ("Europe/Berlin", 2, "2026-03-28T12:00Z", "2026-03-29T01:00Z"),
        ("UTC", 0, "2026-11-02T09:00Z", "2026-11-03T00:00Z"),
    ],
)
def test_the_digest_comes_at_the_persons_own_hour(
    zone: str, hour: int, at: str, expected: str
) -> None:
    clinician = Clinician(time_zone=zone, digest_hour=hour)

    due = next_digest_at(clinician, at=datetime.fromisoformat(at))

    assert due.astimezone(UTC) == datetime.fromisoformat(expected)


def test_a_high_flag_is_told_at_once_and_a_watch_flag_with_the_digest(
    raise_flag: RaiseFlag,
) -> None:
    raise_flag(FlagKind.TRENDING, FlagLevel.HIGH)
    raise_flag(FlagKind.DRIFTING, FlagLevel.WATCH)

    deliver(MONDAY)
    at_once = len(mail.outbox)
    deliver(MONDAY + timedelta(days=1))

    assert at_once == 1
    assert [each.subject for each in mail.outbox] == [
        "An item needs your review",
        "Your daily summary",
    ]


def test_a_digest_that_is_owed_moves_to_the_hour_that_is_chosen_now(
    raise_flag: RaiseFlag, clinician: Clinician
) -> None:
    raise_flag(FlagKind.DRIFTING, FlagLevel.WATCH)
    clinician.digest_hour = 20  # 11:00 UTC in Tokyo, two hours from now

    alerts.follow_preferences(clinician, at=MONDAY)
    deliver(MONDAY + timedelta(hours=2))

    assert [each.subject for each in mail.outbox] == ["Your daily summary"]


def test_every_member_of_the_team_is_told_once(raise_flag: RaiseFlag, team: CareTeam) -> None:
    add_clinician(
        email="second@example.org",
        full_name="Second",
        password="a long enough password",
        team=team,
        role=Role.LEAD,
        by="operator",
        at=MONDAY,
    )
    flag = raise_flag()

    alerts.queue([flag], at=MONDAY)
    deliver()
    deliver(MONDAY + timedelta(days=1))

    assert sorted(each.to[0] for each in mail.outbox) == [
        "reader@example.org",
        "second@example.org",
    ]


def test_thirty_flags_at_once_are_one_mail(team: CareTeam, raise_flag: RaiseFlag) -> None:
    raise_flag(FlagKind.TRENDING)
    raise_flag(FlagKind.EARLY_NON_IMPROVEMENT)

    deliver()

    [message] = mail.outbox
    assert message.subject == "2 items need your review"
    assert Alert.objects.filter(delivery=Delivery.objects.get()).count() == 2


def test_who_is_told_of_one_flag_twice_gets_one_link(
    clinician: Clinician, raise_flag: RaiseFlag
) -> None:
    flag = raise_flag()
    for occasion in ("cover:1", "lead:2"):
        alerts.tell(flag, [clinician], occasion=occasion, at=MONDAY)

    deliver()

    [message] = mail.outbox
    assert message.subject == "An item needs your review"
    assert str(message.body).count(flag.reference) == 1


def test_a_watch_flag_with_another_reason_is_one_item_of_the_digest(
    raise_flag: RaiseFlag,
) -> None:
    flag = raise_flag(FlagKind.DRIFTING, FlagLevel.WATCH)
    alerts.queue([flag], occasion="now_something_else", at=MONDAY)

    deliver(MONDAY + timedelta(days=1))

    [message] = mail.outbox
    assert isinstance(message, mail.EmailMultiAlternatives)
    [page, _kind] = message.alternatives[0]
    assert "There is one new item on your list" in message.body
    assert str(message.body).count(flag.reference) == 1
    assert "your list:" not in message.body
    assert "Sign in to see it" in str(page)
    assert "Sign in to see your list" not in str(page)


def test_nothing_to_say_is_no_mail(clinician: Clinician) -> None:
    deliver(MONDAY + timedelta(days=1))

    assert mail.outbox == []


@pytest.mark.parametrize(
    "change",
    [
        lambda: Patient.objects.update(status=PatientStatus.TRANSFERRED),
        lambda: Patient.objects.update(status=PatientStatus.DECEASED),
        lambda: Patient.objects.update(status=PatientStatus.WITHDRAWN),
        lambda: Clinician.objects.update(is_active=False),
        lambda: Membership.objects.all().delete(),
        lambda: Flag.objects.update(state=FlagState.RESOLVED, resolved_at=MONDAY),
        lambda: Flag.objects.update(state=FlagState.ACKNOWLEDGED),
    ],
)
def test_what_nobody_needs_to_hear_any_more_is_dropped(
    raise_flag: RaiseFlag, change: Callable[[], object]
) -> None:
    raise_flag()
    change()

    deliver()

    assert mail.outbox == []
    assert Alert.objects.get().dropped_at == MONDAY


def test_a_patient_who_is_no_longer_followed_raises_no_alert(
    patient: Patient, raise_flag: RaiseFlag
) -> None:
    patient.status = PatientStatus.WITHDRAWN
    patient.save()

    raise_flag()

    assert not Alert.objects.exists()


class UnwillingServer(BaseEmailBackend):
    """A mail server that answers every mail with the fault it was given."""

    fault: Exception | None = None

    def send_messages(self, messages: object) -> int:
        if UnwillingServer.fault is not None:
            raise UnwillingServer.fault
        mail.outbox.extend(messages)  # type: ignore[arg-type]
        return 1


@pytest.fixture
def unwilling(settings: LazySettings) -> type[UnwillingServer]:
    settings.EMAIL_BACKEND = "tests.monitoring.test_alerts.UnwillingServer"
    return UnwillingServer


@pytest.mark.parametrize(
    "fault",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        smtplib.SMTPServerDisconnected(),
        smtplib.SMTPRecipientsRefused({"reader@example.org": (450, b"later")}),
    ],
)
def test_a_mail_server_that_is_away_is_tried_again_until_it_is_back(
    raise_flag: RaiseFlag, unwilling: type[UnwillingServer], fault: Exception
) -> None:
    raise_flag()

    unwilling.fault = fault
    for minute in range(3):
        deliver(MONDAY + timedelta(minutes=minute))
    unwilling.fault = None
    deliver(MONDAY + timedelta(minutes=10))

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("sent", 4)
    assert len(mail.outbox) == 1


def test_an_address_that_the_server_refuses_for_good_is_shown_as_refused(
    raise_flag: RaiseFlag, unwilling: type[UnwillingServer]
) -> None:
    raise_flag()
    unwilling.fault = smtplib.SMTPRecipientsRefused({"reader@example.org": (550, b"nobody")})

    deliver()
    deliver(MONDAY + timedelta(days=1))

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.fault) == (
        "refused",
        1,
        "refused with 550",
    )


def test_a_mail_in_hand_is_nobody_elses_until_its_lease_runs_out(raise_flag: RaiseFlag) -> None:
    raise_flag()
    alerts.gather(at=MONDAY)
    in_hand = mail_round.lease_next(at=MONDAY)  # and then the worker dies

    assert in_hand is not None
    assert mail_round.lease_next(at=MONDAY + LEASE - timedelta(seconds=1)) is None
    deliver(MONDAY + LEASE)

    [message] = mail.outbox
    assert message.extra_headers["Message-ID"].startswith(f"<{in_hand.message_id}@")


def test_a_mail_names_nobody(raise_flag: RaiseFlag, patient: Patient) -> None:
    flag = raise_flag()

    deliver()

    [message] = mail.outbox
    parts = [part for part in message.message().walk() if not part.is_multipart()]
    bodies = [bytes(part.get_payload(decode=True)).decode() for part in parts]
    text = "\n".join([str(message.subject), *bodies]).lower()
    assert len(bodies) == 2
    for secret in ("invented", "ida", "0042", "urn:clinic", "sil-6r", "qids", "depress", "kita"):
        assert secret not in text
    assert str(patient.public_id) not in text
    assert f"/f/{flag.reference}".lower() in text
