"""Explanations for a clinic's own system: who may read them, of whom, and what is on the trail."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from monitoring.api.explanations import PatientExplanation
from monitoring.recompute import recompute
from patients.models import Audit, CareTeam, Patient, TeamKey
from patients.record.team_keys import MAY, issue_team_key, revoke_team_key
from tests.factories import (
    MONDAY,
    ClinicianFactory,
    DoseStepFactory,
    EpisodeFactory,
    LaboratoryFactory,
    PatientFactory,
    RatingFactory,
    TrialFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def assessed() -> Patient:
    patient = PatientFactory.create(family_name="Canary", given_name="Yuki")
    EpisodeFactory.create(patient=patient)
    DoseStepFactory.create(trial=TrialFactory.create(patient=patient))
    RatingFactory.create(patient=patient, rated_at=MONDAY - timedelta(weeks=8), total=20)
    RatingFactory.create(patient=patient, rated_at=MONDAY - timedelta(weeks=1), total=19)
    recompute([patient.pk], at=MONDAY)
    return patient


def key_of(team: CareTeam, *, may: str = "read") -> str:
    return issue_team_key(team=team, name=f"EHR {may}", scopes=MAY[may], by="operator", at=MONDAY)


def ask(key: str, public_id: object) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return Client().get(f"/api/v1/patients/{public_id}/explanation", headers=headers)


@pytest.mark.parametrize("may", ["read", "both"])
def test_a_team_reads_why_the_current_assessment_says_what_it_says(
    assessed: Patient, may: str
) -> None:
    answer = ask(key_of(assessed.team, may=may), assessed.public_id)

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    said = answer.json()
    assert said["patient"] == str(assessed.public_id)
    assert said["is_outdated"] is False
    course = said["explanation"]["course"]
    assert course["first_adequate_on"] == "2026-11-09"
    assert {each["week"] for each in course["decision_points"]} == {2, 4, 6, 9, 12}
    assert said["explanation"]["staging"]["score"]["missing"]
    PatientExplanation.model_validate(said)  # as the OpenAPI document promises it


def test_it_is_the_structure_that_the_portal_gives(client: Client, assessed: Patient) -> None:
    client.force_login(ClinicianFactory.create(teams=[assessed.team]))
    said = ask(key_of(assessed.team), assessed.public_id).json()

    address = reverse("portal:explanation_json", args=[assessed.public_id, said["assessment"]])
    of_the_portal = client.get(address).json()

    del of_the_portal["is_synthetic"]
    assert said["explanation"] == of_the_portal


def test_each_reading_is_on_the_trail_and_names_the_key(assessed: Patient) -> None:
    said = ask(key_of(assessed.team), assessed.public_id).json()

    [line] = Audit.objects.filter(verb="view_explanation")
    assert line.by == f"team_key:{TeamKey.objects.get().pk}"
    assert line.subject == f"assessment:{said['assessment']}"
    assert line.patient_id == assessed.pk


def test_a_name_and_a_number_do_not_leave(assessed: Patient) -> None:
    text = ask(key_of(assessed.team), assessed.public_id).content.decode()

    assert "canary" not in text.lower()
    assert "yuki" not in text.lower()


def test_another_team_finds_nothing_and_nothing_is_on_the_trail(assessed: Patient) -> None:
    stranger = key_of(PatientFactory.create().team)

    answer = ask(stranger, assessed.public_id)

    assert answer.status_code == 404
    assert answer.json() == ask(stranger, uuid4()).json()
    assert not Audit.objects.filter(verb="view_explanation").exists()


def test_a_patient_who_is_not_assessed_has_nothing_to_read() -> None:
    patient = PatientFactory.create()

    assert ask(key_of(patient.team), patient.public_id).status_code == 404


def test_a_key_for_ratings_alone_may_not_read(assessed: Patient) -> None:
    answer = ask(key_of(assessed.team, may="send"), assessed.public_id)

    assert answer.status_code == 403
    assert "may not read explanations" in answer.json()["detail"]
    assert 'scope="system/RiskAssessment.r"' in answer["WWW-Authenticate"]


def test_a_key_for_reading_alone_may_not_send(assessed: Patient) -> None:
    answer = Client().post(
        "/api/v1/ratings",
        json.dumps({}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key_of(assessed.team)}"},
    )

    assert answer.status_code == 403
    assert "may not send ratings" in answer.json()["detail"]


def test_no_key_a_revoked_key_and_a_laboratorys_key_open_nothing(assessed: Patient) -> None:
    key = key_of(assessed.team)
    revoke_team_key(team=assessed.team, name="EHR read", by="operator", at=MONDAY)
    laboratory = LaboratoryFactory.create()
    out = StringIO()
    call_command("issue_key", laboratory.name, stdout=out)
    of_a_laboratory = out.getvalue().split()[-1]

    for shown in ("", key, of_a_laboratory):
        assert ask(shown, assessed.public_id).status_code == 401


def test_what_is_not_assessed_yet_is_said(assessed: Patient) -> None:
    Patient.objects.filter(pk=assessed.pk).update(history_version=99)

    assert ask(key_of(assessed.team), assessed.public_id).json()["is_outdated"] is True


def test_an_operator_issues_a_key_that_may_read(assessed: Patient) -> None:
    out = StringIO()
    site = f"{assessed.team.site.name}/{assessed.team.name}"
    call_command("issue_team_key", "EHR", "--team", site, "--may", "read", stdout=out)

    assert "for explanations of" in out.getvalue()
    assert ask(out.getvalue().split()[-1], assessed.public_id).status_code == 200
