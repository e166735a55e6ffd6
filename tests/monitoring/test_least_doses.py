"""A site's table of least doses: its own figures and drugs, and a version for each change."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from analytics.doses import TABLE_VERSION
from monitoring.models import RiskAssessment
from monitoring.portal.presenters.least_doses import table_version
from monitoring.recompute import recompute
from patients.models import Clinician, DoseTableChange, Membership, Patient, Role, SiteDose, Trial
from tests.factories import MONDAY, ClinicianFactory, EpisodeFactory, PatientFactory

pytestmark = pytest.mark.django_db
MOCLOBEMIDE = {
    "atc": "N06AG02",
    "drug": "Moclobemide",
    "least_mg": "300 mg",
    "source": "formulary of the clinic, 2026",
}
START = MONDAY.date() - timedelta(days=60)


@pytest.fixture
def patient() -> Patient:
    found = PatientFactory.create()
    EpisodeFactory.create(patient=found, started_on=START)
    return found


@pytest.fixture(autouse=True)
def reader(client: Client, patient: Patient) -> Clinician:
    somebody = ClinicianFactory.create(teams=[patient.team])
    Membership.objects.update(role=Role.LEAD)
    client.force_login(somebody)
    return somebody


def page(name: str, patient: Patient, *more: str) -> str:
    return reverse(f"portal:{name}", args=[patient.team.site_id, *more])


def add(client: Client, patient: Patient, **said: str) -> Any:
    return client.post(page("add_dose", patient), MOCLOBEMIDE | said, follow=True)


def take(client: Client, patient: Patient) -> None:
    said = {
        "drug": "moclobemide",
        "started_on": f"{START:%d-%b-%Y}",
        "dose_1_mg": "450 mg",
    }
    address = reverse("portal:add_trial", args=[patient.public_id])
    assert client.post(address, said).status_code == 302


def assessed(patient: Patient) -> RiskAssessment:
    recompute([patient.pk], at=MONDAY)
    return RiskAssessment.objects.filter(patient=patient).latest("pk")


def adequacy(patient: Patient) -> str:
    [trial] = assessed(patient).content["course"]["trials"]
    said: str = trial["adequacy"]
    return said


def test_a_drug_of_the_sites_own_is_offered_and_judged_by_its_dose(
    client: Client, patient: Patient
) -> None:
    text = add(client, patient).content.decode()
    assert "formulary of the clinic, 2026" in text
    offered = client.get(reverse("portal:add_trial", args=[patient.public_id])).content.decode()
    assert '<option value="moclobemide">' in offered

    take(client, patient)

    assert Trial.objects.get().atc == "N06AG02"
    assert adequacy(patient) == "adequate"


def test_without_it_the_dose_is_unknown_and_so_it_is_again_once_it_is_removed(
    client: Client, patient: Patient
) -> None:
    add(client, patient)
    take(client, patient)

    client.post(page("remove_dose", patient, "N06AG02"))

    assert not SiteDose.objects.exists()
    assert adequacy(patient) == "unknown"
    text = client.get(page("doses", patient)).content.decode()
    assert "moclobemide (N06AG02): 300 mg, now the default, or none" in text


def test_every_change_is_a_version_that_prints_and_stays(client: Client, patient: Patient) -> None:
    take_before = assessed(patient).content["course"]["dose_table"]
    add(client, patient)
    take(client, patient)
    first = assessed(patient)

    client.post(page("other_dose", patient, "N06AG02"), MOCLOBEMIDE | {"least_mg": "0.6 g"})

    second = assessed(patient)
    day = f"{DoseTableChange.objects.latest('pk').changed_on:%d-%b-%Y}"
    assert take_before == TABLE_VERSION
    assert first.content["course"]["dose_table"] == (
        f"{TABLE_VERSION}, changed by this site on {day} (1)"
    )
    said = f"{TABLE_VERSION}, changed by this site on {day} (2)"
    assert second.content["course"]["dose_table"] == said == table_version(patient.team.site)
    assert second.content["course"]["trials"][0]["adequacy"] == "inadequate"
    old, new = (
        client.get(reverse("portal:explanation", args=[patient.public_id, each.pk]))
        for each in (first, second)
    )
    assert f"on {day} (1)" in old.content.decode()
    assert said in new.content.decode()


def test_several_doses_saved_at_once_are_one_version_and_nothing_is_none(
    client: Client, patient: Patient
) -> None:
    said = {"N06AB10": "15", "N06AB06": "100"}

    client.post(page("doses", patient), said)
    client.post(page("doses", patient), said)

    change = DoseTableChange.objects.get()
    assert (change.number, len(change.changes)) == (1, 2)
    assert change.changed_on >= date(2026, 1, 1)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"atc": "N06AB10"}, "Escitalopram is in the default table; set your own dose there."),
        ({"drug": "Sertraline"}, "Sertraline is listed with the code N06AB06."),
        ({"least_mg": "300"}, "unit"),
        ({"least_mg": ""}, "Give the dose with its unit: 300 mg."),
        ({"atc": "moclob"}, "An ATC code has seven characters"),
        ({"source": ""}, "Say where the figure is from."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    client: Client, patient: Patient, said: dict[str, str], sentence: str
) -> None:
    answer = add(client, patient, **said)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not SiteDose.objects.exists()


def test_a_drug_is_listed_once(client: Client, patient: Patient) -> None:
    add(client, patient)

    assert "listed already" in add(client, patient, drug="Aurorix").content.decode()


def test_only_a_lead_changes_it(client: Client, patient: Patient) -> None:
    Membership.objects.update(role=Role.NURSE)

    assert add(client, patient).status_code == 403
    assert client.post(page("remove_dose", patient, "N06AG02")).status_code == 403


def test_what_is_not_there_cannot_be_removed(client: Client, patient: Patient) -> None:
    assert client.post(page("remove_dose", patient, "N06AG02")).status_code == 404


def test_a_drug_against_something_else_has_no_least_dose(client: Client, patient: Patient) -> None:
    said = MOCLOBEMIDE | {"atc": "A10BA02", "drug": "metformin"}

    refused = client.post(page("add_dose", patient), said)

    assert refused.status_code == 422
    assert "A10BA02 is no code of an antidepressant" in refused.content.decode()
    assert not SiteDose.objects.exists()
