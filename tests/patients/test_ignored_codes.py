"""Codes that a laboratory's profile ignores: of a real panel hardly anything is wanted here."""

from typing import Any

import pytest

from monitoring import ingest
from patients.intake import parking
from patients.models import Inbound, Laboratory, Parked, Patient, Result, ResultName
from patients.record.laboratories import issue_key
from patients.record.profile_document import read_profile
from tests.conftest import MONDAY
from tests.monitoring.fhir_door import FhirDoor, entry
from tests.monitoring.test_door import Door
from tests.monitoring.test_hl7v2_door import Door as Hl7v2Door
from tests.monitoring.test_hl7v2_door import acknowledged
from tests.patients.fhir_messages import named, observation
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db
GLUCOSE = "OBX|2|NM|GLU^Glucose^L||5.1|mmol/L|||||F"
PANEL = message(change={"OBX-3": "sIL-6R^sIL-6R^L"}, add=[GLUCOSE])


def ignore(laboratory: Laboratory, *codes: Any) -> ingest.Changed:
    document = read_profile({"name": laboratory.name, "ignored_codes": list(codes)})
    return ingest.change_laboratory(document, by="operator:x", at=MONDAY)


@pytest.fixture
def key(laboratory: Laboratory) -> str:
    return issue_key(laboratory=laboratory, by="operator", at=MONDAY)


def a_draw(*analytes: tuple[str, str], mrn: str = "0042") -> dict[str, Any]:
    return {
        "accession": "A-17",
        "patient": {"system": "urn:clinic:mrn", "value": mrn},
        "collected_at": "2026-11-02T08:10:00+09:00",
        "results": [
            {"analyte": analyte, "value": "5.1", "unit": unit} for analyte, unit in analytes
        ],
    }


def test_a_panel_is_recorded_without_what_is_ignored(
    laboratory: Laboratory, patient: Patient, key: str
) -> None:
    ignore(laboratory, {"code": "GLU"})

    answer = Hl7v2Door(key).push(PANEL)

    assert acknowledged(answer) == ["AA", "M-1", "1 recorded, 1 results ignored"]
    assert [each.analyte.code for each in Result.objects.all()] == ["sIL-6R"]
    assert not Parked.objects.exists()
    assert b"GLU" in bytes(Inbound.objects.get().body)
    assert not ResultName.objects.filter(value__contains="GLU").exists()
    assert acknowledged(Hl7v2Door(key).push(PANEL)) == ["AA", "M-1", "1 known, 1 results ignored"]


def test_the_answer_in_json_names_what_is_ignored(
    laboratory: Laboratory, patient: Patient, key: str
) -> None:
    ignore(laboratory, {"code": "GLU"}, {"code": "NA"})
    told = Door(key).push(a_draw(("NA", "mmol/L"), ("sIL-6R", "ng/mL"), ("GLU", "mmol/L")))

    assert told.status_code == 201
    assert told.json()["state"] == "recorded"
    assert told.json()["ignored"] == ["NA", "GLU"]
    assert Result.objects.get().sent_value == "5.1"


def test_a_draw_of_which_all_is_ignored_is_answered_so_and_never_waits(
    laboratory: Laboratory, key: str
) -> None:
    ignore(laboratory, {"code": "GLU"})

    told = Door(key).push(a_draw(("GLU", "mmol/L"), mrn="9999"))

    assert told.status_code == 200
    assert (told.json()["state"], told.json()["ignored"]) == ("ignored", ["GLU"])
    assert not Parked.objects.exists()
    assert Inbound.objects.count() == 1


def test_what_is_unknown_still_parks_the_rest(
    laboratory: Laboratory, patient: Patient, key: str
) -> None:
    ignore(laboratory, {"code": "GLU"})

    told = Door(key).push(a_draw(("GLU", "mmol/L"), ("XYZ", "ng/mL"), ("sIL-6R", "ng/mL")))

    assert told.json()["reasons"] == ["unknown_analyte: XYZ"]
    assert len(Parked.objects.get().report["results"]) == 2


def test_a_code_of_another_system_is_another_code(
    laboratory: Laboratory, patient: Patient, key: str
) -> None:
    ignore(laboratory, {"code": "GLU", "system": "http://north.example"})

    answer = Hl7v2Door(key).push(PANEL)

    assert acknowledged(answer) == ["AA", "M-1", "1 parked"]


def test_what_means_an_analyte_is_never_ignored(
    laboratory: Laboratory, patient: Patient, key: str
) -> None:
    ignore(laboratory, {"code": "sIL-6R"})

    told = Door(key).push(a_draw(("sIL-6R", "ng/mL")))

    assert told.json()["state"] == "recorded"
    assert "ignored" not in told.json()


def test_in_fhir_it_is_answered_200_and_said(
    laboratory: Laboratory, patient: Patient, key: str
) -> None:
    ignore(laboratory, {"code": "GLU"})
    glucose = observation(code={"coding": [{"system": "urn:x", "code": "GLU"}]})
    door = FhirDoor(key)

    alone = door.post(glucose)
    told = door.bundle(
        entry(observation(identifier=named("R-7"))), entry(glucose | {"identifier": named("R-8")})
    ).json()

    assert alone.status_code == 200
    assert alone.json()["resourceType"] == "OperationOutcome"
    assert alone.json()["issue"][0]["severity"] == "information"
    assert [each["response"]["status"] for each in told["entry"]] == ["201 Created", "200 OK"]
    assert Result.objects.count() == 1
    assert door.get("/Observation?identifier=urn:north:result|R-8").json()["total"] == 0


def test_a_panel_that_waited_is_placed_once_its_other_codes_are_ignored(
    laboratory: Laboratory, patient: Patient, key: str
) -> None:
    Hl7v2Door(key).push(PANEL)
    assert Parked.objects.get().reasons[0] == "unknown_analyte: GLU"

    done = ignore(laboratory, {"code": "GLU"})

    assert (done.placed, done.waiting) == (1, 0)
    assert [each.analyte.code for each in Result.objects.all()] == ["sIL-6R"]
    assert acknowledged(Hl7v2Door(key).push(PANEL))[2].startswith("1 known")


def test_what_waited_and_is_ignored_now_leaves_by_the_name_of_the_rule(
    laboratory: Laboratory, key: str
) -> None:
    Door(key).push(a_draw(("GLU", "mmol/L"), mrn="9999"))

    ignore(laboratory, {"code": "GLU"})

    parked = Parked.objects.get()
    assert (parked.state, parked.ended_by) == ("rejected", parking.RULE)
    assert parked.ended_reason
