"""Nobody sees a page without signing in, and nobody sees another team's patient."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils.html import escape

from analytics import evidence
from monitoring.models import Flag, FlagKind, FlagLevel, SafetyUrgency
from monitoring.portal.urls import urlpatterns
from patients.models import Audit, Patient, PatientStatus
from patients.record.laboratories import issue_key
from tests.factories import (
    MONDAY,
    AssessmentFactory,
    ClinicianFactory,
    DrawFactory,
    EventFactory,
    FlagFactory,
    LaboratoryFactory,
    ParkedFactory,
    PatientFactory,
    RatingFactory,
    TeamFactory,
    TrialFactory,
)

pytestmark = pytest.mark.django_db

OF_ALL = {
    *("worklist", "search", "preferences", "safety_list", "alarm", "site_settings"),
    *("overdue", "held", "changes", "about", "constants", "flag_figures", "stay"),
}


def address(pattern: URLPattern, flag: Flag) -> str:
    """Give the address of a page about this flag, its patient, a trial or a parked draw."""
    trial = TrialFactory.create(patient=flag.patient)
    values = {
        "reference": flag.reference,
        "public_id": ParkedFactory.create().public_id
        if "parked" in str(pattern.name)
        else flag.patient.public_id,
        "trial_id": trial.pk,
        "fact_id": trial.pk,
        "draw_id": uuid4(),
        "assessment_id": trial.pk,
        "site_id": flag.patient.team.site_id,
        "team_id": flag.patient.team_id,
        "laboratory_id": LaboratoryFactory.create().pk,
        "key_id": 1,
        "part": "units",
        "atc": "N06AG02",
    }
    names = pattern.pattern.converters
    return reverse(f"portal:{pattern.name}", kwargs={name: values[name] for name in names})


def test_every_page_asks_a_stranger_to_sign_in(client: Client) -> None:
    flag = FlagFactory.create()

    for pattern in urlpatterns:
        for ask in (client.get, client.post):
            answer = ask(address(pattern, flag))

            assert answer.status_code == 302, pattern.name
            assert answer.headers["Location"].startswith(reverse("account_login"))


def test_the_key_of_a_laboratory_opens_no_page(client: Client) -> None:
    flag = FlagFactory.create()
    key = issue_key(laboratory=LaboratoryFactory.create(), by="operator", at=MONDAY)

    for pattern in urlpatterns:
        answer = client.get(address(pattern, flag), headers={"Authorization": f"Bearer {key}"})

        assert answer.status_code == 302, pattern.name


def test_what_is_of_another_patient_is_not_there_beside_ones_own(client: Client) -> None:
    own, other = PatientFactory.create(), PatientFactory.create()
    facts = {
        "rating": RatingFactory.create(patient=other).pk,
        "trial": TrialFactory.create(patient=other).pk,
        "event": EventFactory.create(patient=other).pk,
    }
    theirs = {
        "trial_id": facts["trial"],
        "fact_id": None,
        "draw_id": DrawFactory.create(patient=other).public_id,
        "assessment_id": AssessmentFactory.create(patient=other).pk,
    }
    client.force_login(ClinicianFactory.create(teams=[own.team, other.team]))
    tried = 0

    for pattern in urlpatterns:
        names = set(pattern.pattern.converters)
        if "public_id" not in names or not names & theirs.keys():
            continue
        kind = next((each for each in facts if each in str(pattern.name)), "")
        values = {name: theirs.get(name, own.public_id) or facts[kind] for name in names}
        where = reverse(f"portal:{pattern.name}", kwargs=values)
        tried += 1

        assert {client.get(where).status_code, client.post(where).status_code} <= {404, 405}, where

    assert tried >= 10


def test_no_page_is_kept_and_none_may_ask_for_a_device(client: Client) -> None:
    pages = [reverse(name) for name in ("account_login", "account_reset_password", "health")]

    for where in [*pages, "/", "/nowhere", "/api/v1/results", "/fhir/Observation", "/hl7v2"]:
        assert "no-store" in client.get(where).headers["Cache-Control"], where
    for where in [*pages, "/", "/nowhere"]:
        assert "camera=()" in client.get(where).headers["Permissions-Policy"], where


@pytest.mark.parametrize(
    "address",
    [
        *("https://evil.example/", "//evil.example", "/\\evil.example", "///evil.example"),
        *("http:evil.example", "javascript:alert(1)", "\t//evil.example", "http:///evil.example"),
        "http://testserver@evil.example/",
    ],
)
def test_no_sign_in_leads_out_of_the_house(client: Client, address: str) -> None:
    reader = ClinicianFactory.create()
    reader.set_password("a long enough password")
    reader.save()

    answer = client.post(
        reverse("account_login"),
        {"login": reader.email, "password": "a long enough password", "next": address},
    )

    assert answer.headers["Location"] == "/"


def test_every_page_about_a_patient_is_not_there_for_another_team(client: Client) -> None:
    flag = FlagFactory.create()
    client.force_login(ClinicianFactory.create(teams=[TeamFactory.create()]))

    for pattern in urlpatterns:
        if pattern.name in OF_ALL or "parked" in str(pattern.name):
            continue
        statuses = {
            client.get(address(pattern, flag)).status_code,
            client.post(address(pattern, flag)).status_code,
        }

        # a page that is only asked for, or only acted on, refuses the other way by its method
        assert statuses <= {404, 405}, pattern.name
        assert 404 in statuses, pattern.name
    assert not Audit.objects.filter(verb__startswith="view_").exists()


def test_parked_draws_are_not_there_for_whoever_is_in_no_team(client: Client) -> None:
    flag = FlagFactory.create()
    client.force_login(ClinicianFactory.create())

    for pattern in urlpatterns:
        if "parked" not in str(pattern.name):
            continue
        statuses = {
            client.get(address(pattern, flag)).status_code,
            client.post(address(pattern, flag)).status_code,
        }

        assert statuses <= {404, 405}, pattern.name


def test_a_clinician_who_has_left_is_signed_out(client: Client) -> None:
    flag = FlagFactory.create()
    reader = ClinicianFactory.create(teams=[flag.patient.team])
    client.force_login(reader)
    reader.is_active = False
    reader.save()

    answer = client.get(reverse("portal:flag", args=[flag.reference]))

    assert answer.status_code == 302
    assert not Patient.objects.visible_to(reader).exists()


def test_no_address_takes_a_name_or_a_number() -> None:
    taken = {name for pattern in urlpatterns for name in pattern.pattern.converters}

    assert taken == {
        "public_id",
        "reference",
        "trial_id",
        "fact_id",
        "draw_id",
        "assessment_id",
        "site_id",
        "team_id",
        "laboratory_id",
        "key_id",
        "part",
        "atc",  # of a site's own table, and of nobody's trial
    }


def test_a_page_of_a_patient_is_kept_by_nobody(client: Client) -> None:
    patient = PatientFactory.create(status=PatientStatus.TRANSFERRED)
    client.force_login(ClinicianFactory.create(teams=[patient.team]))

    answer = client.get(reverse("portal:patient", args=[patient.public_id]))

    assert answer.headers["Cache-Control"] == "no-store"
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]


def test_looking_at_a_record_in_any_way_leaves_a_line(client: Client) -> None:
    flag = FlagFactory.create(
        kind=FlagKind.SAFETY, level=FlagLevel.SAFETY, urgency=SafetyUrgency.IMMEDIATE
    )
    client.force_login(ClinicianFactory.create(teams=[flag.patient.team]))
    patient = [flag.patient.public_id]

    for name, arguments, verb in (
        ("patient", patient, "view_patient"),
        ("episode", patient, "open_form"),
        ("add_rating", patient, "open_form"),
        ("flag", [flag.reference], "view_flag"),
        ("safety", [flag.reference], "view_flag"),
    ):
        before = Audit.objects.filter(verb=verb, patient_id=flag.patient_id).count()
        assert client.get(reverse(f"portal:{name}", args=arguments)).status_code == 200
        after = Audit.objects.filter(verb=verb, patient_id=flag.patient_id).count()
        assert after == before + 1, name


def test_what_the_product_is_for_stands_on_a_page(client: Client) -> None:
    client.force_login(ClinicianFactory.create())

    page = client.get(reverse("portal:about")).content.decode()

    assert "not a medical device" in " ".join(page.split())
    assert "Unvalidated, back-calculated from n=42" in page


def test_every_constant_is_shown_with_its_source_grade_and_day(client: Client) -> None:
    client.force_login(ClinicianFactory.create())

    page = client.get(reverse("portal:constants")).content.decode()

    for each in evidence.constants():
        assert escape(each.name) in page
        assert escape(each.source) in page
    assert evidence.VERSION in page
    assert "23-Nov-2026" in page


@pytest.mark.parametrize("what", ["ratings", "trials", "events"])
def test_no_form_withdraws_what_is_not_there(client: Client, what: str) -> None:
    patient = PatientFactory.create()
    client.force_login(ClinicianFactory.create(teams=[patient.team]))

    address = reverse(f"portal:withdraw_{what}", args=[patient.public_id, 999_999])

    assert client.get(address).status_code == client.post(address).status_code == 404
