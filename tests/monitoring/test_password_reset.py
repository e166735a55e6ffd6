"""A password that was forgotten: who asks learns the same, whoever they are."""

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from tests.factories import ClinicianFactory

pytestmark = pytest.mark.django_db


def test_with_the_mail_server_away_a_known_address_is_answered_as_an_unknown_one(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    known = ClinicianFactory.create().email

    answers = [
        Client().post(reverse("account_reset_password"), {"email": email})
        for email in (known, "nobody@example.org")
    ]

    assert [(each.status_code, each["Location"]) for each in answers] == [
        (302, reverse("account_reset_password_done"))
    ] * 2
    assert "was not sent: ConnectionRefusedError" in caplog.text
    assert known not in caplog.text
