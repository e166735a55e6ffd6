"""Results that come in by the FHIR door: what is stored, what is answered, what is refused."""

from typing import Any

import pytest
from django.test import Client

from patients.models import Inbound, Laboratory, Parked, Patient, Result, ResultName
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY
from tests.monitoring.fhir_door import FHIR, FhirDoor, entry
from tests.patients.fhir_messages import CASES, Tree, body_of, named, observation, quantity

pytestmark = pytest.mark.django_db


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


# Every case of fhir_cases/


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["name"]) for case in CASES if "stored" in case]
)
def test_a_message_is_stored_as_the_case_says(
    case: dict[str, Any], door: FhirDoor, patient: Patient
) -> None:
    answer = door.post(body_of(case))

    wanted = case["stored"]
    resource = answer.json()
    assert answer.status_code == 201
    assert resource["resourceType"] == "Observation"
    assert answer["Location"] == f"/fhir/Observation/{resource['id']}/_history/1"
    if wanted["state"] == "parked":
        parked = Parked.objects.get()
        assert any(reason.startswith(wanted["reason"]) for reason in parked.reasons)
        assert [tag["code"] for tag in resource["meta"]["tag"]] == ["parked"]
        assert not Result.objects.exists()
        return
    result = Result.objects.get()
    assert not Parked.objects.exists()
    assert result.status == wanted.get("status", "final")
    assert result.sent_value == wanted.get("value", "") or result.value is None
    assert result.comparator == wanted.get("comparator", "")
    if "ng_ml" in wanted:
        assert str(result.value) == wanted["ng_ml"]
    if "collected_at" in wanted:
        assert result.draw.collected_at.isoformat() == wanted["collected_at"]


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["name"]) for case in CASES if "refused" in case]
)
def test_a_defect_is_answered_with_code_and_place_and_nothing_is_stored(
    case: dict[str, Any], door: FhirDoor
) -> None:
    answer = door.post(body_of(case))

    wanted = case["refused"]
    issues = answer.json()["issue"]
    assert answer.status_code == wanted["status"]
    assert answer["Content-Type"] == "application/fhir+json; charset=utf-8"
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert (wanted["code"], wanted["expression"]) in {
        (issue["code"], issue.get("expression", [""])[0]) for issue in issues
    }
    assert {issue["severity"] for issue in issues} == {"error"}
    assert not Inbound.objects.exists()


# Creating


def test_a_result_is_created(door: FhirDoor, patient: Patient) -> None:
    answer = door.post()

    result = Result.objects.get()
    resource = answer.json()
    assert answer.status_code == 201
    assert answer["ETag"] == 'W/"1"'
    assert answer["Location"] == f"/fhir/Observation/{result.public_id}/_history/1"
    assert resource["id"] == str(result.public_id)
    assert resource["meta"]["versionId"] == "1"
    assert b'"value":37.50' in answer.content
    assert resource | {"id": 0, "meta": 0} == _as_json(observation()) | {"id": 0, "meta": 0}


def _as_json(tree: Tree) -> Tree:
    return tree | {"valueQuantity": tree["valueQuantity"] | {"value": 37.5}}


def test_the_id_in_the_resource_is_not_taken_by_a_create(door: FhirDoor, patient: Patient) -> None:
    answer = door.post(observation(id="mine"))

    assert answer.status_code == 201
    assert answer.json()["id"] == str(Result.objects.get().public_id)


def test_the_same_message_again_is_the_same_result(door: FhirDoor, patient: Patient) -> None:
    first = door.post()

    again = door.post()

    assert again.status_code == 200
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]
    assert Result.objects.count() == 1


def test_another_value_under_the_same_identifier_is_a_correction(
    door: FhirDoor, patient: Patient
) -> None:
    first = door.post()

    second = door.post(
        observation(valueQuantity=quantity("40.1"), issued="2026-11-03T08:00:00+09:00")
    )

    assert second.status_code == 200
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["status"] == "corrected"
    assert second["ETag"] == 'W/"2"'
    assert Result.objects.count() == 2
    assert Result.objects.get(superseded_at=None).sent_value == "40.1"


def test_an_original_that_comes_late_is_kept_as_an_older_version(
    door: FhirDoor, patient: Patient
) -> None:
    door.post(observation(valueQuantity=quantity("40.1"), issued="2026-11-03T08:00:00+09:00"))

    late = door.post()

    assert late.status_code == 200
    assert Result.objects.get(superseded_at=None).sent_value == "40.1"
    assert Result.objects.count() == 2


def test_a_retraction_leaves_no_value(door: FhirDoor, patient: Patient) -> None:
    door.post()

    answer = door.post(observation(status="entered-in-error", issued="2026-11-04T08:00:00+09:00"))

    assert answer.status_code == 200
    assert answer.json()["status"] == "entered-in-error"
    assert Result.objects.get(superseded_at=None).value is None


def test_a_parked_result_has_an_id_by_which_it_can_be_put_right(
    door: FhirDoor, patient: Patient
) -> None:
    parked = door.post(observation(valueQuantity=quantity("37.50", "U/mL")))

    answer = door.put(
        f"/{parked.json()['id']}",
        observation(id=parked.json()["id"], issued="2026-11-03T08:00:00+09:00"),
    )

    assert parked.status_code == 201
    assert parked.json()["meta"]["tag"][0]["code"] == "parked"
    assert "tag" not in answer.json()["meta"]
    assert answer.status_code == 200
    assert answer.json()["id"] == parked.json()["id"]
    assert str(Result.objects.get().public_id) == parked.json()["id"]


def test_what_waits_already_is_given_back_by_a_conditional_create(door: FhirDoor) -> None:
    name = "identifier=urn:north:result|R-1"
    first = door.post(If_None_Exist=name)

    second = door.post(observation(valueQuantity=quantity("40.1")), If_None_Exist=name)

    assert [first.status_code, second.status_code] == [201, 200]
    assert second.json() == first.json()
    assert Parked.objects.count() == 1


def test_a_correction_that_must_wait_is_shown_as_waiting(door: FhirDoor, patient: Patient) -> None:
    first = door.post()

    second = door.post(
        observation(valueQuantity=quantity("40.1", "U/mL"), issued="2026-11-03T08:00:00+09:00")
    )

    assert second.status_code == 201
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["meta"]["tag"][0]["code"] == "parked"
    assert door.get(f"/Observation/{first.json()['id']}").json() == first.json()


def test_what_waits_beside_a_version_is_not_shown_as_that_version(
    door: FhirDoor, patient: Patient
) -> None:
    door.put("/lab-1", observation(id="lab-1"))
    another = observation(
        id="lab-1",
        valueQuantity=quantity("39.5"),
        subject={"identifier": {"system": "urn:clinic:mrn", "value": "0099"}},
        meta={"versionId": "1"},
    )

    waits, again = door.put("/lab-1", another), door.put("/lab-1", another)

    for answer in (waits, again):
        assert answer.status_code == 200
        assert answer.json()["valueQuantity"]["value"] == 39.5
        assert answer.json()["meta"]["tag"][0]["code"] == "parked"
        assert "versionId" not in answer.json()["meta"]
        assert not answer.has_header("ETag")
        assert answer["Location"] == "/fhir/Observation/lab-1"
    assert door.put("/lab-1", observation(id="lab-1"), If_Match='W/"1"')["ETag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("prefer", "kind"),
    [
        ("return=minimal", None),
        ("return=representation", "Observation"),
        ("return=OperationOutcome", "OperationOutcome"),
        ("handling=strict, return=OperationOutcome", "OperationOutcome"),
        ("respond-async", "Observation"),
    ],
)
def test_the_client_says_what_it_would_like_back(
    door: FhirDoor, patient: Patient, prefer: str, kind: str | None
) -> None:
    answer = door.post(Prefer=prefer)

    assert answer.status_code == 201
    assert answer["Location"]
    assert (answer.json()["resourceType"] if answer.content else None) == kind


def test_why_a_result_waits_is_told_to_who_asks(door: FhirDoor) -> None:
    answer = door.post(Prefer="return=OperationOutcome")

    [issue] = answer.json()["issue"]
    assert answer.status_code == 201
    assert issue["severity"] == "warning"
    assert issue["code"] == "incomplete"


# Conditions


@pytest.mark.parametrize("form", ["header", "query"])
def test_a_conditional_create_makes_a_result_once(
    door: FhirDoor, patient: Patient, form: str
) -> None:
    def create(value: str) -> Any:
        message = observation(valueQuantity=quantity(value))
        condition = "identifier=urn:north:result|R-1"
        if form == "header":
            return door.post(message, If_None_Exist=condition)
        return door.ask("POST", f"/Observation?{condition}", message)

    first, second = create("37.50"), create("40.1")

    assert first.status_code == 201
    assert second.status_code == 200
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["valueQuantity"]["value"] == 37.5
    assert Result.objects.get().sent_value == "37.50"


def test_a_conditional_update_makes_then_corrects(door: FhirDoor, patient: Patient) -> None:
    address = "?identifier=urn:north:result|R-1"

    first = door.put(address, observation())
    second = door.put(
        address,
        observation(valueQuantity=quantity("40.1"), issued="2026-11-03T08:00:00+09:00"),
    )

    assert [first.status_code, second.status_code] == [201, 200]
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["meta"]["versionId"] == "2"


def test_an_update_creates_at_the_address_that_the_client_chose(
    door: FhirDoor, patient: Patient
) -> None:
    first = door.put("/lab-1", observation(id="lab-1"))
    second = door.put(
        "/lab-1",
        observation(id="lab-1", valueQuantity=quantity("40.1"), issued="2026-11-03T08:00:00+09:00"),
    )

    assert [first.status_code, second.status_code] == [201, 200]
    assert first.json()["id"] == second.json()["id"] == "lab-1"
    assert second["Location"] == "/fhir/Observation/lab-1/_history/2"


def test_if_match_names_the_version_that_is_replaced(door: FhirDoor, patient: Patient) -> None:
    door.put("/lab-1", observation(id="lab-1"))
    changed = observation(id="lab-1", valueQuantity=quantity("40.1"))

    stale = door.put("/lab-1", changed, If_Match='W/"7"')
    fresh = door.put("/lab-1", changed, If_Match='W/"1"')

    assert stale.status_code == 412
    assert stale.json()["issue"][0]["code"] == "conflict"
    assert fresh.status_code == 200
    assert fresh["ETag"] == 'W/"2"'


@pytest.mark.parametrize("etag", ['W/"1"', '"1"', 'W/"7", W/"1"', "*"])
def test_if_match_may_name_several_versions_or_any(
    door: FhirDoor, patient: Patient, etag: str
) -> None:
    changed = observation(id="lab-1", valueQuantity=quantity("40.1"))

    nothing = door.put("/lab-1", changed, If_Match=etag)
    door.put("/lab-1", observation(id="lab-1"))
    answer = door.put("/lab-1", changed, If_Match=etag)

    assert (nothing.status_code, answer.status_code) == (412, 200)
    assert answer["ETag"] == 'W/"2"'


@pytest.mark.parametrize(
    "etag", ["1", '*, W/"1"', 'W/"2",', 'W/"0"', 'W/"x"', '"a b"', 'W/"99999999999999999999999"']
)
def test_an_etag_that_never_was_replaces_nothing(
    door: FhirDoor, patient: Patient, etag: str
) -> None:
    door.put("/lab-1", observation(id="lab-1"))

    answer = door.put(
        "/lab-1", observation(id="lab-1", valueQuantity=quantity("40.1")), If_Match=etag
    )

    assert answer.status_code in (400, 412)
    assert Result.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "address", "headers"),
    [
        ("POST", "/Observation?status=final", {}),
        ("POST", "/Observation", {"If_None_Exist": "subject=x"}),
        ("POST", "/Observation", {"If_None_Exist": ""}),
        ("POST", "/Observation", {"If_None_Exist": "identifier=unknown"}),
        ("POST", "/Observation", {"If_None_Match": "*"}),
        ("PUT", "/Observation?code=x", {}),
        ("PUT", "/Observation", {}),
        ("PUT", "/Observation/a", {}),
        ("PUT", "/Observation/a", {"If_None_Exist": "identifier=a|b"}),
    ],
)
def test_a_condition_that_is_not_understood_is_refused_and_never_ignored(
    door: FhirDoor, patient: Patient, method: str, address: str, headers: dict[str, str]
) -> None:
    answer = door.ask(method, address, observation(), **headers)

    assert answer.status_code in (400, 412)
    assert not Inbound.objects.exists()


# Bundles


def test_a_transaction_is_taken_whole(door: FhirDoor, patient: Patient) -> None:
    answer = door.bundle(
        entry(observation()),
        entry(observation(identifier=named("R-2"), code={"coding": [{"code": "IL-6"}]})),
    )

    told = answer.json()
    assert answer.status_code == 200
    assert told["type"] == "transaction-response"
    assert [each["response"]["status"] for each in told["entry"]] == ["201 Created"] * 2
    assert all(each["response"]["etag"] == 'W/"1"' for each in told["entry"])
    assert Result.objects.count() == 2


def test_a_transaction_with_one_fault_stores_nothing(door: FhirDoor, patient: Patient) -> None:
    answer = door.bundle(entry(observation()), entry(observation(status="F")))

    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.status"]
    assert not Inbound.objects.exists()
    assert not ResultName.objects.exists()


def test_a_transaction_with_a_stale_version_stores_nothing(
    door: FhirDoor, patient: Patient
) -> None:
    door.put("/lab-1", observation(id="lab-1"))

    answer = door.bundle(
        entry(observation(identifier=named("R-2"), code={"coding": [{"code": "IL-6"}]})),
        entry(
            observation(id="lab-1", valueQuantity=quantity("40.1")),
            method="PUT",
            url="Observation/lab-1",
            ifMatch='W/"7"',
        ),
    )

    assert answer.status_code == 412
    assert Result.objects.count() == 1


def test_a_transaction_may_not_reach_one_result_by_two_names(
    door: FhirDoor, patient: Patient
) -> None:
    """That they are one is known only to the record: neither entry names what the other does."""
    door.put("/lab-1", observation(id="lab-1"))

    answer = door.bundle(
        entry(observation(id="lab-1", identifier=None), method="PUT", url="Observation/lab-1"),
        entry(observation(valueQuantity=quantity("40.1"))),
    )

    assert answer.status_code == 400
    assert answer.json()["issue"][0]["code"] == "duplicate"
    assert Result.objects.count() == 1


def test_a_batch_takes_what_it_can(door: FhirDoor, patient: Patient) -> None:
    door.put("/lab-1", observation(id="lab-1"))

    answer = door.bundle(
        entry(observation(status="F")),
        entry(observation(identifier=named("R-2"), code={"coding": [{"code": "IL-6"}]})),
        entry(
            observation(id="lab-1", valueQuantity=quantity("40.1")),
            method="PUT",
            url="Observation/lab-1",
            ifMatch='W/"7"',
        ),
        {"request": {"method": "GET", "url": "Observation/lab-1"}},
        {"request": {"method": "DELETE", "url": "Observation/lab-1"}},
        entry(observation(identifier=named("R-3"), subject={"identifier": {"value": "9999"}})),
        {"request": {"method": "GET", "url": "Patient/1"}},
        kind="batch",
    )

    entries = answer.json()["entry"]
    assert answer.status_code == 200
    assert [each["response"]["status"][:3] for each in entries] == [
        *("400", "201", "412", "200", "405", "201", "404")
    ]
    assert entries[3]["resource"]["id"] == "lab-1"
    assert entries[5]["resource"]["meta"]["tag"][0]["code"] == "parked"
    assert entries[0]["response"]["outcome"]["issue"][0]["expression"] == [
        "Bundle.entry[0].resource.status"
    ]


def test_a_batch_may_correct_what_it_brings(door: FhirDoor, patient: Patient) -> None:
    answer = door.bundle(
        entry(observation()),
        entry(observation(valueQuantity=quantity("40.1"), issued="2026-11-03T08:00:00+09:00")),
        kind="batch",
    )

    first, second = answer.json()["entry"]
    assert first["response"]["status"] == "201 Created"
    assert second["response"]["status"] == "200 OK"
    assert Result.objects.get(superseded_at=None).sent_value == "40.1"


# The door


def test_the_door_opens_with_and_without_a_slash(door: FhirDoor, patient: Patient) -> None:
    message = {"resourceType": "Bundle", "type": "batch", "entry": [entry(observation())]}

    assert door.ask("POST", "", message).status_code == 200
    assert door.ask("POST", "/", message).status_code == 200
    assert door.ask("POST", "/Observation/", observation()).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/fhir+json", 201),
        ("application/json", 201),
        ("application/fhir+json; charset=utf-8", 201),
        ("application/json;charset=UTF-8", 201),
        ("application/fhir+json; fhirVersion=4.0", 201),
        ("application/fhir+json; fhirVersion=5.0", 415),
        ("application/fhir+json; fhirVersion=3.0", 415),
        ("application/fhir+json; charset=iso-8859-1", 415),
        ("application/fhir+xml", 415),
        ("application/xml", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("nonsense", 415),
    ],
)
def test_only_json_of_r4_in_utf8_is_taken(
    door: FhirDoor, patient: Patient, content_type: str, status: int
) -> None:
    answer = door.ask("POST", "/Observation", observation(), content_type=content_type)

    assert answer.status_code == status
    assert answer.json()["resourceType"] == ("Observation" if status == 201 else "OperationOutcome")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 201),
        ("application/fhir+json, */*; q=0.1", 201),
        ("*/*", 201),
        ("application/json", 201),
        ("application/fhir+json; fhirVersion=4.0", 201),
        ("application/fhir+json; fhirVersion=5.0", 406),
        ("application/fhir+xml", 406),
        ("text/html", 406),
    ],
)
def test_only_json_of_r4_is_answered(
    door: FhirDoor, patient: Patient, accept: str, status: int
) -> None:
    answer = door.post(Accept=accept)

    assert answer.status_code == status
    assert Inbound.objects.exists() == (status == 201)


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("PATCH", "/Observation/1"),
        ("DELETE", "/Observation/1"),
        ("PATCH", "/Observation"),
        ("DELETE", "/Observation?identifier=a|b"),
        ("PUT", ""),
        ("DELETE", ""),
    ],
)
def test_nothing_is_patched_or_deleted(door: FhirDoor, method: str, address: str) -> None:
    answer = door.ask(method, address, observation())

    assert answer.status_code == 405
    assert answer["Allow"]
    assert answer.json()["issue"][0]["code"] == "not-supported"


@pytest.mark.parametrize("address", ["/Patient", "/Patient/1", "/Observation/1/2/3", "/x", "/$y"])
def test_what_is_not_there_is_said_in_fhir(door: FhirDoor, address: str) -> None:
    answer = door.ask("POST", address, observation())

    assert answer.status_code == 404
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_without_a_live_key_nobody_comes_in(patient: Patient) -> None:
    answer = Client().post("/fhir/Observation", body_of({"name": "x"}), content_type=FHIR)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["issue"][0]["code"] == "login"
    assert not Inbound.objects.exists()


def test_an_empty_message_is_refused(door: FhirDoor) -> None:
    answer = door.ask("POST", "/Observation", b"")

    assert answer.status_code in (400, 415)
