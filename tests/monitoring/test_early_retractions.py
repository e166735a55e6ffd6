"""A retraction that had to wait counts once what it takes back is on record, in every order."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from monitoring import ingest
from patients.models import CareTeam, Clinician, Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from tests.conftest import MONDAY
from tests.factories import ClinicianFactory, IdentifierFactory
from tests.monitoring.fhir_door import FhirDoor, entry
from tests.monitoring.test_retractions_at_the_doors import bare, current, push
from tests.patients.fhir_messages import named, observation
from tests.patients.hl7v2_messages import BASE, message
from tests.patients.tables import table_of

pytestmark = pytest.mark.django_db
Step = Callable[[], Any]
OF_NOBODY = {"identifier": {"system": "urn:clinic:mrn", "value": "77"}}


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


@pytest.fixture
def clinician(team: CareTeam) -> Clinician:
    return ClinicianFactory.create(teams=[team])


def by_id(door: FhirDoor) -> tuple[Step, Step]:
    return (
        lambda: door.put("/rx1", observation(id="rx1", subject=None) | {"subject": OF_NOBODY}),
        lambda: door.put("/rx1", bare("entered-in-error")),
    )


def by_identifier(door: FhirDoor) -> tuple[Step, Step]:
    r1 = named("r-1")
    sent = observation(identifier=r1, subject=None) | {"subject": OF_NOBODY}
    gone = {name: part for name, part in bare("cancelled").items() if name != "id"}
    return (lambda: door.post(sent), lambda: door.post(gone | {"identifier": r1}))


def by_order_and_code(door: FhirDoor) -> tuple[Step, Step]:
    change = {"OBX-3": "sIL-6R^sIL-6R^L", "PID-3": "77^^^urn:clinic:mrn^MR"}
    later = {"MSH-10": "M-2", "OBX-11": "D", "PID-3": "", "OBR-22": "20261102111000+0100"}
    where = {"address": "/hl7v2", "kind": "application/hl7-v2"}
    return (
        lambda: push(door, message(change=change), **where),
        lambda: push(door, message(change=change | later), **where),
    )


def by_accession(door: FhirDoor) -> tuple[Step, Step]:
    where = {"address": "/api/v1/results", "kind": "text/csv"}
    gone = {"patient": "78", "value": "", "unit": "", "status": "entered-in-error"}
    return (
        lambda: push(door, table_of({"patient": "77"}), **where),
        lambda: push(door, table_of(gone), **where),
    )


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("said", [by_id, by_identifier, by_order_and_code, by_accession])
def test_it_counts_in_every_order_with_the_original_and_the_enrolment(
    door: FhirDoor,
    patient: Patient,
    said: Callable[[FhirDoor], tuple[Step, Step]],
    order: tuple[int, ...],
) -> None:
    def enrol() -> None:
        IdentifierFactory.create(patient=patient, system="urn:clinic:mrn", value="77")
        ingest.replay_parked(at=MONDAY)

    steps = [*said(door), enrol]
    for each in order:
        steps[each]()

    status, value = current()
    assert status in {"entered-in-error", "cancelled"}
    assert value is None
    assert not Parked.objects.filter(state="waiting").exists()


def test_the_original_is_told_as_late(door: FhirDoor, patient: Patient) -> None:
    first = door.put("/rx1", bare("entered-in-error"))

    answer = door.put("/rx1", observation(id="rx1"), Prefer="return=OperationOutcome")

    assert first.status_code == 201
    assert (answer.status_code, answer["ETag"]) == (200, 'W/"2"')
    assert "late: sIL-6R" in answer.content.decode()
    found = door.get("/Observation/rx1").json()
    assert (found["status"], found["meta"]["versionId"]) == ("entered-in-error", "2")
    assert Parked.objects.get().ended_by == "rule:replay"


def test_it_counts_when_a_person_matches_the_original(
    door: FhirDoor, patient: Patient, clinician: Clinician
) -> None:
    original, retraction = by_id(door)
    retraction()
    original()

    ingest.match_parked(
        parked=Parked.objects.get(report__results__0__status="final"),
        patient=patient,
        by=clinician,
        at=MONDAY,
    )

    assert current() == ("entered-in-error", None)
    assert not Parked.objects.filter(state="waiting").exists()


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_it_counts_before_its_original_in_one_message(
    door: FhirDoor, patient: Patient, kind: str
) -> None:
    gone = entry(bare("entered-in-error", id="rx1"), method="PUT", url="Observation/rx1")
    sent = entry(observation(identifier=named("r-1")))
    gone["resource"]["identifier"] = named("r-1")

    answer = door.bundle(gone, sent, kind=kind)

    if kind == "transaction":  # two entries of one identity
        assert answer.status_code == 400
        return
    assert current() == ("entered-in-error", None)


def test_what_was_issued_after_it_stays(door: FhirDoor, patient: Patient) -> None:
    door.put("/rx1", bare("entered-in-error", issued="2026-11-02T09:00:00Z"))

    door.put("/rx1", observation(id="rx1", issued="2026-11-02T11:00:00Z"))

    assert current()[0] == "final"
    assert Result.objects.filter(superseded_at__isnull=False).count() == 1


def test_one_that_names_another_patient_waits_for_a_person(
    door: FhirDoor, patient: Patient
) -> None:
    IdentifierFactory.create(system="urn:clinic:mrn", value="0099")
    other = {"identifier": {"system": "urn:clinic:mrn", "value": "0099"}}
    door.put("/rx1", bare("entered-in-error", subject=other))

    door.put("/rx1", observation(id="rx1"))

    assert current()[0] == "final"
    assert "accession_belongs_to_another_patient" in Parked.objects.get().reasons


def test_what_is_taken_back_by_its_name_need_not_say_a_code_that_is_known(
    door: FhirDoor, patient: Patient
) -> None:
    door.put("/rx1", observation(id="rx1"))

    door.put("/rx1", bare("entered-in-error", code={"text": "wrong sample"}))

    assert current() == ("entered-in-error", None)


ORDER = "OBR|1||T-1|{code}|||20261001080000+0100|||||||||||||||20261102111000+0100|||{letter}"


def send_order(door: FhirDoor, code: str, letter: str, *more: str, number: str) -> Any:
    lines = [
        BASE[0].replace("M-1", number),
        BASE[1],
        ORDER.format(code=code, letter=letter),
        *more,
    ]
    body = "".join(f"{line}\r" for line in lines).encode()
    return push(door, body, address="/hl7v2", kind="application/hl7-v2")


@pytest.mark.parametrize("is_first", [True, False])
def test_an_order_of_one_analyte_that_is_cancelled_without_a_result(
    door: FhirDoor, patient: Patient, is_first: bool
) -> None:
    sent = ("sIL-6R", "F", "OBX|1|NM|sIL-6R||30|ng/mL|||||F")
    gone = ("sIL-6R", "X")
    steps = [gone, sent] if is_first else [sent, gone]
    for n, (code, letter, *more) in enumerate(steps):
        answer = send_order(door, code, letter, *more, number=f"M-{n}")
        assert b"MSA|AA" in answer.content

    assert current() == ("cancelled", None)
    assert not Parked.objects.exists()


def test_a_panel_of_another_number_that_is_cancelled_without_results_waits(
    door: FhirDoor, patient: Patient
) -> None:
    send_order(door, "CYT^Cytokines", "F", "OBX|1|NM|sIL-6R||30|ng/mL|||||F", number="M-1")

    lines = [BASE[0].replace("M-1", "M-2"), BASE[1], ORDER.format(code="CYT^C", letter="X")]
    body = "".join(f"{line}\r" for line in lines).replace("T-1", "T-2").encode()
    answer = push(door, body, address="/hl7v2", kind="application/hl7-v2")

    assert b"MSA|AA|M-2|1 parked" in answer.content
    assert current()[0] == "final"


def test_an_order_without_results_that_is_not_cancelled_is_refused(
    door: FhirDoor, patient: Patient
) -> None:
    assert b"MSA|AE" in send_order(door, "sIL-6R", "F", number="M-1").content


def report_of(*values: str, **change: Any) -> Any:
    codes = [("sIL-6R", "ng/mL"), ("IL-6", "pg/mL")]
    contained = [
        observation(
            code={"coding": [{"code": code}]},
            valueQuantity={"value": float(value), "unit": unit, "code": unit},
            id=f"c{n}",
            identifier=None,
        )
        for n, ((code, unit), value) in enumerate(zip(codes, values, strict=False))
    ]
    return {
        "resourceType": "DiagnosticReport",
        "identifier": named("A-17", system="urn:north:report"),
        "status": "final",
        "code": {"text": "cytokines"},
        "contained": contained,
        "result": [{"reference": f"#{each['id']}"} for each in contained],
    } | change


def gone_report(status: str = "cancelled", **change: Any) -> Any:
    said = report_of(status=status)
    return {
        name: part for name, part in said.items() if name not in {"contained", "result"}
    } | change


def states() -> list[str]:
    current_results = Result.objects.filter(superseded_at=None).order_by("pk")
    return list(current_results.values_list("status", flat=True))


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_whole_report_that_is_taken_back_takes_back_its_results_in_either_order(
    door: FhirDoor, patient: Patient, status: str, *, is_first: bool
) -> None:
    steps = [report_of("37.5", "4.1"), gone_report(status)]
    for step in reversed(steps) if is_first else steps:
        answer = door.ask("POST", "/DiagnosticReport", step)
        assert answer.status_code in {200, 201}

    assert states() == [status, status]
    assert not Parked.objects.filter(state="waiting").exists()


def test_so_it_does_by_the_id_of_the_report(door: FhirDoor, patient: Patient) -> None:
    gone, sent = (
        {name: part for name, part in each.items() if name != "identifier"} | {"id": "A-17"}
        for each in (gone_report(), report_of("37.5", "4.1"))
    )
    door.ask("PUT", "/DiagnosticReport/A-17", gone)
    answer = door.ask("PUT", "/DiagnosticReport/A-17", sent)

    assert answer.status_code in {200, 201}
    assert states() == ["cancelled", "cancelled"]
    assert door.get("/DiagnosticReport/A-17").json()["status"] == "cancelled"


def test_and_when_the_patient_is_enrolled_after_both(door: FhirDoor, patient: Patient) -> None:
    sent = report_of("37.5", "4.1")
    for each in sent["contained"]:
        each["subject"] = OF_NOBODY
    door.ask("POST", "/DiagnosticReport", gone_report(subject=OF_NOBODY))
    door.ask("POST", "/DiagnosticReport", sent)

    IdentifierFactory.create(patient=patient, system="urn:clinic:mrn", value="77")
    ingest.replay_parked(at=MONDAY)

    assert states() == ["cancelled", "cancelled"]
    assert not Parked.objects.filter(state="waiting").exists()


def test_and_within_one_batch(door: FhirDoor, patient: Patient) -> None:
    door.bundle(entry(gone_report()), entry(report_of("37.5", "4.1")), kind="batch")

    assert states() == ["cancelled", "cancelled"]


def test_a_report_issued_after_it_was_taken_back_stays(door: FhirDoor, patient: Patient) -> None:
    door.ask("POST", "/DiagnosticReport", gone_report(issued="2026-11-02T09:00:00Z"))
    sent = report_of("37.5", "4.1", issued="2026-11-02T11:00:00Z")
    for each in sent["contained"]:
        each["issued"] = "2026-11-02T11:00:00Z"

    door.ask("POST", "/DiagnosticReport", sent)

    assert states() == ["final", "final"]


def test_what_takes_back_one_report_says_nothing_of_one_whose_number_goes_on(
    door: FhirDoor, patient: Patient
) -> None:
    longer = named("A-17#1", system="urn:north:report")
    door.ask("POST", "/DiagnosticReport", gone_report())
    door.ask("POST", "/DiagnosticReport", report_of("37.5", identifier=longer))
    door.ask("POST", "/DiagnosticReport", gone_report("entered-in-error"))

    assert states() == ["final"]


def test_a_report_taken_back_for_another_patient_waits(door: FhirDoor, patient: Patient) -> None:
    IdentifierFactory.create(system="urn:clinic:mrn", value="0099")
    other = {"identifier": {"system": "urn:clinic:mrn", "value": "0099"}}
    door.ask("POST", "/DiagnosticReport", gone_report(subject=other))

    door.ask("POST", "/DiagnosticReport", report_of("37.5", "4.1"))

    assert states() == ["final", "final"]
    [waiting] = Parked.objects.filter(state="waiting")
    assert "accession_belongs_to_another_patient" in waiting.reasons
