"""How often a sign-in may fail: for an account from one address, and for one address."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from patients.models import CareTeam, Clinician, Role
from patients.record.people import add_clinician
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db

EMAIL, PASSWORD = "reader@example.org", "a long enough password"
STRANGER, READER = "203.0.113.4", "198.51.100.9"


@pytest.fixture
def reader(team: CareTeam) -> Clinician:
    return add_clinician(
        email=EMAIL,
        full_name="Reader",
        password=PASSWORD,
        team=team,
        role=Role.NURSE,
        by="operator",
        at=MONDAY,
    )


def sign_in(email: str, password: str, *, forwarded: str) -> Any:
    """Sign in by way of a proxy, which is the address that the site is asked from."""
    return Client().post(
        reverse("account_login"),
        {"login": email, "password": password},
        headers={"X-Forwarded-For": forwarded},
    )


@pytest.fixture
def behind_proxy(settings: LazySettings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1


def test_a_stranger_locks_nobody_out(reader: Clinician, behind_proxy: None) -> None:
    for number in range(40):
        sign_in(f"invented{number}@example.org", "wrong", forwarded=STRANGER)
    for _ in range(6):
        last = sign_in(EMAIL, "wrong", forwarded=STRANGER)

    assert "Too many failed login attempts" in last.content.decode()
    assert sign_in(EMAIL, PASSWORD, forwarded=READER).status_code == 302


def test_an_account_is_closed_to_an_address_that_fails_five_times(
    reader: Clinician, behind_proxy: None
) -> None:
    for _ in range(5):
        sign_in(EMAIL, "wrong", forwarded=STRANGER)

    answer = sign_in(EMAIL, PASSWORD, forwarded=STRANGER)

    assert "Too many failed login attempts" in answer.content.decode()


def test_what_a_stranger_says_of_the_way_before_the_proxy_does_not_count(
    reader: Clinician, behind_proxy: None
) -> None:
    for number in range(5):
        sign_in(EMAIL, "wrong", forwarded=f"192.0.2.{number}, {STRANGER}")

    answer = sign_in(EMAIL, PASSWORD, forwarded=f"192.0.2.77, {STRANGER}")

    assert "Too many failed login attempts" in answer.content.decode()


def test_without_a_proxy_nobody_is_believed_about_addresses(reader: Clinician) -> None:
    for number in range(5):
        sign_in(EMAIL, "wrong", forwarded=f"192.0.2.{number}")

    answer = sign_in(EMAIL, PASSWORD, forwarded="192.0.2.77")

    assert "Too many failed login attempts" in answer.content.decode()
