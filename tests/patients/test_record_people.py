"""Sites, teams and the people in them."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError

from patients.models import Audit, CareTeam, Clinician, Membership, Role, Site
from patients.record.people import (
    TeamNotFound,
    add_clinician,
    add_team,
    find_team,
    join_team,
    set_preferences,
)
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db

OSLO = ZoneInfo("Europe/Oslo")
PASSWORD = "a long walk by the fjord"


def _hire(team: CareTeam, email: str = "kari@clinic.example") -> Clinician:
    return add_clinician(
        email=email,
        full_name="Kari Invented",
        password=PASSWORD,
        team=team,
        role=Role.NURSE,
        by="operator:ola",
        at=MONDAY,
    )


def test_a_team_brings_its_site_along() -> None:
    team = add_team(site="Fjord clinic", name="Ward 1", zone=OSLO, by="operator:ola", at=MONDAY)

    assert (team.site.name, team.site.time_zone) == ("Fjord clinic", "Europe/Oslo")
    line = Audit.objects.get(verb="add_team")
    assert (line.by, line.at, line.subject) == ("operator:ola", MONDAY, f"team:{team.pk}")


def test_a_second_team_joins_the_site_that_is_there() -> None:
    first = add_team(site="Fjord clinic", name="Ward 1", zone=OSLO, by="operator:ola", at=MONDAY)
    second = add_team(site="Fjord clinic", name="Ward 2", zone=OSLO, by="operator:ola", at=MONDAY)

    assert first.site == second.site
    assert Site.objects.count() == 1


def test_the_same_team_again_changes_nothing() -> None:
    first = add_team(site="Fjord clinic", name="Ward 1", zone=OSLO, by="operator:ola", at=MONDAY)
    again = add_team(site="Fjord clinic", name="Ward 1", zone=OSLO, by="operator:ola", at=MONDAY)

    assert again == first
    assert Audit.objects.filter(verb="add_team").count() == 1


def test_a_team_is_found_by_its_name_or_with_its_site(team: CareTeam) -> None:
    assert find_team("Ward 3") == team
    assert find_team("Kita clinic/Ward 3") == team


def test_a_team_name_of_two_sites_asks_for_the_site(team: CareTeam) -> None:
    other = add_team(site="Fjord clinic", name="Ward 3", zone=OSLO, by="operator:ola", at=MONDAY)

    with pytest.raises(TeamNotFound, match="SITE/TEAM"):
        find_team("Ward 3")

    assert find_team("Fjord clinic/Ward 3") == other


def test_a_team_that_is_not_there_is_refused_with_what_to_do() -> None:
    with pytest.raises(TeamNotFound, match="Add it first with add_team"):
        find_team("Ward 9")


def test_a_new_clinician_signs_in_by_password_and_keeps_the_time_of_the_site(
    team: CareTeam,
) -> None:
    clinician = _hire(team)

    assert clinician.check_password(PASSWORD)
    assert PASSWORD not in clinician.password
    assert clinician.time_zone == "Asia/Tokyo"
    assert list(team.members.all()) == [clinician]
    by = set(Audit.objects.filter(verb__in=["add_clinician", "join_team"]).values_list("by"))
    assert by == {("operator:ola",)}


def test_an_address_in_other_letters_is_the_same_address(team: CareTeam) -> None:
    _hire(team, "kari@clinic.example")

    with pytest.raises(IntegrityError, match="one_clinician_per_email_address"):
        _hire(team, "Kari@Clinic.Example")


def test_joining_again_changes_the_role_and_keeps_the_day(team: CareTeam) -> None:
    clinician = _hire(team)
    later = MONDAY + timedelta(days=30)

    join_team(clinician=clinician, team=team, role=Role.LEAD, by="operator:ola", at=later)

    membership = Membership.objects.get()
    assert (membership.role, membership.since) == (Role.LEAD, MONDAY)


def test_preferences_are_the_clinicians_own_deed(team: CareTeam) -> None:
    clinician = _hire(team)

    set_preferences(clinician=clinician, time_zone=OSLO, digest_hour=6, at=MONDAY)

    clinician.refresh_from_db()
    assert (clinician.time_zone, clinician.digest_hour) == ("Europe/Oslo", 6)
    assert Audit.objects.get(verb="set_preferences").by == f"clinician:{clinician.pk}"


def test_a_digest_hour_off_the_clock_is_refused(team: CareTeam) -> None:
    clinician = _hire(team)

    with pytest.raises(IntegrityError, match="the_digest_hour_is_on_the_clock"):
        set_preferences(clinician=clinician, time_zone=OSLO, digest_hour=24, at=MONDAY)


def test_the_trail_names_nobody(team: CareTeam) -> None:
    _hire(team)

    written = " ".join(f"{line} {line.detail}" for line in Audit.objects.all())

    assert "Kari" not in written
    assert "kari" not in written
    assert "Ward" not in written
