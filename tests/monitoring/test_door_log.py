"""Every request of a machine leaves a line: whose, where, with what outcome; and nothing else."""

import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import pytest

from monitoring import door_log, redis, refusals
from monitoring.models import DoorRequest
from monitoring.wsgi import application
from patients.intake.fhir import exact_json
from patients.models import Laboratory, LaboratoryKey, Patient
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY, draw
from tests.monitoring.fhir_door import entry
from tests.monitoring.test_hl7v2_door import OURS
from tests.patients.fhir_messages import observation
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def key(laboratory: Laboratory) -> str:
    redis.ask(lambda line: line.flushdb())
    return issue_key(laboratory=laboratory, by="operator", at=MONDAY)


def ask(method: str, path: str, key: str, body: bytes | io.BytesIO = b"", kind: str = "") -> None:
    """Ask as the web server does."""
    stream = io.BytesIO(body) if isinstance(body, bytes) else body
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path.partition("?")[0],
        "QUERY_STRING": path.partition("?")[2],
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(stream.getvalue())),
        "wsgi.input": stream,
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "HTTP_AUTHORIZATION": f"Bearer {key}",
    }
    b"".join(application(environ, lambda *_: None))


def lines() -> list[DoorRequest]:
    door_log.writer.write()
    return list(DoorRequest.objects.order_by("pk"))


@pytest.fixture(autouse=True)
def _nothing_waits_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_log, "writer", door_log.Writer())
    monkeypatch.setattr("monitoring.wsgi.writer", door_log.writer)


def test_a_push_leaves_a_line_with_its_key_and_how_long_it_took(key: str, patient: Patient) -> None:
    ask("POST", "/api/v1/results", key, json.dumps(draw()).encode(), "application/json")

    [line] = lines()
    assert (line.method, line.door, line.status) == ("POST", "/api/v1/results", 201)
    assert line.key_id == LaboratoryKey.objects.get().pk
    assert line.laboratory_id == Laboratory.objects.get().pk
    assert 0 < line.took_ms < 60_000


def test_an_acknowledgement_says_what_http_does_not(key: str, patient: Patient) -> None:
    ask("POST", "/hl7v2", key, message(change=OURS), "application/hl7-v2")
    ask("POST", "/hl7v2", key, b"no message at all", "application/hl7-v2")

    taken, refused = lines()
    assert (taken.status, taken.outcome) == (200, "AA")
    assert refused.status == 200
    assert refused.outcome in {"AE", "AR"}


def test_whoever_is_not_let_in_leaves_a_line_too(laboratory: Laboratory) -> None:
    ask("POST", "/api/v1/results", "snd_wrong", b"{}", "application/json")

    [line] = lines()
    assert (line.status, line.laboratory_id, line.key_id) == (401, None, None)


def test_no_line_holds_what_a_laboratory_put_into_an_address(key: str) -> None:
    ask("GET", "/fhir/Observation/patient-0042", key)
    ask("GET", "/fhir/Observation?identifier=urn:clinic:mrn%7C0042", key)
    ask("GET", "/fhir/0042/0042/_history", key)

    assert [line.door for line in lines()] == [
        "/fhir/Observation/*",
        "/fhir/Observation",
        "/fhir/*/*/_history",
    ]


# Refusals


def test_of_a_refused_message_size_and_digest_are_kept(key: str, patient: Patient) -> None:
    refused, taken = b'{"accession": "A-17"}', json.dumps(draw()).encode()
    ask("POST", "/api/v1/results", key, refused, "application/json")
    ask("POST", "/api/v1/results", key, taken, "application/json")
    ask("GET", "/fhir/metadata", key)

    noted = [(line.status, line.size, line.sha256) for line in lines()]

    assert noted == [
        (422, len(refused), hashlib.sha256(refused).hexdigest()),
        (201, len(taken), hashlib.sha256(taken).hexdigest()),
        (200, None, ""),
    ]


def test_a_refused_body_is_read_to_its_end_so_that_its_sender_sees_why(
    laboratory: Laboratory,
) -> None:
    body = io.BytesIO(b"x" * 6_000_000)

    ask("POST", "/api/v1/results", "snd_wrong", body, "application/json")

    assert body.read() == b""


def test_a_refusal_says_where_it_was_wrong_and_nothing_that_was_sent(key: str) -> None:
    body = json.dumps(draw() | {"Ida Invented": 1, "accession": ""}).encode()
    ask("POST", "/api/v1/results", key, body, "application/json")
    odd = b'{"resourceType": "Observation", "Invented": 1, "status": "Ida", "code": {"coding": 7}}'
    ask("POST", "/fhir/Observation", key, odd, "application/fhir+json")
    ask("POST", "/hl7v2", key, message(change={"OBX-11": "Z", "OBX-3": ""}), "application/hl7-v2")

    in_json, in_fhir, in_hl7v2 = lines()
    assert (in_json.status, in_json.why) == (422, "/accession; /*")
    assert in_fhir.status == 400
    assert "structure Observation.code.coding" in in_fhir.why
    assert "Observation.*" in in_fhir.why
    assert (in_hl7v2.outcome, in_hl7v2.why) == ("AE", "101 OBX-3")
    assert "Invented" not in in_json.why + in_fhir.why


def test_a_batch_of_which_some_entries_were_refused_is_found_among_refusals(
    key: str, patient: Patient
) -> None:
    entries = [entry(observation()), entry(observation(status="F"))]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}

    ask("POST", "/fhir", key, exact_json.write(bundle), "application/fhir+json")

    [line] = lines()
    assert (line.status, line.outcome) == (200, "partly")
    assert line.why == "code-invalid Bundle.entry[1].resource.status"
    laboratory = Laboratory.objects.get()
    assert refusals.lately(laboratory.pk, at=line.at) == [line]
    assert refusals.counts(since=line.at - timedelta(hours=1)) == {laboratory.pk: 1}


def test_a_line_is_kept_as_long_as_is_said_and_no_longer(settings: Any) -> None:
    settings.DOOR_LINES_KEPT_DAYS = 30
    for days in (29, 31, 400):
        DoorRequest.objects.create(
            at=MONDAY - timedelta(days=days), method="GET", door="/fhir", status=200, took_ms=1
        )

    forgotten = door_log.forget_old(at=MONDAY)

    assert forgotten == 2
    assert DoorRequest.objects.get().at == MONDAY - timedelta(days=29)
