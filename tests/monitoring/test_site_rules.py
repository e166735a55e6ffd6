"""A site chooses the rules by which its patients are assessed; what was assessed before stays."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics.definitions import CONSENSUS, NON_REMISSION, RULES
from analytics.explanation import explain
from monitoring.history import estimate_of
from monitoring.models import Attempt, Flag, FlagKind, RiskAssessment, Standing
from monitoring.recompute import mark_outdated, recompute, work_off_backlog
from monitoring.site_rules import rules_for
from patients.models import Audit, Clinician, Membership, Patient, Role, SiteRules
from tests.factories import (
    ClinicianFactory,
    DoseStepFactory,
    EpisodeFactory,
    PatientFactory,
    RatingFactory,
    TeamFactory,
    TrialFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return ill_for_eight_weeks(PatientFactory.create())


@pytest.fixture
def lead(client: Client, patient: Patient) -> Clinician:
    somebody = ClinicianFactory.create(teams=[patient.team])
    Membership.objects.update(role=Role.LEAD)
    client.force_login(somebody)
    return somebody


def ill_for_eight_weeks(patient: Patient) -> Patient:
    """Give somebody whose QIDS fell from 20 to 12 in the first eight weeks of a trial."""
    start = timezone.now() - timedelta(days=60)
    EpisodeFactory.create(patient=patient, started_on=start.date())
    trial = TrialFactory.create(patient=patient, started_on=start.date())
    DoseStepFactory.create(trial=trial, started_on=start.date())
    RatingFactory.create(patient=patient, rated_at=start, total=20)
    RatingFactory.create(patient=patient, rated_at=start + timedelta(days=56), total=12)
    return patient


def choose(client: Client, patient: Patient, *, name: str, weeks: str) -> int:
    address = reverse("portal:rules", args=[patient.team.site_id])
    return client.post(address, {"name": name, "weeks": weeks}).status_code


def statuses() -> list[tuple[str, str]]:
    made = RiskAssessment.objects.order_by("pk")
    return [(each.rules, each.content["course"]["status"]) for each in made]


def test_the_choice_of_a_site_assesses_its_patients_anew_and_keeps_the_old_word(
    client: Client, lead: Clinician, patient: Patient
) -> None:
    recompute([patient.pk], at=timezone.now())

    assert choose(client, patient, name=NON_REMISSION, weeks="6") == 302
    work_off_backlog(at=timezone.now())

    variant = rules_for(timezone.now().date(), NON_REMISSION, None).version
    assert statuses() == [(RULES.version, "on trial 1"), (variant, "trial 1 failed (adequate)")]
    old, new = (estimate_of(each) for each in RiskAssessment.objects.order_by("pk"))
    assert old is not None
    assert new is not None
    assert explain(old, made_at=timezone.now()).rules["version"] == RULES.version
    assert explain(new, made_at=timezone.now()).rules["version"] == variant
    assert variant in client.get(reverse("portal:site_settings")).content.decode()
    assert Audit.objects.filter(verb="choose_rules").exists()


def test_going_back_to_earlier_rules_lets_the_earlier_assessment_stand_again(
    client: Client, lead: Clinician, patient: Patient
) -> None:
    at = timezone.now()
    for name in (CONSENSUS, NON_REMISSION, CONSENSUS, NON_REMISSION):
        choose(client, patient, name=name, weeks="6")
        mark_outdated(at=at)
        work_off_backlog(at=at)
    flag = Flag.objects.up().get(kind=FlagKind.TRENDING)

    assert [words for _, words in statuses()] == ["on trial 1", "trial 1 failed (adequate)"]
    assert Standing.objects.get().rules.startswith(NON_REMISSION)
    assert flag.raised_by == Standing.objects.get().assessment
    assert mark_outdated(at=at) == 0


def test_one_who_goes_back_with_the_site_holds_up_nobody_whose_record_has_changed(
    client: Client, lead: Clinician, patient: Patient
) -> None:
    other = ill_for_eight_weeks(PatientFactory.create(team=patient.team))
    at = timezone.now()
    recompute([patient.pk, other.pk], at=at)
    choose(client, patient, name=NON_REMISSION, weeks="6")
    recompute([patient.pk, other.pk], at=at)
    choose(client, patient, name=CONSENSUS, weeks="6")
    Patient.objects.filter(pk=other.pk).update(history_version=F("history_version") + 1)

    mark_outdated(at=at)
    work_off_backlog(at=at)

    assert other.assessments.count() == 3
    assert {each.rules for each in Standing.objects.all()} == {RULES.version}
    assert not Attempt.objects.exists()


def test_a_sites_own_weeks_are_asked_for(client: Client, lead: Clinician, patient: Patient) -> None:
    choose(client, patient, name=NON_REMISSION, weeks="10")
    recompute([patient.pk], at=timezone.now())

    assert statuses()[-1][1] == "on trial 1"
    assert statuses()[-1][0].endswith("+10wk")


def test_the_patients_of_two_sites_are_assessed_in_one_batch_each_by_its_own_rules(
    client: Client, lead: Clinician, patient: Patient
) -> None:
    other = ill_for_eight_weeks(PatientFactory.create(team=TeamFactory.create()))
    choose(client, patient, name=NON_REMISSION, weeks="4")

    recompute([patient.pk, other.pk], at=timezone.now())

    by_patient = dict(RiskAssessment.objects.values_list("patient_id", "rules"))
    assert by_patient[other.pk] == RULES.version
    assert by_patient[patient.pk].startswith("non-remission")
    assert mark_outdated(at=timezone.now()) == 0


def test_fewer_than_four_weeks_are_refused(
    client: Client, lead: Clinician, patient: Patient
) -> None:
    assert choose(client, patient, name=CONSENSUS, weeks="3.5") == 422
    assert choose(client, patient, name="horoscope", weeks="6") == 422
    assert not SiteRules.objects.exists()


def test_only_a_lead_chooses(client: Client, lead: Clinician, patient: Patient) -> None:
    Membership.objects.update(role=Role.NURSE)

    assert choose(client, patient, name=NON_REMISSION, weeks="6") == 403


def test_the_same_choice_again_changes_nothing(
    client: Client, lead: Clinician, patient: Patient
) -> None:
    choose(client, patient, name=CONSENSUS, weeks="6.0")

    assert not SiteRules.objects.exists()


def test_a_new_version_is_in_force_from_its_day_on(patient: Patient) -> None:
    assert rules_for(date(2026, 11, 27), CONSENSUS, None).version == "eu-pearl-2"
    assert rules_for(date(2026, 11, 28), CONSENSUS, 4.0).version == "eu-pearl-4+4wk"

    before = datetime(2026, 11, 27, 3, tzinfo=UTC)
    recompute([patient.pk], at=before)
    assert Standing.objects.get().rules == "eu-pearl-2"

    assert mark_outdated(at=before) == 0
    assert mark_outdated(at=before + timedelta(days=2)) == 1
