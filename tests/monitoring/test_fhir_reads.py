"""What a laboratory reads back by the FHIR door: its own results, as it sent them."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from monitoring.fhir.capability import STATEMENT
from patients.intake.setting_aside import reject
from patients.models import Laboratory, Parked, Patient, Result
from patients.record.laboratories import add_laboratory, issue_key
from tests.conftest import MONDAY, draw
from tests.factories import ClinicianFactory
from tests.monitoring.fhir_door import FhirDoor, entry
from tests.patients.fhir_messages import CASES, Tree, body_of, named, observation, quantity

pytestmark = pytest.mark.django_db

LATER = "2026-11-03T08:00:00+09:00"


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


@pytest.fixture
def other_door() -> FhirDoor:
    other = add_laboratory(
        name="South laboratory",
        zone=ZoneInfo("Asia/Tokyo"),
        pushes_per_minute=None,
        by="operator",
        at=MONDAY,
    )
    return FhirDoor(issue_key(laboratory=other, by="operator", at=MONDAY))


def said_by(resource: Tree) -> Tree:
    """What the client said; the id, the version and the status are this side's."""
    return {name: part for name, part in resource.items() if name not in ("id", "meta", "status")}


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["name"]) for case in CASES if "stored" in case]
)
def test_a_result_is_read_back_as_it_was_sent(
    case: dict[str, Any], door: FhirDoor, patient: Patient
) -> None:
    body = body_of(case)
    made = door.post(body)

    answer = door.get(f"/Observation/{made.json()['id']}")

    assert answer.status_code == 200
    assert answer["ETag"] == 'W/"1"'
    assert answer.json() == made.json()
    assert said_by(answer.json()) == said_by(json.loads(body))


@pytest.mark.parametrize("status", ["corrected", "final"])
def test_another_time_of_the_same_value_is_read_back_as_it_was_sent(
    status: str, door: FhirDoor, patient: Patient
) -> None:
    made = door.post().json()
    moved = observation(
        status=status, effectiveDateTime="2026-11-01T08:10:00+09:00", issued="2026-11-02T17:00:00Z"
    )

    answer = door.post(moved)

    assert answer.json()["meta"]["versionId"] == "2"
    read = door.get(f"/Observation/{made['id']}").json()
    assert (read["status"], said_by(read)) == (status, said_by(answer.json()))
    assert read["effectiveDateTime"] == "2026-11-01T08:10:00+09:00"


def test_a_corrected_result_stays_corrected_when_its_time_is_put_right(
    door: FhirDoor, patient: Patient
) -> None:
    door.post()
    changed = quantity("39.10")
    door.post(observation(valueQuantity=changed, status="corrected", issued="2026-11-02T17:00:00Z"))

    moved = door.post(
        observation(
            valueQuantity=changed,
            effectiveDateTime="2026-11-01T08:10:00+09:00",
            issued="2026-11-02T18:00:00Z",
        )
    )

    assert (moved.json()["status"], moved.json()["meta"]["versionId"]) == ("corrected", "3")


def test_the_digits_come_back_as_they_went(door: FhirDoor, patient: Patient) -> None:
    made = door.post()

    answer = door.get(f"/Observation/{made.json()['id']}")

    assert b'"value":37.50,' in answer.content


@pytest.mark.parametrize(
    ("more", "told"),
    [("_count=1", 1), ("_count=50&_sort=-date&_total=accurate", 1), ("_count=0", 0)],
)
def test_how_much_is_told_may_be_said_beside_the_search(
    door: FhirDoor, patient: Patient, more: str, told: int
) -> None:
    door.post()

    bundle = door.get(f"/Observation?identifier=urn:north:result|R-1&{more}").json()

    assert (bundle["total"], len(bundle.get("entry", []))) == (1, told)


def test_a_count_that_is_none_is_refused(door: FhirDoor) -> None:
    answer = door.get("/Observation?identifier=urn:north:result|R-1&_count=many")

    assert answer.status_code == 400


def test_a_result_is_found_by_its_identifier(door: FhirDoor, patient: Patient) -> None:
    made = door.post()

    for search in ("urn:north:result|R-1", "R-1", "urn%3Anorth%3Aresult%7CR-1"):
        told = door.get(f"/Observation?identifier={search}").json()
        assert told["type"] == "searchset"
        assert told["total"] == 1
        assert told["entry"][0]["resource"] == made.json()


def test_what_is_not_there_is_an_empty_answer(door: FhirDoor) -> None:
    told = door.get("/Observation?identifier=urn:north:result|R-9").json()

    assert told.pop("link")[0]["relation"] == "self"
    assert told == {"resourceType": "Bundle", "type": "searchset", "total": 0}


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?identifier=a|b&status=final", "?identifier=a,b|c", "?_count=5"]
)
def test_another_search_is_refused_and_never_half_answered(door: FhirDoor, query: str) -> None:
    answer = door.get(f"/Observation{query}")

    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_every_version_can_be_read(door: FhirDoor, patient: Patient) -> None:
    door.put("/lab-1", observation(id="lab-1"))
    door.put("/lab-1", observation(id="lab-1", valueQuantity=quantity("40.1"), issued=LATER))

    told = door.get("/Observation/lab-1/_history").json()
    first = door.get("/Observation/lab-1/_history/1")
    missing = door.get("/Observation/lab-1/_history/3")

    assert told["type"] == "history"
    assert [each["resource"]["meta"]["versionId"] for each in told["entry"]] == ["2", "1"]
    assert [each["resource"]["status"] for each in told["entry"]] == ["corrected", "final"]
    assert first.json()["valueQuantity"]["value"] == 37.5
    assert first["ETag"] == 'W/"1"'
    assert missing.status_code == 404


@pytest.mark.parametrize("known", ['W/"1"', '"1"', 'W/"7", W/"1"', "*"])
def test_a_version_that_the_client_has_is_not_sent_again(
    door: FhirDoor, patient: Patient, known: str
) -> None:
    made = door.post()

    answer = door.get(f"/Observation/{made.json()['id']}", If_None_Match=known)

    assert answer.status_code == 304
    assert not answer.content


@pytest.mark.parametrize("known", ['W/"7"', "1", ""])
def test_another_version_is(door: FhirDoor, patient: Patient, known: str) -> None:
    made = door.post()

    assert door.get(f"/Observation/{made.json()['id']}", If_None_Match=known).status_code == 200


def test_the_address_of_a_search_says_how_many_were_asked_for(
    door: FhirDoor, patient: Patient
) -> None:
    made = door.post().json()["id"]

    [link] = door.get(f"/Observation?_id={made}&_count=1").json()["link"]

    assert link["url"].endswith(f"/Observation?_id={made}&_count=1")


def test_a_laboratory_reads_nothing_of_another(
    door: FhirDoor, other_door: FhirDoor, patient: Patient
) -> None:
    made = door.post().json()

    assert other_door.get(f"/Observation/{made['id']}").status_code == 404
    assert other_door.get(f"/Observation/{made['id']}/_history").status_code == 404
    assert other_door.get(f"/Observation/{made['id']}/_history/1").status_code == 404
    assert other_door.get("/Observation?identifier=urn:north:result|R-1").json()["total"] == 0


def test_a_laboratory_changes_nothing_of_another(
    door: FhirDoor, other_door: FhirDoor, patient: Patient
) -> None:
    """The same address and the same identifier mean a result of its own."""
    made = door.post().json()

    answer = other_door.put(
        f"/{made['id']}",
        observation(
            id=made["id"], valueQuantity=quantity("99"), code={"coding": [{"code": "IL-6"}]}
        ),
    )

    assert answer.status_code == 201
    assert door.get(f"/Observation/{made['id']}").json()["valueQuantity"]["value"] == 37.5


def test_the_absence_of_a_result_looks_the_same_whoever_has_it(
    door: FhirDoor, other_door: FhirDoor, patient: Patient
) -> None:
    made = door.post().json()

    theirs = other_door.get(f"/Observation/{made['id']}")
    nobodys = other_door.get("/Observation/0c8f2a3e-5b1d-4f4e-9a55-0f2d5a8b7c61")

    assert theirs.json() == nobodys.json()
    assert theirs.status_code == nobodys.status_code == 404


def test_a_result_of_a_bundle_is_read_back_whole(door: FhirDoor, patient: Patient) -> None:
    person: Tree = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:clinic:mrn", "value": "0042"}],
    }
    sample: Tree = {
        "resourceType": "Specimen",
        "accessionIdentifier": {"value": "A-17"},
        "collection": {"collectedDateTime": "2026-11-02T08:10:00+09:00"},
    }
    made = door.bundle(
        {"fullUrl": "urn:uuid:p", **entry(person)},
        {"fullUrl": "urn:uuid:s", **entry(sample)},
        entry(
            observation(
                subject={"identifier": None, "reference": "urn:uuid:p"},
                specimen={"reference": "urn:uuid:s"},
            )
        ),
    ).json()

    location = made["entry"][2]["response"]["location"]
    resource = door.get(location.removeprefix("/fhir")).json()

    assert resource["subject"] == {"identifier": {"system": "urn:clinic:mrn", "value": "0042"}}
    assert resource["specimen"] == {"reference": "#specimen"}
    assert resource["contained"][0]["accessionIdentifier"] == {"value": "A-17"}


def test_a_result_of_a_report_is_read_back_with_what_it_had_from_it(
    door: FhirDoor, patient: Patient
) -> None:
    made = door.ask("POST", "/DiagnosticReport", observation("report")).json()

    resource = door.get(f"/{made['result'][1]['reference']}").json()

    assert resource["valueQuantity"] == {"value": 0.5, "comparator": "<", "unit": "pg/mL"}
    assert resource["subject"] == {"identifier": {"system": "urn:clinic:mrn", "value": "0042"}}
    assert resource["effectiveDateTime"] == "2026-11-02T08:10:00+09:00"


def test_a_report_is_read_back_with_its_results_as_they_are_now(
    door: FhirDoor, patient: Patient
) -> None:
    made = door.ask("POST", "/DiagnosticReport", observation("report"))
    chosen = door.ask("PUT", "/DiagnosticReport/d-1", observation("report", id="d-1"))

    answer = door.get(made["Location"].removeprefix("/fhir"))
    by_choice = door.get("/DiagnosticReport/d-1")

    assert answer.status_code == by_choice.status_code == 200
    assert answer.json()["result"] == by_choice.json()["result"] == made.json()["result"]
    assert answer.json()["code"] == {"text": "Cytokines"}
    assert chosen.status_code == 200
    assert door.get("/DiagnosticReport/d-2").status_code == 404


def test_a_result_that_came_in_another_tongue_is_told_in_fhir(
    door: FhirDoor, patient: Patient
) -> None:
    Client().post(
        "/api/v1/results",
        json.dumps(draw()).encode(),
        content_type="application/json",
        headers={"Authorization": f"Bearer {door.key}"},
    )

    resource = door.get(f"/Observation/{Result.objects.get().public_id}").json()

    assert resource["valueQuantity"] == {
        "value": 37.5,
        "unit": "ng/mL",
        "system": "http://unitsofmeasure.org",
        "code": "ng/mL",
    }
    assert resource["code"]["coding"][0]["code"] == "sIL-6R"
    assert resource["effectiveDateTime"] == "2026-11-01T23:10:00.000Z"
    assert "subject" not in resource


# The statement of what the door can do


def test_the_statement_is_public_and_names_r4() -> None:
    answer = Client().get("/fhir/metadata")

    assert answer.status_code == 200
    assert answer.json()["fhirVersion"] == "4.0.1"
    assert answer.json()["resourceType"] == "CapabilityStatement"


def test_the_statement_names_smart_on_fhir_and_the_token_endpoint_that_there_is(
    door: FhirDoor,
) -> None:
    security = Client().get("/fhir/metadata").json()["rest"][0]["security"]
    configured = Client().get("/fhir/.well-known/smart-configuration").json()

    # As the SMART App Launch guide has it: the code of the service, and the oauth-uris extension
    assert "SMART-on-FHIR" in [each["coding"][0]["code"] for each in security["service"]]
    [addresses] = security["extension"]
    assert addresses["url"] == (
        "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    )
    assert addresses["extension"] == [{"url": "token", "valueUri": configured["token_endpoint"]}]
    assert Client().post(configured["token_endpoint"]).status_code == 400


OF_OBSERVATION: Tree = STATEMENT["rest"][0]["resource"][0]
OF_REPORT: Tree = STATEMENT["rest"][0]["resource"][1]


def test_each_interaction_that_is_stated_is_done_and_no_other(
    door: FhirDoor, patient: Patient
) -> None:
    done = {
        "create": door.post().status_code == 201,
        "update": door.put("/a", observation(id="a", identifier=named("R-2"))).status_code < 300,
        "read": door.get("/Observation/a").status_code == 200,
        "vread": door.get("/Observation/a/_history/1").status_code == 200,
        "history-instance": door.get("/Observation/a/_history").status_code == 200,
        "search-type": door.get("/Observation?identifier=R-1").status_code == 200,
        "patch": door.ask("PATCH", "/Observation/a", observation()).status_code < 300,
        "delete": door.ask("DELETE", "/Observation/a").status_code < 300,
        "history-type": door.get("/Observation/_history").status_code == 200,
    }

    stated = {each["code"] for each in OF_OBSERVATION["interaction"]}
    assert {name for name, is_done in done.items() if is_done} == stated


def test_what_is_stated_of_conditions_is_so(door: FhirDoor, patient: Patient) -> None:
    name = "identifier=urn:north:result|R-1"
    made = door.put(f"?{name}", observation())

    assert OF_OBSERVATION["conditionalUpdate"] == (made.status_code == 201)
    again = door.post(observation(valueQuantity=quantity("1")), If_None_Exist=name)
    assert OF_OBSERVATION["conditionalCreate"] == (again.status_code == 200)
    unchanged = door.get(f"/Observation/{made.json()['id']}", If_None_Match='W/"1"')
    assert (OF_OBSERVATION["conditionalRead"] == "not-match") == (unchanged.status_code == 304)
    gone = door.ask("DELETE", f"/Observation?{name}")
    assert (OF_OBSERVATION["conditionalDelete"] == "not-supported") == (gone.status_code == 405)
    chosen = door.put("/b", observation(id="b", identifier=named("R-2")))
    assert OF_OBSERVATION["updateCreate"] == (chosen.status_code == 201)
    stale = door.put("/b", observation(id="b", valueQuantity=quantity("2")), If_Match='W/"9"')
    assert (OF_OBSERVATION["versioning"] == "versioned-update") == (stale.status_code == 412)


def test_each_search_that_is_stated_is_answered(door: FhirDoor, patient: Patient) -> None:
    made = door.post().json()
    values = {"identifier": "urn:north:result|R-1", "_id": made["id"]}

    for parameter in OF_OBSERVATION["searchParam"]:
        told = door.get(f"/Observation?{parameter['name']}={values[parameter['name']]}").json()
        assert told["total"] == 1


def test_what_is_stated_of_reports_is_so(door: FhirDoor, patient: Patient) -> None:
    report = observation("report")
    done = {
        "create": door.ask("POST", "/DiagnosticReport", report).status_code == 201,
        "update": door.ask("PUT", "/DiagnosticReport/d", report | {"id": "d"}).status_code < 300,
        "read": door.get("/DiagnosticReport/d").status_code == 200,
    }

    assert {name for name, is_done in done.items() if is_done} == {
        each["code"] for each in OF_REPORT["interaction"]
    }


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_each_bundle_that_is_stated_is_taken(door: FhirDoor, patient: Patient, kind: str) -> None:
    assert door.bundle(entry(observation()), kind=kind).json()["type"] == f"{kind}-response"
    assert {"code": kind} in STATEMENT["rest"][0]["interaction"]


FIRST, LATEST = "2026-11-02T09:00:00+09:00", "2026-11-03T09:00:00+09:00"


def test_of_what_waits_the_version_that_was_issued_last_is_shown_whatever_came_last(
    door: FhirDoor,
) -> None:
    door.put("/w", observation(id="w", valueQuantity=quantity("40.1"), issued=LATEST))
    late = door.put("/w", observation(id="w", valueQuantity=quantity("37.5"), issued=FIRST))

    shown = door.get("/Observation/w")
    told = door.get("/Observation/w/_history").json()

    assert late.status_code == 200
    assert shown.json()["valueQuantity"]["value"] == 40.1
    assert shown.json() == late.json()
    assert shown["ETag"] == late["ETag"] == 'W/"1"'
    assert [each["resource"]["meta"]["versionId"] for each in told["entry"]] == ["1", "2"]
    stale = door.put("/w", observation(id="w", valueQuantity=quantity("41")), If_Match='W/"2"')
    right = door.put("/w", observation(id="w", valueQuantity=quantity("41")), If_Match='W/"1"')
    assert (stale.status_code, right.status_code) == (412, 200)


def test_a_retraction_that_waits_outlives_the_original_that_comes_late(door: FhirDoor) -> None:
    taken_back = observation(id="w", status="entered-in-error")
    taken_back.pop("issued", None)
    original = observation(id="w")
    original.pop("issued", None)
    door.put("/w", taken_back)
    door.put("/w", original)

    assert door.get("/Observation/w").json()["status"] == "entered-in-error"


def test_what_was_set_aside_by_a_person_gives_way_to_what_still_waits(
    door: FhirDoor, patient: Patient
) -> None:
    door.put("/w", observation(id="w", valueQuantity=quantity("40.1", "U/mL"), issued=LATEST))
    door.put("/w", observation(id="w", valueQuantity=quantity("37.5", "U/mL"), issued=FIRST))
    reject(
        parked=Parked.objects.order_by("pk")[0],
        reason="not ours",
        by=ClinicianFactory.create(),
        at=MONDAY,
    )

    shown = door.get("/Observation/w").json()

    assert shown["valueQuantity"]["value"] == 37.5
    assert shown["meta"]["tag"][0]["code"] == "parked"


def test_a_client_may_ask_for_what_is_understood_of_its_search(
    door: FhirDoor, patient: Patient
) -> None:
    door.post(observation(identifier=named("r-1")))
    search = "/Observation?identifier=urn:north:result|r-1&patient=7"

    strict = [door.get(search), door.get(search, Prefer="handling=strict")]
    lenient = door.get(search, Prefer="return=minimal; handling=lenient")

    assert [each.status_code for each in strict] == [400, 400]
    assert lenient.json()["total"] == 1
    [link] = lenient.json()["link"]
    assert link["url"].endswith("/fhir/Observation?identifier=urn%3Anorth%3Aresult%7Cr-1")
    assert door.get("/Observation?patient=7", Prefer="handling=lenient").status_code == 400
