"""Whatever a laboratory may send can be looked at: extreme times, long words, strange signs."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from monitoring import redis
from patients.models import Laboratory, Parked, Patient
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY
from tests.factories import ClinicianFactory, TeamFactory
from tests.monitoring.fhir_door import FhirDoor
from tests.patients.fhir_messages import observation, quantity
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db
EXTREMES: list[dict[str, Any]] = [
    {"effectiveDateTime": "9999-12-31T23:59:59-12:00"},
    {"effectiveDateTime": "9999-12-31T23:59:59Z"},
    {"effectiveDateTime": "9999-12-31"},
    {"effectiveDateTime": "9999"},
    {"effectiveDateTime": "0001-01-01T00:00:00+14:00"},
    {"effectiveDateTime": "0001-01-01"},
    {"effectiveDateTime": "0001"},
    {"effectiveDateTime": "1850-06-01T00:00:00Z"},
    {"issued": "9999-12-31T23:59:59-12:00"},
    {"issued": "0001-01-01T00:00:00+14:00"},
    {"valueQuantity": quantity("9" * 20)},
    {"valueQuantity": {"value": 1, "unit": "x" * 500}},
    {"valueQuantity": {"value": 1, "unit": "<b>%(what)s {0} %s</b>"}},
    {"code": {"coding": [{"system": "s" * 300, "code": "c" * 300, "display": "d" * 3000}]}},
    {"code": {"text": "%s %(what)s {what} \u202e <script>"}},
    {"subject": {"identifier": {"value": "v" * 200}, "display": "n" * 900}},
    {"note": [{"text": "long " * 2000}]},
    {"status": "unknown", "valueQuantity": None, "valueString": "%d %% <i>"},
]


@pytest.fixture
def key(laboratory: Laboratory) -> str:
    redis.ask(lambda line: line.flushdb())
    return issue_key(laboratory=laboratory, by="operator", at=MONDAY)


@pytest.mark.parametrize("change", EXTREMES, ids=[str(each)[:40] for each in EXTREMES])
@pytest.mark.parametrize("mrn", ["0042", "9999"], ids=["known", "unknown"])
def test_what_waits_can_be_looked_at(
    change: dict[str, Any], mrn: str, key: str, patient: Patient, client: Client
) -> None:
    subject = {"subject": {"identifier": {"system": "urn:clinic:mrn", "value": mrn}}}
    made = FhirDoor(key).post(observation(**subject | change))
    assert made.status_code == 201

    reader = ClinicianFactory.create(teams=[patient.team, TeamFactory.create()])
    client.force_login(reader)
    pages = [reverse("portal:parked"), reverse("portal:patient", args=[patient.public_id])]
    pages += [reverse("portal:parked_draw", args=[p.public_id]) for p in Parked.objects.all()]
    assert {client.get(page).status_code for page in pages} == {200}
    assert FhirDoor(key).get(f"/Observation/{made.json()['id']}").status_code == 200


@pytest.mark.parametrize(
    "time", ["99991231", "99991231235959-1200", "00010101", "0001", "18500101"]
)
def test_what_waits_of_hl7_v2_can_be_looked_at(
    time: str, key: str, patient: Patient, client: Client
) -> None:
    body = message(change={"OBX-14": time, "OBR-7": time, "OBR-22": time, "MSH-7": time})
    answer = Client().generic(
        "POST",
        "/hl7v2",
        body,
        content_type="text/plain",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert b"\rMSA|AA|" in answer.content

    client.force_login(ClinicianFactory.create(teams=[patient.team]))
    page = reverse("portal:parked_draw", args=[Parked.objects.get().public_id])
    assert client.get(page).status_code == 200
