"""What the profile knows is a result, whatever its name says and wherever it stands."""

import pytest
from django.test import Client
from django.urls import reverse

from monitoring import ingest
from monitoring.recompute import assess_stale_patients
from patients.models import Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from patients.record.profile_document import read_profile
from patients.record.profiles import load_profile
from tests.conftest import MONDAY
from tests.factories import ClinicianFactory, IdentifierFactory, PatientFactory
from tests.monitoring.fhir_door import FhirDoor
from tests.monitoring.test_retractions_at_the_doors import push
from tests.patients.fhir_messages import observation
from tests.patients.hl7v2_messages import BASE

pytestmark = pytest.mark.django_db


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    codes = [{"code": "IL6R", "analyte": "sIL-6R"}]
    numbers = [{"sent": "HOSP", "means": "urn:clinic:mrn"}]
    document = {"name": laboratory.name, "codes": codes, "patient_numbers": numbers}
    load_profile(read_profile(document), by="operator", at=MONDAY)
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


def send(door: FhirDoor, *segments: str, number: str = "M-1", pid: str = BASE[1]) -> bytes:
    lines = [BASE[0].replace("M-1", number), pid, BASE[3], *segments]
    body = "".join(f"{line}\r" for line in lines).encode()
    answer = push(door, body, address="/hl7v2", kind="application/hl7-v2")
    content: bytes = answer.content
    return content


def recorded() -> dict[str, str]:
    return {each.analyte.code: each.sent_value for each in Result.objects.select_related("analyte")}


IL_6 = "OBX|2|NM|IL-6^IL-6^L||2.5|pg/mL|||||F"


@pytest.mark.parametrize(
    "name", ["sIL-6R, fasting", "Soluble IL-6R (hemolyzed sample)", "sIL-6R, lipemic"]
)
def test_a_known_code_is_a_result_though_its_name_speaks_of_the_sample(
    door: FhirDoor, patient: Patient, name: str
) -> None:
    answer = send(door, f"OBX|1|NM|IL6R^{name}^L||37.5|ng/mL|||||F", IL_6)

    assert b"1 recorded" in answer
    assert recorded() == {"sIL-6R": "37.5", "IL-6": "2.5"}


def test_a_known_code_is_a_result_behind_the_sample_too_with_its_note(
    door: FhirDoor, patient: Patient
) -> None:
    send(
        door,
        "OBX|1|NM|IL6R^sIL-6R^L||37.5|ng/mL|||||F",
        "SPM|1|S-1||SER",
        "OBX|2|ST|COND^Specimen condition^L||good||||||F",
        IL_6,
        "NTE|1||measured twice",
    )

    assert recorded() == {"sIL-6R": "37.5", "IL-6": "2.5"}
    il_6 = Result.objects.get(analyte__code="IL-6")
    assert il_6.notes == "measured twice"
    assert "Specimen condition: good" in (il_6.draw.specimen or {})["notes"]


def test_what_the_profile_does_not_know_is_seen_of_the_sample_as_before(
    door: FhirDoor, patient: Patient
) -> None:
    send(
        door,
        "OBX|1|NM|IL6R^sIL-6R^L||37.5|ng/mL|||||F",
        "OBX|2|NM|HI^Hemolysis index^L||320|mg/dL|||||F",
    )

    assert recorded() == {"sIL-6R": "37.5"}
    assert (Result.objects.get().draw.specimen or {})["haemolysis"] == "gross"
    assert not Parked.objects.exists()


@pytest.mark.parametrize("at", ["1969-06-01T08:00:00Z", "1951-01-01", "1970-01-01T00:00:00Z"])
def test_a_draw_of_before_the_count_of_days_is_assessed_and_shown(
    door: FhirDoor, patient: Patient, client: Client, at: str
) -> None:
    door.post(observation(effectiveDateTime=at))
    assert Result.objects.exists()

    assess_stale_patients(at=MONDAY, at_most=10)

    patient.refresh_from_db()
    assert patient.stale_since is None
    client.force_login(ClinicianFactory.create(teams=[patient.team]))
    page = client.get(reverse("portal:patient", args=[patient.public_id]))
    assert page.status_code == 200


def test_a_number_that_a_person_and_the_clinic_give_to_two_patients_waits(
    door: FhirDoor, patient: Patient
) -> None:
    pid = BASE[1].replace("0042^^^urn:clinic:mrn", "Q7^^^HOSP")
    send(door, "OBX|1|NM|IL6R^sIL-6R^L||37.5|ng/mL|||||F", pid=pid)
    ingest.match_parked(
        parked=Parked.objects.get(),
        patient=patient,
        by=ClinicianFactory.create(teams=[patient.team]),
        at=MONDAY,
        remember=[("HOSP", "Q7")],
    )
    other = PatientFactory.create(team=patient.team)
    IdentifierFactory.create(patient=other, system="urn:clinic:mrn", value="Q7")

    answer = send(door, IL_6, number="M-2", pid=pid)

    assert b"1 parked" in answer
    assert Parked.objects.get(state="waiting").reasons == ["numbers_of_different_patients"]
    assert not Result.objects.filter(draw__patient=other).exists()
