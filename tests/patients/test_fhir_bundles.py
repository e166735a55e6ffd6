"""Bundles: what each entry asks for, what belongs together, and what a transaction refuses."""

from typing import Any

import pytest

from patients.intake.fhir import exact_json
from patients.intake.fhir.bundles import Fetch, ReadBundle
from patients.intake.fhir.door import read_request
from patients.intake.fhir.faults import Refused
from patients.intake.fhir.interactions import Asked, Context, Write
from patients.intake.reports import Identifier, PatientNumber
from tests.patients.fhir_messages import Tree, named, observation, quantity

ROOT = Asked("POST", "", None, "")


def entry(resource: Tree, *, method: str = "POST", url: str = "", **request: Any) -> Tree:
    return {
        "resource": resource,
        "request": {"method": method, "url": url or resource["resourceType"], **request},
    }


def bundle(*entries: Tree, kind: str = "transaction") -> bytes:
    return exact_json.write({"resourceType": "Bundle", "type": kind, "entry": list(entries)})


def read(*entries: Tree, kind: str = "transaction") -> ReadBundle:
    found = read_request(ROOT, bundle(*entries, kind=kind))
    assert isinstance(found, ReadBundle)
    return found


def refusal(*entries: Tree, kind: str = "transaction") -> Refused:
    with pytest.raises(Refused) as refused:
        read(*entries, kind=kind)
    return refused.value


PATIENT: Tree = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": "urn:clinic:mrn", "value": "0042"}],
    "name": [{"family": "Invented", "given": ["Ida"]}],
}
SPECIMEN: Tree = {
    "resourceType": "Specimen",
    "id": "s1",
    "accessionIdentifier": {"value": "A-17"},
    "type": {"text": "Serum"},
    "collection": {"collectedDateTime": "2026-11-02T08:10:00+09:00"},
}


def test_what_an_openelis_sends_is_one_result_with_its_surroundings() -> None:
    """A transaction of PUTs with ids made by the client, as FhirTransformServiceImpl makes it."""
    uuid = "4f1c3b8e-0a52-4c0c-9d4e-3a0f7a6f2b11"
    result = observation(
        "openelis",
        subject={"reference": "Patient/p1", "identifier": None},
        specimen={"reference": "Specimen/s1"},
        contained=None,
    )
    found = read(
        entry(PATIENT, method="PUT", url="Patient/p1"),
        entry(SPECIMEN, method="PUT", url="Specimen/s1"),
        entry(
            {"resourceType": "ServiceRequest", "id": "o1", "status": "active", "intent": "order"},
            method="PUT",
            url="ServiceRequest/o1",
        ),
        entry(result, method="PUT", url=f"Observation/{uuid}"),
        entry(
            {
                "resourceType": "DiagnosticReport",
                "id": "d1",
                "status": "final",
                "code": {"text": "sIL-6R"},
                "result": [{"reference": f"Observation/{uuid}"}],
            },
            method="PUT",
            url="DiagnosticReport/d1",
        ),
    )

    patient, specimen, order, write, report = found.steps
    assert all(isinstance(step, Context) for step in (patient, specimen, order, report))
    assert isinstance(write, Write)
    assert write.method == "update"
    assert write.id == uuid
    [draw] = write.draws
    assert draw.accession == "A-17"
    assert draw.patients == (PatientNumber(system="urn:clinic:mrn", value="0042"),)
    assert draw.person is not None
    assert draw.person.family == "Invented"
    assert [time.text for time in draw.times] == [
        "2026-11-02T08:10:00+09:00",
        "2026-11-03T10:00:00+09:00",
    ]
    assert draw.results[0].names == (
        Identifier(system="", value=uuid),
        Identifier(system="http://openelis-global.org/result_uuid", value=uuid),
    )


def test_entries_are_found_by_the_full_url_that_the_client_made_up() -> None:
    result = observation(subject={"reference": "urn:uuid:0a1", "identifier": None})

    found = read({"fullUrl": "urn:uuid:0a1", **entry(PATIENT)}, entry(result))

    write = found.steps[1]
    assert isinstance(write, Write)
    assert write.draws[0].patients == (PatientNumber(system="urn:clinic:mrn", value="0042"),)


def test_a_report_lends_its_results_what_they_do_not_say_themselves() -> None:
    result = observation(id="r1", subject=None, effectiveDateTime=None, issued=None)
    report = observation("report", contained=None, result=[{"reference": "Observation/r1"}])

    found = read(entry(report), entry(result, method="PUT", url="Observation/r1"))

    write = found.steps[1]
    assert isinstance(write, Write)
    [draw] = write.draws
    assert draw.accession == ""  # a report is no sample
    assert draw.patients == (PatientNumber(system="urn:clinic:mrn", value="0042"),)
    assert [time.text for time in draw.times] == [
        "2026-11-02T08:10:00+09:00",
        "2026-11-02T16:00:00+09:00",
    ]


def test_a_report_taken_back_takes_its_results_back() -> None:
    report = observation("report", status="entered-in-error")

    found = read(entry(report))

    write = found.steps[0]
    assert isinstance(write, Write)
    assert [draw.results[0].status for draw in write.draws] == ["entered-in-error"] * 2


def test_a_contained_result_is_named_after_its_report_and_its_code() -> None:
    found = read_request(Asked("POST", "DiagnosticReport", None, ""), exact_json.write(REPORT))

    assert isinstance(found, Write)
    system = "DiagnosticReport?urn:north:report"
    assert [draw.results[0].names for draw in found.draws] == [
        (Identifier(system=system, value="A-17#sIL-6R"),),
        (Identifier(system=system, value="A-17#IL-6"),),
    ]
    assert [draw.accession for draw in found.draws] == ["", ""]


REPORT = observation("report")


@pytest.mark.parametrize(
    ("listed", "expression"),
    [
        (["#r1", "#r2", "#r3"], "DiagnosticReport.result[2].reference"),
        (["#r1"], "DiagnosticReport.contained[1]"),
        (None, "DiagnosticReport.contained[0]"),
    ],
)
def test_a_report_lists_what_it_contains_and_contains_what_it_lists(
    listed: list[str] | None, expression: str
) -> None:
    """R4, ref-1 and dom-3: a result that was lost on the way is not passed over."""
    report = observation("report", result=listed and [{"reference": each} for each in listed])

    with pytest.raises(Refused) as refused:
        read_request(Asked("POST", "DiagnosticReport", None, ""), exact_json.write(report))

    assert refused.value.status == 400
    assert ("invariant", expression) in {
        (fault.code, fault.expression) for fault in refused.value.faults
    }


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_a_heading_over_other_results_is_no_result(kind: str) -> None:
    heading = observation(valueQuantity=None, hasMember=[{"reference": "Observation/r1"}])

    found = read(entry(heading), kind=kind)

    assert isinstance(found.steps[0], Context)


def test_conditions_of_entries_are_read() -> None:
    found = read(
        entry(observation(), ifNoneExist="identifier=urn:north:result|R-1"),
        entry(
            observation(identifier=named("R-2")),
            method="PUT",
            url="Observation?identifier=urn:north:result|R-2",
            ifMatch='W/"3"',
        ),
    )

    create, update = found.steps
    assert isinstance(create, Write)
    assert isinstance(update, Write)
    assert create.condition == Identifier(system="urn:north:result", value="R-1")
    assert update.condition == Identifier(system="urn:north:result", value="R-2")
    assert update.versions == ("3",)


def test_a_batch_goes_on_after_a_fault() -> None:
    found = read(
        entry(observation(status="F")),
        entry(observation(), method="DELETE", url="Observation/1"),
        {"request": {"method": "GET", "url": "Observation/1"}},
        {"resource": {"resourceType": "Observation"}},
        entry({"resourceType": "Immunization"}),
        entry(observation()),
        kind="batch",
    )

    fault, delete, fetch, without_request, foreign, write = found.steps
    assert isinstance(fault, Refused)
    assert fault.status == 400
    assert fault.faults[0].expression == "Bundle.entry[0].resource.status"
    assert isinstance(delete, Refused)
    assert delete.status == 405
    assert isinstance(fetch, Fetch)
    assert isinstance(without_request, Refused)
    assert without_request.faults[0].expression == "Bundle.entry[3].request"
    assert isinstance(foreign, Refused)
    assert foreign.status == 422
    assert isinstance(write, Write)


def test_a_transaction_falls_with_its_first_fault_and_names_them_all() -> None:
    refused = refusal(
        entry(observation()), entry(observation(status="F")), entry(observation(code=None))
    )

    assert refused.status == 400
    assert [fault.expression for fault in refused.faults] == [
        "Bundle.entry[1].resource.status",
        "Bundle.entry[2].resource.code",
    ]


OTHER = observation(identifier=named("R-2"))


@pytest.mark.parametrize(
    "entries",
    [
        [entry(observation()), entry(observation(valueQuantity=quantity("40.1")))],
        [
            entry(observation(), ifNoneExist="identifier=urn:north:result|R-2"),
            entry(OTHER),
        ],
        [
            entry(observation(id="a"), method="PUT", url="Observation/a"),
            entry(observation(id="a", identifier=named("R-2")), method="PUT", url="Observation/a"),
        ],
        [
            entry(observation(), method="PUT", url="Observation?identifier=urn:north:result|R-1"),
            entry(observation()),
        ],
    ],
)
def test_a_transaction_that_names_a_result_twice_is_refused(entries: list[Tree]) -> None:
    refused = refusal(*entries)

    assert refused.status == 400
    assert refused.faults[0].code == "duplicate"
    assert refused.faults[0].expression == "Bundle.entry[1]"


def test_a_batch_may_name_a_result_twice() -> None:
    found = read(entry(observation()), entry(observation()), kind="batch")

    assert all(isinstance(step, Write) for step in found.steps)


@pytest.mark.parametrize("kind", ["document", "message", "collection", "searchset", "history"])
def test_only_batches_and_transactions_are_taken(kind: str) -> None:
    refused = refusal(kind=kind)

    assert refused.status == 422
    assert refused.faults[0].expression == "Bundle.type"


def test_five_hundred_entries_are_taken_and_no_more() -> None:
    entries = [entry(observation(identifier=named(f"R-{n}"))) for n in range(501)]

    assert len(read(*entries[:500]).steps) == 500
    refused = refusal(*entries)
    assert refused.status == 422
    assert refused.faults[0].code == "too-costly"
    assert refused.faults[0].expression == "Bundle.entry"


@pytest.mark.parametrize(
    ("body", "expression"),
    [
        (b"[]", "Bundle"),
        (b"{}", "Bundle"),
        (b'{"resourceType": "Observation"}', "Bundle"),
        (b'{"resourceType": "Bundle"}', "Bundle.type"),
        (b'{"resourceType": "Bundle", "type": "Batch"}', "Bundle.type"),
        (b'{"resourceType": "Bundle", "type": "batch", "entry": {}}', "Bundle.entry"),
        (b'{"resourceType": "Bundle", "type": "batch", "entry": [1]}', "Bundle.entry[0]"),
        (b'{"resourceType": "Bundle", "type": "batch", "entrys": []}', "Bundle.entrys"),
        (b'{"resourceType": "Bundle", "type": "batch", "implicitRules": "x"}', None),
    ],
)
def test_a_fault_of_the_bundle_itself_is_named(body: bytes, expression: str | None) -> None:
    with pytest.raises(Refused) as refused:
        read_request(ROOT, body)

    assert refused.value.status == 400
    assert refused.value.faults[0].expression == (expression or "Bundle.implicitRules")


def test_a_bundle_reads_fifty_results_and_no_more() -> None:
    get = {"request": {"method": "GET", "url": "Observation/1"}}

    assert len(read(*[get] * 50, kind="batch").steps) == 50
    with pytest.raises(Refused) as refused:
        read(*[get] * 51, kind="batch")

    assert refused.value.status == 422
    assert refused.value.faults[0].code == "too-costly"
    assert "at most 50" in refused.value.faults[0].detail


@pytest.mark.parametrize(
    ("method", "url", "resource", "says"),
    [
        ("PUT", "Observation", {}, "condition"),
        ("PUT", "Observation/a", {}, "id"),
        ("PUT", "Observation/a", {"id": "b"}, "id"),
        ("PUT", "Observation/a/b", {"id": "b"}, "url"),
        ("POST", "Observation/a", {}, "PUT"),
        ("POST", "Observation?status=final", {}, "identifier"),
        ("POST", "Observation?identifier=a|1&status=final", {}, "identifier"),
        ("POST", "Observation?identifier=a|1&identifier=a|2", {}, "once"),
        ("POST", "Observation?identifier=a|1,a|2", {}, "commas"),
        ("POST", "Observation?identifier=unknown", {}, "system"),
        ("POST", "Observation?identifier=", {}, "form"),
        ("POST", "Observation?identifier=a|b|c", {}, "form"),
        ("POST", "Observation?identifier:not=a|1", {}, "identifier"),
        ("POST", "Patient", {}, "sent"),
        ("PUT", "Observation/a?identifier=a|1", {"id": "a"}, "both"),
    ],
)
def test_an_address_that_is_not_understood_is_refused(
    method: str, url: str, resource: Tree, says: str
) -> None:
    refused = refusal(entry(observation(**resource), method=method, url=url))

    assert refused.status == 400
    assert says in refused.faults[0].detail


def test_the_form_of_an_answer_is_no_condition() -> None:
    [step] = read(entry(observation(), url="Observation?_format=json&_pretty=true")).steps

    assert isinstance(step, Write)
    assert step.condition is None


def test_an_identifier_without_its_system_is_found_in_the_resource() -> None:
    [step] = read(entry(observation(), url="Observation?identifier=R-1")).steps

    assert isinstance(step, Write)
    assert step.condition == Identifier(system="urn:north:result", value="R-1")


def test_the_name_under_which_a_result_is_looked_for_becomes_one_of_its_names() -> None:
    [step] = read(entry(observation(), ifNoneExist="identifier=urn:other|7")).steps

    assert isinstance(step, Write)
    assert Identifier(system="urn:other", value="7") in step.draws[0].results[0].names
