"""What a key is good for at every door, and what it never learns."""

import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from monitoring import ingest, redis
from patients.models import CareTeam, Inbound, Laboratory, Parked, Patient, Result
from patients.record.clients import add_certificate, revoke_certificate
from patients.record.laboratories import issue_key
from patients.scopes import grant
from tests.conftest import MONDAY, draw
from tests.factories import ClinicianFactory
from tests.monitoring.test_hl7v2_door import OURS
from tests.patients.hl7v2_messages import message

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"by": "operator", "at": MONDAY}
FHIR = "application/fhir+json"
MESSAGE = message(change=OURS)


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    redis.ask(lambda line: line.flushdb())


def observation(
    *, mrn: str = "0042", value: float = 37.5, name: str = "R-1", **more: Any
) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "identifier": [{"system": "urn:lab:result", "value": name}],
        "code": {"text": "sIL-6R"},
        "subject": {"identifier": {"system": "urn:clinic:mrn", "value": mrn}},
        "effectiveDateTime": "2026-11-02T08:10:00+09:00",
        "valueQuantity": {"value": value, "unit": "ng/mL"},
        **more,
    }


class Caller:
    """A key with these scopes, and what it asks."""

    def __init__(self, laboratory: Laboratory, scopes: str) -> None:
        self.headers = {
            "Authorization": f"Bearer {issue_key(laboratory=laboratory, scopes=scopes, **BY)}"
        }

    def ask(
        self, method: str, path: str, body: Any = None, kind: str = FHIR, **headers: str
    ) -> Any:
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        return Client().generic(
            method,
            path,
            "" if body is None else data,
            content_type=kind,
            headers=self.headers | headers,
        )

    def create(self, **said: Any) -> Any:
        return self.ask("POST", "/fhir/Observation", observation(**said))


def may(laboratory: Laboratory, scopes: str) -> Caller:
    return Caller(laboratory, scopes)


# Who may do what


ASKED = [
    ("json", "POST", "/api/v1/results", "cu"),
    ("hl7v2", "POST", "/hl7v2", "cu"),
    ("create", "POST", "/fhir/Observation", "c"),
    ("conditional create", "POST", "/fhir/Observation?identifier=urn:lab:result|R-1", "c"),
    ("update", "PUT", "/fhir/Observation/mine-1", "u"),
    ("conditional update", "PUT", "/fhir/Observation?identifier=urn:lab:result|R-1", "u"),
    ("read", "GET", "/fhir/Observation/mine-1", "r"),
    ("search", "GET", "/fhir/Observation?identifier=urn:lab:result|R-1", "r"),
    ("history", "GET", "/fhir/Observation/mine-1/_history", "r"),
    ("version", "GET", "/fhir/Observation/mine-1/_history/1", "r"),
    ("report", "GET", "/fhir/DiagnosticReport/mine-1", "r"),
]


@pytest.mark.parametrize("scopes", ["c", "u", "r", "cu", "cr", "ur", "cur"])
@pytest.mark.parametrize(("door", "method", "path", "needed"), ASKED, ids=[a[0] for a in ASKED])
def test_each_door_asks_for_its_scopes(
    laboratory: Laboratory,
    patient: Patient,
    door: str,
    method: str,
    path: str,
    needed: str,
    scopes: str,
) -> None:
    sent: dict[str, tuple[str | bytes, str]] = {
        "json": (json.dumps(draw()), "application/json"),
        "hl7v2": (MESSAGE, "application/hl7-v2"),
    }
    resource = observation() | ({"id": "mine-1"} if door == "update" else {})
    body, kind = sent.get(door, ("" if method == "GET" else json.dumps(resource), FHIR))

    answer = may(laboratory, scopes).ask(method, path, body, kind)

    if set(needed) <= set(scopes):
        assert answer.status_code in {200, 201, 404}, answer.content
    else:
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in answer["WWW-Authenticate"]
        assert not Inbound.objects.exists()


def test_a_create_that_would_correct_needs_the_scope_of_an_update(
    laboratory: Laboratory, patient: Patient
) -> None:
    caller = may(laboratory, "cr")
    caller.create(value=37.5)

    known, corrected = caller.create(value=37.5), caller.create(value=41)

    assert known.status_code in {200, 201}
    assert corrected.status_code == 403
    assert [str(each.value) for each in Result.objects.all()] == ["37.5"]


@pytest.mark.parametrize(
    "changed", [{"status": "final"}, {"note": [{"text": "haemolytic"}]}, {"value": 41}]
)
def test_who_may_only_create_is_not_told_that_a_result_exists(
    laboratory: Laboratory, patient: Patient, team: CareTeam, changed: dict[str, Any]
) -> None:
    caller = may(laboratory, "c")
    caller.create(status="preliminary")

    known = caller.create(**({"status": "preliminary"} | changed))
    again = caller.create(**({"status": "preliminary"} | changed))
    new = caller.create(name="R-9", mrn="0099")

    told = [
        (
            each.status_code,
            each["ETag"],
            sorted({*each.json()} - {*changed}),
            [*each.json()["meta"]],
        )
        for each in (known, again, new)
    ]
    assert told[0] == told[1] == told[2]
    assert [each.status for each in Result.objects.all()] == ["preliminary"]
    waiting = Parked.objects.get(reasons=["correction_by_a_key_that_only_creates"])
    ingest.replay_of_older_profiles(at=MONDAY)
    Laboratory.objects.update(profile_version=9)
    ingest.replay_of_older_profiles(at=MONDAY)
    assert Result.objects.count() == 1
    ingest.match_parked(
        parked=waiting, patient=patient, by=ClinicianFactory.create(teams=[team]), at=MONDAY
    )
    assert Result.objects.count() == 2


@pytest.mark.parametrize("if_match", ['W/"1"', 'W/"7"', "*"])
@pytest.mark.parametrize("path", ["/fhir/Observation/mine-1", "/fhir/Observation/mine-9"])
def test_a_version_is_compared_only_for_who_may_read_it(
    laboratory: Laboratory, patient: Patient, if_match: str, path: str
) -> None:
    caller = may(laboratory, "cu")
    body = json.dumps(observation() | {"id": "mine-1"})
    caller.ask("PUT", "/fhir/Observation/mine-1", body, FHIR)

    body = json.dumps(observation() | {"id": path.rpartition("/")[2]})
    answer = caller.ask("PUT", path, body, FHIR, **{"If-Match": if_match})

    assert answer.status_code == 403
    assert "system/Observation.r" in answer.content.decode()


@pytest.mark.parametrize("scopes", ["c", "cu"])
def test_what_is_known_looks_as_if_it_were_new_to_who_may_not_read(
    laboratory: Laboratory, patient: Patient, scopes: str
) -> None:
    writer = may(laboratory, "cu")
    writer.create(value=37.5)
    writer.create(value=41)

    caller, path = may(laboratory, scopes), "/fhir/Observation?identifier=urn:lab:result|"
    known, new = (
        caller.ask("POST", f"{path}{name}", observation(name=name, mrn=mrn))
        for name, mrn in (("R-1", "0042"), ("R-9", "0099"))
    )

    assert (known.status_code, known["ETag"]) == (new.status_code, new["ETag"]) == (201, 'W/"1"')


def bundle(kind: str, *entries: tuple[str, str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [
            {"request": {"method": method, "url": url}} | ({"resource": body} if body else {})
            for method, url, body in entries
        ],
    }


MIXED = [
    ("POST", "Observation", observation(name="R-1")),
    ("PUT", "Observation/mine-2", observation(name="R-2", id="mine-2", mrn="0043")),
    ("GET", "Observation?identifier=urn:lab:result|R-1", None),
]


def test_in_a_batch_each_entry_needs_its_own(laboratory: Laboratory, patient: Patient) -> None:
    answer = may(laboratory, "c").ask("POST", "/fhir", bundle("batch", *MIXED))

    statuses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
    assert statuses == ["201", "403", "403"]


def test_of_a_transaction_nothing_is_done_when_one_entry_may_not_be(
    laboratory: Laboratory, patient: Patient
) -> None:
    answer = may(laboratory, "cr").ask("POST", "/fhir", bundle("transaction", *MIXED[:2]))

    assert answer.status_code == 403
    assert not Inbound.objects.exists()


# What SMART's words mean


@pytest.mark.parametrize(
    ("asked", "allowed", "granted"),
    [
        ("", "cur", ("cur", "system/Observation.cru")),
        ("system/Observation.c", "cur", ("c", "system/Observation.c")),
        ("system/Observation.cruds", "cur", ("cur", "system/Observation.crus")),
        ("system/Observation.cruds", "c", ("c", "system/Observation.c")),
        ("system/Observation.rs", "cur", ("r", "system/Observation.rs")),
        ("system/Observation.read", "cur", ("r", "system/Observation.read")),
        ("system/Observation.write", "cur", ("cu", "system/Observation.write")),
        ("system/Observation.write", "c", ("c", "system/Observation.c")),
        ("system/*.*", "cur", ("cur", "system/Observation.crus")),
        ("system/Observation.c openid system/Patient.r", "cur", ("c", "system/Observation.c")),
        (
            "system/Observation.c system/Observation.u",
            "cur",
            ("cu", "system/Observation.c system/Observation.u"),
        ),
        ("system/Observation.d", "cur", ("", "")),
        ("system/Observation.", "cur", ("", "")),
        ("system/Observation.uc", "cur", ("cu", "system/Observation.cu")),
        ("system/Observation.cur", "cur", ("cur", "system/Observation.cru")),
        ("system/Observation.cur", "cu", ("cu", "system/Observation.cu")),
        ("system/Observation.s", "cur", ("r", "system/Observation.rs")),
        ("system/Observation.s", "cu", ("", "")),
        ("system/Observation.cs", "c", ("c", "system/Observation.c")),
        ("system/Observation.cx", "cur", ("", "")),
        ("user/Observation.c", "cur", ("", "")),
        ("system/Patient.r", "cur", ("", "")),
        ("system/Observation.r", "cu", ("", "")),
    ],
)
def test_a_scope_grants_what_is_asked_and_allowed(
    asked: str, allowed: str, granted: tuple[str, str]
) -> None:
    assert grant(asked, allowed=allowed) == granted


# What is never learnt


@pytest.fixture
def others(laboratory: Laboratory, patient: Patient) -> Laboratory:
    """Another laboratory; the first one has a result of the patient on record."""
    may(laboratory, "cur").ask(
        "PUT", "/fhir/Observation/mine-1", observation(id="mine-1", name="R-1")
    )
    return Laboratory.objects.create(name="South laboratory", time_zone="UTC")


@pytest.mark.parametrize(
    "path",
    [
        "/fhir/Observation/{id}",
        "/fhir/Observation/{id}/_history",
        "/fhir/Observation/{id}/_history/1",
        "/fhir/DiagnosticReport/{id}",
    ],
)
def test_a_laboratory_reads_its_own_results_only(others: Laboratory, path: str) -> None:
    line = str(Result.objects.get().public_id)
    caller = may(others, "cur")

    answers = [caller.ask("GET", path.format(id=each)) for each in ("mine-1", line, "not-there")]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_a_search_finds_own_results_only(others: Laboratory) -> None:
    found = may(others, "cur").ask("GET", "/fhir/Observation?identifier=urn:lab:result|R-1")

    assert found.json().get("total", 0) == 0
    assert not found.json().get("entry")


def test_a_condition_looks_at_own_results_only(others: Laboratory) -> None:
    answer = may(others, "cur").ask(
        "POST",
        "/fhir/Observation?identifier=urn:lab:result|R-1",
        observation(name="R-1", effectiveDateTime="2026-11-09T08:10:00+09:00"),
    )

    assert answer.status_code == 201
    assert Result.objects.values("draw__laboratory").distinct().count() == 2


def test_an_update_never_touches_a_result_of_another_laboratory(others: Laboratory) -> None:
    answer = may(others, "cur").ask(
        "PUT",
        "/fhir/Observation/mine-1",
        observation(
            id="mine-1", name="R-1", value=99, effectiveDateTime="2026-11-09T08:10:00+09:00"
        ),
    )

    assert answer.status_code == 201
    assert sorted(str(each.value) for each in Result.objects.all()) == ["37.5", "99"]


def without_ids(answer: Any) -> tuple[int, set[str], Any]:
    """What an answer says, without what differs anyway: the ids that were given, and the hour."""
    said = answer.json()
    said.pop("id", None)
    said.get("meta", {}).pop("lastUpdated", None)
    for member in ("identifier", "subject", "patient", "accession"):
        said.pop(member, None)
    return answer.status_code, set(answer.headers), said


@pytest.mark.parametrize("prefer", ["representation", "OperationOutcome", "minimal"])
def test_without_the_scope_to_read_known_and_unknown_patients_look_alike_in_fhir(
    laboratory: Laboratory, patient: Patient, prefer: str
) -> None:
    caller = may(laboratory, "cu")
    caller.headers["Prefer"] = f"return={prefer}"

    known, unknown = caller.create(mrn="0042", name="R-1"), caller.create(mrn="9999", name="R-2")

    assert Parked.objects.count() == 1
    if prefer == "minimal":
        assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    else:
        assert without_ids(known) == without_ids(unknown)


def test_nor_in_json(laboratory: Laboratory, patient: Patient) -> None:
    caller = may(laboratory, "cu")

    known, unknown = (
        caller.ask(
            "POST", "/api/v1/results", draw(mrn=mrn, accession=f"A-{mrn}"), "application/json"
        )
        for mrn in ("0042", "9999")
    )

    assert Parked.objects.count() == 1
    assert known.json()["state"] == "received"
    assert without_ids(known) == without_ids(unknown)


def test_nor_in_hl7v2(laboratory: Laboratory, patient: Patient) -> None:
    caller = may(laboratory, "cu")

    answers = [
        caller.ask("POST", "/hl7v2", MESSAGE.replace(b"0042", mrn), "application/hl7-v2")
        for mrn in (b"0042", b"9999")
    ]

    said = [answer.content.split(b"MSA|")[1] for answer in answers]
    assert Parked.objects.count() == 1
    assert said[0] == said[1]


def test_nor_in_a_bundle(laboratory: Laboratory, patient: Patient) -> None:
    entries = [
        ("POST", "Observation", observation(name="R-1", mrn="0042")),
        ("POST", "Observation", observation(name="R-2", mrn="9999")),
    ]

    said = may(laboratory, "c").ask("POST", "/fhir", bundle("batch", *entries)).json()["entry"]

    assert Parked.objects.count() == 1
    for entry in said:
        entry["response"].pop("location")
    assert said[0] == said[1]


# Certificates


SUBJECT = "CN=lis.north.example,O=North laboratory"


def with_certificate(subject: str = SUBJECT, *, peer: str = "127.0.0.1") -> int:
    status: int = (
        Client(REMOTE_ADDR=peer)
        .post(
            "/api/v1/results",
            json.dumps(draw()),
            content_type="application/json",
            headers={"X-Client-Subject": subject},
        )
        .status_code
    )
    return status


def test_a_certificate_speaks_for_its_laboratory_if_the_proxy_is_ours(
    laboratory: Laboratory, patient: Patient, settings: LazySettings
) -> None:
    settings.CERTIFICATE_HEADER = "X-Client-Subject"
    settings.TRUSTED_PROXIES = ["127.0.0.1", "10.0.0.0/8"]
    add_certificate(laboratory=laboratory, subject=SUBJECT, scopes="cu", **BY)

    assert with_certificate() == 201
    assert with_certificate(peer="10.7.7.7") == 200
    assert with_certificate(peer="192.168.1.1") == 401
    assert with_certificate("CN=another") == 401
    assert with_certificate("") == 401


def test_without_the_setting_no_certificate_is_believed(
    laboratory: Laboratory, patient: Patient
) -> None:
    add_certificate(laboratory=laboratory, subject=SUBJECT, scopes="cu", **BY)

    assert with_certificate() == 401


def test_a_revoked_certificate_speaks_for_nobody(
    laboratory: Laboratory, patient: Patient, settings: LazySettings
) -> None:
    settings.CERTIFICATE_HEADER = "X-Client-Subject"
    add_certificate(laboratory=laboratory, subject=SUBJECT, scopes="cu", **BY)
    revoke_certificate(subject=SUBJECT, **BY)

    assert with_certificate() == 401


def test_the_document_tells_the_three_ways_to_sign_in_with_the_scopes_of_each_address() -> None:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document = generator.get_schema(public=True)  # type: ignore[no-untyped-call]

    schemes = document["components"]["securitySchemes"]
    told = {(each["type"], each.get("scheme", "")) for each in schemes.values()}
    assert {("http", "bearer"), ("http", "basic"), ("oauth2", "")} <= told
    flow = schemes["SmartBackendServices"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "/oauth2/token"
    push = document["paths"]["/api/v1/results"]["post"]["security"]
    assert {"SmartBackendServices": ["system/Observation.c", "system/Observation.u"]} in push
    assert {"LaboratoryKeyAsPassword": []} in push
    assert "security" not in document["paths"]["/oauth2/token"]["post"]
