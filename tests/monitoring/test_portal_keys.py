"""Keys in the portal: an operator sees, issues and revokes them; a key is shown once."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from patients.models import Audit, CareTeam, Clinician, Laboratory, LaboratoryKey, Patient, TeamKey
from patients.record.laboratories import issue_key
from patients.record.team_keys import issue_team_key
from tests.conftest import MONDAY
from tests.factories import ClinicianFactory

pytestmark = pytest.mark.django_db
KEYS = reverse("portal:keys")


@pytest.fixture
def operator(client: Client) -> Clinician:
    found = ClinicianFactory.create(is_operator=True)
    client.force_login(found)
    return found


def issued_in(answer: Any) -> str:
    found = re.search(r'<code class="key">([^<]+)</code>', answer.content.decode())
    assert found is not None
    return found[1]


def rate(key: str) -> int:
    rating = {
        "patient": {"system": "urn:clinic:mrn", "value": "0042"},
        "instrument": "PHQ-9",
        "rated_at": "2026-11-02T08:10:00+09:00",
        "items": [0] * 9,
    }
    return (
        Client()
        .post(
            "/api/v1/ratings",
            json.dumps(rating),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        .status_code
    )


@pytest.mark.usefixtures("operator", "patient")
def test_a_key_of_a_team_is_issued_used_and_revoked(client: Client, team: CareTeam) -> None:
    said = {"team-team": str(team.pk), "team-name": "Tablet"}

    answer = client.post(reverse("portal:issue_team_key"), said)

    key = issued_in(answer)
    assert "no-store" in answer["Cache-Control"]
    assert rate(key) == 201
    page = client.get(KEYS).content.decode()
    assert "Tablet" in page
    assert key not in page
    assert TeamKey.objects.get().last_used_at is not None
    client.post(reverse("portal:revoke_key", args=["team", TeamKey.objects.get().pk]))
    assert rate(key) == 401
    assert [each.verb for each in Audit.objects.filter(subject__startswith="team_key:")] == [
        "issue_team_key",
        "revoke_team_key",
    ]


def test_a_key_is_issued_for_what_was_chosen(
    client: Client, operator: Clinician, team: CareTeam
) -> None:
    chosen = {"team-team": str(team.pk), "team-name": "Record", "team-may": "read"}

    text = client.post(reverse("portal:issue_team_key"), chosen).content.decode()

    assert TeamKey.objects.get().scopes == "r"
    assert "Record: reads explanations" in text


def test_a_second_key_of_one_system_is_refused_in_words(
    client: Client, operator: Clinician, team: CareTeam
) -> None:
    issue_team_key(team=team, name="Tablet", by="operator", at=MONDAY)

    answer = client.post(
        reverse("portal:issue_team_key"), {"team-team": str(team.pk), "team-name": "Tablet"}
    )

    assert answer.status_code == 422
    assert "revoke it first" in answer.content.decode()
    assert TeamKey.objects.count() == 1


def test_keys_of_laboratories_are_issued_and_revoked_alike(
    client: Client, operator: Clinician, laboratory: Laboratory
) -> None:
    said = {"laboratory-laboratory": str(laboratory.pk)}
    addresses = reverse("portal:issue_laboratory_key")

    assert issued_in(client.post(addresses, said)).startswith("snd_")
    assert issued_in(client.post(addresses, said)).startswith("snd_")
    third = client.post(addresses, said)

    assert third.status_code == 422
    assert "two live keys already" in third.content.decode()
    first = LaboratoryKey.objects.earliest("pk")
    client.post(reverse("portal:revoke_key", args=["laboratory", first.pk]))
    assert LaboratoryKey.objects.filter(revoked_at=None).exclude(pk=first.pk).count() == 1


def test_whoever_is_no_operator_finds_nothing_there(
    client: Client, patient: Patient, team: CareTeam, laboratory: Laboratory
) -> None:
    issue_team_key(team=team, name="Tablet", by="operator", at=MONDAY)
    issue_key(laboratory=laboratory, by="operator", at=MONDAY)
    client.force_login(ClinicianFactory.create(teams=[patient.team]))

    assert client.get(KEYS).status_code == 404
    for address in (
        reverse("portal:issue_team_key"),
        reverse("portal:issue_laboratory_key"),
        reverse("portal:revoke_key", args=["team", TeamKey.objects.get().pk]),
        reverse("portal:revoke_key", args=["laboratory", LaboratoryKey.objects.get().pk]),
    ):
        assert client.post(address).status_code == 404
    assert TeamKey.objects.get().revoked_at is None
    assert LaboratoryKey.objects.get().revoked_at is None
