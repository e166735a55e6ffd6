"""Clients that laboratories and their integrators use, against the started server."""

# mypy: disable-error-code="no-untyped-call"

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.observation import Observation
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome

from tests.journeys.clinic import Clinic, days_ago, set_up
from tests.journeys.node_clients import install
from tests.journeys.site import RunningSite

pytestmark = pytest.mark.journey

SYSTEM = "urn:north:result"
_draws: dict[str, str] = {}


@pytest.fixture(scope="module")
def clinic(running_site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return set_up(running_site, tmp_path_factory.mktemp("clinic"))


@pytest.fixture(scope="module")
def base(clinic: Clinic) -> str:
    return f"{clinic.site.url}/fhir"


def observation(name: str, value: float = 37.5, **more: Any) -> dict[str, Any]:
    """Make a result; each name has a time of its own, so that none looks like another's twin."""
    return {
        "resourceType": "Observation",
        "identifier": [{"system": SYSTEM, "value": name}],
        "status": "final",
        "code": {"coding": [{"system": "urn:north:test", "code": "sIL-6R"}]},
        "subject": {"identifier": {"system": "urn:clinic:mrn", "value": "0000"}},
        "effectiveDateTime": _draws.setdefault(name, days_ago(3 + len(_draws) / 24)),
        "issued": days_ago(2),
        "valueQuantity": {
            "value": value,
            "unit": "ng/mL",
            "system": "http://unitsofmeasure.org",
            "code": "ng/mL",
        },
        **more,
    }


def transaction(*names: str) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": observation(name),
                "request": {
                    "method": "POST",
                    "url": "Observation",
                    "ifNoneExist": f"identifier={SYSTEM}|{name}",
                },
            }
            for name in names
        ],
    }


def test_fhirclient_creates_corrects_reads_and_sends_a_bundle(base: str, clinic: Clinic) -> None:
    server = FHIRClient(settings={"app_id": "north", "api_base": base}).server
    server.session.headers["Authorization"] = f"Bearer {clinic.key}"

    made = Observation(observation("fhirclient-1")).create(server)
    correction = Observation(
        observation("fhirclient-1", 41.5, id=made["id"], issued=days_ago(1))
    ).update(server)
    read = Observation.read(made["id"], server)
    told = server.post_json("", transaction("fhirclient-2", "fhirclient-3")).json()

    assert made["meta"]["versionId"] == "1"
    assert correction["id"] == made["id"]
    assert correction["status"] == "corrected"
    assert read.valueQuantity.value == 41.5
    assert read.identifier[0].value == "fhirclient-1"
    assert [each["response"]["status"] for each in told["entry"]] == ["201 Created"] * 2


def test_fhirpy_creates_under_a_condition_corrects_and_searches(base: str, clinic: Clinic) -> None:
    client = SyncFHIRClient(base, authorization=f"Bearer {clinic.key}")
    named = client.resources("Observation").search(identifier=f"{SYSTEM}|fhirpy-1")

    made, is_new = named.get_or_create(client.resource("Observation", **observation("fhirpy-1")))
    known, is_new_again = named.get_or_create(
        client.resource("Observation", **observation("fhirpy-1", 40.1))
    )
    corrected, was_made = named.update(
        client.resource("Observation", **observation("fhirpy-1", 41.5, issued=days_ago(1)))
    )
    found = named.fetch()
    read = client.reference("Observation", made.id).to_resource()

    assert (is_new, is_new_again, was_made) == (True, False, False)
    assert known.id == corrected.id == made.id
    assert known["valueQuantity"]["value"] == 37.5
    assert corrected["status"] == "corrected"
    assert [each.id for each in found] == [made.id]
    assert read["valueQuantity"]["value"] == 41.5


def test_fhirpy_sees_a_parked_result_as_a_result_and_a_defect_as_a_fault(
    base: str, clinic: Clinic
) -> None:
    client = SyncFHIRClient(base, authorization=f"Bearer {clinic.key}")
    waiting = client.resource(
        "Observation",
        **observation("fhirpy-2", subject={"identifier": {"system": "x", "value": "nobody"}}),
    )

    waiting.create()
    with pytest.raises(OperationOutcome) as refused:
        client.resource("Observation", **observation("fhirpy-3", status="F")).create()

    assert waiting.id
    assert waiting["meta"]["tag"][0]["code"] == "parked"
    assert refused.value.resource["issue"][0]["expression"] == ["Observation.status"]


def test_an_engine_that_knows_only_basic_is_let_in(base: str, clinic: Clinic) -> None:
    answer = httpx.post(
        f"{base}/Observation",
        json=observation("basic-1"),
        auth=("openelis", clinic.key),
        timeout=20,
    )

    assert answer.status_code == 201


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the Node clients, fetched by npm for this run only."""
    folder = tmp_path_factory.mktemp("node")
    if missing := install(folder):
        pytest.skip(missing)
    shutil.copy(Path(__file__).with_name("fhir_clients.mjs"), folder)
    return folder


def test_the_node_clients_create_correct_read_and_send_bundles(
    base: str, clinic: Clinic, node_folder: Path
) -> None:
    plain = observation("any")
    client = ["add_client", "node-engine", "--laboratory", "North", "--secret"]
    secret = clinic.site.manage(*client).stdout.split()[-1]
    done = subprocess.run(
        ["node", "fhir_clients.mjs", base, clinic.key, json.dumps(plain), "node-engine", secret],
        cwd=node_folder,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kit"] == {
        "same": True,
        "known": 37.5,
        "corrected": ["corrected", 41.5],
        "versions": 2,
        "found": 1,
        "bundle": ["201 Created", "201 Created"],
        "fhirVersion": "4.0.1",
        "refused": 400,
    }
    assert told["medplum"] == {
        "same": True,
        "known": 37.5,
        "corrected": ["corrected", 42.5],
        "versions": 3,
        "bundle": ["201 Created", "201 Created"],
        "refused": "code-invalid",
        "parked": ["string", "parked"],
    }
