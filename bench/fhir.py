"""The FHIR door: single results, batches of 100 and of 500, and the reader alone."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import data
from bench.load import Outcome, as_fast_as_possible, post
from bench.site import port
from patients.intake.fhir.door import read_request
from patients.intake.fhir.interactions import Asked
from patients.models import CareTeam, Parked

PATH = "/fhir"
_numbers = itertools.count(1)
# Not a time at which the JSON door pushes: a second draw of that minute would wait for a person
_FIRST = datetime(2026, 9, 1, 0, 0, 30, tzinfo=UTC)


def observation(team: CareTeam, patients: int) -> dict[str, Any]:
    """Make the result of another patient, and of another minute once all have had theirs."""
    number = next(_numbers)
    at = (_FIRST + timedelta(minutes=number // patients)).isoformat()
    return {
        "resourceType": "Observation",
        "identifier": [{"system": "urn:bench:result", "value": f"F-{number}"}],
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                    }
                ]
            }
        ],
        "code": {"coding": [{"system": "urn:bench:test", "code": "sIL-6R"}]},
        "subject": {
            "identifier": {"system": data.SYSTEM, "value": f"{team.pk}-{number % patients + 1}"}
        },
        "effectiveDateTime": at,
        "issued": at,
        "valueQuantity": {
            "value": 30 + number % 10,
            "unit": "ng/mL",
            "system": "http://unitsofmeasure.org",
            "code": "ng/mL",
        },
        "method": {"text": "ELISA"},
    }


def bundle(team: CareTeam, patients: int, results: int) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {
                "resource": observation(team, patients),
                "request": {"method": "POST", "url": "Observation"},
            }
            for _ in range(results)
        ],
    }


def single_results(team: CareTeam, patients: int, key: str, *, clients: int, s: float) -> Outcome:
    """Push one Observation a request, as fast as the door takes them."""

    def requests() -> Iterator[bytes]:
        while True:
            body = json.dumps(observation(team, patients)).encode()
            yield post(f"{PATH}/Observation", key, body)

    outcome = as_fast_as_possible(port(), requests(), clients=clients, seconds=s)
    assert set(outcome.statuses) == {201}, outcome.statuses
    assert not Parked.objects.filter(accession="").exists(), "what waits is not what is measured"
    return outcome


def batches(
    team: CareTeam, patients: int, key: str, *, results: int, clients: int, s: float
) -> Outcome:
    """Push Bundles of so many results; they are prepared beforehand, as making one takes longer."""
    prepared = [
        post(PATH, key, json.dumps(bundle(team, patients, results)).encode())
        for _ in range(int(60_000 / results))
    ]
    waiting = itertools.chain(prepared, itertools.repeat(prepared[-1]))
    outcome = as_fast_as_possible(port(), waiting, clients=clients, seconds=s)
    asked = sum(outcome.statuses.values())
    assert asked <= len(prepared), "the last Bundles were no news: prepare more"
    assert set(outcome.statuses) == {200}, outcome.statuses
    return outcome


def messages_per_second(read: Callable[[bytes], object], body: bytes, *, s: float) -> float:
    """Read the same message again and again on one processor; give messages a second."""
    started, count = time.perf_counter(), 0
    while time.perf_counter() < started + s:
        read(body)
        count += 1
    return count / (time.perf_counter() - started)


def reader_rows(team: CareTeam, patients: int) -> list[tuple[str, ...]]:
    """Set the reader beside `json.loads`, which neither checks nor keeps the digits."""
    rows: list[tuple[str, ...]] = []
    for name, tree, asked in [
        ("one Observation", observation(team, patients), Asked("POST", "Observation", None, "")),
        ("a Bundle of 100", bundle(team, patients, 100), Asked("POST", "", None, "")),
        ("a Bundle of 500", bundle(team, patients, 500), Asked("POST", "", None, "")),
    ]:
        body = json.dumps(tree).encode()
        plain = messages_per_second(json.loads, body, s=2)
        ours = messages_per_second(lambda each, asked=asked: read_request(asked, each), body, s=2)  # type: ignore[misc]
        rows.append(
            (name, f"{len(body):,} B", f"{plain:,.0f} /s", f"{ours:,.0f} /s", f"{ours / plain:.3f}")
        )
    return rows
