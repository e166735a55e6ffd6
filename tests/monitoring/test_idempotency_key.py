"""`Idempotency-Key` at the doors of laboratories: one key is one message."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from monitoring import redis
from patients.models import Inbound, Laboratory, Patient
from patients.record.laboratories import add_laboratory, issue_key
from tests.conftest import MONDAY, draw

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_key_was_used() -> None:
    redis.ask(lambda line: line.flushdb())


def push(laboratory: Laboratory, key: str, *, path: str = "/api/v1/results", **change: Any) -> Any:
    shown = issue_key(laboratory=laboratory, by="operator", at=MONDAY)
    return Client().post(
        path,
        json.dumps(draw(**change)),
        content_type="application/json",
        headers={"Authorization": f"Bearer {shown}", "Idempotency-Key": key},
    )


def test_the_same_message_again_is_known(laboratory: Laboratory, patient: Patient) -> None:
    first = push(laboratory, '"one"')
    again = push(laboratory, '"one"')

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]


def test_another_message_under_the_key_is_refused(laboratory: Laboratory, patient: Patient) -> None:
    push(laboratory, "one")

    answer = push(laboratory, "one", value="40.00")

    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]
    assert Inbound.objects.count() == 1


def test_a_key_is_its_laboratory_s_own(laboratory: Laboratory, patient: Patient) -> None:
    other = add_laboratory(
        name="South", zone=ZoneInfo("Asia/Tokyo"), pushes_per_minute=None, by="op", at=MONDAY
    )
    push(laboratory, "one")

    assert push(other, "one", accession="B-1").status_code == 201


def test_a_rehearsal_uses_no_key(laboratory: Laboratory, patient: Patient) -> None:
    push(laboratory, "one", path="/api/v1/results?dry_run=true")

    assert push(laboratory, "one").status_code == 201


@pytest.mark.parametrize("key", ["", '""', "x" * 256])
def test_what_is_no_key_is_refused(laboratory: Laboratory, key: str) -> None:
    answer = push(laboratory, key)

    assert answer.status_code == 400
    assert "1 to 255 characters" in answer.json()["detail"]
    assert not Inbound.objects.exists()
