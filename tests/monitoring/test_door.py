"""The laboratory's door over HTTP: who may come in, what is answered, what is refused."""

import io
import json
import time
from base64 import b64encode
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client, RequestFactory

from monitoring import redis
from monitoring.api import examples, limits
from monitoring.wsgi import application
from patients.models import Inbound, Laboratory, LaboratoryKey, Parked, Patient, Result
from patients.record.laboratories import SeveralKeys, issue_key, revoke_keys
from tests.conftest import MONDAY, draw

pytestmark = pytest.mark.django_db


class Door:
    """A laboratory with its key in hand."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.client = Client()

    def push(self, message: Any, **headers: str) -> Any:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self.client.post(
            "/api/v1/results",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.key}"} | headers,
        )


@pytest.fixture
def door(laboratory: Laboratory) -> Door:
    return Door(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    redis.ask(lambda line: line.flushdb())


def test_a_draw_is_taken_in(door: Door, patient: Patient) -> None:
    answer = door.push(draw())

    result = Result.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(result.draw.public_id),
        "accession": "A-17",
        "state": "recorded",
        "reasons": [],
    }


def test_the_same_message_again_gets_the_same_name(door: Door, patient: Patient) -> None:
    first = door.push(draw()).json()

    again = door.push(draw())

    assert again.status_code == 200
    assert again.json() == first | {"state": "known"}
    assert Result.objects.count() == 1


def test_a_list_is_answered_with_a_list(door: Door, patient: Patient) -> None:
    answer = door.push({"draws": [draw(accession="A-1"), draw(accession="A-2", mrn="9999")]})

    assert answer.status_code == 201
    assert [each["state"] for each in answer.json()["draws"]] == ["recorded", "parked"]


def test_an_unknown_patient_is_parked_and_answered_created(door: Door) -> None:
    answer = door.push(draw(mrn="9999"))

    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(Parked.objects.get().public_id),
        "accession": "A-17",
        "state": "parked",
        "reasons": ["unknown_patient"],
    }


def test_a_parked_draw_again_in_other_bytes_is_known_and_parked_once(door: Door) -> None:
    first = door.push(draw(mrn="9999"))

    again = door.push(json.dumps(draw(mrn="9999"), indent=1).encode())

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert Parked.objects.count() == 1


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic dXNlcjpwYXNz", "snd_x"]
)
def test_without_a_live_key_nobody_comes_in(door: Door, header: str) -> None:
    answer = door.push(draw(), Authorization=header)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == "application/problem+json"
    assert not Inbound.objects.exists()


def test_the_key_may_be_shown_as_the_password_of_basic(door: Door, patient: Patient) -> None:
    shown = b64encode(f"anybody:{door.key}".encode()).decode()

    assert door.push(draw(), Authorization=f"Basic {shown}").status_code == 201


@pytest.mark.parametrize("shown", ["", "%", "YQ==", "YTo=", "/w=="])
def test_what_is_no_basic_opens_nothing(door: Door, shown: str) -> None:
    assert door.push(draw(), Authorization=f"Basic {shown}").status_code == 401


def test_a_revoked_key_opens_nothing(door: Door, laboratory: Laboratory) -> None:
    revoke_keys(laboratory=laboratory, beginning=None, by="operator", at=MONDAY)

    assert door.push(draw()).status_code == 401


def test_two_keys_live_side_by_side_for_a_change_over(
    door: Door, laboratory: Laboratory, patient: Patient
) -> None:
    second = Door(issue_key(laboratory=laboratory, by="operator", at=MONDAY))

    assert door.push(draw(accession="A-1")).status_code == 201
    assert second.push(draw(accession="A-2")).status_code == 201


def test_the_key_itself_is_not_in_the_database(door: Door) -> None:
    kept = LaboratoryKey.objects.get()

    assert door.key not in {str(value) for value in vars(kept).values()}
    assert door.push(draw()).status_code == 201
    kept.refresh_from_db()
    assert kept.last_used_at is not None


def test_every_fault_is_named_and_nothing_is_stored(door: Door) -> None:
    answer = door.push({"accession": "", "results": [{"analyte": "sIL-6R", "value": "1"}]})

    body = answer.json()
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert body["status"] == 422
    assert {fault["pointer"] for fault in body["errors"]} == {
        "/accession",
        "/patient",
        "/collected_at",
        "/results/0",
    }
    assert not Inbound.objects.exists()


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b'{"a": NaN}'])
def test_what_is_not_json_is_refused(door: Door, body: bytes) -> None:
    answer = door.push(body)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_another_content_type_is_refused(door: Door) -> None:
    answer = door.client.post(
        "/api/v1/results",
        b"a,b",
        content_type="text/plain",
        headers={"Authorization": f"Bearer {door.key}"},
    )

    assert answer.status_code == 415


def test_a_message_that_is_too_large_is_refused(door: Door, settings: LazySettings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

    answer = door.push(b" " * (1024 * 1024 + 1))

    assert answer.status_code == 413
    assert "1 MB" in answer.json()["detail"]


def test_too_many_messages_in_a_minute_are_asked_to_wait(
    door: Door, laboratory: Laboratory, patient: Patient
) -> None:
    laboratory.pushes_per_minute = 2
    laboratory.save()

    answers = [
        door.push(draw(accession=f"A-{hour}", collected_at=f"2026-11-02T0{hour}:10:00+09:00"))
        for hour in range(5)
    ]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 1  # the clock may turn to the next minute between two pushes
    assert 1 <= int(refused[0]["Retry-After"]) <= 60
    assert Result.objects.count() == len(answers) - len(refused)


def test_a_share_that_several_processes_draw_on_is_met_and_never_exceeded(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = 300
    of_each_process: list[dict[int, object]] = [{}, {}]
    while time.time() % limits.WINDOW_S > limits.WINDOW_S - 5:
        time.sleep(0.5)  # the clock must not turn to the next minute meanwhile

    let_in = 0
    for push in range(2 * allowed):
        monkeypatch.setattr(limits, "_taken", of_each_process[push % 2])
        let_in += limits.count_one(limits.laboratory(laboratory.pk), at_most=allowed)

    assert 0.99 * allowed <= let_in <= allowed


def test_another_limit_counts_from_now(laboratory: Laboratory) -> None:
    for _ in range(10):
        limits.count_one(limits.laboratory(laboratory.pk), at_most=100_000)

    assert [limits.count_one(limits.laboratory(laboratory.pk), at_most=2) for _ in range(4)].count(
        True
    ) <= 2


def test_a_push_is_taken_in_while_redis_is_away(
    door: Door, patient: Patient, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(redis, "_line", redis._Line())

    assert door.push(draw()).status_code == 201
    assert Result.objects.count() == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_database_that_is_away_is_answered_with_try_again(
    door: Door, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        connection.close()
        away.setitem(connection.settings_dict, "PORT", "1")
        answer = door.push(draw())
        connection.close()

    assert answer.status_code == 503
    assert answer.json()["title"] == "The database is away"
    assert int(answer["Retry-After"]) > 0
    assert not Inbound.objects.exists()
    assert door.push(draw()).status_code == 201


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_record_that_another_holds_for_too_long_is_called_busy(
    door: Door, patient: Patient
) -> None:
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT FROM patients_patient WHERE id = %s FOR UPDATE", [patient.pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        answer = door.push(draw())
        connection.close()

    assert answer.status_code == 503
    assert answer.json()["title"] == "These records are busy"
    assert int(answer["Retry-After"]) > 0
    assert not Inbound.objects.exists()
    assert door.push(draw()).status_code == 201


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_connection_that_broke_between_two_pushes_is_mended_by_the_second(
    door: Door, patient: Patient
) -> None:
    door.push(draw(accession="A-1"))
    connection.connection.close()  # as after a restart of the database

    assert door.push(draw(accession="A-2")).status_code == 201


def test_a_slash_behind_the_address_is_passed_over(door: Door) -> None:
    answer = door.client.post(
        "/api/v1/results/",
        json.dumps(draw()),
        content_type="application/json",
        headers={"Authorization": f"Bearer {door.key}"},
    )

    assert answer.status_code == 201


def test_a_message_without_a_body_is_said_to_be_empty(door: Door) -> None:
    answer = door.client.post(
        "/api/v1/results",
        b"",
        content_type="text/csv",
        headers={"Authorization": f"Bearer {door.key}"},
    )

    assert (answer.status_code, answer.json()["title"]) == (400, "The message is empty")


def test_other_methods_are_refused(door: Door) -> None:
    answer = door.client.get("/api/v1/results", headers={"Authorization": f"Bearer {door.key}"})

    assert answer.status_code == 405


@pytest.mark.parametrize("path", ["/api/v1/result", "/api/v1/results/1", "/api/nothing"])
def test_an_address_where_nothing_is_is_refused_in_json(door: Door, path: str) -> None:
    answer = door.client.post(path, b"{}", content_type="application/json")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "There is nothing at this address",
        "status": 404,
    }


def test_a_person_is_told_on_a_page_that_nothing_is_at_an_address(door: Door) -> None:
    answer = door.client.get("/nothing/")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_the_published_examples_can_be_pushed_as_they_stand(door: Door, patient: Patient) -> None:
    in_json = [each for each in examples.EXAMPLES if each.media_type != "text/csv"]
    published = [each.value for each in in_json if each.request_only]

    answers = [door.push(example) for example in published]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["state"] == "recorded"


def test_the_document_of_the_door_is_open_to_read(door: Door) -> None:
    answer = door.client.get("/api/schema/")

    assert answer.status_code == 200
    assert b"openapi: 3.1.0" in answer.content
    assert door.client.get("/api/docs/").status_code == 200


def test_a_beginning_that_both_keys_share_revokes_neither(
    door: Door, laboratory: Laboratory, patient: Patient
) -> None:
    issue_key(laboratory=laboratory, by="operator", at=MONDAY)

    with pytest.raises(SeveralKeys):
        revoke_keys(laboratory=laboratory, beginning="snd_", by="operator", at=MONDAY)

    assert door.push(draw()).status_code == 201


@pytest.mark.parametrize("wish", ["text/html", "application/fhir+json", ""])
def test_what_the_sender_would_rather_read_turns_no_result_away(
    door: Door, patient: Patient, wish: str
) -> None:
    answer = door.push(draw(), Accept=wish)

    assert answer.status_code == 201
    assert answer["Content-Type"] == "application/json"


def test_a_refusal_is_titled_in_whole_words(door: Door) -> None:
    answer = door.client.get("/api/v1/results", headers={"Authorization": f"Bearer {door.key}"})

    assert answer.json()["title"] == "Method Not Allowed"


def chunked(door: Door, body: bytes) -> tuple[str, Any]:
    """Push as a server hands on a body that came in chunks: no length, a stream that ends."""
    request = RequestFactory().generic(
        "POST",
        "/api/v1/results",
        headers={"Authorization": f"Bearer {door.key}", "Transfer-Encoding": "chunked"},
    )
    said: list[str] = []
    parts = application(
        request.environ
        | {
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": "",
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
        },
        lambda status, _headers: said.append(status),
    )
    return said[0], json.loads(b"".join(parts))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_message_in_chunks_is_taken_in(door: Door, patient: Patient) -> None:
    status, answer = chunked(door, json.dumps(draw()).encode())

    assert status == "201 Created"
    assert answer["state"] == "recorded"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_message_in_chunks_that_is_too_large_is_refused(
    door: Door, settings: LazySettings
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

    status, _answer = chunked(door, b" " * (3 * 1024 * 1024))

    assert status.startswith("413")
