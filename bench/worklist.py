"""The worklist of clinicians with few and with very many patients."""

import statistics
import time
from typing import Any

from django.db import connection
from django.test import Client
from django.urls import reverse

from bench import data
from patients.models import CareTeam

VIEWS = 30


def _median_ms(client: Client, address: str) -> float:
    taken = []
    for _ in range(VIEWS):
        started = time.perf_counter()
        answer = client.get(address)
        taken.append(1000 * (time.perf_counter() - started))
        assert answer.status_code == 200, answer
    return statistics.median(taken)


def look(team: CareTeam) -> tuple[int, float, float]:
    """Give the worklist's queries, its median time, and that of an empty signed-in page."""
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(data.clinician_of(team))
    address = reverse("portal:worklist")
    client.get(address)
    asked: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        client.get(address)
    empty = _median_ms(client, reverse("account_logout"))
    return len(asked), _median_ms(client, address), empty
