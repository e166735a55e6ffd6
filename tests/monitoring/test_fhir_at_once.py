"""Sixteen clients that ask for the same thing at the same moment make one result.

Threads, each with a connection of its own to the real PostgreSQL: what is tried is the
constraint and the claim of names, not the web server.
"""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection

from patients.models import Laboratory, Parked, ParkedResult, Patient, Result, ResultName
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY
from tests.monitoring.fhir_door import FhirDoor, entry
from tests.patients.fhir_messages import Tree, merge, named, observation, quantity
from tests.patients.test_intake import at_once

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

CLIENTS = 16
NAME = "identifier=urn:north:result|R-1"
Ask = Callable[[FhirDoor, Tree], Any]
FORMS: dict[str, Ask] = {
    "If-None-Exist": lambda door, message: door.post(message, If_None_Exist=NAME),
    "POST with a query": lambda door, message: door.ask("POST", f"/Observation?{NAME}", message),
    "PUT with a query": lambda door, message: door.put(f"?{NAME}", message),
    "PUT to an id": lambda door, message: door.put("/lab-1", message | {"id": "lab-1"}),
    "POST": lambda door, message: door.post(message),
    "transaction with ifNoneExist": lambda door, message: door.bundle(
        entry(message, ifNoneExist=NAME)
    ),
    "transaction with PUT": lambda door, message: door.bundle(
        entry(message, method="PUT", url=f"Observation?{NAME}")
    ),
    "batch with ifNoneExist": lambda door, message: door.bundle(
        entry(message, ifNoneExist=NAME), kind="batch"
    ),
}


@pytest.fixture
def key(laboratory: Laboratory) -> str:
    return issue_key(laboratory=laboratory, by="operator", at=MONDAY)


def _answers(key: str, ask: Ask, messages: list[Tree]) -> list[Any]:
    answers: list[Any] = [None] * len(messages)

    def run(number: int) -> None:
        answers[number] = ask(FhirDoor(key), messages[number])

    assert at_once(len(messages), run) == []
    return answers


def _statuses(answers: list[Any]) -> list[int]:
    """The status of each, or of the one entry of its Bundle."""
    return sorted(
        int(answer.json()["entry"][0]["response"]["status"][:3])
        if answer.json()["resourceType"] == "Bundle"
        else answer.status_code
        for answer in answers
    )


def _ids(answers: list[Any]) -> set[str]:
    return {
        answer.json().get("id") or answer.json()["entry"][0]["response"]["location"].split("/")[3]
        for answer in answers
    }


@pytest.mark.parametrize("form", FORMS)
def test_the_same_message_from_sixteen_makes_one_result(
    form: str, key: str, patient: Patient
) -> None:
    answers = _answers(key, FORMS[form], [observation()] * CLIENTS)

    assert _statuses(answers) == [200] * (CLIENTS - 1) + [201]
    assert len(_ids(answers)) == 1
    assert Result.objects.count() == 1


@pytest.mark.parametrize("form", FORMS)
def test_different_messages_under_one_name_make_one_result(
    form: str, key: str, patient: Patient
) -> None:
    """Each says something else in its notes, so none is recognised by its bytes."""
    messages = [observation(note=[{"text": f"note {number}"}]) for number in range(CLIENTS)]

    answers = _answers(key, FORMS[form], messages)

    assert _statuses(answers) == [200] * (CLIENTS - 1) + [201]
    assert len(_ids(answers)) == 1
    assert len({result.public_id for result in Result.objects.all()}) == 1
    assert Result.objects.filter(superseded_at=None).count() == 1


@pytest.mark.parametrize("form", ["If-None-Exist", "PUT with a query", "PUT to an id"])
def test_what_waits_for_a_person_waits_once(form: str, key: str) -> None:
    answers = _answers(key, FORMS[form], [observation()] * CLIENTS)

    assert _statuses(answers) == [200] * (CLIENTS - 1) + [201]
    assert len(_ids(answers)) == 1
    assert Parked.objects.count() == ParkedResult.objects.count() == 1


@pytest.mark.parametrize("is_update", [False, True])
def test_each_new_result_that_waits_is_created(is_update: bool, key: str) -> None:
    messages = [
        observation(id=f"lab-{number}", identifier=named(f"R-{number}"))
        for number in range(CLIENTS)
    ]

    def ask(door: FhirDoor, message: Tree) -> Any:
        return door.put(f"/{message['id']}", message) if is_update else door.post(message)

    answers = _answers(key, ask, messages)

    assert _statuses(answers) == [201] * CLIENTS
    assert Parked.objects.count() == CLIENTS


def test_a_conditional_create_keeps_the_first_value_whoever_was_first(
    key: str, patient: Patient
) -> None:
    messages = [
        observation(valueQuantity=quantity(f"{30 + number}.5")) for number in range(CLIENTS)
    ]

    answers = _answers(key, FORMS["If-None-Exist"], messages)

    assert _statuses(answers) == [200] * (CLIENTS - 1) + [201]
    assert len({answer.json()["valueQuantity"]["value"] for answer in answers}) == 1
    assert Result.objects.count() == 1


def test_of_sixteen_who_replace_the_same_version_one_does(key: str, patient: Patient) -> None:
    FhirDoor(key).put("/lab-1", observation(id="lab-1"))
    messages = [
        observation(id="lab-1", valueQuantity=quantity(f"{50 + number}.5"))
        for number in range(CLIENTS)
    ]

    answers = _answers(
        key, lambda door, message: door.put("/lab-1", message, If_Match='W/"1"'), messages
    )

    assert _statuses(answers) == [200] + [412] * (CLIENTS - 1)
    assert Result.objects.count() == 2


def test_of_sixteen_who_replace_the_same_version_of_a_report_one_does(
    key: str, patient: Patient
) -> None:
    """Each changes one of its two results only, so that no two versions of a result look alike."""
    report = observation("report", id="rep-1")
    first, second = report["contained"]

    def ask(door: FhirDoor, message: Tree) -> Any:
        return door.ask("PUT", "/DiagnosticReport/rep-1", message, If_Match='W/"1"')

    FhirDoor(key).ask("PUT", "/DiagnosticReport/rep-1", report)
    changed = [
        merge(each, {"valueQuantity": {"value": 50 + number}})
        for number, each in enumerate([first, second] * (CLIENTS // 2))
    ]
    messages = [
        report | {"contained": [each, second] if number % 2 == 0 else [first, each]}
        for number, each in enumerate(changed)
    ]

    answers = _answers(key, ask, messages)

    assert _statuses(answers) == [200] + [412] * (CLIENTS - 1)
    assert Result.objects.count() == 3


def test_two_names_of_one_result_that_cross_make_one_result(key: str, patient: Patient) -> None:
    """Half name it by its identifier, half by an id that brings the identifier along."""
    forms = [FORMS["If-None-Exist"], FORMS["PUT to an id"]]
    answers: list[Any] = [None] * CLIENTS

    def run(number: int) -> None:
        answers[number] = forms[number % 2](FhirDoor(key), observation())

    assert at_once(CLIENTS, run) == []
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert Result.objects.count() == 1
    assert len({name.line for name in ResultName.objects.all()}) == 1


def test_a_database_that_is_away_is_answered_with_try_again(
    key: str, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = FhirDoor(key)
    with monkeypatch.context() as away:
        connection.close()
        away.setitem(connection.settings_dict, "PORT", "1")
        answer = door.post()
        connection.close()

    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert answer.json()["issue"][0]["code"] == "transient"
    assert not Result.objects.exists()
    assert door.post().status_code == 201


def test_a_record_that_another_holds_for_too_long_is_called_busy(
    key: str, patient: Patient
) -> None:
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT FROM patients_patient WHERE id = %s FOR UPDATE", [patient.pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        answer = FhirDoor(key).post()

    assert answer.status_code == 503
    assert "busy" in answer.json()["issue"][0]["details"]["text"]
