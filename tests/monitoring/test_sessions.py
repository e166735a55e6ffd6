"""How long a sign-in lasts: while it is used, not for ever, and whoever is out is told why."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from monitoring import sessions
from patients.models import Clinician
from tests.factories import ClinicianFactory, PatientFactory, TeamFactory

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough password"
MINUTE = timedelta(minutes=1)
POLL = {"HX-Request": "true", "HX-Current-URL": "http://testserver/preferences/?from=mail"}


@pytest.fixture
def reader() -> Clinician:
    clinician: Clinician = ClinicianFactory.create(teams=[TeamFactory.create()])
    clinician.set_password(PASSWORD)
    clinician.save()
    return clinician


@pytest.fixture
def client(client: Client, reader: Clinician) -> Client:
    """Somebody who has signed in just now, by the page."""
    cache.clear()
    answer = client.post(reverse("account_login"), {"login": reader.email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def row() -> Session:
    return Session.objects.get()


def let_pass(time: timedelta) -> None:
    """Let that much of the session's life be over, as if it had begun so much earlier."""
    session = row()
    data = session.get_decoded()
    data[sessions.SIGNED_IN_AT] -= int(time.total_seconds())
    session.session_data = sessions.SessionStore().encode(data)
    session.expire_date -= time
    session.save()


def said_at_sign_in(client: Client, answer: Any) -> str:
    """Follow to the sign-in, and read what it says."""
    return " ".join(client.get(answer.headers["Location"]).content.decode().split())


def test_who_asks_for_nothing_for_half_an_hour_is_signed_out_told_so_and_led_back(
    client: Client, reader: Clinician
) -> None:
    let_pass(31 * MINUTE)

    answer = client.get("/preferences/?from=mail")

    assert answer.status_code == 302
    page = said_at_sign_in(client, answer)
    assert "You were signed out after 30 minutes without use." in page
    assert "What was typed and not saved is not on record." in page
    there = {"login": reader.email, "password": PASSWORD, "next": "/preferences/?from=mail"}
    assert f'value="{there["next"]}"' in page
    back = client.post(reverse("account_login"), there)
    assert back.headers["Location"] == there["next"]


def test_it_is_said_once(client: Client) -> None:
    let_pass(31 * MINUTE)
    said_at_sign_in(client, client.get("/"))

    assert "You were signed out" not in said_at_sign_in(client, client.get("/"))


def test_a_sign_in_that_is_used_lasts_on(client: Client) -> None:
    for _ in range(3):
        let_pass(20 * MINUTE)
        assert client.get("/").status_code == 200


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(client: Client) -> None:
    before = row().expire_date - 20 * MINUTE
    let_pass(20 * MINUTE)

    for path in (
        reverse("portal:alarm"),
        reverse("portal:changes") + "?since=2026-11-02T08:00:00Z",
    ):
        assert client.get(path, headers=POLL).status_code == 200

    assert row().expire_date == before


def test_typing_into_a_page_does(client: Client) -> None:
    let_pass(20 * MINUTE)

    assert client.post(reverse("portal:stay"), headers=POLL).status_code == 200

    assert row().expire_date > timezone.now() + 29 * MINUTE


def test_no_sign_in_lasts_longer_than_a_working_day(client: Client) -> None:
    for _ in range(36):
        let_pass(20 * MINUTE)
        answer = client.get("/")

    page = said_at_sign_in(client, answer)
    assert "You were signed out 12 hours after you had signed in." in page


def test_both_limits_are_settings(client: Client, settings: LazySettings) -> None:
    settings.SESSION_COOKIE_AGE, settings.SIGN_OUT_AFTER_HOURS = 600, 1
    let_pass(29 * MINUTE)
    client.get("/")

    assert row().expire_date < timezone.now() + 11 * MINUTE
    let_pass(9 * MINUTE)
    client.get("/")
    let_pass(9 * MINUTE)
    client.get("/")
    let_pass(9 * MINUTE)
    client.get("/")
    let_pass(5 * MINUTE)
    assert "1 hour after you had signed in" in said_at_sign_in(client, client.get("/"))


def test_a_page_writes_the_end_of_the_sign_in_at_most_once_a_minute(client: Client) -> None:
    def written() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/")
        return sum(each["sql"].startswith(("UPDATE", "INSERT")) for each in asked.captured_queries)

    assert written() == 0
    let_pass(2 * MINUTE)
    assert [written(), written(), written()] == [1, 0, 0]


def test_an_open_page_warns_before_the_end_and_offers_to_go_on(client: Client) -> None:
    let_pass(24 * MINUTE)
    early = client.get(reverse("portal:alarm"), headers=POLL).content.decode()
    let_pass(2 * MINUTE)
    late = client.get(reverse("portal:alarm"), headers=POLL).content.decode()
    stayed = client.post(reverse("portal:stay"), headers=POLL).content.decode()

    assert "You will be signed out at" not in early + stayed
    assert "You will be signed out at" in late
    assert "Stay signed in" in late


def test_a_short_idle_time_warns_not_from_the_start(client: Client, settings: LazySettings) -> None:
    settings.SESSION_COOKIE_AGE = 5 * 60
    let_pass(26 * MINUTE)

    assert "You will be signed out at" not in client.get("/").content.decode()


def test_the_end_of_a_working_day_is_told_as_one_that_cannot_be_put_off(client: Client) -> None:
    for _ in range(35):
        let_pass(20 * MINUTE)
        client.get("/")
    let_pass(17 * MINUTE)

    page = " ".join(client.get("/").content.decode().split())

    assert "a sign-in lasts no longer" in page
    assert "Stay signed in" not in page


def test_an_open_page_gives_way_to_the_sign_in_and_comes_back(client: Client) -> None:
    let_pass(31 * MINUTE)

    answer = client.get(reverse("portal:alarm"), headers=POLL)

    leads_to = urlsplit(answer.headers["HX-Redirect"])
    assert answer.content == b""
    assert leads_to.path == reverse("account_login")
    assert parse_qs(leads_to.query) == {"next": ["/preferences/?from=mail"]}
    page = client.get(answer.headers["HX-Redirect"]).content.decode()
    assert "You were signed out after 30 minutes without use." in page


def test_an_open_page_of_another_house_is_not_what_is_come_back_to(client: Client) -> None:
    let_pass(31 * MINUTE)
    strange = {**POLL, "HX-Current-URL": "https://evil.example/"}

    answer = client.get(reverse("portal:alarm"), headers=strange)

    assert parse_qs(urlsplit(answer.headers["HX-Redirect"]).query) == {"next": ["/"]}


def test_what_was_sent_too_late_is_said_to_be_lost(client: Client, reader: Clinician) -> None:
    patient = PatientFactory.create(team=reader.teams.get())
    let_pass(31 * MINUTE)

    answer = client.post(reverse("portal:add_rating", args=[patient.public_id]), {"total": "9"})

    page = said_at_sign_in(client, answer)
    assert "You were signed out after 30 minutes without use." in page
    assert "nothing of it is on record" in page


def test_whose_sign_in_was_ended_by_others_is_told_that_it_ended(
    client: Client, reader: Clinician
) -> None:
    assert sessions.end_all_of(ClinicianFactory.create()) == 0
    assert sessions.end_all_of(reader) == 1

    assert "Your sign-in had ended." in said_at_sign_in(client, client.get("/"))


def test_who_signs_out_or_never_signed_in_is_told_nothing(client: Client) -> None:
    client.post(reverse("account_logout"))

    for visitor in (client, Client()):
        page = said_at_sign_in(visitor, visitor.get("/"))
        assert "sign-in had ended" not in page
        assert "You were signed out" not in page


@pytest.mark.parametrize("key", ["invented", "x" * 5000, '"\\000aaaaaaaaaa"', "' or 1=1", "é" * 20])
def test_a_session_that_was_never_given_out_is_none(key: str, settings: LazySettings) -> None:
    visitor = Client()
    visitor.cookies[settings.SESSION_COOKIE_NAME] = key

    assert visitor.get("/").status_code == 302


def test_a_session_of_an_earlier_version_is_given_its_ends(client: Client) -> None:
    session = row()
    data = session.get_decoded()
    del data[sessions.SIGNED_IN_AT]
    session.session_data = sessions.SessionStore().encode(data)
    session.expire_date = timezone.now() + timedelta(hours=12)
    session.save()

    assert client.get("/").status_code == 200

    assert row().expire_date < timezone.now() + 31 * MINUTE
    assert sessions.SIGNED_IN_AT in row().get_decoded()


def test_what_ended_long_ago_is_deleted(client: Client) -> None:
    let_pass(timedelta(days=6))
    sessions.forget_old(at=timezone.now())
    assert Session.objects.exists()

    let_pass(timedelta(days=2))
    sessions.forget_old(at=timezone.now())
    assert not Session.objects.exists()
