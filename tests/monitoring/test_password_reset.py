"""A password that was forgotten: who asks learns the same, and the mail comes when it can."""

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring import alerts, mail_round
from monitoring.models import Delivery, DeliveryState, Urgency
from patients.models import Audit, Clinician
from tests.factories import ClinicianFactory
from tests.journeys.mail import MailServer

pytestmark = pytest.mark.django_db

NEW = "sixteen brown foxes jump"


@pytest.fixture(autouse=True)
def nobody_has_asked_before() -> None:
    cache.clear()  # it counts how often somebody asks


@pytest.fixture
def mail_server(settings: LazySettings) -> Iterator[MailServer]:
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 2
    yield server
    server.stop()


@pytest.fixture
def reader() -> Clinician:
    clinician: Clinician = ClinicianFactory.create(email="Jo.Reader@example.org")
    clinician.set_password("the one that was forgotten")
    clinician.save()
    return clinician


def ask(email: str) -> Any:
    return Client().post(reverse("account_reset_password"), {"email": email})


def deliver(at: datetime | None = None) -> int:
    return mail_round.deliver_due(clock=lambda: at or timezone.now())


def link_in(text: str) -> str:
    [address] = re.findall(r"http://\S+", text)
    return str(urlsplit(address).path)


def test_with_a_mail_server_that_hangs_everybody_is_answered_at_once_and_alike(
    reader: Clinician, mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    mail_server.hang()
    Client().get(reverse("account_reset_password"))  # the first of all requests takes its time
    began = time.monotonic()

    answers = [ask(email) for email in (reader.email, "nobody@example.org")]

    assert time.monotonic() - began < 1.5
    assert [(each.status_code, each["Location"]) for each in answers] == [
        (302, reverse("account_reset_password_done"))
    ] * 2
    assert answers[0].headers.keys() == answers[1].headers.keys()
    assert reader.email not in caplog.text


def test_the_link_leads_to_a_new_password_once(reader: Clinician) -> None:
    ask("jo.READER@example.org")
    assert mail.outbox == []

    assert deliver() == 1

    [sent] = mail.outbox
    assert sent.to == [reader.email]
    assert reader.full_name not in str(sent.message())
    link, visitor = link_in(str(sent.body)), Client()
    form = visitor.get(link, follow=True)
    answer = visitor.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    assert answer.status_code == 302
    signs_in = {"login": reader.email, "password": NEW}
    assert visitor.post(reverse("account_login"), signs_in)["Location"] == "/"
    again = Client().get(link, follow=True).content.decode()
    assert 'name="password1"' not in again
    verbs = list(Audit.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["ask_for_password", "set_password", "sign_in"]


def test_what_is_owed_holds_no_way_in(reader: Clinician) -> None:
    ask(reader.email)

    [owed] = Delivery.objects.values()

    assert {name for name, value in owed.items() if isinstance(value, str) and value} == {
        "urgency",
        "state",
    }


def test_a_mail_server_that_was_away_gets_it_when_it_is_back(
    reader: Clinician, mail_server: MailServer
) -> None:
    ask(reader.email)
    assert deliver() == 0

    mail_server.start()
    assert deliver(timezone.now() + timedelta(minutes=1)) == 1

    [sent] = mail_server.mails
    assert Client().get(link_in(sent.get_body(("plain",)).get_content())).status_code == 302  # type: ignore[union-attr]


def test_who_asks_three_times_before_it_has_left_gets_one_mail(reader: Clinician) -> None:
    for _ in range(3):
        ask(reader.email)

    assert deliver() == 1

    ask(reader.email)
    assert deliver() == 1


def test_whose_account_is_closed_meanwhile_gets_none(reader: Clinician) -> None:
    ask(reader.email)
    Clinician.objects.update(is_active=False)

    deliver()
    ask(reader.email)
    deliver()

    assert mail.outbox == []
    assert Delivery.objects.get().state == DeliveryState.DROPPED


def test_it_goes_before_what_can_wait_and_after_what_presses(reader: Clinician) -> None:
    at = timezone.now()
    for urgency in (Urgency.DIGEST, Urgency.PASSWORD, Urgency.OPERATION, Urgency.PROMPT):
        Delivery.objects.create(clinician=reader, urgency=urgency, made_at=at, send_after=at)

    order = []
    while (leased := mail_round.lease_next(at=at)) is not None:
        order.append(leased.urgency)

    assert order[:2] == ["prompt", "password"]


def test_one_address_is_asked_for_five_times_in_ten_minutes_and_no_more(
    reader: Clinician,
) -> None:
    known = [ask(reader.email).status_code for _ in range(6)]
    unknown = [ask("nobody@example.org").status_code for _ in range(6)]

    assert known == unknown == [302] * 5 + [429]


def test_an_address_of_ours_leads_to_the_sites_own_host_whatever_was_asked(
    reader: Clinician, settings: LazySettings
) -> None:
    settings.ALLOWED_HOSTS, settings.SITE_URL = ["*"], "https://soundings.example"

    Client().post(
        reverse("account_reset_password"),
        {"email": reader.email},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )
    deliver()

    assert "evil" not in str(mail.outbox[0].message())
    assert "https://soundings.example/account/password/reset/key/" in str(mail.outbox[0].body)


def test_nobody_owed_is_nothing_asked() -> None:
    alerts.owe_way_to_password([], at=timezone.now())

    assert not Delivery.objects.exists()
