"""Every request of a machine leaves a line: whose, where, with what outcome; and nothing else."""

import io
import json
from typing import Any

import pytest

from monitoring import door_log, redis
from monitoring.models import DoorRequest
from monitoring.wsgi import application
from patients.models import Laboratory, LaboratoryKey, Patient
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY, draw
from tests.monitoring.test_hl7v2_door import OURS
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def key(laboratory: Laboratory) -> str:
    redis.ask(lambda line: line.flushdb())
    return issue_key(laboratory=laboratory, by="operator", at=MONDAY)


def ask(method: str, path: str, key: str, body: bytes = b"", kind: str = "") -> None:
    """Ask as the web server does."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path.partition("?")[0],
        "QUERY_STRING": path.partition("?")[2],
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
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
