"""What one message may hold: any amount is answered in time, and what is too much is said so."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import monitoring.wsgi  # noqa: F401 - it sets the collector of rubbish as the web server has it
from monitoring import redis
from patients.intake.fhir import exact_json
from patients.models import Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY, draw
from tests.monitoring.fhir_door import FhirDoor
from tests.patients.fhir_messages import Tree, named, observation, quantity
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db
Push = Callable[[str, bytes, str], Any]
OBX = "OBX|1|NM|sIL-6R^sIL-6R^L||{}|ng/mL|||||F"
OBR = "OBR|1||{}|CYT|||{}+0100|||||||||||||||{}+0100|||F"


@pytest.fixture
def key(laboratory: Laboratory) -> str:
    redis.ask(lambda line: line.flushdb())
    Client().get("/fhir/metadata")  # the first request loads the site
    return issue_key(laboratory=laboratory, by="operator", at=MONDAY)


@pytest.fixture
def push(key: str) -> Push:
    def send(path: str, body: bytes, kind: str) -> Any:
        return Client().generic(
            "POST", path, body, content_type=kind, headers={"Authorization": f"Bearer {key}"}
        )

    return send


@contextmanager
def in_time(seconds: float = 2.0) -> Iterator[None]:
    started = time.process_time()
    yield
    assert time.process_time() - started < seconds


def entry(resource: Tree, method: str = "POST", url: str = "Observation") -> Tree:
    return {"resource": resource, "request": {"method": method, "url": url}}


def bundle(*entries: Tree, kind: str = "batch") -> bytes:
    return exact_json.write({"resourceType": "Bundle", "type": kind, "entry": list(entries)})


def versions_of_one_result(number: int) -> bytes:
    return bundle(
        *(
            entry(
                observation(identifier=named("R-1"), valueQuantity=quantity(f"{n + 1}")),
                "PUT",
                "Observation?identifier=urn:north:result|R-1",
            )
            for n in range(number)
        )
    )


def test_a_list_of_draws_holds_five_thousand_results(push: Push) -> None:
    results = [{"analyte": f"c{n}", "value": "1", "unit": "ng/mL"} for n in range(50)]
    draws = [draw(accession=f"A-{n}", results=results) for n in range(101)]

    with in_time():
        too_many = push(
            "/api/v1/results", exact_json.write({"draws": draws}), "application/json"
        ).json()
    taken = push("/api/v1/results", exact_json.write({"draws": draws[:100]}), "application/json")

    [fault] = too_many["errors"]
    assert fault["pointer"] == "/draws"
    assert "at most 5000 results in all; it holds 5050" in fault["detail"]
    assert taken.status_code == 201


def test_a_message_of_faults_is_refused_in_time_with_the_first_of_them(push: Push) -> None:
    results = [{"analyte": f"c{n}", "value": "x", "unti": "ng/mL", "more": 1} for n in range(10)]
    draws = [draw(accession=f"A-{n}", results=results) for n in range(500)]

    with in_time():
        answer = push("/api/v1/results", exact_json.write({"draws": draws}), "application/json")

    errors = answer.json()["errors"]
    assert answer.status_code == 422
    assert errors[0]["pointer"] == "/draws/0/results/0/value"
    assert len(errors) == 101
    assert "more faults than these" in errors[-1]["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"draws": [' + b"{}," * 1_500_000 + b"{}]}",
        b'{"results": [' + b"[]," * 1_500_000 + b"[]]}",
        b"{" + b",".join(b'"%d":1' % n for n in range(300_000)) + b"}",
        b'{"draws": [{' + b",".join(b'"%d":1' % n for n in range(900)) + b"}]}",
    ],
    ids=["objects", "lists", "names", "unknown fields"],
)
def test_what_is_hardly_json_is_refused_in_time(push: Push, body: bytes) -> None:
    with in_time():
        answer = push("/api/v1/results", body, "application/json")

    assert answer.status_code in {400, 422}


def table_of_as_much_as_may_be() -> bytes:
    row = "A-{0},urn:clinic:mrn,{0:04},2026-11-02T08:10:00+01:00,sIL-6R,37.50,ng/mL,{1}\r\n"
    rows = "".join(row.format(n, "x" * 1_850) for n in range(2_500))
    return (
        b"accession,patient_system,patient,collected_at,analyte,value,unit,notes\r\n"
        + rows.encode()
    )


def bundle_of_as_much_as_may_be(kind: str) -> bytes:
    note = [{"text": "x" * 9_000}]
    return bundle(
        *(entry(observation(identifier=named(f"R-{n}"), note=note)) for n in range(500)), kind=kind
    )


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/api/v1/results", "text/csv", table_of_as_much_as_may_be()),
        ("/fhir", "application/fhir+json", bundle_of_as_much_as_may_be("batch")),
        ("/fhir", "application/fhir+json", bundle_of_as_much_as_may_be("transaction")),
    ],
    ids=["a table", "a batch", "a transaction"],
)
def test_as_much_as_may_be_is_taken_in_time(push: Push, path: str, kind: str, body: bytes) -> None:
    assert 4_500_000 < len(body) < 5 * 1024 * 1024
    with in_time():
        answer = push(path, body, kind)

    assert answer.status_code in {200, 201}
    assert Parked.objects.count() == (2_500 if kind == "text/csv" else 500)


def test_twenty_versions_of_a_result_in_one_bundle_come_in_their_order(
    key: str, patient: Patient
) -> None:
    answer = FhirDoor(key).ask("POST", "", versions_of_one_result(20))

    assert answer.status_code == 200
    assert Result.objects.get(superseded_at=None).value == 20
    assert Result.objects.count() == 20


def test_one_result_five_hundred_times_is_refused_in_time(key: str, patient: Patient) -> None:
    body = versions_of_one_result(500)

    with in_time():
        answer = FhirDoor(key).ask("POST", "", body)

    [issue] = answer.json()["issue"]
    assert (answer.status_code, issue["code"]) == (422, "too-costly")
    assert "more than 20 times" in issue["details"]["text"]
    assert not Result.objects.exists()


def test_a_large_panel_of_one_sample_is_no_repetition(key: str, patient: Patient) -> None:
    sample: dict[str, Any] = {"specimen": {"identifier": {"value": "S-1"}}}
    codes = ["sIL-6R", "IL-6", *(f"c{n}" for n in range(100))]
    entries = [
        entry(observation(identifier=named(code), code={"coding": [{"code": code}]}, **sample))
        for code in codes
    ]

    answer = FhirDoor(key).ask("POST", "", bundle(*entries))

    assert answer.status_code == 200
    assert Result.objects.count() == 2
    assert Parked.objects.count() == 100


def test_reports_contain_a_thousand_results_at_most(key: str) -> None:
    result = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "panel"},
        "contained": [result | {"id": f"o{n}"} for n in range(91)],
    }

    answer = FhirDoor(key).ask(
        "POST", "", bundle(*[entry(report, url="DiagnosticReport") for _ in range(11)])
    )

    [issue] = answer.json()["issue"]
    assert (answer.status_code, issue["code"]) == (422, "too-costly")


def test_headings_over_headings_are_walked_once(key: str) -> None:
    members = [{"reference": f"urn:x:{n}"} for n in range(250)]
    headings = [
        entry(observation(hasMember=members, valueQuantity=None)) | {"fullUrl": f"urn:x:{n}"}
        for n in range(150)
    ]
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "panel"},
        "result": members,
    }
    reports = [entry(report, url="DiagnosticReport") for _ in range(50)]

    with in_time():
        answer = FhirDoor(key).ask("POST", "", bundle(*headings, *reports))

    assert answer.status_code == 200


def test_the_bytes_of_a_message_are_read_once_however_many_results_it_brought(
    key: str, patient: Patient
) -> None:
    door = FhirDoor(key)
    times = [f"2026-10-{n + 1:02}T08:00:00Z" for n in range(20)]
    entries = [
        entry(observation(identifier=named(f"R-{n}"), effectiveDateTime=at))
        for n, at in enumerate(times)
    ]
    door.ask("POST", "", bundle(*entries))

    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = door.ask("POST", "", bundle(*entries, entry(observation(id="x"), "POST")))

    assert answer.status_code == 200
    bodies = [each["sql"] for each in queries if '"patients_inbound"."body"' in each["sql"]]
    assert len(bodies) == 1


@pytest.mark.parametrize("named_results", [True, False], ids=["with names", "by the order alone"])
def test_one_order_two_thousand_times_is_refused_in_time(
    push: Push, patient: Patient, *, named_results: bool
) -> None:
    orders = [
        line
        for n in range(2000)
        for line in (
            OBR.format(
                "A-17",
                "20261102081000"
                if named_results
                else f"2026{n // 28 % 12 + 1:02}{n % 28 + 1:02}08",
                f"20261102{10 + n // 3600}{n // 60 % 60:02}{n % 60:02}",
            ),
            OBX.format(n + 1),
        )
    ]

    with in_time(3):
        answer = push("/hl7v2", message(without=["OBR", "OBX", "ORC"], add=orders), "text/plain")

    assert b"\rMSA|AE|" in answer.content
    assert b"more than 20 times" in answer.content
    assert not Result.objects.exists()


@pytest.mark.parametrize(
    "lines",
    [
        [OBX.format(1)] * 1999 + ["SPM|1|||SER"] * 17_900,
        [OBX.format(1), "OBX|2|NM|H^Hemolysis index^L||12|||||||F"] * 1000,
        ["NTE|1||" + "hémolysé " * 200] * 2000,
        ["NTE|1||thaw" + " " * 1900 + "x"] * 2000,
    ],
    ids=["samples", "indices", "accents", "blanks"],
)
def test_much_of_one_order_is_read_in_time(push: Push, patient: Patient, lines: list[str]) -> None:
    body = message(change={"OBX-3": "sIL-6R"}, add=lines)

    with in_time():
        answer = push("/hl7v2", body, "application/hl7-v2")

    assert answer.status_code == 200
