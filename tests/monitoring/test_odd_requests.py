"""What nobody should send is refused, and noted among the requests; it is never answered by 5xx."""

import base64
import io
import json
from datetime import timedelta
from typing import Any

import pytest

from monitoring import redis, silences
from monitoring.door_log import writer
from monitoring.models import DoorRequest
from monitoring.wsgi import application
from patients.models import Inbound, Laboratory, Patient, Result
from patients.record.clients import add_client
from patients.record.laboratories import issue_key
from patients.record.profile_document import FaultyProfile, read_profile
from tests.conftest import MONDAY, draw
from tests.factories import InboundFactory, LaboratoryFactory
from tests.monitoring.clients import ask
from tests.monitoring.fhir_door import FhirDoor, entry
from tests.monitoring.test_retractions_at_the_doors import push
from tests.patients.fhir_messages import observation
from tests.patients.hl7v2_messages import message
from tests.patients.tables import table_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def door(laboratory: Laboratory) -> FhirDoor:
    redis.ask(lambda line: line.flushdb())
    return FhirDoor(issue_key(laboratory=laboratory, by="operator", at=MONDAY))


@pytest.mark.parametrize("term", ["_id", "identifier"])
def test_a_search_for_what_no_name_holds_is_refused(door: FhirDoor, term: str) -> None:
    assert door.get(f"/Observation?{term}=a%00b").status_code == 400


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_what_stands_beside_such_a_search_is_told(
    door: FhirDoor, patient: Patient, kind: str
) -> None:
    search = {"request": {"method": "GET", "url": "Observation?_id=a%00b"}}

    answer = door.bundle(entry(observation()), search, kind=kind)

    told = [each["response"]["status"][:3] for each in answer.json()["entry"]]
    assert told == ["201", "400"]
    assert Result.objects.exists()


def call(path: str, content_type: str, *, key: str, body: bytes = b"x") -> str:
    """Ask as the web server does, and give the status."""
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Bearer {key}",
    }
    list(application(environ, lambda status, _headers: said.append(status)))
    return said[0][:3]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize(
    "charset",
    [
        "charset*=bogus''utf-8",
        "charset*=utf-8''x%00y",
        "charset*=utf-8''%ff",
        "charset=undefined",
        "charset=idna",
        "charset=hex",
        "charset=x-nothing",
    ],
)
@pytest.mark.parametrize("path", ["/hl7v2", "/fhir/Observation", "/api/v1/results"])
def test_a_character_set_that_cannot_be_named_is_refused_and_noted(
    door: FhirDoor, path: str, charset: str
) -> None:
    kind = {"/hl7v2": "text/plain", "/api/v1/results": "application/json"}.get(path)
    content_type = f"{kind or 'application/fhir+json'}; {charset}"

    assert call(f"{path}", content_type, key=door.key) in {"400", "415"}

    writer.write()
    assert DoorRequest.objects.filter(door=path, status__gte=400, status__lt=500).exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_character_set_that_is_known_is_left_alone(door: FhirDoor, patient: Patient) -> None:
    body = message(change={"OBX-3": "sIL-6R^sIL-6R^L"})

    assert call("/hl7v2", "text/plain; charset=UTF-8", key=door.key, body=body) == "200"
    assert Result.objects.exists()


def unsigned(header: str, claims: str) -> dict[str, str]:
    """Make a form with an assertion that nobody has signed."""
    parts = [
        base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        for text in (header, claims, "signature")
    ]
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": ".".join(parts),
    }


@pytest.mark.parametrize("name", ["north-lis", "nobody"])
@pytest.mark.parametrize(
    "claims",
    [r'{"iss":"\ud800","sub":"\ud800"}', r'{"iss":"NAME","sub":"NAME","jti":"\ud800"}'],
)
def test_half_a_character_in_an_assertion_is_refused(
    laboratory: Laboratory, claims: str, name: str
) -> None:
    add_client(laboratory=laboratory, name="north-lis", scopes="c", by="operator", at=MONDAY)
    header = json.dumps({"alg": "ES384", "kid": "k", "typ": "JWT"})

    assert ask(unsigned(header, claims.replace("NAME", name))).status_code == 401


def test_another_jku_tells_nobody_which_clients_there_are(laboratory: Laboratory) -> None:
    add_client(laboratory=laboratory, name="north-lis", scopes="c", by="operator", at=MONDAY)
    said = set()
    for name in ("north-lis", "nobody"):
        header = json.dumps({"alg": "ES384", "kid": "k", "typ": "JWT", "jku": "x"})
        claims = json.dumps({"iss": name, "sub": name})
        said.add(ask(unsigned(header, claims)).content)

    assert len(said) == 1


@pytest.mark.parametrize("zone", ["-16:00", "+20:00", "+14:30"])
@pytest.mark.parametrize("field", ["collected_at", "issued_at"])
def test_a_zone_that_no_clock_has_is_refused_in_json_and_csv(
    door: FhirDoor, patient: Patient, field: str, zone: str
) -> None:
    at = f"2026-03-01T08:10:00{zone}"
    sent: dict[str, Any] = draw()
    if field == "collected_at":
        sent[field] = at
    else:
        sent["results"][0][field] = at
    where = "/api/v1/results"

    in_json = push(door, json.dumps(sent), address=where, kind="application/json")
    in_csv = push(door, table_of({field: at}), address=where, kind="text/csv")

    assert [in_json.status_code, in_csv.status_code] == [422, 422]
    assert "-14:00" in in_json.content.decode()
    assert not Inbound.objects.exists()


@pytest.mark.parametrize("name", ["CP850", "KOI8-R", "utf-7", "idna", "klingon"])
def test_a_profile_names_no_character_set_that_the_door_does_not_read(name: str) -> None:
    with pytest.raises(FaultyProfile, match="/charset"):
        read_profile({"name": "North laboratory", "charset": name})


@pytest.mark.parametrize("name", ["8859/1", "UNICODE UTF-8", "iso8859-1", "UTF-8", ""])
def test_a_profile_may_name_one_as_hl7_does(name: str) -> None:
    assert read_profile({"name": "North laboratory", "charset": name}).charset == name


def test_a_silence_of_an_hour_that_is_set_counts() -> None:
    laboratory = LaboratoryFactory.create(silent_after_h=1)
    InboundFactory.create(laboratory=laboratory, received_at=MONDAY - timedelta(minutes=70))

    silences.watch(at=MONDAY)

    assert [each.laboratory for each in silences.open_silences()] == [laboratory]
