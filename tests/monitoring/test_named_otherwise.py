"""A result that is found by its number, though the laboratory names somebody else, warns."""

import json
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from patients.intake.persons import contradictions
from patients.intake.reports import Person
from patients.models import Contradiction, Laboratory, Patient, Result, Verdict
from patients.record.laboratories import issue_key
from patients.record.verdicts import judge_draw
from tests.conftest import MONDAY, draw
from tests.factories import ClinicianFactory, DrawFactory, PatientFactory, TeamFactory
from tests.monitoring.fhir_door import FhirDoor
from tests.monitoring.test_retractions_at_the_doors import push
from tests.patients.fhir_messages import observation
from tests.patients.hl7v2_messages import message
from tests.patients.tables import table_of

pytestmark = pytest.mark.django_db
WARNING = "the laboratory names somebody else"


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


@pytest.fixture
def anna(patient: Patient) -> Patient:
    patient.family_name, patient.given_name = "Alpha", "Anna"
    patient.birth_date, patient.sex = date(1980, 1, 2), "female"
    patient.save()
    return patient


def page_of(client: Client, patient: Patient) -> str:
    client.force_login(ClinicianFactory.create(teams=[patient.team]))
    return client.get(reverse("portal:patient", args=[patient.public_id])).content.decode()


DIALECTS = ["fhir", "hl7v2", "json", "csv"]


def send(door: FhirDoor, dialect: str, *, family: str, given: str, born: str, sex: str) -> None:
    if dialect in {"json", "csv"}:
        person = {"family": family, "given": given, "birth_date": born, "sex": sex}
        sent: dict[str, Any] = draw()
        sent["patient"] = sent["patient"] | person
        body = json.dumps(sent).encode() if dialect == "json" else table_of(person)
        kind = "application/json" if dialect == "json" else "text/csv"
        assert push(door, body, address="/api/v1/results", kind=kind).status_code == 201
        return
    if dialect == "hl7v2":
        identifier = "0042^^^urn:clinic:mrn^MR"
        pid = {"PID-3": identifier, "PID-5": f"{family}^{given}", "PID-8": sex[:1].upper()}
        body = message(change=pid | {"PID-7": born.replace("-", ""), "OBX-3": "sIL-6R^sIL-6R^L"})
        push(door, body, address="/hl7v2", kind="application/hl7-v2")
        return
    resource: Any = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": "urn:clinic:mrn", "value": "0042"}],
        "name": [{"family": family, "given": [given]}],
        "birthDate": born,
        "gender": sex,
    }
    door.post(observation(contained=[resource], subject={"reference": "#p"}))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_somebody_elses_name_is_recorded_and_warns_in_words(
    door: FhirDoor, anna: Patient, client: Client, dialect: str
) -> None:
    send(door, dialect, family="Gamma", given="Gerd", born="1975-05-06", sex="male")

    text = page_of(client, anna)
    assert Result.objects.get().draw.patient == anna
    assert WARNING in text
    for difference in ("“Gamma”", "“Gerd”", "06-May-1975", "The gender differs"):
        assert difference in text


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_same_person_written_otherwise_warns_of_nothing(
    door: FhirDoor, anna: Patient, client: Client, dialect: str
) -> None:
    send(door, dialect, family="ALPHA", given="Anna Maria", born="1980-01-02", sex="female")

    assert WARNING not in page_of(client, anna)
    assert Result.objects.exists()
    assert not Contradiction.objects.exists()


@pytest.mark.parametrize(("shown", "warns"), [("Patient 42", False), ("Gerd Gamma", True)])
def test_a_display_that_is_no_name_warns_of_nothing(
    door: FhirDoor, anna: Patient, *, shown: str, warns: bool
) -> None:
    number = {"system": "urn:clinic:mrn", "value": "0042"}

    door.post(observation(subject={"identifier": number, "display": shown}))

    assert Result.objects.get().draw.patient == anna
    assert Contradiction.objects.exists() == warns


def test_the_warning_ends_when_the_record_is_put_right_or_the_draw_is_judged(
    door: FhirDoor, anna: Patient, client: Client
) -> None:
    send(door, "fhir", family="Omega", given="Anna", born="1980-01-02", sex="female")
    Patient.objects.filter(pk=anna.pk).update(family_name="Omega")
    assert WARNING not in page_of(client, anna)
    Patient.objects.filter(pk=anna.pk).update(family_name="Alpha")
    assert WARNING in page_of(client, anna)

    judge_draw(
        patient=anna,
        draw=Result.objects.get().draw.public_id,
        verdict=Verdict.KEEP_OUT,
        reason="of somebody else",
        against=[],
        value="37.5",
        by="clinician:1",
        at=MONDAY,
    )

    assert WARNING not in page_of(client, anna)


@pytest.mark.parametrize(
    ("theirs", "ours", "is_one"),
    [
        ("MUELLER", "Müller", True),
        ("Müller-Lang", "Lang", True),
        ("Strauss", "Strauß", True),
        ("van den Berg", "Vandenberg", True),
        ("", "Müller", True),
        ("Möller", "Müller", False),
        ("Ito", "Sato", False),
    ],
)
def test_spellings_of_a_family_name(theirs: str, ours: str, is_one: bool) -> None:
    known = PatientFactory.build(team=None, family_name=ours)

    assert contradictions(Person(family=theirs), known) == ({} if is_one else {"family": theirs})


def test_an_initial_is_no_other_name() -> None:
    known = PatientFactory.build(team=None, given_name="Anna")

    assert contradictions(Person(given="A."), known) == {}
    assert contradictions(Person(given="Beate"), known) == {"given": "Beate"}


def worklist_of(client: Client, patient: Patient) -> str:
    client.force_login(ClinicianFactory.create(teams=[patient.team]))
    return client.get(reverse("portal:worklist")).content.decode()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_worklist_says_so_too_to_those_who_may_see_the_patient(
    door: FhirDoor, anna: Patient, client: Client, dialect: str
) -> None:
    other = PatientFactory.create(team=TeamFactory.create())
    send(door, dialect, family="Gamma", given="Gerd", born="1975-05-06", sex="male")

    text = worklist_of(client, anna)

    assert "the laboratory names somebody else for 1 draw" in text
    assert reverse("portal:patient", args=[anna.public_id]) in text
    assert "Gerd" not in text
    theirs = worklist_of(client, other)
    assert "names somebody else" not in theirs
    assert "Alpha" not in theirs


def test_the_line_ends_when_the_draw_is_judged(
    door: FhirDoor, anna: Patient, client: Client
) -> None:
    send(door, "json", family="Omega", given="Anna", born="1980-01-02", sex="female")
    assert "names somebody else" in worklist_of(client, anna)

    judge_draw(
        patient=anna,
        draw=Result.objects.get().draw.public_id,
        verdict=Verdict.KEEP_OUT,
        reason="of somebody else",
        by="clinician:1",
        against=[],
        value="37.5",
        at=MONDAY,
    )

    assert "names somebody else" not in worklist_of(client, anna)


def test_of_many_patients_a_few_are_named_and_the_rest_counted(
    door: FhirDoor, anna: Patient, client: Client
) -> None:
    send(door, "json", family="Omega", given="Anna", born="1980-01-02", sex="female")
    told = Contradiction.objects.get()
    for _each in range(6):
        patient = PatientFactory.create(team=anna.team)
        drawn = DrawFactory.create(patient=patient)
        Contradiction.objects.create(
            patient=patient,
            draw_public_id=drawn.public_id,
            inbound=told.inbound,
            said=told.said,
            noted_at=MONDAY,
        )

    assert "And 2 patients more." in worklist_of(client, anna)
