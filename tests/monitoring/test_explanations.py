"""What is explained of a patient's course: on the patient's page, as page, data and PDF."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from monitoring.explained import explanation_of
from monitoring.portal import pdf
from monitoring.portal.presenters.explanation import ExplanationPage
from monitoring.recompute import recompute
from patients.models import (
    Clinician,
    EpisodeSeverity,
    Override,
    Patient,
    StopReason,
    Trial,
    Verdict,
)
from patients.record.verdicts import judge_draw
from tests.factories import (
    MONDAY,
    ClinicianFactory,
    DoseStepFactory,
    DrawFactory,
    EpisodeFactory,
    PatientFactory,
    RatingFactory,
    ResultFactory,
    TrialFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return PatientFactory.create()


@pytest.fixture(autouse=True)
def reader(client: Client, patient: Patient) -> Clinician:
    somebody = ClinicianFactory.create(teams=[patient.team])
    client.force_login(somebody)
    return somebody


def failed_trial(patient: Patient) -> None:
    """Eight weeks of escitalopram 10 mg with 20 points before and 19 after seven weeks."""
    DoseStepFactory.create(trial=TrialFactory.create(patient=patient))
    RatingFactory.create(patient=patient, rated_at=MONDAY - timedelta(weeks=8), total=20)
    RatingFactory.create(patient=patient, rated_at=MONDAY - timedelta(weeks=1), total=19)


def pages(client: Client, patient: Patient) -> tuple[str, str, dict[str, Any]]:
    """Give the patient's page, and the explanation as page and as data."""
    [made] = recompute([patient.pk], at=MONDAY)
    address = [patient.public_id, made.pk]
    answers = [
        client.get(reverse("portal:patient", args=[patient.public_id])),
        client.get(reverse("portal:explanation", args=address)),
    ]
    data = client.get(reverse("portal:explanation_json", args=address)).json()
    own, why = (" ".join(answer.content.decode().split()) for answer in answers)
    return own, why, data


def test_the_staging_is_shown_with_its_parts(client: Client, patient: Patient) -> None:
    EpisodeFactory.create(
        patient=patient,
        ill_since=date(2025, 8, 1),
        severity=EpisodeSeverity.MODERATE,
        earlier_failures=2,
    )
    failed_trial(patient)

    own, why, data = pages(client, patient)

    # Ill for 15 months 2, moderate 3, three failures 2
    for text in (own, why):
        assert "Maudsley staging" in text
        assert "Score 7 of 15: moderate." in text
        assert "15 full months" in text
        assert "1 on record here, 2 before the first dose here" in text
    assert data["staging"]["score"]["total"] == 7
    assert data["staging"]["score"]["duration"] == 2
    assert data["staging"]["facts"]["failed_before"] == 2


def test_an_incomplete_staging_says_what_is_missing(client: Client, patient: Patient) -> None:
    EpisodeFactory.create(patient=patient, severity=EpisodeSeverity.MODERATE, earlier_failures=0)
    failed_trial(patient)

    own, why, data = pages(client, patient)

    wanted = "No score: it is not on record since when the patient has been ill."
    assert wanted in own
    assert wanted in why
    assert data["staging"]["score"]["total"] is None
    assert data["staging"]["score"]["missing"] == ["duration"]


def test_the_printed_report_is_made_of_the_sections_of_the_page(patient: Patient) -> None:
    EpisodeFactory.create(patient=patient)
    [made] = recompute([patient.pk], at=MONDAY)
    found = explanation_of(made, zone=patient.team.site.zone)
    assert found is not None

    page = ExplanationPage.of(found, made, zone=patient.team.site.zone)

    assert "Maudsley staging" in [section.title for section in page.sections]
    assert pdf.render(page, about="", printed="").startswith(b"%PDF-")


def test_the_day_of_the_first_adequate_trial_is_said_in_words(
    client: Client, patient: Patient
) -> None:
    # Six weeks at the least dose from 28-Sep-2026, by the clock of the site
    EpisodeFactory.create(patient=patient)
    failed_trial(patient)

    own, why, data = pages(client, patient)

    for text in (own, why):
        assert "First adequate trial reached on 09-Nov-2026" in text
    assert data["course"]["first_adequate_on"] == "2026-11-09"


def test_before_an_adequate_trial_that_is_said(client: Client, patient: Patient) -> None:
    EpisodeFactory.create(patient=patient)

    own, why, data = pages(client, patient)

    for text in (own, why):
        assert "No trial has been adequate so far" in text
    assert data["course"]["first_adequate_on"] is None


def test_each_decision_point_says_what_was_found(client: Client, patient: Patient) -> None:
    # Week 2 is not rated, week 4 a partial response, week 6 a non-response, week 9 is due
    EpisodeFactory.create(patient=patient)
    failed_trial(patient)
    RatingFactory.create(patient=patient, rated_at=MONDAY - timedelta(weeks=4), total=14)
    RatingFactory.create(patient=patient, rated_at=MONDAY - timedelta(weeks=2), total=18)
    RatingFactory.create(patient=patient, rated_at=MONDAY - timedelta(hours=1), total=9)

    own, why, data = pages(client, patient)

    found = {each["week"]: each["found"] for each in data["course"]["decision_points"]}
    assert found == {
        2: "not rated",
        4: "partial response",
        6: "non-response",
        9: "response",
        12: "to come",
    }
    for text in (own, why):
        assert "Critical decision points" in text
        assert "Of trial 1, escitalopram." in text
        for words in ("Not rated", "Partial response", "Non-response", "To come", "−30 %"):
            assert words in text
        assert "Response: QIDS-SR16 9 on 23-Nov-2026, 20 at baseline (−55 %)" in text


def test_outside_an_episode_nothing_is_said_of_adequacy(client: Client, patient: Patient) -> None:
    EpisodeFactory.create(patient=patient, ended_on=MONDAY.date() - timedelta(days=3))
    failed_trial(patient)

    own, why, data = pages(client, patient)

    for text in (own, why):
        assert "No episode" in text
        assert "adequate" not in text.split("Where the course stands")[1].split("</section>")[0]
    assert data["staging"] is None
    assert data["course"]["decision_points"] == []


def test_a_trial_that_is_no_failure_says_why(client: Client, patient: Patient) -> None:
    EpisodeFactory.create(patient=patient)
    failed_trial(patient)
    Trial.objects.update(
        stopped_on=MONDAY.date() - timedelta(days=1), stop_reason=StopReason.INTOLERANCE
    )

    own, why, data = pages(client, patient)

    [trial] = data["course"]["trials"]
    assert [each["dose_mg"] for each in trial["doses"]] == [10.0]
    assert (trial["stop_reason"], trial["is_least_of_site"]) == ("intolerance", False)
    assert trial["not_counted"] == "not_tolerated"
    assert trial["counting"].startswith("not counted: stopped because it was not tolerated")
    for text in (own, why):
        assert "Trials, one by one" in text
        assert "; stopped: not tolerated" in text
        assert "Not counted: stopped because it was not tolerated, which is no failure" in text


WHY = "Tube of another patient"


def kept_out(patient: Patient, by: Clinician) -> None:
    """Keep the only draw of a patient out of the scores."""
    EpisodeFactory.create(patient=patient)
    draw = DrawFactory.create(patient=patient, collected_at=MONDAY - timedelta(days=3))
    ResultFactory.create(draw=draw)
    judge_draw(
        patient=patient,
        draw=draw.public_id,
        verdict=Verdict.KEEP_OUT,
        reason=WHY,
        against=[],
        value="",
        by=f"clinician:{by.pk}",
        at=MONDAY - timedelta(days=1),
    )


def test_a_draw_that_was_kept_out_is_an_exclusion_with_reason_name_and_time(
    client: Client, patient: Patient, reader: Clinician
) -> None:
    kept_out(patient, reader)

    _own, why, data = pages(client, patient)

    [left_out] = data["exclusions"]
    assert (left_out["reasons"], left_out["validity"]) == (["kept_out_by_a_person"], "excluded")
    [said] = data["decisions"]
    assert said["drawn_at"] == left_out["drawn_at"]
    assert (said["verdict"], said["reason"], said["by"]) == ("keep_out", WHY, str(reader))
    assert f"Kept out: “{WHY}” ({reader}, " in why


def test_it_is_in_the_printed_report_too(patient: Patient, reader: Clinician) -> None:
    kept_out(patient, reader)
    [made] = recompute([patient.pk], at=MONDAY)
    found = explanation_of(made, zone=patient.team.site.zone)
    assert found is not None

    page = ExplanationPage.of(found, made, zone=patient.team.site.zone)

    [rows] = [part.rows for part in page.sections if part.title == "What was left out, and why"]
    assert WHY in rows[0][-1]
    assert pdf.render(page, about="", printed="").startswith(b"%PDF-")


def test_an_explanation_of_an_earlier_day_knows_no_later_word(
    client: Client, patient: Patient, reader: Clinician
) -> None:
    kept_out(patient, reader)
    [made] = recompute([patient.pk], at=MONDAY - timedelta(days=2))

    found = explanation_of(made, zone=patient.team.site.zone)

    assert found is not None
    assert found.decisions == ()


def test_a_trial_that_was_judged_by_a_person_says_who_and_why(
    client: Client, patient: Patient, reader: Clinician
) -> None:
    EpisodeFactory.create(patient=patient)
    failed_trial(patient)
    Trial.objects.update(
        override=Override.INADEQUATE,
        override_reason="Tablets were not swallowed",
        recorded_by=f"clinician:{reader.pk}",
    )

    _own, why, data = pages(client, patient)

    [said] = data["decisions"]
    assert (said["verdict"], said["trial"], said["by"]) == ("inadequate", 1, str(reader))
    assert "Judged inadequate by a person, not by the rule: “Tablets were not swallowed”" in why
