"""How a result was measured is kept from every dialect that can say it, and shown on the draw."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from monitoring import ingest, redis
from patients.models import Draw, Laboratory, Parked, Patient, Result, ResultName
from patients.record.laboratories import issue_key
from patients.record.patients import add_identifier
from tests.conftest import MONDAY, Push, draw
from tests.factories import ClinicianFactory
from tests.monitoring.fhir_door import FhirDoor, entry
from tests.patients.fhir_messages import Tree, named, observation
from tests.patients.hl7v2_messages import message
from tests.patients.tables import table_of

pytestmark = pytest.mark.django_db
SAID: dict[str, Any] = {
    "run": "P-12",
    "calibrator": "C-3",
    "dilution": "1:100",
    "replicate_cv_percent": "4.20",
}
OURS = "urn:soundings:measurement"
NUMBERED: Tree = {"specimen": {"identifier": {"value": "A-17"}}}


@pytest.fixture
def key(laboratory: Laboratory) -> str:
    redis.ask(lambda line: line.flushdb())
    return issue_key(laboratory=laboratory, by="operator", at=MONDAY)


def measurement() -> Any:
    return Result.objects.get(superseded_at=None).measurement


def send(key: str, address: str, body: bytes | str, content_type: str) -> Any:
    return Client().generic(
        "POST",
        address,
        body,
        content_type=content_type,
        headers={"Authorization": f"Bearer {key}"},
    )


def component(code: str, **value: Any) -> Tree:
    return {"code": {"coding": [{"system": OURS, "code": code}]}, **value}


@pytest.mark.usefixtures("patient")
def test_in_json(push: Push) -> None:
    push(json.dumps(draw(**SAID)).encode())

    assert measurement() == SAID


@pytest.mark.usefixtures("patient")
def test_nothing_said_is_nothing_kept(push: Push) -> None:
    push(json.dumps(draw(run=None, replicate_cv_percent=None)).encode())

    assert measurement() is None


@pytest.mark.usefixtures("patient")
def test_in_a_table(key: str) -> None:
    answer = send(key, "/api/v1/results", table_of(SAID), "text/csv")

    assert answer.status_code == 201, answer.content
    assert measurement() == SAID


@pytest.mark.usefixtures("patient")
def test_a_replicate_cv_that_is_no_number_is_refused_by_its_column(key: str) -> None:
    answer = send(key, "/api/v1/results", table_of({"replicate_cv_percent": "<5"}), "text/csv")

    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert "replicate_cv_percent" in str(fault)
    assert "must be a number such as 4.2" in str(fault)


@pytest.mark.usefixtures("patient")
def test_in_fhir_by_components(key: str) -> None:
    ratio = {"numerator": {"value": 1}, "denominator": {"value": 100}}
    percent = {"value": 4.2, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}
    sent = observation(
        component=[
            component("run", valueString="P-12"),
            component("dilution", valueRatio=ratio),
            component("replicate-cv", valueQuantity=percent),
            {"code": {"text": "Calibrator lot"}, "valueString": "C-3"},
            {"code": {"coding": [{"system": "urn:x", "code": "y"}]}, "valueString": "other"},
        ]
    )

    assert FhirDoor(key).post(sent).status_code == 201
    assert measurement() == SAID | {"replicate_cv_percent": "4.2"}


@pytest.mark.usefixtures("patient")
def test_a_replicate_cv_as_a_fraction_is_refused_where_it_stands(key: str) -> None:
    fraction = {"value": 0.042, "unit": "1"}
    sent = observation(component=[component("replicate-cv", valueQuantity=fraction)])

    answer = FhirDoor(key).post(sent)

    assert answer.status_code == 422
    [issue] = answer.json()["issue"]
    assert issue["expression"] == ["Observation.component[0].value"]
    assert not Result.objects.exists()


@pytest.mark.usefixtures("patient")
def test_in_hl7v2_by_the_segments_behind_the_result(key: str) -> None:
    sent = message(
        change={"OBX-3": "sIL-6R^sIL-6R^L"},
        add=[
            "TCD|sIL-6R|^1^:^100",
            "INV|KIT9^Kit nine^L|OK|MR|||||||||||||L-7",
            f"INV|CAL1^Calibrator^L|OK|RC{'|' * 13}C-3",
        ],
    )

    assert b"1 recorded" in send(key, "/hl7v2", sent, "application/hl7-v2").content
    result = Result.objects.get()
    assert result.measurement == {"calibrator": "C-3", "dilution": "1:100"}
    assert (result.kit, result.lot) == ("Kit nine", "L-7")


def test_another_run_is_a_new_version_and_no_correction(patient: Patient, push: Push) -> None:
    push(json.dumps(draw(run="P-12")).encode())
    receipt = push(json.dumps(draw(run="P-13")).encode())

    assert [answer.state for answer in receipt.answers] == ["recorded"]
    assert measurement() == {"run": "P-13"}
    assert Result.objects.exclude(superseded_at=None).get().measurement == {"run": "P-12"}


def test_what_follows_a_draw_that_moves_is_kept(patient: Patient, push: Push) -> None:
    push(json.dumps(draw(**SAID)).encode())
    push(json.dumps(draw(**SAID, collected_at="2026-11-02T08:20:00+09:00")).encode())

    assert measurement() == SAID


def test_it_is_shown_on_the_draw(client: Client, patient: Patient, push: Push) -> None:
    sample = {"matrix": "serum", "lipaemia": "slight"}
    push(json.dumps(draw(kit="Kit A", lot="L-7", **SAID) | {"specimen": sample}).encode())
    client.force_login(ClinicianFactory.create(teams=[patient.team]))

    page = client.get(reverse("portal:patient", args=[patient.public_id])).content.decode()

    assert (
        "kit Kit A, lot L-7, run P-12, calibrator C-3, diluted 1:100, replicate CV 4.20 %" in page
    )
    assert "serum, lipaemia slight" in page


# What was seen of a sample, sent as an Observation of its own


def seen(value: str, *, code: str = "Hemolysis index", **change: Any) -> Tree:
    return observation(
        identifier=named(f"of-sample-{value}"),
        code={"coding": [{"system": "urn:north:test", "code": "HIDX", "display": code}]},
        valueQuantity={"value": int(value), "unit": "mg/dL", "code": "mg/dL"},
        **change,
    )


def of_sample() -> Any:
    return Draw.objects.get(superseded_at=None).specimen


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("number", [{}, NUMBERED])
def test_an_index_in_a_bundle_goes_with_the_draw_of_its_sample(
    key: str, place: int, number: Tree
) -> None:
    entries = [entry(observation(**number))]
    entries.insert(place, entry(seen("320", **number)))

    answer = FhirDoor(key).bundle(*entries)

    told = [each["response"] for each in answer.json()["entry"]]
    assert [each["status"] for each in told][place] == "200 OK"
    assert "kept with the draw of its sample" in json.dumps(told[place])
    assert of_sample()["haemolysis"] == "gross"
    assert not Parked.objects.exists()
    assert ResultName.objects.count() == 1


@pytest.mark.usefixtures("patient")
def test_an_index_alone_goes_to_the_draw_on_record(key: str) -> None:
    door = FhirDoor(key)
    door.post(observation(**NUMBERED, note=[{"text": "Repeated once"}]))

    first, again = door.post(seen("320", **NUMBERED)), door.post(seen("320", **NUMBERED))

    assert (first.status_code, again.status_code) == (200, 200)
    assert of_sample()["haemolysis"] == "gross"
    assert Result.objects.filter(superseded_at=None).count() == 1
    assert Draw.objects.count() == 2  # as it was known before, and as it is known now
    assert not Parked.objects.exists()


@pytest.mark.usefixtures("patient")
def test_a_later_index_of_the_same_sample_counts(key: str) -> None:
    door = FhirDoor(key)
    door.post(observation(**NUMBERED))
    door.post(seen("320", **NUMBERED))

    door.post(seen("12", **NUMBERED))

    assert of_sample()["haemolysis"] == "none"


@pytest.mark.usefixtures("patient")
def test_an_index_of_an_unknown_sample_waits_for_a_person(key: str) -> None:
    answer = FhirDoor(key).post(seen("320", specimen={"identifier": {"value": "A-99"}}))

    assert answer.status_code == 201
    assert Parked.objects.count() == 1


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("number", [{}, NUMBERED])
def test_an_index_that_comes_before_its_draw_joins_it_by_itself(key: str, number: Tree) -> None:
    door = FhirDoor(key)
    first = door.post(seen("320", **number))
    assert Parked.objects.get().reasons == ["draw_of_the_sample_not_on_record"]
    assert ingest.replay_samples(at=MONDAY) == 0
    door.post(observation(**number))

    assert ingest.replay_samples(at=MONDAY) == 1

    assert of_sample()["haemolysis"] == "gross"
    assert Result.objects.filter(superseded_at=None).count() == 1
    [parked] = Parked.objects.all()
    assert (parked.state, parked.ended_by) == ("matched", "rule:replay")
    assert parked.draw == Draw.objects.get(superseded_at=None)
    assert ingest.replay_samples(at=MONDAY) == 0
    assert door.post(seen("320", **number)).status_code == 200
    assert door.get(f"/Observation/{first.json()['id']}").status_code == 200
    assert door.post(seen("12", **number)).status_code == 200
    assert of_sample()["haemolysis"] == "none"


@pytest.mark.usefixtures("patient")
def test_an_index_before_its_draw_waits_for_the_draw_of_the_same_sample(key: str) -> None:
    door = FhirDoor(key)
    door.post(seen("320", specimen={"identifier": {"value": "A-99"}}))
    door.post(observation(**NUMBERED))

    assert ingest.replay_samples(at=MONDAY) == 0
    assert of_sample() is None
    assert Parked.objects.get().reasons == ["draw_of_the_sample_not_on_record"]


def test_an_index_and_a_draw_that_wait_for_their_patient_join_once_he_is_enrolled(
    key: str, patient: Patient
) -> None:
    door, stranger = FhirDoor(key), {"identifier": {"system": "urn:clinic:mrn", "value": "77"}}
    door.post(seen("320", subject=stranger, **NUMBERED))
    door.post(observation(subject=stranger, **NUMBERED))
    add_identifier(patient=patient, system="urn:clinic:mrn", value="77", by="operator", at=MONDAY)

    placed = ingest.replay_parked(at=MONDAY), ingest.replay_samples(at=MONDAY)

    assert placed == (1, 1)
    assert of_sample()["haemolysis"] == "gross"


@pytest.mark.usefixtures("patient")
def test_an_index_is_not_laid_beside_the_draw_of_somebody_else(key: str) -> None:
    door = FhirDoor(key)
    door.post(observation(**NUMBERED))

    door.post(
        seen("320", subject={"identifier": {"system": "urn:clinic:mrn", "value": "9"}}, **NUMBERED)
    )

    assert of_sample() is None
    assert Parked.objects.count() == 1


@pytest.mark.usefixtures("patient")
def test_a_code_that_the_profile_knows_is_a_result_whatever_it_is_called(key: str) -> None:
    sent = observation(
        code={"coding": [{"system": "urn:north:test", "code": "sIL-6R", "display": "L-index"}]}
    )

    FhirDoor(key).post(sent)

    assert Result.objects.count() == 1
