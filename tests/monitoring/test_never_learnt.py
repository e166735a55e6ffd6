"""Without the scope to read, every answer to a known patient is that to an unknown one, to the id.

Two laboratories say the very same, one of a patient of ours and one of nobody. What they are told
may differ in the number that they sent, in the hour and in the ids, but not in which ids are the
same.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from monitoring import ingest, redis
from patients.models import CareTeam, Laboratory, Parked, Patient, Result
from patients.record.laboratories import issue_key
from patients.record.patients import add_identifier
from tests.conftest import MONDAY, draw
from tests.factories import ClinicianFactory, LaboratoryFactory
from tests.monitoring.fhir_door import entry
from tests.patients.fhir_messages import Tree, named, observation, quantity
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db
OURS, NOBODYS = "0042", "9999"
FHIR, V2, JSON = "application/fhir+json", "application/hl7-v2", "application/json"
Step = tuple[str, str, Any, str]
_AN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AN_HOUR = re.compile(r'"lastUpdated": ?"[^"]*"|"lastModified": ?"[^"]*"|\|\d{14,20}(\+\d{4})?')


def sil6r(value: str = "30", name: str = "", **more: Any) -> Tree:
    """Make an Observation without a name of its own, unless one is given."""
    said = {"valueQuantity": quantity(value), "identifier": None} | more
    made = observation(**said)
    return made | ({"identifier": named(name)} if name else {})


def of_sample(number: str, value: str = "30", **more: Any) -> Tree:
    return sil6r(value, specimen={"identifier": {"value": number}}, **more)


def post(resource: Tree) -> Step:
    return ("POST", f"/fhir/{resource['resourceType']}", resource, FHIR)


def bundle(kind: str, *resources: Tree) -> Step:
    entries = [entry(each) for each in resources]
    return ("POST", "/fhir", {"resourceType": "Bundle", "type": kind, "entry": entries}, FHIR)


def in_json(accession: str, value: str = "30") -> Step:
    results = [{"analyte": "sIL-6R", "value": value, "unit": "ng/mL"}]
    return ("POST", "/api/v1/results", draw(accession=accession, results=results), JSON)


def in_v2(number: str, *, orders: int = 1) -> Step:
    lines = [
        line
        for n in range(orders)
        for line in (
            f"OBR|1||T-1|CYT|||20261102081000+0100|||||||||||||||202611021{n:05}+0100|||F",
            f"OBX|1|NM|sIL-6R^sIL-6R^L||{n + 1}|ng/mL|||||F",
        )
    ]
    body = message(without=["OBR", "OBX", "ORC"], change={"MSH-10": number}, add=lines)
    return ("POST", "/hl7v2", body.decode(), V2)


def put(step_of_id: int, resource: Tree) -> Step:
    """Put right what an earlier step was told the id of."""
    return ("PUT", f"/fhir/Observation/#{step_of_id}", resource, FHIR)


def report(*results: Tree) -> Tree:
    contained = [each | {"id": f"o{n}"} for n, each in enumerate(results)]
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "panel"},
        "subject": observation()["subject"],
        "contained": contained,
        "result": [{"reference": f"#{each['id']}"} for each in contained],
    }


INDEX: Tree = {
    "code": {"coding": [{"display": "Hemolysis index"}]},
    "valueQuantity": quantity("120", "mg/dL"),
}
GONE = {"resourceType": "Observation", "status": "entered-in-error", "code": {"text": "sIL-6R"}}
CREATES: dict[str, list[Step]] = {
    "twice the very same": [post(sil6r(name="a"))] * 2,
    "twice without a name": [post(sil6r())] * 2,
    "the same in other bytes": [post(sil6r()), post(sil6r(language="en"))],
    "another value without a name": [post(sil6r()), post(sil6r("31"))],
    "a name, then none, of one sample": [
        post(of_sample("S-1") | {"identifier": named("a")}),
        post(of_sample("S-1")),
        post(of_sample("S-1") | {"identifier": named("b", system="urn:other")}),
        post(of_sample("S-1", language="en") | {"identifier": named("b", system="urn:other")}),
    ],
    "four of one sample, and the second again": [
        post(of_sample("S-1")),
        *[post(of_sample("S-1", code={"coding": [{"code": "IL-6"}]}))] * 2,
    ],
    "another word on the sample": [
        post(sil6r(name="a")),
        post(sil6r(name="a", specimen={"identifier": {"value": "S-1"}})),
    ],
    "a retraction before its original": [
        post(GONE | {"identifier": named("a")}),
        post(sil6r(name="a")),
    ],
    "a retraction after its original": [
        post(sil6r(name="a")),
        post(GONE | {"identifier": named("a")}),
    ],
    "an index of a sample": [post(of_sample("S-1")), post(of_sample("S-1", **INDEX))],
    "an index beside its sample": [
        bundle("batch", of_sample("S-1"), of_sample("S-1", **INDEX)),
    ],
    "a batch of many of one sample": [
        bundle("batch", *(of_sample("S-1", f"{n + 1}") for n in range(25)))
    ],
    "a transaction of one result on record": [
        post(of_sample("S-1")),
        bundle("transaction", of_sample("S-1", "31"), of_sample("S-1", "32")),
    ],
    "a report twice, and with another value": [
        *[post(report(sil6r()))] * 2,
        post(report(sil6r("31"))),
    ],
    "under a condition": [
        ("POST", "/fhir/Observation?identifier=urn:north:result|a", sil6r(name="a"), FHIR),
        ("POST", "/fhir/Observation?identifier=urn:north:result|a", sil6r("31", "a"), FHIR),
    ],
}
UPDATES: dict[str, list[Step]] = {
    "JSON: another value": [in_json("A-1"), in_json("A-1", "31"), in_json("A-1", "30.0")],
    "JSON: the very same": [in_json("A-1")] * 2,
    "JSON: many of one draw": [
        ("POST", "/api/v1/results", {"draws": [in_json("A-1", f"{n + 1}")[2]] * 1}, JSON)
        for n in range(3)
    ],
    "HL7 v2: the same order": [in_v2("M-1"), in_v2("M-2"), in_v2("M-2")],
    "HL7 v2: many of one order": [in_v2("M-1", orders=30)],
    "by the id that was told": [post(sil6r()), put(0, sil6r("31")), put(0, sil6r("31"))],
    "by the id that was told of what was known": [
        post(sil6r()),
        post(sil6r(language="en")),
        put(1, sil6r("31")),
        post(sil6r("31", language="de")),
    ],
    "by an identifier": [
        ("PUT", "/fhir/Observation?identifier=urn:north:result|a", sil6r(v, "a"), FHIR)
        for v in ("30", "31", "30")
    ],
}


class Blind:
    """A laboratory with a key that does not read, and how it is answered."""

    def __init__(self, laboratory: Laboratory, scopes: str, mrn: str) -> None:
        self.mrn = mrn
        self.key = issue_key(laboratory=laboratory, scopes=scopes, by="operator", at=MONDAY)
        self.told: list[str] = []  # the id of the resource, by step
        self.ids: dict[str, str] = {}

    def ask(self, step: Step) -> Any:
        method, path, body, kind = step
        if "#" in path:
            told = self.told[int(path.rpartition("#")[2])]
            path, body = f"{path.partition('#')[0]}{told}", body | {"id": told}
        text = body if isinstance(body, str) else json.dumps(body, default=float)
        answer = Client().generic(
            method,
            path,
            text.replace(OURS, self.mrn),
            content_type=kind,
            headers={"Authorization": f"Bearer {self.key}"},
        )
        is_resource = answer["Content-Type"].startswith(FHIR)
        self.told.append(answer.json().get("id", "") if is_resource else "")
        return answer

    def hear(self, step: Step) -> tuple[Any, ...]:
        """Give what the sender hears, with its ids numbered in the order in which they came."""
        answer = self.ask(step)
        where = [answer.get(name, "") for name in ("ETag", "Location")]
        text = "\n".join([*where, answer.content.decode()])
        text = _AN_HOUR.sub("", text.replace(self.mrn, OURS))
        numbered = _AN_ID.sub(lambda found: self._number(found[0]), text)
        return answer.status_code, numbered

    def _number(self, found: str) -> str:
        return self.ids.setdefault(found, f"id {len(self.ids)}")


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    redis.ask(lambda line: line.flushdb())


@pytest.fixture
def both(laboratory: Laboratory) -> Callable[[str], tuple[Blind, Blind]]:
    other = LaboratoryFactory.create(name="South laboratory", time_zone=laboratory.time_zone)
    return lambda scopes: (Blind(laboratory, scopes, OURS), Blind(other, scopes, NOBODYS))


@pytest.mark.parametrize("scopes", ["c", "cu"])
@pytest.mark.parametrize("steps", CREATES.values(), ids=CREATES)
def test_a_create_is_answered_alike(
    patient: Patient, both: Callable[[str], tuple[Blind, Blind]], steps: list[Step], scopes: str
) -> None:
    ours, nobodys = both(scopes)

    for step in steps:
        heard = ours.hear(step)
        assert heard == nobodys.hear(step)
        assert heard[0] in {200, 201}

    assert Result.objects.exists()
    assert Parked.objects.exists()


@pytest.mark.parametrize("steps", UPDATES.values(), ids=UPDATES)
def test_an_update_is_answered_alike(
    patient: Patient, both: Callable[[str], tuple[Blind, Blind]], steps: list[Step]
) -> None:
    ours, nobodys = both("cu")

    for step in steps:
        heard = ours.hear(step)
        assert heard == nobodys.hear(step)
        assert heard[0] in {200, 201}

    assert {each.draw.laboratory_id for each in Result.objects.all()} == {ours_of(patient)}


def ours_of(patient: Patient) -> int:
    return patient.draws.values_list("laboratory_id", flat=True).distinct().get()


# What was told leads to the result


def test_the_id_that_was_told_leads_to_the_result(laboratory: Laboratory, patient: Patient) -> None:
    blind = Blind(laboratory, "cu", OURS)
    reader = Blind(laboratory, "r", OURS)
    for step in (post(sil6r()), post(sil6r(language="en")), post(sil6r(name="a"))):
        blind.ask(step)

    assert len(set(blind.told)) == 3
    for told in blind.told[:2]:
        found = reader.ask(("GET", f"/fhir/Observation/{told}", "", FHIR))
        assert found.json()["valueQuantity"]["value"] == 30
    blind.ask(put(1, sil6r("31")))
    assert Result.objects.get(superseded_at=None).value == 31


def test_it_still_does_once_a_person_has_said_which_result_it_is(
    laboratory: Laboratory, patient: Patient, team: CareTeam
) -> None:
    blind = Blind(laboratory, "cu", NOBODYS)
    blind.ask(post(sil6r(name="a")))
    blind.ask(post(sil6r(name="a", language="en")))
    add_identifier(
        patient=patient, system="urn:clinic:mrn", value=NOBODYS, by="operator", at=MONDAY
    )
    ingest.replay_parked(at=MONDAY)
    blind.ask(put(1, sil6r("31", "a")))

    assert blind.told[0] == blind.told[1]
    assert Result.objects.get(superseded_at=None).value == 31


def test_an_id_that_was_told_is_no_name_by_which_results_are_told_apart(
    laboratory: Laboratory, patient: Patient
) -> None:
    """A sample of a series is known by its time; a change of its value is no second result."""
    blind = Blind(laboratory, "cu", OURS)
    at_ten = {"effectiveDateTime": "2026-11-02T10:00:00+01:00"}
    for said in (
        {"code": {"coding": [{"code": "IL-6"}]}},
        at_ten,
        at_ten | {"valueQuantity": quantity("51")},
    ):
        blind.ask(post(of_sample("S-1", **said)))

    assert not Parked.objects.exists()
    values = Result.objects.filter(superseded_at=None).values_list("value", flat=True)
    assert sorted(values) == [51, 30_000]  # pg/mL


# What others are refused waits


def test_what_stands_too_often_in_a_message_is_placed_in_its_turn(
    laboratory: Laboratory, patient: Patient
) -> None:
    Blind(laboratory, "cu", OURS).ask(
        bundle("batch", *(of_sample("S-1", f"{n + 1}") for n in range(45)))
    )

    assert {*Parked.objects.values_list("reasons__0", flat=True)} == {
        "told_many_times_in_one_message"
    }
    ingest.replay_in_turn(at=MONDAY)
    assert not Parked.objects.filter(state="waiting").exists()
    assert Result.objects.get(superseded_at=None).value == 45
    assert Result.objects.count() == 45


def test_by_a_key_that_only_creates_it_waits_for_a_person(
    laboratory: Laboratory, patient: Patient
) -> None:
    blind = Blind(laboratory, "c", OURS)
    blind.ask(bundle("batch", *(of_sample("S-1", f"{n + 1}") for n in range(25))))
    ingest.replay_in_turn(at=MONDAY)

    assert Result.objects.get().value == 1
    assert {*Parked.objects.values_list("reasons__0", flat=True)} == {
        "correction_by_a_key_that_only_creates"
    }


def test_a_transaction_of_one_result_on_record_waits_for_a_person(
    laboratory: Laboratory, patient: Patient, team: CareTeam
) -> None:
    blind = Blind(laboratory, "cu", OURS)
    blind.ask(post(of_sample("S-1")))
    blind.ask(bundle("transaction", of_sample("S-1", "31"), of_sample("S-1", "32")))

    waits = Parked.objects.get()
    assert waits.reasons == ["possible_duplicate"]
    ingest.match_parked(
        parked=waits, patient=patient, by=ClinicianFactory.create(teams=[team]), at=MONDAY
    )
    assert Result.objects.filter(value=32).exists()


# A retraction that comes first


@pytest.mark.parametrize("scopes", ["c", "cr", "cu", "cur"])
def test_an_original_is_taken_whoever_sends_it_after_its_retraction(
    laboratory: Laboratory, patient: Patient, scopes: str
) -> None:
    sender = Blind(laboratory, scopes, OURS)
    first = sender.ask(post(GONE | {"identifier": named("a")}))
    then = sender.ask(post(sil6r(name="a")))

    assert (first.status_code, then.status_code // 100) == (201, 2)
    assert Result.objects.get(superseded_at=None).status == "entered-in-error"
    assert not Parked.objects.filter(state="waiting").exists()


def test_another_word_on_the_sample_is_a_change_that_a_key_of_creates_may_not_make(
    laboratory: Laboratory, patient: Patient
) -> None:
    blind = Blind(laboratory, "c", OURS)
    blind.ask(post(of_sample("S-1")))
    blind.ask(post(report(sil6r()) | {"id": "x"}))
    told = of_sample("S-1")
    told["contained"] = [
        {
            "resourceType": "Specimen",
            "id": "s",
            "accessionIdentifier": {"value": "S-1"},
            "note": [{"text": "haemolytic"}],
        }
    ]
    told["specimen"] = {"reference": "#s"}
    answer = blind.ask(post(told))

    assert answer.status_code == 201
    assert Result.objects.filter(draw__accession="S-1").count() == 1
    assert Parked.objects.filter(reasons=["correction_by_a_key_that_only_creates"]).exists()
