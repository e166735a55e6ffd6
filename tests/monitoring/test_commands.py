"""The operators' commands: what each does, says and refuses."""

import io
import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection
from django.test import Client

from monitoring import redis
from monitoring.models import RiskAssessment
from patients.models import (
    Audit,
    CareTeam,
    Clinician,
    Laboratory,
    LaboratoryKey,
    Membership,
    Patient,
    Role,
    Site,
)
from tests.conftest import draw
from tests.factories import ClinicianFactory

pytestmark = pytest.mark.django_db

PASSWORD = "grey heron on the jetty"
ME = f"operator:{pwd.getpwuid(os.getuid()).pw_name}"


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    redis.ask(lambda line: line.flushdb())


def _run(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().splitlines()


def _type(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


# Laboratories


def test_a_laboratory_is_added_with_its_zone_and_pace() -> None:
    _run("add_laboratory", "East lab", "--zone", "Asia/Tokyo", "--pushes-per-minute", "600")

    laboratory = Laboratory.objects.get()
    assert (laboratory.name, laboratory.time_zone) == ("East lab", "Asia/Tokyo")
    assert laboratory.pushes_per_minute == 600
    assert Audit.objects.get(verb="add_laboratory").by == ME


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["North laboratory"], "There is a laboratory “North laboratory” already"),
        (["NORTH laboratory"], "There is a laboratory “North laboratory” already"),
        (["New", "--zone", "Asia/Tokio"], "is not a time zone"),
        (["New", "--pushes-per-minute", "0"], "must be a whole number from 1"),
        (["  "], "a name of 1 to 100 characters"),
    ],
)
def test_a_laboratory_that_cannot_be_added_is_refused(
    laboratory: Laboratory, arguments: list[str], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        _run("add_laboratory", *arguments)

    assert list(Laboratory.objects.all()) == [laboratory]


def test_the_last_line_is_a_key_that_opens_the_door(
    laboratory: Laboratory, patient: Patient, client: Client
) -> None:
    key = _run("issue_key", laboratory.name)[-1]

    answer = client.post(
        "/api/v1/results",
        json.dumps(draw()),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 201
    assert LaboratoryKey.objects.get().issued_by == ME


def test_a_third_key_is_refused_with_what_to_do(laboratory: Laboratory) -> None:
    _run("issue_key", laboratory.name)
    _run("issue_key", laboratory.name)

    with pytest.raises(CommandError, match="two live keys; revoke one first"):
        _run("issue_key", laboratory.name)


@pytest.mark.parametrize("command", ["issue_key", "revoke_key"])
def test_a_laboratory_that_is_not_there_is_said_with_those_that_are(
    laboratory: Laboratory, command: str
) -> None:
    with pytest.raises(CommandError, match="no laboratory “Nort”; known: North laboratory"):
        _run(command, "Nort")


def test_one_key_is_revoked_by_its_beginning(laboratory: Laboratory) -> None:
    first = _run("issue_key", laboratory.name)[-1]
    second = _run("issue_key", laboratory.name)[-1]

    said = _run("revoke_key", laboratory.name, "--key", first[:8])

    assert said == [f"Revoked the key {first[:8]}… of “North laboratory”."]
    assert LaboratoryKey.objects.get(revoked_at=None).hint == second[:8]


def test_without_a_beginning_all_keys_are_revoked(laboratory: Laboratory) -> None:
    _run("issue_key", laboratory.name)
    _run("issue_key", laboratory.name)

    _run("revoke_key", laboratory.name)

    assert not LaboratoryKey.objects.filter(revoked_at=None).exists()
    with pytest.raises(CommandError, match="has no live key"):
        _run("revoke_key", laboratory.name)


# Teams and clinicians


def test_a_team_is_added_with_its_site() -> None:
    _run("add_team", "Fjord clinic", "Ward 1", "--zone", "Europe/Oslo")

    assert str(CareTeam.objects.get()) == "Fjord clinic, Ward 1"
    assert Site.objects.get().time_zone == "Europe/Oslo"


def test_the_zone_of_a_site_is_not_changed_in_passing(team: CareTeam) -> None:
    with pytest.raises(CommandError, match="keeps the time of Asia/Tokyo, not of Europe/Oslo"):
        _run("add_team", "Kita clinic", "Ward 4", "--zone", "Europe/Oslo")

    assert list(CareTeam.objects.all()) == [team]


@pytest.mark.parametrize("name", ["Ward 3", "ward 3"])
def test_a_team_that_is_there_is_said(team: CareTeam, name: str) -> None:
    with pytest.raises(CommandError, match="has a team “Ward 3” already"):
        _run("add_team", "Kita clinic", name, "--zone", "Asia/Tokyo")

    assert list(CareTeam.objects.all()) == [team]


def test_a_site_in_other_capitals_is_no_second_one(team: CareTeam) -> None:
    with pytest.raises(CommandError, match="is on record as “Kita clinic”"):
        _run("add_team", "KITA Clinic", "Ward 4", "--zone", "Asia/Tokyo")

    assert list(Site.objects.all()) == [team.site]


def test_a_clinician_is_added_with_the_password_from_standard_input(
    team: CareTeam, monkeypatch: pytest.MonkeyPatch
) -> None:
    _type(monkeypatch, f"{PASSWORD}\n")

    _run("add_clinician", "mei@clinic.example", "--team", "Ward 3", "--password-stdin")

    clinician = Clinician.objects.get()
    assert clinician.check_password(PASSWORD)
    assert Membership.objects.get().role == Role.PSYCHIATRIST
    assert Audit.objects.get(verb="add_clinician").by == ME


def test_a_clinician_may_have_a_role_and_a_name(
    team: CareTeam, monkeypatch: pytest.MonkeyPatch
) -> None:
    _type(monkeypatch, PASSWORD)
    options = ["--role", "nurse", "--name", "Mei Invented", "--password-stdin"]

    _run("add_clinician", "mei@clinic.example", "--team", "Kita clinic/Ward 3", *options)

    assert Clinician.objects.get().full_name == "Mei Invented"
    assert Membership.objects.get().role == Role.NURSE


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("too short", "at least 15 characters"),
        ("passwordpassword", "repeats something shorter"),
        ("mei.invented@clinic.example", "too similar to the e-mail address"),
        ("", "holds no password"),
    ],
)
def test_a_weak_password_is_refused(
    team: CareTeam, monkeypatch: pytest.MonkeyPatch, password: str, words: str
) -> None:
    _type(monkeypatch, f"{password}\n")

    with pytest.raises(CommandError, match=words):
        _run(
            *("add_clinician", "mei.invented@clinic.example"),
            *("--team", "Ward 3", "--password-stdin"),
        )

    assert not Clinician.objects.exists()


def test_nobody_is_asked_where_nobody_can_answer(
    team: CareTeam, monkeypatch: pytest.MonkeyPatch
) -> None:
    _type(monkeypatch, "")

    with pytest.raises(CommandError, match="use --password-stdin"):
        _run("add_clinician", "mei@clinic.example", "--team", "Ward 3")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mei at clinic", "--team", "Ward 3"], "is not an e-mail address"),
        (["mei@clinic.example", "--team", "Ward 9"], "There is no team “Ward 9”"),
        (["mei@clinic.example", "--team", "Ward 3", "--role", "king"], "known: psychiatrist, "),
    ],
)
def test_a_clinician_who_cannot_be_added_is_refused(
    team: CareTeam, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    _type(monkeypatch, PASSWORD)

    with pytest.raises(CommandError, match=words):
        _run("add_clinician", *arguments, "--password-stdin")

    assert not Clinician.objects.exists()


def test_a_clinician_who_is_there_joins_the_further_team_and_keeps_the_password(
    team: CareTeam, monkeypatch: pytest.MonkeyPatch
) -> None:
    _type(monkeypatch, PASSWORD)
    _run("add_clinician", "mei@clinic.example", "--team", "Ward 3", "--password-stdin")
    _run("add_team", "Fjord clinic", "Ward 1", "--zone", "Europe/Oslo")

    _run("add_clinician", "Mei@Clinic.Example", "--team", "Ward 1", "--role", "lead")

    clinician = Clinician.objects.get()
    roles = dict(clinician.memberships.values_list("team__name", "role"))
    assert roles == {"Ward 3": "psychiatrist", "Ward 1": "lead"}
    assert clinician.check_password(PASSWORD)


# Assessing


def test_those_who_wait_are_assessed_at_once(patient: Patient) -> None:
    said = _run("assess", "--stale")

    patient.refresh_from_db()
    assert patient.stale_since is None
    assert RiskAssessment.objects.get().patient == patient
    assert said[0].startswith("Took 1 patients in ")


def test_all_finds_those_who_do_not_know_that_they_wait(patient: Patient) -> None:
    Patient.objects.update(stale_since=None)
    assert _run("assess", "--stale")[0].startswith("Took 0 patients")

    said = _run("assess", "--all")

    assert said[0] == "1 patients on record; 1 found outdated who did not wait yet."
    assert RiskAssessment.objects.count() == 1


def test_assessing_everybody_again_changes_nothing(patient: Patient) -> None:
    _run("assess", "--all")

    _run("assess", "--all")

    assert RiskAssessment.objects.count() == 1


def test_it_must_be_said_who_is_assessed() -> None:
    with pytest.raises(CommandError, match="one of the arguments --all --stale is required"):
        _run("assess")


# Refusals that all share


def test_without_a_database_a_command_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused\nby somebody")

    monkeypatch.setattr(connection, "cursor", refuse)

    with pytest.raises(CommandError, match=r"does not answer \(connection refused\).*make run"):
        _run("issue_key", "North laboratory")


# The profile of a laboratory


def test_a_profile_is_looked_through_then_loaded_then_known(tmp_path: Path) -> None:
    file = tmp_path / "north.json"
    file.write_text(
        '{"name": "North laboratory", "time_zone": "Europe/Berlin",'
        ' "units": [{"sent": "nanogram", "means": "ng/mL"}]}'
    )

    looked = _run("load_laboratory", str(file), "--dry-run")
    nothing = Laboratory.objects.count()
    loaded = _run("load_laboratory", str(file))
    again = _run("load_laboratory", str(file))

    assert looked == ["the laboratory “North laboratory” is new", "Nothing was changed."]
    assert nothing == 0
    assert loaded[0] == "the laboratory “North laboratory” is new"
    assert again[0] == "nothing to change"
    assert Laboratory.objects.get().unit_aliases.get().means == "ng/mL"

    file.write_text('{"name": "NORTH Laboratory"}')
    with pytest.raises(CommandError, match="is on record as “North laboratory”; write it so"):
        _run("load_laboratory", str(file))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ('{"name": "A", "name": "B"}', "stands twice"),
        ('{"name": "A", "zone": "UTC"}', "/zone: Extra inputs"),
        ('{"name": "A", "codes": [{"code": "X", "analyte": "?"}]}', "/codes/0/analyte: must be"),
    ],
)
def test_a_faulty_profile_changes_nothing_and_says_where(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "north.json"
    file.write_text(text)

    with pytest.raises(CommandError, match=words) as refused:
        _run("load_laboratory", str(file))

    assert "Nothing was changed." in str(refused.value)
    assert not Laboratory.objects.exists()


def test_somebody_is_made_an_operator_and_unmade(team: CareTeam) -> None:
    who = ClinicianFactory.create(email="mei@clinic.example")

    made = [_run("make_operator", "MEI@clinic.example")[0] for _ in range(2)]
    who.refresh_from_db()
    was_operator = who.is_operator
    _run("make_operator", "mei@clinic.example", "--undo")
    who.refresh_from_db()

    assert "is an operator now" in made[0]
    assert "is an operator already" in made[1]
    assert (was_operator, who.is_operator) == (True, False)
    verbs = Audit.objects.filter(verb__contains="operator").order_by("pk")
    assert list(verbs.values_list("verb", "by")) == [
        ("make_operator", ME),
        ("unmake_operator", ME),
    ]


def test_nobody_unknown_is_made_an_operator(team: CareTeam) -> None:
    with pytest.raises(CommandError, match="Nobody signs in as mei@"):
        _run("make_operator", "mei@clinic.example")
