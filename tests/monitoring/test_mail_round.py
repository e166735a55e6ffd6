"""One round of the post: who is told first, and what a mail server that fails costs the others."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connections

from monitoring import mail_round
from monitoring.models import Delivery, Urgency
from tests.conftest import MONDAY
from tests.factories import ClinicianFactory

pytestmark = pytest.mark.django_db


class CountingServer(BaseEmailBackend):
    """A mail server that takes so many mails a connection, and then fails."""

    takes = 0
    fault: Exception = TimeoutError()
    connections: int = 0
    asked: int = 0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.taken = 0
        CountingServer.connections += 1

    def send_messages(self, messages: list[EmailMessage]) -> int:  # type: ignore[override]
        CountingServer.asked += 1
        if self.taken >= CountingServer.takes:
            raise CountingServer.fault
        self.taken += 1
        mail.outbox.extend(messages)
        return 1


@pytest.fixture
def server(settings: LazySettings) -> type[CountingServer]:
    settings.EMAIL_BACKEND = "tests.monitoring.test_mail_round.CountingServer"
    CountingServer.takes = CountingServer.connections = CountingServer.asked = 0
    CountingServer.fault = TimeoutError()
    return CountingServer


def owe(number: int, urgency: Urgency = Urgency.OPERATION) -> None:
    for _ in range(number):
        Delivery.objects.create(
            clinician=ClinicianFactory.create(), urgency=urgency, made_at=MONDAY, send_after=MONDAY
        )


def deliver_at(second: int) -> int:
    return mail_round.deliver_due(clock=lambda: MONDAY + timedelta(seconds=second))


def test_a_server_that_does_not_answer_is_asked_once_a_round(
    server: type[CountingServer],
) -> None:
    owe(20)

    deliver_at(0)
    deliver_at(0)

    assert server.asked == 1
    owed = set(Delivery.objects.values_list("state", "attempts", "fault"))
    assert owed == {("owed", 1, "TimeoutError")}


def test_what_waits_for_one_server_waits_longer_together_and_goes_when_it_is_back(
    server: type[CountingServer],
) -> None:
    owe(20)
    for second in (0, 5, 14, 15):
        deliver_at(second)
    asked_meanwhile = server.asked

    server.takes = 100
    sent = deliver_at(35)

    assert asked_meanwhile == 3
    assert (sent, len(mail.outbox)) == (20, 20)


def test_one_connection_carries_a_round(server: type[CountingServer]) -> None:
    server.takes = 100
    owe(20)

    deliver_at(0)

    assert (server.connections, len(mail.outbox)) == (1, 20)


def test_a_server_that_takes_so_many_mails_a_connection_keeps_nobody_waiting(
    server: type[CountingServer],
) -> None:
    server.takes, server.fault = 8, smtplib.SMTPServerDisconnected()
    owe(20)

    sent = [deliver_at(n) for n in (0, 1, 10)]

    assert sent == [8, 8, 4]


def test_one_mail_that_is_refused_does_not_end_the_round(server: type[CountingServer]) -> None:
    server.fault = smtplib.SMTPDataError(554, b"no")
    owe(3)

    deliver_at(0)

    assert server.asked == 3


def test_what_is_pressing_goes_before_digests(server: type[CountingServer]) -> None:
    server.takes = 1
    owe(3)
    Delivery.objects.create(
        clinician=ClinicianFactory.create(email="cover@example.org"),
        urgency=Urgency.PROMPT,
        made_at=MONDAY,
        send_after=MONDAY + timedelta(seconds=1),
    )

    deliver_at(2)

    assert [each.to for each in mail.outbox] == [["cover@example.org"]]


def test_a_second_worker_leaves_the_round_to_the_first(server: type[CountingServer]) -> None:
    server.takes = 100
    owe(3)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [mail_round._LOCK])
            meanwhile = deliver_at(0)
            cursor.execute("SELECT pg_advisory_unlock(%s)", [mail_round._LOCK])
    finally:
        other.close()

    assert meanwhile == 0
    assert deliver_at(0) == 3
