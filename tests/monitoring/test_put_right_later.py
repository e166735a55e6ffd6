"""What was set apart, decided by a person or refused is put right, retracted or refused again."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from monitoring import ingest
from patients.intake.finding import IfDuplicate
from patients.models import CareTeam, Clinician, Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY
from tests.factories import ClinicianFactory, IdentifierFactory, PatientFactory
from tests.monitoring.fhir_door import FhirDoor, entry
from tests.monitoring.test_numbers_given_anew import send
from tests.monitoring.test_retractions_at_the_doors import push
from tests.patients.fhir_messages import Tree, named, observation, quantity
from tests.patients.hl7v2_messages import BASE

pytestmark = pytest.mark.django_db


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


@pytest.fixture
def clinician(team: CareTeam) -> Clinician:
    return ClinicianFactory.create(teams=[team])


def sample(name: str, hour: int, value: str, **change: Any) -> Tree:
    return observation(
        identifier=named(name),
        effectiveDateTime=f"2026-11-02T{hour:02}:00:00+09:00",
        valueQuantity=quantity(value),
        specimen={"identifier": {"value": "TS2"}},
        **change,
    )


def at_hours() -> dict[str, str]:
    """Give the values that count by the time of their draw, in UTC."""
    current = Result.objects.filter(superseded_at=None).select_related("draw")
    return {f"{each.draw.collected_at:%H:%M}": each.sent_value for each in current}


def test_the_second_sample_of_one_number_is_put_right(door: FhirDoor, patient: Patient) -> None:
    door.post(sample("a", 9, "30"))
    door.post(sample("b", 11, "50"))

    noted = door.post(
        sample("b", 11, "51", status="corrected", note=[{"text": "grossly haemolysed"}])
    )
    moved = door.post(sample("b", 12, "51", status="corrected"))

    assert [noted.status_code, moved.status_code] == [200, 200]
    assert at_hours() == {"00:00": "30", "03:00": "51"}
    assert not Parked.objects.exists()


def test_a_note_on_the_second_sample_is_kept_in_hl7v2(door: FhirDoor, patient: Patient) -> None:
    def tell(number: str, *notes: str) -> bytes:
        lines = [BASE[0].replace("M-1", number), BASE[1]]
        for hour, value in ((8, "30"), (10, "50")):
            lines.append(f"OBR|1||TV1|CYT^C^L|||20261102{hour:02}0000+0100")
            lines.append(f"OBX|1|NM|sIL-6R^sIL-6R^L||{value}|ng/mL|||||F")
        body = "".join(f"{line}\r" for line in (*lines, *notes)).encode()
        answer = push(door, body, address="/hl7v2", kind="application/hl7-v2")
        content: bytes = answer.content
        return content

    assert b"2 recorded" in tell("M-1")
    assert b"MSA|AA" in tell("M-2", "NTE|1||grossly hemolyzed")

    second = Result.objects.get(sent_value="50", superseded_at=None)
    assert second.notes == "grossly hemolyzed"


def double(name: str, value: str, **change: Any) -> Tree:
    return observation(identifier=named(name), valueQuantity=quantity(value), **change)


@pytest.mark.parametrize("later", ["entered-in-error", "corrected"])
def test_a_later_word_of_what_a_person_calls_the_same_counts(
    door: FhirDoor, patient: Patient, clinician: Clinician, later: str
) -> None:
    door.post(double("ha", "30"))
    door.post(double("hb", "31"))
    address = "?identifier=urn:north:result|hb"
    word = double("hb", "32", status=later, issued="2026-11-02T08:00:00Z")
    door.put(address, word)
    first, *_ = Parked.objects.order_by("pk")

    ingest.match_parked(
        parked=first, patient=patient, by=clinician, at=MONDAY, if_duplicate=IfDuplicate.SAME
    )
    for waiting in Parked.objects.filter(state="waiting"):
        ingest.match_parked(
            parked=waiting, patient=patient, by=clinician, at=MONDAY, if_duplicate=IfDuplicate.SAME
        )

    assert not Parked.objects.filter(state="waiting").exists()
    assert Result.objects.get(superseded_at=None).status == later


def test_what_was_refused_for_its_version_is_refused_again_in_the_same_batch(
    door: FhirDoor, patient: Patient
) -> None:
    door.put("?identifier=urn:north:result|y", double("y", "30"))
    update = entry(
        double("y", "99", status="corrected"),
        method="PUT",
        url="Observation?identifier=urn:north:result|y",
    )
    update["request"]["ifMatch"] = 'W/"9"'
    good = entry(
        double("y", "31", status="corrected", effectiveDateTime="2026-11-02T08:10:00+09:00"),
        method="PUT",
        url="Observation?identifier=urn:north:result|y",
    )
    good["request"]["ifMatch"] = 'W/"1"'
    new = entry(observation(identifier=named("x"), effectiveDateTime="2026-11-01T08:10:00+09:00"))

    told = [
        [each["response"]["status"][:3] for each in answer.json()["entry"]]
        for answer in (door.bundle(new, update, kind="batch") for _time in range(2))
    ]
    accepted = [
        [each["response"]["status"][:3] for each in answer.json()["entry"]]
        for answer in (door.bundle(good, kind="batch") for _time in range(2))
    ]

    assert [each[1] for each in told] == ["412", "412"]
    assert accepted == [["200"], ["200"]]
    assert not Result.objects.filter(sent_value="99").exists()


@pytest.mark.parametrize("dialect", ["fhir", "hl7v2", "json", "csv"])
def test_a_number_of_another_patient_is_placed_once_a_person_says_that_it_was_given_anew(
    door: FhirDoor, patient: Patient, clinician: Clinician, client: Client, dialect: str
) -> None:
    send(door, dialect, "2025-01-05", "30")
    [first] = Result.objects.all()
    other = PatientFactory.create(team=patient.team)
    patient.identifiers.update(value="gone")
    IdentifierFactory.create(patient=other, system="urn:clinic:mrn", value="0042")
    send(door, dialect, "2026-01-05", "55")
    parked = Parked.objects.get(state="waiting")
    assert "accession_belongs_to_another_patient" in parked.reasons
    client.force_login(clinician)
    where = reverse("portal:match_parked", args=[parked.public_id])
    said = {"patient": str(other.public_id)}

    asked = client.post(where, said)
    same = client.post(where, said | {"if_duplicate": "same"})
    placed = client.post(where, said | {"if_duplicate": "other"})

    assert [asked.status_code, same.status_code, placed.status_code] == [409, 409, 302]
    text = asked.content.decode()
    assert "on record for another patient" in text
    assert "It is the same result" not in text
    first.refresh_from_db()
    assert (first.superseded_at, first.draw.patient) == (None, patient)
    assert Result.objects.get(sent_value="55").draw.patient == other

    send(door, dialect, "2026-01-05", "56")
    assert Result.objects.get(draw__patient=patient, superseded_at=None).sent_value == "30"
