"""The laboratory's door: single pushes, batches, and how long until a push is assessed."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

from django.db import connection

from bench import data
from bench.load import Connection, Outcome, as_fast_as_possible, percentile_ms, post
from bench.site import port
from patients.models import CareTeam

PATH = "/api/v1/results"
DRAWS_IN_A_BATCH = 100
_numbers = itertools.count(1)


def _draw(team: CareTeam, patients: int) -> dict[str, Any]:
    number = next(_numbers)
    minute = number // patients
    return {
        "accession": f"B-{number}",
        "patient": {
            "system": data.SYSTEM,
            "value": f"{team.pk}-{number % patients + 1}",
        },
        "collected_at": f"2026-10-{minute // 1440 + 1:02}T{minute // 60 % 24:02}:{minute % 60:02}Z",
        "results": [
            {
                "analyte": "sIL-6R",
                "value": f"{30 + number % 10}.50",
                "unit": "ng/mL",
                "method": "ELISA",
                "lot": "P-1142",
            }
        ],
    }


def _singles(team: CareTeam, patients: int, key: str) -> Iterator[bytes]:
    while True:
        yield post(PATH, key, json.dumps(_draw(team, patients)).encode())


def single_pushes(team: CareTeam, patients: int, key: str, *, clients: int, s: float) -> Outcome:
    """Push one draw a request, as fast as the door takes them."""
    outcome = as_fast_as_possible(port(), _singles(team, patients, key), clients=clients, seconds=s)
    assert set(outcome.statuses) == {201}, outcome.statuses
    return outcome


def batches(team: CareTeam, patients: int, key: str, *, clients: int, count: int) -> float:
    """Push draws a hundred a request; give draws a second."""
    prepared = [
        post(
            PATH,
            key,
            json.dumps(
                {"draws": [_draw(team, patients) for _ in range(DRAWS_IN_A_BATCH)]}
            ).encode(),
        )
        for _ in range(count)
    ]
    waiting = iter(prepared)
    lock = threading.Lock()
    statuses: list[int] = []
    started = time.perf_counter()

    def run() -> None:
        line = Connection(port())
        while True:
            with lock:
                request = next(waiting, None)
            if request is None:
                return
            statuses.append(line.ask(request)[0])

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {201}, statuses
    return count * DRAWS_IN_A_BATCH / (time.perf_counter() - started)


def push_to_assessed_ms(
    team: CareTeam, patients: int, key: str, *, per_second: int, seconds: float
) -> tuple[float, float]:
    """Push at a steady rate; give p50 and p99 from the push's departure to its assessment.

    Each push is for another patient. The end is read from the database's clock as the assessment's
    transaction commits (a deferred trigger); departure and end are clocks of one machine.
    """
    _watch_assessments()
    departures: dict[str, float] = {}
    lines = [Connection(port()) for _ in range(8)]
    requests = []
    for _ in range(int(per_second * seconds)):
        draw = _draw(team, patients)
        requests.append((draw["accession"], post(PATH, key, json.dumps(draw).encode())))
    started = time.time() + 0.2
    lock, turn = threading.Lock(), iter(enumerate(requests))

    def run(line: Connection) -> None:
        while True:
            with lock:
                number, (accession, request) = next(turn, (0, (None, b"")))
            if accession is None:
                return
            time.sleep(max(0.0, started + number / per_second - time.time()))
            departures[accession] = time.time()
            status, _ = line.ask(request)
            assert status == 201, status

    threads = [threading.Thread(target=run, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _until_assessed(departures)


def _watch_assessments() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE TABLE IF NOT EXISTS bench_seen (patient_id bigint, written_at timestamptz);
            CREATE OR REPLACE FUNCTION bench_see() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN
                INSERT INTO bench_seen VALUES (NEW.patient_id, clock_timestamp()); RETURN NULL;
            END $$;
            DROP TRIGGER IF EXISTS bench_see ON monitoring_riskassessment;
            CREATE CONSTRAINT TRIGGER bench_see AFTER INSERT ON monitoring_riskassessment
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bench_see();
            TRUNCATE bench_seen;
            """
        )


def stop_watching_assessments() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS bench_see ON monitoring_riskassessment")


def _until_assessed(departures: dict[str, float]) -> tuple[float, float]:
    """Find for each draw the first assessment made after the draw was recorded."""
    deadline = time.monotonic() + 30
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT draw.accession, extract(epoch FROM (
                         SELECT min(seen.written_at) FROM bench_seen AS seen
                          WHERE seen.patient_id = draw.patient_id
                            AND seen.written_at >= draw.recorded_at))
                  FROM patients_draw AS draw WHERE draw.accession = ANY(%s)
                """,
                [list(departures)],
            )
            found = {accession: at for accession, at in cursor.fetchall() if at is not None}
        if len(found) == len(departures):
            break
        assert time.monotonic() < deadline, f"{len(departures) - len(found)} never assessed"
        time.sleep(0.2)
    waits = [float(found[name]) - departure for name, departure in departures.items()]
    return percentile_ms(waits, 0.5), percentile_ms(waits, 0.99)
