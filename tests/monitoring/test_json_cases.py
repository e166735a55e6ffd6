"""Every case of json_cases/ at the door: what is answered, and what is on record afterwards.

A case changes some fields of one plain draw (null takes a field away), or some text of the message
("*" is all of it); it says what is stored, or the place of a fault.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from patients.models import Inbound, Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY, draw

pytestmark = pytest.mark.django_db
FILE = Path(__file__).parents[1] / "patients/json_cases/cases.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))


def body_of(case: dict[str, Any]) -> bytes:
    changed = draw() | case.get("change", {})
    text = json.dumps({name: part for name, part in changed.items() if part is not None})
    before, after = case.get("text", ("", ""))
    assert before in {"", "*"} or before in text, case["name"]
    return (after if before == "*" else text.replace(before, after, 1)).encode("utf-8")


def push(body: bytes, laboratory: Laboratory) -> Any:
    key = issue_key(laboratory=laboratory, by="operator", at=MONDAY)
    return Client().post(
        "/api/v1/results",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_a_message_is_answered_and_stored_as_the_case_says(
    case: dict[str, Any], laboratory: Laboratory, patient: Patient
) -> None:
    answer = push(body_of(case), laboratory)

    assert answer.status_code == case["status"], answer.content
    if "stored" not in case:
        pointers = [each["pointer"] for each in answer.json().get("errors", [])]
        assert case.get("pointer") in [*pointers, None]
        assert not Inbound.objects.exists()
        return
    wanted = case["stored"]
    assert answer.json()["state"] == wanted["state"]
    assert Inbound.objects.exists()
    if wanted["state"] == "parked":
        assert any(each.startswith(wanted["reason"]) for each in Parked.objects.get().reasons)
        assert not Result.objects.exists()
        return
    result = Result.objects.get()
    assert (result.status, result.comparator, result.sent_value) == (
        wanted.get("status", "final"),
        wanted.get("comparator", ""),
        wanted.get("value", ""),
    )
    if "ng_ml" in wanted:
        assert str(result.value) == wanted["ng_ml"]
    if "collected_at" in wanted:
        assert result.draw.collected_at.isoformat() == wanted["collected_at"]


def test_there_are_more_than_sixty_cases() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) > 60
